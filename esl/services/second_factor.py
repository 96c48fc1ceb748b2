"""Codes from a person's phone (TOTP, RFC 6238), and the codes for the day the phone is lost.

Six digits, 30 s, SHA-1: what every authenticator app knows. The code before and after now are
taken too; none is taken twice. Each recovery code works once.
"""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from sqlalchemy import Connection

from esl.domain.errors import Conflict, InvalidInput
from esl.domain.person import PersonId
from esl.services.access import hash_secret
from esl.store import people
from esl.store.people import Credentials

STEP_S: Final = 30
DIGITS: Final = 6
RECOVERY_CODES: Final = 10
_SECRET_BYTES: Final = 20
_RECOVERY_BYTES: Final = 10
_AWAY_STEPS: Final = (0, -1, 1)

SEALED_AS: Final = "totp"
"""The kind under which the secret is sealed in the installation's box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A code that was right, and what the person's row must say from now on."""

    step: int
    recovery_sha256: frozenset[str]
    by_recovery_code: bool


def new_secret() -> str:
    """Make a secret for an authenticator app, in hex."""
    return secrets.token_hex(_SECRET_BYTES)


def new_recovery_codes() -> list[str]:
    """Make the codes that a person writes down."""
    made = (secrets.token_hex(_RECOVERY_BYTES // 2) for _ in range(RECOVERY_CODES))
    return [f"{code[:5]}-{code[5:]}" for code in made]


def code_at(secret_hex: str, step: int) -> str:
    """Return the code of a step of 30 s since 1970."""
    return _hotp(secret_hex).generate(step).decode()


def address_for_apps(secret_hex: str, *, name: str) -> str:
    """Return what an authenticator app scans: ``otpauth://totp/…``."""
    text = base64.b32encode(bytes.fromhex(secret_hex)).decode().rstrip("=")
    return f"otpauth://totp/{quote(f'ESL:{name}', safe=':')}?secret={text}&issuer=ESL"


def check_code(
    typed: str, held: Credentials, open_secret: Callable[[bytes], str], now: datetime
) -> Checked | None:
    """Check a code of the app, or one for recovery; None if it is wrong or was used."""
    if held.totp_sealed is None:
        return None
    code = "".join(c for c in typed if c.isalnum()).lower()
    if len(code) == DIGITS and code.isascii() and code.isdigit():
        secret_hex = open_secret(held.totp_sealed)
        here = int(now.timestamp()) // STEP_S
        for step in (here + away for away in _AWAY_STEPS):
            if step > held.totp_step and secrets.compare_digest(code_at(secret_hex, step), code):
                return Checked(
                    step=step, recovery_sha256=held.recovery_sha256, by_recovery_code=False
                )
        return None
    hashed = hash_secret(code)
    if hashed not in held.recovery_sha256:
        return None
    return Checked(
        step=held.totp_step,
        recovery_sha256=held.recovery_sha256 - {hashed},
        by_recovery_code=True,
    )


def begin(tx: Connection, person_id: PersonId, sealed: bytes) -> None:
    """Keep a new secret that counts only once a code of it was right.

    Raises:
        Conflict: Codes are asked for already.
    """
    held = people.credentials_of(tx, person_id, to_change=True)
    if held is None or held.totp_is_on:
        raise Conflict("codes are asked for already; turn them off first")
    people.set_second_factor(tx, person_id, sealed=sealed, is_on=False, step=0, recovery_sha256=())


def confirm(
    tx: Connection,
    person_id: PersonId,
    typed: str,
    *,
    open_secret: Callable[[bytes], str],
    recovery_codes: list[str],
    now: datetime,
) -> None:
    """Ask for codes from now on, as the first one is right.

    Raises:
        Conflict: Nothing was begun, or it is done.
        InvalidInput: The code is wrong.
    """
    held = people.credentials_of(tx, person_id, to_change=True)
    if held is None or held.totp_sealed is None or held.totp_is_on:
        raise Conflict("nothing to confirm: begin first")
    right = check_code(typed, held, open_secret, now)
    if right is None:
        raise InvalidInput.at(
            "/code", "not the code of this moment", fix="Check the clock of the phone."
        )
    people.set_second_factor(
        tx,
        person_id,
        sealed=held.totp_sealed,
        is_on=True,
        step=right.step,
        recovery_sha256=[hash_secret(code.replace("-", "")) for code in recovery_codes],
    )


def turn_off(tx: Connection, person_id: PersonId) -> None:
    """Ask for codes no more."""
    people.set_second_factor(tx, person_id, sealed=None, is_on=False, step=0, recovery_sha256=())


def _hotp(secret_hex: str) -> HOTP:
    return HOTP(bytes.fromhex(secret_hex), DIGITS, SHA1())  # noqa: S303  # nosec B303
