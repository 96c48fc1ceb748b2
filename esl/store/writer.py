"""The single writer: one thread through which this process writes to its database.

    HTTP doors ─┐
    inbox      ─┼─▶ `WriteGroup` ─▶ one transaction for many requests
    dispatcher ─┘

Two processes that write one SQLite file wait for each other for up to 739 ms; one writer that
groups commits answers in 28 ms at 59,000 rows a second (measured). A caller learns its result
only after the commit that holds it: what was answered was stored.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future

from sqlalchemy import Connection

from esl.domain.stages import NO_STAGES, Stages
from esl.store.database import Database
from esl.store.write_group import Priority, Result, WriteGroup, Writes

__all__ = ["Priority", "Writer", "Writes"]


class Writer:
    """Owns the writing connection of one process; start it, submit work, close it.

    ``monotonic_s`` measures how long a group has run; ``told`` hears of each that was committed:
    its requests and its seconds.
    """

    def __init__(
        self,
        database: Database,
        monotonic_s: Callable[[], float],
        *,
        stages: Stages = NO_STAGES,
        told: Callable[[int, float], None] | None = None,
    ) -> None:
        self._group = WriteGroup(database, monotonic_s, stages=stages, told=told)
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def submit(
        self, work: Callable[[Connection], Result], *, priority: Priority = Priority.CHANGE
    ) -> "Future[Result]":
        """Queue ``work(tx)``; the future has its result once it is committed: `Writes.submit`."""
        return self._group.submit(work, priority=priority)

    def write(
        self, work: Callable[[Connection], Result], *, priority: Priority = Priority.CHANGE
    ) -> Result:
        """Do ``work(tx)``, wait for its commit, and return its result."""
        return self._group.submit(work, priority=priority).result()

    def waiting(self) -> int:
        """Count the requests that wait."""
        return self._group.waiting()

    def is_alive(self) -> bool:
        """Say whether the thread still writes."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Write what was submitted, then stop."""
        self._group.close()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while self._group.wait():
            self._group.run_once()
