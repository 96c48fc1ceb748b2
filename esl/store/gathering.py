"""Small requests of one kind, done together: what waits by the time the writer is free.

::

    add … ask ─▶ waiting ─▶ one request of the writer ─▶ work(tx, [item, …]) ─▶ commit ─▶ answers
                    while it is written, the next ones wait

A statement costs far more than a row of it: 32 tills that change a price each took 14 statements
each, and take 14 together. No one waits longer for it: who comes alone is done alone.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Generic, Protocol, TypeVar

from sqlalchemy import Connection

from esl.domain.errors import Unavailable
from esl.store.write_group import QUEUE_LONGEST, Priority, Writes

Item = TypeVar("Item")
Result = TypeVar("Result")
Answered = TypeVar("Answered", contravariant=True)

TOGETHER_MOST: Final = 256
"""Most items in one piece of work; the others are the next one."""


class Promise(Protocol[Answered]):
    """Who waits for an answer: a future, of asyncio or of threads."""

    def cancelled(self) -> bool:
        """Say whether nobody waits any more."""

    def set_result(self, result: Answered, /) -> None:
        """Answer."""

    def set_exception(self, exception: BaseException, /) -> None:
        """Say what went wrong."""


Answer = tuple[Promise[Result], Result | Exception]


class Gathering(Generic[Item, Result]):
    """Gathers items for ``work``, which returns a result or an `Exception` for each, in order.

    Adding and asking are thread safe. ``answer`` is given what was committed, once a piece of
    work, by the thread that writes; an exception for one item leaves the others as they are.
    """

    def __init__(
        self,
        writes: Writes,
        work: Callable[[Connection, Sequence[Item]], Sequence[Result | Exception]],
        answer: "Callable[[list[Answer[Result]]], None]",
    ) -> None:
        self._writes = writes
        self._work = work
        self._answer = answer
        self._changing = threading.Lock()
        self._waiting: deque[tuple[Item, Promise[Result]]] = deque()
        self._asked = False  # the writer will come for what waits

    def add(self, item: Item, promise: Promise[Result]) -> None:
        """Let an item wait for the next `ask`; ``promise`` is answered after its commit.

        Raises:
            Unavailable: Too much waits already; nothing was stored.
        """
        with self._changing:
            if len(self._waiting) >= QUEUE_LONGEST:
                raise Unavailable("too much is waiting; nothing was stored")
            self._waiting.append((item, promise))

    def ask(self) -> None:
        """Let the writer come for what waits then, if something does and it comes not anyway."""
        with self._changing:
            asks = bool(self._waiting) and not self._asked
            self._asked = self._asked or asks
        if asks:
            self._ask()

    def _ask(self) -> None:
        taken: list[tuple[Item, Promise[Result]]] = []

        def work(tx: Connection) -> Sequence[Result | Exception]:
            taken.extend(() if taken else self._take())  # it may be called again
            return self._work(tx, [item for item, _ in taken]) if taken else ()

        def answer(done: "Future[Sequence[Result | Exception]]") -> None:
            failure = done.exception()
            if failure is None:
                results = done.result()
            elif isinstance(failure, Exception):
                # The writer refused it, or the commit failed: whoever waits is told.
                taken.extend(() if taken else self._take())
                results = [failure] * len(taken)
            else:
                raise failure
            if taken:
                promises = (promise for _, promise in taken)
                self._answer(list(zip(promises, results, strict=True)))

        self._writes.submit(work, priority=Priority.CHANGE).add_done_callback(answer)

    def _take(self) -> list[tuple[Item, Promise[Result]]]:
        """Take what waits, and somebody waits for; ask again for what is too much."""
        with self._changing:
            some = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER_MOST))]
            self._asked = bool(self._waiting)
            asks = self._asked
        if asks:
            self._ask()
        return [(item, promise) for item, promise in some if not promise.cancelled()]
