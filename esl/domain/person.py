"""People: who signs in, by what name, and what they are where.

A sign-in name is kept folded, so that "Ana" and "ana" are one; it is never said to strangers
whether there is such a person.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NewType

from esl.domain.access import ALL_STORES, Role
from esl.domain.errors import InvalidInput

PersonId = NewType("PersonId", str)

SIGN_IN_NAME_LONGEST: Final = 80
DISPLAY_NAME_LONGEST: Final = 120
MAIL_LONGEST: Final = 254
LANGUAGE_LONGEST: Final = 35
_SIGN_IN_NAME_SHORTEST: Final = 2
_NOT_IN_NAMES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHeld:
    """A role in a store, or in all of them."""

    store: str  # a store's id, or `ALL_STORES`
    role: Role

    @property
    def is_admin_of_all(self) -> bool:
        """Say whether its holder may do everything everywhere."""
        return self.store == ALL_STORES and self.role is Role.ADMIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account; everything but the secrets."""

    person_id: PersonId
    sign_in_name: str
    display_name: str
    mail: str | None
    language: str | None
    has_password: bool
    has_second_factor: bool
    created_at: datetime
    disabled_at: datetime | None
    roles: frozenset[RoleHeld]

    @property
    def actor(self) -> str:
        """What audit and idempotency know the person by: never a name."""
        return f"person:{self.person_id}"


def fold_sign_in_name(text: str) -> str:
    """Return a sign-in name as it is compared; for any text that somebody types."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def check_sign_in_name(text: str, *, path: str) -> str:
    """Return a new sign-in name, folded.

    Raises:
        InvalidInput: It is too short or too long, or holds blanks or what cannot be seen.
    """
    folded = fold_sign_in_name(text)
    if not _SIGN_IN_NAME_SHORTEST <= len(folded) <= SIGN_IN_NAME_LONGEST:
        raise InvalidInput.at(
            path,
            f"not {_SIGN_IN_NAME_SHORTEST} to {SIGN_IN_NAME_LONGEST} characters",
            fix="Use a short name, or the mail address.",
        )
    if any(unicodedata.category(c) in _NOT_IN_NAMES for c in folded):
        raise InvalidInput.at(
            path,
            "holds blanks or characters that cannot be seen",
            fix="Use letters, digits and signs, such as ana.novak or a mail address.",
        )
    return folded
