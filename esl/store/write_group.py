"""One transaction for many requests: what the single writer does, without its thread.

    submit ─▶ priority queue ─▶ run_once ─▶ BEGIN IMMEDIATE
              urgent first                  SAVEPOINT, request 1 …      each fails alone
                                            SAVEPOINT, request n
                                            COMMIT ─▶ then every caller gets its result

`esl.store.writer.Writer` runs groups in a thread; the chaos suite runs them inline, on a
simulated clock. Both keep the rule: what was answered was stored.
"""

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from esl.domain.errors import Unavailable
from esl.domain.stages import NO_STAGES, Stage, Stages
from esl.store import traces
from esl.store.database import Database, unavailable

Result = TypeVar("Result")

GROUP_LARGEST = 256
"""Most requests in one transaction."""

GROUP_LONGEST_S = 0.005
"""A group takes no further request once it has run this long."""

QUEUE_LONGEST = 10_000
"""Requests waiting beyond this are refused: the sender shall come again."""


PASSED_OVER_MOST = 2
"""A part of an import does not join a group in which somebody waits for an answer: it would hold
it back for as long as it takes. So many groups may pass it over, then it joins one."""


TRIES_MOST = 4
"""How often a request is tried of which PostgreSQL undid what it did, because two transactions
waited for each other: each time in a new one, after what was taken beside it is committed."""

_LET_OTHERS_S = 0.02
"""So long, after the first try, who waited for our locks has to take them: PostgreSQL wakes it, and
without a pause we had them back before it ran [found by running it]."""

_UNDONE = frozenset({"40P01", "40001"})
"""SQLSTATE of a deadlock and of a serialization failure: PostgreSQL, appendix A."""


class Priority(IntEnum):
    """Who is written first; lower is sooner."""

    REPORT = 0  # what gateways say: it frees windows and proves shelves
    CHANGE = 1  # a single price change, a pairing: somebody waits for the answer
    DISPATCH = 2  # claims and what is about to be sent
    BULK = 3  # parts of an import
    HOUSEKEEPING = 4  # nobody waits


_INTAKE = (Priority.CHANGE, Priority.BULK)


class Writes(Protocol):
    """Where a transaction may be submitted: the writer's thread, or a group run inline."""

    def submit(
        self, work: Callable[[Connection], Result], *, priority: Priority = Priority.CHANGE
    ) -> "Future[Result]":
        """Queue ``work(tx)``; the future has its result once it is committed.

        An `EslError` that ``work`` raises undoes this request alone and comes out of the
        future. The future raises `Unavailable` where nothing was stored and the same may be
        tried again. ``work`` of an intake (`Priority.CHANGE`, `Priority.BULK`) is called again
        where PostgreSQL broke a deadlock with it.
        """

    def write(
        self, work: Callable[[Connection], Result], *, priority: Priority = Priority.CHANGE
    ) -> Result:
        """Do ``work(tx)``, wait for its commit, and return its result."""


@dataclass(order=True)
class _Request(Generic[Result]):
    priority: Priority
    number: int
    work: Callable[[Connection], Result] = field(compare=False)
    done: "Future[Result]" = field(compare=False)
    tries: int = field(compare=False, default=0)

    def may_try_again(self, exc: Exception) -> bool:
        """Say whether the database undid it for another's sake, and it may be done once more.

        Dispatcher and inbox keep what they have claimed and come again by themselves.
        """
        return (
            self.priority in _INTAKE
            and self.tries < TRIES_MOST
            and isinstance(exc, DBAPIError)
            and getattr(exc.orig, "sqlstate", None) in _UNDONE
        )


