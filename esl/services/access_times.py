"""Tokens and secrets that end by themselves, and when each was last used.

::

    right ──▶ its time is over? ──yes──▶ refused, in words that say so: whoever holds it may know
                  │ no
                  └▶ noted as used, once a minute at most, and nobody waits for it
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from esl.domain.access import ALL_STORES
from esl.domain.errors import InvalidInput, NotSignedIn
from esl.domain.ids import StoreId
from esl.domain.problem import ProblemKind
from esl.store import access_times as rows
from esl.store.access_times import NEVER, Ending, Times

USE_NOTED_EVERY: Final = timedelta(minutes=1)
WARNED_BEFORE: Final = timedelta(days=14)
LASTING: Final = 2 * WARNED_BEFORE
USED_WITHIN: Final = timedelta(days=30)


def let_end(tx: Connection, key: str, ends_at: datetime | None, now: datetime) -> None:
    """Let a token or secret end by itself; None: it does not.

    Raises:
        InvalidInput: It would have ended already.
    """
    if ends_at is None:
        return
    if ends_at <= now:
        fix = "Give a time in the future, or leave it out."
        raise InvalidInput.at("/expires_at", "it is over already", fix=fix)
    rows.set_end(tx, key, ends_at)


def check(tx: Connection, key: str, now: datetime) -> Times:
    """Let one pass whose time is not over; ask only once it was found right.

    Raises:
        NotSignedIn: It has ended; says when.
    """
    times = rows.times_of(tx, [key]).get(key, NEVER)
    if times.ends_at is not None and times.ends_at <= now:
        kind = key.partition(":")[0]
        raise NotSignedIn(f"this {kind} ended on {times.ends_at:%Y-%m-%d %H:%M} UTC")
    return times


def in_force(tx: Connection, keys: Collection[str], now: datetime) -> frozenset[str]:
    """Return those of the keys whose time is not over."""
    times = rows.times_of(tx, keys)
    ends = {key: times.get(key, NEVER).ends_at for key in keys}
    return frozenset(key for key, at in ends.items() if at is None or at > now)


def is_use_worth_a_note(times: Times, now: datetime) -> bool:
    """Say whether one was last noted as used a while ago."""
    return times.used_at is None or now - times.used_at >= USE_NOTED_EVERY


def ending_soon(tx: Connection, now: datetime) -> list[Ending]:
    """List what ends within `WARNED_BEFORE`, or ended as lately and was not replaced."""
    return rows.ending_between(tx, now - WARNED_BEFORE, now + WARNED_BEFORE)


def find_access_problems(
    tx: Connection, store_id: StoreId, now: datetime
) -> Iterator[tuple[ProblemKind, str, str]]:
    """Find what a store's machines still come in with, and soon no more: nobody replaced it.

    What was made for a few days is meant to end; what nobody used lately, nobody misses.
    """
    for one in ending_soon(tx, now):
        is_used = one.used_at is not None and one.used_at > min(now, one.ends_at) - USED_WITHIN
        if not is_used or one.ends_at - one.made_at < LASTING:
            continue
        if one.stores.isdisjoint((store_id, ALL_STORES)):
            continue
        what = "The secret" if one.access.startswith("secret:") else "The token"
        verb = "ends" if one.ends_at > now else "ended"
        reason = f"{what} of {one.name} {verb} on {one.ends_at:%Y-%m-%d %H:%M} UTC."
        yield ProblemKind.ACCESS_ENDS, f"{one.access}/{store_id}", reason
