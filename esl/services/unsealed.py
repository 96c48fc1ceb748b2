"""Records that no block of the audit chain holds yet: counted, and looked at for what cannot be.

What was not sealed yet is young, and stands after what was sealed. On PostgreSQL it may fill a gap
of numbers whose transaction ended late, if it is of that time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from esl.domain.chain import RecordKind, Run, gaps_between
from esl.store import chain
from esl.store.chain import Gap
from esl.store.chain_records import NAMES, id_of, moments_of, rows_after, rows_within
from esl.store.columns import instant_text

LATE_MOST: Final = timedelta(hours=25)
"""How much older than what was sealed before a record may be: clocks of several machines may differ
by a day before they are held, and a transaction ends within the hour."""

_ROWS_A_READ: Final = 2000
_SLACK: Final = timedelta(hours=1)


class WrongError(Exception):
    """Something in the chain, or beside it, is wrong; ends the look."""


def count_unsealed(
    tx: Connection, kind: RecordKind, sealed: Sequence[Run], newest: str, now: datetime
) -> int:
    """Count records of a kind that are in none of the sealed runs.

    ``newest`` is the time, UTC, of the newest one that was sealed; empty: none was.

    Raises:
        WrongError: One was put there later.
    """
    runs = _merged(sealed)
    to = runs[-1][1] if runs else 0
    count = 0
    late = [gap for gap in _gaps(tx, now) if gap.kind is kind]
    holes = [(-(2**62), runs[0][0] - 1), *gaps_between(runs, runs[0][0] - 1)] if runs else []
    for start in range(0, len(holes), _ROWS_A_READ):
        found = rows_within(tx, kind, holes[start : start + _ROWS_A_READ], most=10**9)
        for row, at in zip(found, moments_of(tx, found), strict=True):
            one = id_of(row)
            if not any(_may_fill(gap, one, at) for gap in late):
                whose = name_of(kind, one)
                raise WrongError(f"{whose}: no block sealed it; it was put there later")
            count += 1
    earliest = earlier(newest, _SLACK) if newest else ""
    latest = instant_text(now + _SLACK)
    while rows := rows_after(tx, kind, to, most=_ROWS_A_READ):
        for row, at in zip(rows, moments_of(tx, rows), strict=True):
            if not earliest <= at <= latest:
                whose = name_of(kind, id_of(row))
                raise WrongError(f"{whose}: it says {at} UTC, but no block of that time sealed it")
        count += len(rows)
        to = id_of(rows[-1])
    return count


def earlier(text: str, by: timedelta) -> str:
    """Return the instant before another, both as records say them."""
    return instant_text(datetime.fromisoformat(text + "+00:00") - by)


def name_of(kind: RecordKind, record_id: int) -> str:
    """Name a record for people."""
    return f"{NAMES[kind]} {record_id}"


def _gaps(tx: Connection, now: datetime) -> list[Gap]:
    """Return the gaps that may be filled yet: on SQLite there are none, whatever is noted."""
    if tx.dialect.name == "sqlite":
        return []
    return [gap for gap in chain.gaps_of(tx) if now - LATE_MOST <= gap.since <= now + _SLACK]


def _may_fill(gap: Gap, record_id: int, at: str) -> bool:
    is_in_it = gap.first_id <= record_id <= gap.last_id
    return is_in_it and at >= instant_text(gap.since - LATE_MOST)


def _merged(runs: Sequence[Run]) -> list[Run]:
    merged: list[Run] = []
    for first, last in sorted(runs):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
