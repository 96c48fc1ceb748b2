"""Write down, every few seconds, what other systems are told only in sum.

The looking itself is `esl.services.event_recorder`; here it has its turn. Of several processes
each looks, and one writes.
"""

import asyncio
from typing import Final

import structlog

from api.books import Books
from esl.domain.errors import Unavailable
from esl.services import event_recorder
from esl.store import happenings
from esl.store.event_books import SettledEnds
from esl.store.happenings import RecordedUpTo
from esl.store.write_group import Priority

LOOK_EVERY_S: Final = 3.0

log = structlog.get_logger()


class EventRecorder:
    """Records what is new since it was recorded last, by whomever."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._settled = SettledEnds(happenings.ends_of, RecordedUpTo(0, 0))

    async def run(self) -> None:
        """Record until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.step)
            except Unavailable as exc:
                log.warning("events wait for the database", reason=str(exc))
            await asyncio.sleep(LOOK_EVERY_S)

    def step(self) -> bool:
        """Look once; say whether anything was moved on.

        Raises:
            Unavailable: The database did not answer.
        """
        now = self._books.clock.now()
        with self._books.database.read() as tx:
            whole = self._settled.look(tx)
            if not event_recorder.has_news(tx, whole):
                return False
        return self._books.writer.write(
            lambda tx: event_recorder.record(tx, whole, now), priority=Priority.HOUSEKEEPING
        )
