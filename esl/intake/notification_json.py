"""How the people of a store are told, as JSON: as they are set, kept, and shown.

Passwords and addresses of chats are taken in here and go to `Secrets`; they are never shown. What
is left out of them stays as it was.
"""

import re
from datetime import time
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from esl.domain.errors import InvalidInput
from esl.domain.ids import check_slug
from esl.domain.instants import instant_or_none
from esl.domain.notification import (
    RECIPIENTS_MOST,
    Channel,
    MailServer,
    Message,
    NotificationSettings,
    Recipient,
    Secrets,
    Security,
)
from esl.domain.pricing import KEEP
from esl.domain.problem import ProblemKind
from esl.intake.fields import Fields
from esl.intake.guard_json import read_flag
from esl.intake.strict_json import pointer
from esl.intake.till_json import parse_url

HOST_LONGEST: Final = 253
ADDRESS_LONGEST: Final = 254
PASSWORD_LONGEST: Final = 200
_HOST: Final = re.compile(r"[A-Za-z0-9.:-]+")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
Choice = TypeVar("Choice", Channel, Security)
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def parse_settings(
    value: Any, before: tuple[NotificationSettings, Secrets] | None = None
) -> tuple[NotificationSettings, Secrets]:
    """Read settings; secrets that are left out are taken from those ``before``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    known, secrets = before or (NotificationSettings(), Secrets())
    fields = Fields(value)
    allow_private = read_flag(fields, "allow_private", usual=False)
    mail, password = _mail(fields, known.mail, secrets.password)
    recipients, urls = _recipients(fields, secrets, allow_private=allow_private)
    quiet = _quiet(fields)
    digest_at = _time(fields, "digest_at")
    by_mail = any(one.channel is Channel.MAIL for one in recipients)
    if mail is None and by_mail and not fields.problems:
        fields.problem("mail", "missing", fix='Send the mail server: {"host": …, "from": …}.')
    fields.finish()
    settings = NotificationSettings(
        mail=mail,
        recipients=recipients,
        quiet=quiet,
        digest_at=digest_at,
        allow_private=allow_private,
    )
    return settings, Secrets(password=password, urls=urls)


def settings_view(one: NotificationSettings) -> dict[str, Any]:
    """Write settings as they are kept: without secrets."""
    mail = one.mail
    return {
        "mail": None
        if mail is None
        else {
            "host": mail.host,
            "port": mail.port,
            "security": mail.security.value,
            "login": mail.login,
            "from": mail.sender,
        },
        "recipients": [
            {
                "name": to.name,
                "channel": to.channel.value,
                "to": to.to,
                "problems": sorted(to.kinds),
                "digest": to.digest,
                "quiet": to.is_quiet,
            }
            for to in one.recipients
        ],
        "quiet_hours": {"from": _clock(one.quiet[0]), "to": _clock(one.quiet[1])}
        if one.quiet
        else None,
        "digest_at": _clock(one.digest_at) if one.digest_at else None,
        "allow_private": one.allow_private,
    }


def shown_view(one: NotificationSettings, secrets: Secrets) -> dict[str, Any]:
    """Write settings as people see them: where chats are, and whether there is a password."""
    view = settings_view(one)
    if view["mail"] is not None:
        view["mail"]["has_password"] = secrets.password is not None
    for to in view["recipients"]:
        url = secrets.urls.get(to["name"])
        to["url_host"] = urlsplit(url).hostname if url is not None else None
    return view


def message_view(one: Message) -> dict[str, Any]:
    """Write what became of a message."""
    return {
        "message": one.number,
        "recipient": one.recipient,
        "created_at": instant_or_none(one.created_at),
        "subject": one.subject,
        "state": one.state.value,
        "attempts": one.attempts,
        "error": one.error,
        "sent_at": instant_or_none(one.sent_at),
    }


def parse_test(value: Any) -> str | None:
    """Read whom to try: one recipient, or None for all.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    name = fields.parsed("recipient", lambda text, at: check_slug(text, path=at, what="recipient"))
    fields.finish()
    return name if isinstance(name, str) else None


def _mail(
    fields: Fields, known: MailServer | None, secret: str | None
) -> tuple[MailServer | None, str | None]:
    value = fields.take("mail")
    if value is KEEP or value is None:
        return None, None
    read = Fields(value, path=pointer(fields.path, "mail"))
    host = read.parsed("host", _checked(_HOST, HOST_LONGEST, "a host"), required=True)
    port = read.integer("port", low=1, high=65535)
    security = _choice(read, "security", Security, Security.STARTTLS)
    login = read.text("login", longest=ADDRESS_LONGEST)
    sender = read.parsed("from", _checked(_ADDRESS, ADDRESS_LONGEST, "an address"), required=True)
    password = read.take("password")
    server = MailServer(
        host=str(host).lower(),
        port=port or (465 if security is Security.TLS else 587),
        security=security,
        login=login if isinstance(login, str) else None,
        sender=str(sender),
    )
    if password is KEEP:
        password = secret if server.login is not None else None
        is_same = known is not None and (known.host, known.port, known.login, known.security) == (
            server.host,
            server.port,
            server.login,
            server.security,
        )
        if password is not None and not is_same:
            read.problem("password", "missing", fix="Another server or login: send it again.")
    elif password is not None and not (
        isinstance(password, str) and 1 <= len(password) <= PASSWORD_LONGEST
    ):
        read.problem("password", f"not a text of 1 to {PASSWORD_LONGEST} characters")
        password = None
    if (password is None) != (server.login is None):
        read.problem("login", "a login and a password belong together")
    if password is not None and security is Security.NONE:
        read.problem("security", "a password would go in the clear", fix='Send "starttls".')
    _finish(read, fields)
    return server, password if isinstance(password, str) else None


