"""The writer without its thread: groups run when the simulated world says so.

`InlineWriter` is a `Writes` like the product's `Writer` and runs the very same `WriteGroup`:

* ``write`` runs groups until its own request is answered, as a caller that waits sees it;
* ``submit`` only queues, so that several requests may share a group, or a crash may come first;
* ``run`` runs the groups that wait. Two controllers take turns by it at the borders of commits.

What is no `Exception` (a `Crash` of the world) passes through ``write`` and ``run``: the
transaction is undone, and nobody is answered, as when the process dies.
"""

from collections.abc import Callable
from concurrent.futures import Future

from sqlalchemy import Connection

from esl.domain.stages import NO_STAGES, Stages
from esl.store.database import Database
from esl.store.write_group import Priority, Result, WriteGroup


class InlineWriter:
    """`Writes` for one simulated process; single-threaded."""

    def __init__(
        self,
        database: Database,
        monotonic_s: Callable[[], float],
        *,
        stages: Stages = NO_STAGES,
    ) -> None:
        self._group = WriteGroup(database, monotonic_s, stages=stages)

    def start(self) -> None:
        """Begin to write: there is no thread to start."""

    def submit(
        self, work: Callable[[Connection], Result], *, priority: Priority = Priority.CHANGE
    ) -> "Future[Result]":
        """Queue ``work(tx)`` for the next group that runs."""
        return self._group.submit(work, priority=priority)

    def write(
        self, work: Callable[[Connection], Result], *, priority: Priority = Priority.CHANGE
    ) -> Result:
        """Run groups until this request is answered."""
        done = self._group.submit(work, priority=priority)
        while not done.done():
            self._group.run_once()
        return done.result()

    def run(self) -> int:
        """Run the groups that wait; return how many requests were answered."""
        answered = 0
        while self._group.waiting():
            answered += self._group.run_once()
        return answered

    def close(self) -> None:
        """Write what was submitted; what comes later is refused."""
        self._group.close()
        self.run()
