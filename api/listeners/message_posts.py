"""One message by mail (SMTP) or to a chat (an incoming webhook): sent once, or said why not.

To checked addresses alone: private ones only where the store's settings say so, and TLS with a
certificate that the machine trusts.
"""

import contextlib
import json
import smtplib
import socket
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from api.listeners.connectors.addresses import AddressRules
from api.listeners.connectors.fetch import Fetcher
from api.listeners.connectors.lines import Lines
from esl.domain.errors import Conflict, Unavailable
from esl.domain.ids import StoreId
from esl.domain.instants import instant_text
from esl.domain.notification import (
    Channel,
    MailServer,
    Message,
    NotificationSettings,
    Recipient,
    Secrets,
    Security,
)

STEP_LONGEST_S: Final = 20.0
MAIL_LONGEST_S: Final = 90.0
"""All steps of a mail; a server may answer each a byte at a time."""

_ANSWER_LARGEST_BYTES: Final = 64 * 1024
_TEXT_LONGEST: Final = 3500
"""Characters of a chat's message: below what each of the chats takes."""


class _Plain(smtplib.SMTP):
    """Connects to an address that was checked, whatever a name server says the second time."""

    address = ""
    lines: Lines

    def _get_socket(self, _host: str, port: int, timeout: float) -> socket.socket:
        line = socket.create_connection((self.address, port), timeout)
        self.lines.note(self.address, line)
        return line


class _Tls(smtplib.SMTP_SSL):
    """The same, with TLS from the first byte."""

    address = ""
    lines: Lines

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((self.address, port), timeout)
        self.lines.note(self.address, plain)
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def send_mail(
    settings: NotificationSettings, held: Secrets, to: Recipient, message: Message
) -> None:
    """Send a message by mail.

    Raises:
        EslError: It was not taken; says why.
    """
    server = settings.mail
    if server is None or to.to is None:
        raise Conflict("there is no mail server, or no address")
    mail = EmailMessage()
    mail["From"] = server.sender
    mail["To"] = to.to
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(message.created_at.astimezone(UTC))
    mail["Message-ID"] = f"<{message.message_id}@{server.sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body)
    allowed = frozenset({server.host} if settings.allow_private else ())
    address = AddressRules(allowed=allowed).address_of(server.host, server.port)
    lines = Lines()
    try:
        with contextlib.closing(lines), lines.ended_after(MAIL_LONGEST_S, address):
            _transmit(server, address, held.password, mail, lines)
    except smtplib.SMTPResponseException as exc:
        words = (
            exc.smtp_error.decode("ascii", "replace")
            if isinstance(exc.smtp_error, bytes)
            else str(exc.smtp_error)
        )
        raise Unavailable(f"the mail server answers {exc.smtp_code}: {words[:150]}") from exc
    except smtplib.SMTPRecipientsRefused as exc:
        raise Unavailable("the mail server does not take mail for this address") from exc
    except smtplib.SMTPNotSupportedError as exc:
        raise Unavailable(f"the mail server cannot: {exc}"[:200]) from exc
    except ssl.SSLError as exc:
        raise Unavailable(f"the mail server's TLS is not trusted: {exc.reason}") from exc
    except (smtplib.SMTPException, OSError) as exc:
        raise Unavailable("the mail server does not answer properly") from exc


def _transmit(
    server: MailServer, address: str, password: str | None, mail: EmailMessage, lines: Lines
) -> None:
    kind = _Tls if server.security is Security.TLS else _Plain
    line = kind(timeout=STEP_LONGEST_S)
    line.address, line.lines = address, lines
    line._host = server.host  # type: ignore[union-attr]  # whom its certificate must name
    with line:
        line.connect(server.host, server.port)
        if server.security is Security.STARTTLS:
            line.starttls(context=ssl.create_default_context())
        if server.login is not None and password is not None:
            line.login(server.login, password)
        line.send_message(mail)


def send_chat(
    settings: NotificationSettings,
    held: Secrets,
    to: Recipient,
    message: Message,
    *,
    store_id: StoreId,
    now: datetime,
) -> None:
    """Send a message to a chat's incoming webhook.

    Raises:
        EslError: It was not taken; says why.
    """
    url = held.urls.get(to.name)
    if url is None:
        raise Conflict("its address is not known")
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    fetcher = Fetcher(
        base_url=f"{parts.scheme}://{parts.netloc}",
        rules=AddressRules(allowed=frozenset({host} if settings.allow_private and host else ())),
        headers={"webhook-id": message.message_id, "webhook-timestamp": str(int(now.timestamp()))},
        largest_bytes=_ANSWER_LARGEST_BYTES,
        longest_s=STEP_LONGEST_S,
    )
    query = f"?{parts.query}" if parts.query else ""
    body = json.dumps(_chat_body(to.channel, message, store_id), ensure_ascii=False).encode()
    try:
        fetcher.post_body(f"{parts.path or '/'}{query}", body)
    finally:
        fetcher.close()


def _chat_body(channel: Channel, message: Message, store_id: StoreId) -> dict[str, Any]:
    text = message.body[:_TEXT_LONGEST]
    match channel:
        case Channel.SLACK:
            plain = f"*{message.subject}*\n{text}"
            for sign, spelt in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
                plain = plain.replace(sign, spelt)
            return {"text": plain}
        case Channel.MATTERMOST:
            return {"text": f"**{message.subject}**\n\n{text}"}
        case Channel.TEAMS:
            title = {"type": "TextBlock", "text": message.subject, "weight": "bolder", "wrap": True}
            block = {"type": "TextBlock", "text": text.replace("\n", "\n\n"), "wrap": True}
            card = {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [title, block],
            }
            kind = "application/vnd.microsoft.card.adaptive"
            return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}
        case _:
            return {
                "type": "esl.notification",
                "id": message.message_id,
                "store": store_id,
                "at": instant_text(message.created_at),
                "subject": message.subject,
                "text": message.body,
            }
