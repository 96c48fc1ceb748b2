"""A person signs in: by name and password, then perhaps a code, to a session.

::

    charge ──▶ (the password is looked at, beside the database) ──▶ let_in ──▶ session
      │ too often                     │ wrong: the charge stays         └▶ a code is asked for
      ▼                               ▼                                     charge_code ──▶ session
    TooOften                     the same answer for whoever there is not

A try is charged before it is looked at: see `esl.domain.throttle`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from sqlalchemy import Connection

from esl.domain.errors import NotSignedIn, TooOften
from esl.domain.person import PersonId, fold_sign_in_name
from esl.domain.throttle import (
    BUCKET,
    BUCKET_FILLS,
    FORGOTTEN_AFTER,
    emptied_by_now,
    network_of,
    pause_after,
)
from esl.services import second_factor
from esl.services.access import SESSION_LASTS, hash_secret
from esl.store import access, audit, people, throttles

CODE: Final = "code"
"""The purpose of what stands for a password that was right, until the code is there."""

CODE_LASTS: Final = timedelta(minutes=5)
_CODE_TRIES: Final = 5
_ABOUT_LONGEST: Final = 120
_WRONG: Final = "name and password do not fit each other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try, charged: what its password is to be checked against, None where nobody is."""

    person_id: PersonId | None
    password_hash: str | None
    name_throttle: str
    network_throttle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetIn:
    """What came of a right password: a session until ``ends_at``, or a code is still asked for."""

    person_id: PersonId
    ends_at: datetime | None


def charge(tx: Connection, *, name: str, address: str, now: datetime) -> Attempt:
    """Count a try, and return what to check; for names that nobody has as for others.

    Raises:
        TooOften: This name, or this network, has to wait.
    """
    folded = fold_sign_in_name(name)
    by_name = f"name:{hash_secret(folded)}"
    by_network = f"net:{network_of(address)}"
    throttles.forget_old(tx, now, FORGOTTEN_AFTER)
    throttles.hold(tx, by_name, now)
    failures, last = throttles.failures_of(tx, by_name) or (0, now)
    if now - last >= FORGOTTEN_AFTER:
        failures = 0
    if pause := pause_after(failures):  # else one more is free, whoever's clock is ahead
        _refuse_before(last + pause, now)
    throttles.hold(tx, by_network, now)
    taken, since = throttles.failures_of(tx, by_network) or (0, now)
    taken = emptied_by_now(taken, since, now)
    if taken >= BUCKET:
        _refuse_before(now + BUCKET_FILLS, now)
    throttles.note_failures(tx, by_name, failures + 1, now)
    throttles.note_failures(tx, by_network, taken + 1, now)
    # What no name may hold is looked for in vain, and not by every database: PostgreSQL has no NUL.
    person_id = people.id_of_name(tx, folded) if folded.isprintable() else None
    held = people.credentials_of(tx, person_id) if person_id is not None else None
    may = held is not None and not held.is_disabled
    return Attempt(
        person_id=person_id if may else None,
        password_hash=held.password_hash if held is not None and may else None,
        name_throttle=by_name,
        network_throttle=by_network,
    )


def let_in(
    tx: Connection,
    attempt: Attempt,
    *,
    session_secret: str,
    about: str | None,
    former_session: str | None,
    now: datetime,
) -> LetIn:
    """Begin the session of somebody whose password was right, or ask for the code.

    ``session_secret`` then stands for the password until `CODE_LASTS` is over. The session that
    the browser had before is ended.

    Raises:
        NotSignedIn: The password was changed meanwhile, or the account closed.
    """
    held = None
    if attempt.person_id is not None:
        held = people.credentials_of(tx, attempt.person_id, to_change=True)
    if held is None or held.is_disabled or held.password_hash != attempt.password_hash:
        raise NotSignedIn(_WRONG)
    _give_back(tx, attempt.network_throttle, now)
    if held.totp_is_on:
        _give_back(tx, attempt.name_throttle, now)
        access.add_sign_in_link(
            tx,
            secret_sha256=hash_secret(session_secret),
            person=held.person_id,
            uses=_CODE_TRIES,
            expires_at=now + CODE_LASTS,
            purpose=CODE,
        )
        return LetIn(person_id=held.person_id, ends_at=None)
    throttles.forget(tx, attempt.name_throttle)
    if former_session is not None:
        access.end_session(tx, hash_secret(former_session))
    ends_at = begin_session(tx, held.person_id, session_secret=session_secret, about=about, now=now)
    return LetIn(person_id=held.person_id, ends_at=ends_at)