class WriteGroup:
    """The requests that wait, and the transaction that takes them. Submitting is thread safe.

    ``monotonic_s`` measures how long a group has run, and ``told`` hears of each that was
    committed: its requests and its seconds. `run_once` is called by one thread.
    """

    def __init__(
        self,
        database: Database,
        monotonic_s: Callable[[], float],
        *,
        stages: Stages = NO_STAGES,
        told: Callable[[int, float], None] | None = None,
    ) -> None:
        self._stages = stages
        self._told = told
        self._database = database
        self._monotonic_s = monotonic_s
        self._numbers = itertools.count()
        self._waiting: list[_Request[Any]] = []
        self._changed = threading.Condition()
        self._closing = False
        self._passed_over = 0

    def submit(
        self, work: Callable[[Connection], Result], *, priority: Priority = Priority.CHANGE
    ) -> "Future[Result]":
        """Queue ``work(tx)``, as `Writes.submit` says."""
        done: Future[Result] = Future()
        with self._changed:
            if self._closing or len(self._waiting) >= QUEUE_LONGEST:
                why = "the controller is stopping" if self._closing else "too much is waiting"
                done.set_exception(Unavailable(f"{why}; nothing was stored"))
                return done
            heapq.heappush(self._waiting, _Request(priority, next(self._numbers), work, done))
            self._changed.notify()
        return done

    def close(self) -> None:
        """Take nothing more; what waits is still written by whoever runs the groups."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def wait(self) -> bool:
        """Wait until something is to be written; False once closed and empty."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            return bool(self._waiting)

    def waiting(self) -> int:
        """Count the requests that wait."""
        with self._changed:
            return len(self._waiting)

    def run_once(self) -> int:
        """Run waiting requests in one transaction; answer all of them after its commit.

        Returns how many were answered. Whatever goes wrong goes to the callers; only what is
        no `Exception` (a simulated crash, an interrupt) passes, and then nobody is answered.
        """
        answers: list[Callable[[], None]] = []
        members: list[_Request[Any]] = []
        again: _Request[Any] | None = None
        work_ns, began_ns = 0, self._stages.cpu_ns()
        entered_s = self._monotonic_s() if self._told is not None else 0.0
        try:
            with self._database.writing.begin() as tx:
                began_s = self._monotonic_s()
                traces.begin(tx)
                while (
                    again is None
                    and len(members) < GROUP_LARGEST
                    and self._monotonic_s() - began_s < GROUP_LONGEST_S
                    and (request := self._next(members)) is not None
                ):
                    members.append(request)
                    before_ns = self._stages.cpu_ns()
                    answer = _attempt(tx, request)
                    if answer is not None:
                        answers.append(answer)
                    else:
                        again = members.pop()
                    took_ns = self._stages.cpu_ns() - before_ns
                    work_ns += took_ns
                    if request.priority in _INTAKE:
                        self._stages.add(Stage.INTAKE, took_ns, 1)
                traced = traces.end(tx)
            traces.say(traced)
            if self._told is not None:
                self._told(len(members), self._monotonic_s() - entered_s)
        except Exception as exc:  # noqa: BLE001  whatever it is, nobody may wait for ever for it
            failure = unavailable(exc) if isinstance(exc, SQLAlchemyError) else exc
            answers = [_failing(request, failure) for request in members]
            if not members and again is None and (first := self._next()) is not None:
                answers = [_failing(first, failure)]  # the transaction did not even begin
        for tell in answers:
            tell()
        if again is not None:
            threading.Event().wait(_LET_OTHERS_S * again.tries)
            with self._changed:
                heapq.heappush(self._waiting, again)
        group_ns = self._stages.cpu_ns() - began_ns
        self._stages.add(Stage.COMMIT, group_ns - work_ns, len(members))
        return len(answers)

    def _next(self, members: "Sequence[_Request[Any]]" = ()) -> "_Request[Any] | None":
        """Take the most urgent request whose caller still waits for it, if it fits a group."""
        with self._changed:
            if self._waiting and self._passes_over(self._waiting[0], members):
                return None
            while self._waiting:
                request = heapq.heappop(self._waiting)
                if request.tries or request.done.set_running_or_notify_cancel():
                    return request
            return None

    def _passes_over(self, request: "_Request[Any]", members: "Sequence[_Request[Any]]") -> bool:
        """Say whether a group leaves a part of an import to the next one; and count it."""
        if request.priority != Priority.BULK:
            return False
        if members and members[0].priority < Priority.BULK:
            self._passed_over += 1
            if self._passed_over <= PASSED_OVER_MOST:
                return True
        self._passed_over = 0
        return False


def _attempt(tx: Connection, request: _Request[Result]) -> Callable[[], None] | None:
    """Run one request in a savepoint; return how to tell its caller after the commit.

    None where it was undone for another transaction's sake, and is to be tried again.
    """
    request.tries += 1
    traced = traces.mark(tx)
    tx.exec_driver_sql("SAVEPOINT request")
    try:
        result = request.work(tx)
    except Exception as exc:
        if isinstance(exc, DBAPIError) and exc.connection_invalidated:
            raise
        try:
            tx.exec_driver_sql("ROLLBACK TO SAVEPOINT request")
        except DBAPIError as gone:
            # A full disk makes SQLite undo the whole transaction: it says why, not the savepoint.
            raise (exc if isinstance(exc, DBAPIError) else gone) from None
        tx.exec_driver_sql("RELEASE SAVEPOINT request")
        traces.cut_back(tx, traced)
        if request.may_try_again(exc):
            return None
        return _failing(request, unavailable(exc) if isinstance(exc, DBAPIError) else exc)
    tx.exec_driver_sql("RELEASE SAVEPOINT request")
    return lambda: request.done.set_result(result)


def _failing(request: _Request[Any], failure: Exception) -> Callable[[], None]:
    return lambda: request.done.set_exception(failure)
