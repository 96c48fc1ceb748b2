"""Signing in by an OpenID provider: what it says of somebody, and which roles that gives here.

::

    the provider says     groups: esl-managers, everybody
    the settings say      esl-managers → manager in zagreb-1
                          └ so that is what the person is here, and nothing else
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256

from esl.domain.access import ALL_STORES, Role
from esl.domain.errors import InvalidInput
from esl.domain.person import (
    DISPLAY_NAME_LONGEST,
    MAIL_LONGEST,
    SIGN_IN_NAME_LONGEST,
    RoleHeld,
    check_sign_in_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRole:
    """A group of the provider, and the role that it gives in some stores, or in `ALL_STORES`."""

    group: str
    role: Role
    stores: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidByProvider:
    """Who somebody is by a provider's word, checked; ``subject`` is its own id of that person.

    ``names`` are what might be the sign-in name here, the best first.
    """

    issuer: str
    subject: str
    names: tuple[str, ...]
    display_name: str | None
    mail: str | None
    groups: frozenset[str]

    @property
    def key(self) -> str:
        """What the person is known by: SHA-256 over issuer and subject, in hexadecimal digits.

        Neither part holds a NUL, so that no two pairs read alike. A name or a mail address would
        not do: providers give those to somebody else one day (OpenID Connect Core 1.0, 5.7).
        """
        return sha256(f"{self.issuer}\0{self.subject}".encode()).hexdigest()

    @property
    def sign_in_name(self) -> str:
        """The first of ``names`` that may be a sign-in name, folded; else one made of the key."""
        for name in self.names:
            try:
                return check_sign_in_name(name[: SIGN_IN_NAME_LONGEST + 1], path="/name")
            except InvalidInput:
                continue
        return f"person-{self.key[:12]}"

    @property
    def shown_name(self) -> str:
        """The name for people to read."""
        shown = "".join(c for c in self.display_name or "" if c.isprintable()).strip()
        return shown[:DISPLAY_NAME_LONGEST] or self.sign_in_name

    @property
    def usable_mail(self) -> str | None:
        """The mail address, where it looks like one."""
        mail = self.mail or ""
        is_one = "@" in mail[1:-1] and mail.isprintable() and " " not in mail
        return mail if is_one and len(mail) <= MAIL_LONGEST else None


def roles_of(
    groups: Collection[str], rules: Iterable[GroupRole], stores: Collection[str]
) -> frozenset[RoleHeld]:
    """Return the roles that groups give in the stores that there are, and in `ALL_STORES`."""
    return frozenset(
        RoleHeld(store=store, role=rule.role)
        for rule in rules
        if rule.group in groups
        for store in rule.stores
        if store == ALL_STORES or store in stores
    )
