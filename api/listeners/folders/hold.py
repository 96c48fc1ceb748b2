"""The hold on a source of files: one process works on its folder at a time.

It is the connector's, `esl.store.connectors`: whoever has it is not disturbed until it runs out,
and what is wrong with the source is written beside it, where problems are looked for. A process
that is killed keeps its hold for `HOLD` at most.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from api.imports.spool import Spool
from esl.domain.clock import EffectiveClock
from esl.domain.errors import Unavailable
from esl.store import connectors
from esl.store.connectors import ConnectorState
from esl.store.database import Database
from esl.store.writer import Writer

HOLD = timedelta(seconds=60)
RENEWED_WITHIN = timedelta(seconds=30)


class HoldLost(Unavailable):
    """Another process works on the folder by now; nothing more was written here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What working on folders needs of its process.

    ``wake`` tells the import worker of a job; ``stopping`` is set when this process ends.
    """

    database: Database
    writer: Writer
    clock: EffectiveClock
    spool: Spool
    wake: Callable[[], None]
    stopping: threading.Event
    most_bytes: int


class Hold:
    """A hold that was got; `keep` it while working, and `end` it."""

    def __init__(self, desk: Desk, state: ConnectorState, until: datetime) -> None:
        self._desk = desk
        self._state = state
        self._until = until

    @classmethod
    def get(cls, desk: Desk, source: str) -> "Hold | None":
        """Get the hold; None where another process has it, or the source is to rest."""
        now = desk.clock.now()
        until = now + HOLD
        state = desk.writer.write(
            lambda tx: connectors.claim_connector(tx, source, now, until=until)
        )
        return cls(desk, state, until) if state is not None else None

    @property
    def attempts(self) -> int:
        """Count how often in a row the folder could not be worked with."""
        return self._state.attempts

    def keep(self) -> None:
        """Hold on, where the time is running out.

        Raises:
            HoldLost: It has run out, and another process has it.
        """
        now = self._desk.clock.now()
        if self._until - now > RENEWED_WITHIN:
            return
        held_until, until = self._until, now + HOLD
        self._save(replace(self._state, due_at=until), held_until)
        self._until = until

    def end(self, *, problem: str, pause: timedelta, attempts: int = 0) -> None:
        """Let go, and say what is wrong with the source; "" is nothing."""
        now = self._desk.clock.now()
        after = replace(
            self._state,
            due_at=now + pause,
            read_at=now,
            attempts=attempts,
            problem=problem,
            runs=self._state.runs + (attempts == 0),
        )
        self._save(after, self._until)

    def _save(self, state: ConnectorState, held_until: datetime) -> None:
        saved = self._desk.writer.write(
            lambda tx: connectors.save_state(tx, state, held_until=held_until)
        )
        if not saved:
            raise HoldLost("another process works on this folder")
