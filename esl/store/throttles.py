"""Who tried to sign in too often: by name, hashed, and by network."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from esl.store.tables import sign_in_throttles
from esl.store.upsert import insert_if_new, insert_or_update

_FORGOTTEN_AT_ONCE: Final = 200

_T = sign_in_throttles.c


def failures_of(tx: Connection, throttle: str) -> tuple[int, datetime] | None:
    """Return how often one failed and when last, with the row held until the commit."""
    row = tx.execute(
        select(_T.failures, _T.at).where(_T.throttle == throttle).with_for_update()
    ).one_or_none()
    return (int(row.failures), row.at) if row is not None else None


def hold(tx: Connection, throttle: str, now: datetime) -> None:
    """Make sure that there is a row to hold, so that no two first failures pass each other."""
    row = {"throttle": throttle, "failures": 0, "at": now}
    insert_if_new(tx, sign_in_throttles, [row])


def note_failures(tx: Connection, throttle: str, failures: int, now: datetime) -> None:
    """Write down how often one has failed by now."""
    row = {"throttle": throttle, "failures": failures, "at": now}
    insert_or_update(tx, sign_in_throttles, [row])


def forget(tx: Connection, throttle: str) -> None:
    """Let one begin anew."""
    tx.execute(delete(sign_in_throttles).where(_T.throttle == throttle))


def forget_old(tx: Connection, now: datetime, after: timedelta) -> None:
    """Forget some of those that have not failed for a while."""
    old = select(_T.throttle).where(_T.at < now - after).limit(_FORGOTTEN_AT_ONCE)
    tx.execute(delete(sign_in_throttles).where(_T.throttle.in_(old)))
