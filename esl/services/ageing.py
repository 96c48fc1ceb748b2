"""How far history has aged: by this it is forgotten and cut, and by no clock that leapt.

A start believes the wall clock, however far ahead it is (`esl.domain.clock`). A machine that wakes
in 2035 would forget ten years in its first night, and a clock that is put right brings nothing
back. So what is irrevocable goes by a moment of its own::

    aged until ── at most three days for each that a controller runs ──▶ the effective clock

In a shop whose machine runs for eight hours a day or more the two are the same. A week at a wrong
clock costs two weeks of history; after a long time off it is kept some weeks longer.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection

from esl.domain.clock import EffectiveClock
from esl.store import forgotten
from esl.store.database import Database
from esl.store.write_group import Priority, Writes

DAYS_A_DAY: Final = 3
"""Shops are open for ten hours a day and more, and somebody may switch the machine off at night."""


class Ageing:
    """Lets history age while a controller runs; used by one thread at a time.

    Several processes may do so at once: each goes on from what it saw last, so together they are
    no faster than one.
    """

    def __init__(self, *, database: Database, writer: Writes, clock: EffectiveClock) -> None:
        self._database = database
        self._writer = writer
        self._clock = clock
        self._seen: datetime | None = None
        self._seen_at_s = 0.0

    def step(self) -> datetime:
        """Let history age by the time since the last step; return until when it has aged.

        The first step of a process only looks: how long it was off nobody knows.

        Raises:
            Unavailable: The database did not answer; the next step makes up for it.
        """
        now, at_s = self._clock.now(), self._clock.monotonic_s()
        with self._database.read() as tx:
            noted = forgotten.aged_until(tx)
        seen = self._seen if self._seen is not None else noted
        ran = timedelta(seconds=at_s - self._seen_at_s) if self._seen is not None else timedelta(0)
        until = min(now, max(noted, seen + DAYS_A_DAY * ran))
        if until > noted:
            self._writer.write(
                partial(forgotten.note_aged, until=until), priority=Priority.HOUSEKEEPING
            )
        self._seen, self._seen_at_s = until, at_s
        return until


def aged_by(tx: Connection, now: datetime) -> datetime:
    """Return until when history has aged: never later than the effective clock's now."""
    return min(now, forgotten.aged_until(tx))