def take_code(
    tx: Connection,
    *,
    half_secret: str,
    code: str,
    address: str,
    open_secret: Callable[[PersonId, bytes], str],
    session_secret: str,
    about: str | None,
    now: datetime,
) -> LetIn | None:
    """Begin the session if the code is right too; None if it is wrong: commit, the try counts.

    Raises:
        NotSignedIn: The password was too long ago, or five codes were wrong.
        TooOften: This name, or this network, has to wait.
    """
    found = access.use_sign_in_link(tx, hash_secret(half_secret), now, purpose=CODE)
    person = people.person_named(tx, PersonId(found)) if found is not None else None
    if person is None or person.disabled_at is not None:
        raise NotSignedIn("that took too long, or too many codes were wrong; begin again")
    person_id = person.person_id
    attempt = charge(tx, name=person.sign_in_name, address=address, now=now)
    held = people.credentials_of(tx, person_id, to_change=True)
    if held is None:
        return None
    right = second_factor.check_code(code, held, lambda sealed: open_secret(person_id, sealed), now)
    if right is None:
        return None
    people.set_second_factor(
        tx,
        person_id,
        sealed=held.totp_sealed,
        is_on=True,
        step=right.step,
        recovery_sha256=right.recovery_sha256,
    )
    if right.by_recovery_code:
        audit.note(
            tx,
            now,
            actor=person.actor,
            action="recovery_code_used",
            subject=f"person/{person_id}",
            detail={"left": len(right.recovery_sha256)},
        )
    _give_back(tx, attempt.network_throttle, now)
    throttles.forget(tx, attempt.name_throttle)
    access.end_links(tx, person_id, CODE)
    ends_at = begin_session(tx, person_id, session_secret=session_secret, about=about, now=now)
    return LetIn(person_id=person_id, ends_at=ends_at)


def begin_session(
    tx: Connection,
    person_id: PersonId,
    *,
    session_secret: str,
    about: str | None,
    now: datetime,
    by_provider: bool = False,
) -> datetime:
    """Begin a person's session; return when it ends at the latest."""
    expires_at = now + SESSION_LASTS
    access.add_session(
        tx,
        secret_sha256=hash_secret(session_secret),
        person=person_id,
        now=now,
        expires_at=expires_at,
        about=_printable(about),
        by_provider=by_provider,
    )
    return expires_at


def settle(tx: Connection, attempt: Attempt, now: datetime) -> None:
    """Give back what a try cost whose password was right, where no session begins."""
    throttles.forget(tx, attempt.name_throttle)
    _give_back(tx, attempt.network_throttle, now)


def _give_back(tx: Connection, throttle: str, now: datetime) -> None:
    counted = throttles.failures_of(tx, throttle)
    if counted is not None:
        throttles.note_failures(tx, throttle, max(0, counted[0] - 1), now)


def _refuse_before(moment: datetime, now: datetime) -> None:
    if now < moment:
        wait_s = max(1, ceil((moment - now).total_seconds()))
        raise TooOften("too many attempts", again_after_s=wait_s)


def _printable(about: str | None) -> str | None:
    shown = "".join(c for c in about or "" if c.isascii() and c.isprintable())
    return shown[:_ABOUT_LONGEST] or None