def _recipients(
    fields: Fields, secrets: Secrets, *, allow_private: bool
) -> tuple[tuple[Recipient, ...], dict[str, str]]:
    listed = fields.take("recipients")
    if not isinstance(listed, list) or len(listed) > RECIPIENTS_MOST:
        fields.problem("recipients", f"not a list of at most {RECIPIENTS_MOST}")
        return (), {}
    found: dict[str, Recipient] = {}
    urls: dict[str, str] = {}
    for place, value in enumerate(listed):
        read = Fields(value, path=f"{pointer(fields.path, 'recipients')}/{place}")
        one, url = _recipient(read, secrets, allow_private=allow_private)
        if one.name in found:
            read.problem("name", "there are two of this name")
        _finish(read, fields)
        found[one.name] = one
        if url is not None:
            urls[one.name] = url
    return tuple(found.values()), urls


def _recipient(
    read: Fields, secrets: Secrets, *, allow_private: bool
) -> tuple[Recipient, str | None]:
    name = read.parsed(
        "name", lambda text, at: check_slug(text, path=at, what="recipient"), required=True
    )
    channel = _choice(read, "channel", Channel, Channel.MAIL)
    to = read.parsed("to", _checked(_ADDRESS, ADDRESS_LONGEST, "an address"))
    url = read.parsed("url", parse_url)
    kinds = _kinds(read)
    digest = read_flag(read, "digest", usual=False)
    is_quiet = read_flag(read, "quiet", usual=True)
    kept = url if isinstance(url, str) else None
    if channel is Channel.MAIL:
        if not isinstance(to, str) and not read.problems:
            read.problem("to", "missing", fix="Send a mail address.")
        if kept is not None:
            read.problem("url", "mail needs none", fix="Leave it out, or choose another channel.")
    else:
        if isinstance(to, str):
            read.problem("to", "a chat has no mail address", fix="Send “url” in its place.")
        kept = kept or secrets.urls.get(str(name))
        if kept is None and not read.problems:
            read.problem("url", "missing", fix="Send the address of the chat's incoming webhook.")
        elif kept is not None and urlsplit(kept).scheme == "http" and not allow_private:
            read.problem("url", "plain http", fix="Send an https address.")
    recipient = Recipient(
        name=str(name),
        channel=channel,
        to=to if isinstance(to, str) else None,
        kinds=kinds,
        digest=digest,
        is_quiet=is_quiet,
    )
    return recipient, kept if channel is not Channel.MAIL else None


def _kinds(read: Fields) -> frozenset[ProblemKind]:
    listed = read.take("problems")
    if listed is KEEP or listed is None:
        return frozenset()
    if not isinstance(listed, list) or len(listed) > len(ProblemKind):
        read.problem("problems", "not a list of kinds of problems")
        return frozenset()
    try:
        return frozenset(map(ProblemKind, listed))
    except (ValueError, TypeError):
        names = ", ".join(sorted(ProblemKind))
        read.problem("problems", "no problem of this kind", fix=f"Send some of: {names}.")
        return frozenset()


def _choice(read: Fields, name: str, kinds: type[Choice], usual: Choice) -> Choice:
    value = read.take(name)
    if value is KEEP or value is None:
        return usual
    try:
        return kinds(value)
    except (ValueError, TypeError):
        read.problem(name, "not one of them", fix=f"Send one of: {', '.join(kinds)}.")
        return usual


def _quiet(fields: Fields) -> tuple[time, time] | None:
    value = fields.take("quiet_hours")
    if value is KEEP or value is None:
        return None
    read = Fields(value, path=pointer(fields.path, "quiet_hours"))
    begins, ends = _time(read, "from", required=True), _time(read, "to", required=True)
    if begins is not None and begins == ends:
        read.problem("to", "the same as “from”", fix="For no quiet hours, send null for them.")
    _finish(read, fields)
    return (begins, ends) if begins is not None and ends is not None else None


def _time(read: Fields, name: str, *, required: bool = False) -> time | None:
    def parse(text: str, path: str) -> time:
        found = _TIME.fullmatch(text)
        if found is None or not text.isascii():
            raise InvalidInput.at(path, "no time of day", fix='Send it such as "22:00".')
        return time(int(found[1]), int(found[2]))

    value = read.parsed(name, parse, required=required)
    return value if isinstance(value, time) else None


def _checked(pattern: re.Pattern[str], longest: int, what: str) -> Any:
    def parse(text: str, path: str) -> str:
        if len(text) > longest or not text.isascii() or pattern.fullmatch(text) is None:
            raise InvalidInput.at(path, f"not {what}")
        return text

    return parse


def _finish(read: Fields, into: Fields) -> None:
    try:
        read.finish()
    except InvalidInput as exc:
        into.problems.extend(exc.problems)


def _clock(at: time) -> str:
    return at.strftime("%H:%M")
