"""True time, one heap of events and one source of chance: everything of a seed follows from these.

    after(delay, action) ─▶ heap of (time, number) ─▶ run_until ─▶ action ─▶ after(…) …

A fault is counted where it takes effect, not where it is drawn: a crash of a process that is
down already, or a lost message nobody would have heard, is no fault.
"""

import hashlib
import heapq
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

BEGINNING = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""Wall time at which seeds begin."""

CLOCK_IS_TURNED = (
    datetime(2026, 3, 29, 0, 25, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 25, tzinfo=UTC),
)
"""At which some of those with promotions do: within the hour the shop's clock is turned, forwards
or back."""

EVENTS_SHOWN = 60
"""Notes that a failing seed prints, the last ones."""


class Crash(BaseException):
    """A simulated process dies here. No `Exception`, so that nothing catches it by accident."""


class Violation(Exception):
    """An invariant does not hold. ``invariant`` is its name in docs/guarantees.md."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant


class World:
    """Time passes in `run_until`; nothing here waits."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.begins = BEGINNING
        self.now_s = 0.0
        self.faulty = True
        self.applied: Counter[str] = Counter()
        self.steps = 0
        self.violated: Violation | None = None
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._pushed = 0
        self._notes: deque[str] = deque(maxlen=EVENTS_SHOWN)
        self._print = hashlib.blake2b(digest_size=8)

    def wall(self) -> datetime:
        """Return the true time."""
        return self.begins + timedelta(seconds=self.now_s)

    def after(self, delay_s: float, action: Callable[..., None], *arguments: Any) -> None:
        """Have something happen later; ties happen in the order in which they were asked for."""
        self._pushed += 1
        due_s = self.now_s + max(0.0, delay_s)
        heapq.heappush(self._heap, (due_s, self._pushed, action, arguments))

    def run_until(self, until_s: float, stop: Callable[[], bool] | None = None) -> None:
        """Let everything happen up to a moment, or until ``stop`` says so."""
        while self._heap and self._heap[0][0] <= until_s:
            self.now_s, _, action, arguments = heapq.heappop(self._heap)
            self.steps += 1
            action(*arguments)
            if self.violated is not None:
                raise self.violated  # found where somebody else caught it
            if stop is not None and stop():
                return
        self.now_s = max(self.now_s, until_s)

    # -- chance --------------------------------------------------------------------------------

    def happens(self, share: float) -> bool:
        """Throw the dice for a fault; never once faults have stopped."""
        return self.faulty and self.random.random() < share

    def between(self, least: float, most: float) -> float:
        """Return a number between two."""
        return self.random.uniform(least, most)

    # -- what happened -------------------------------------------------------------------------

    def count(self, fault: str, what: str = "") -> None:
        """Count a fault that has just taken effect."""
        self.applied[fault] += 1
        self.note(f"FAULT {fault} {what}".rstrip())

    def note(self, what: str) -> None:
        """Remember an event, for whoever reads why a seed failed."""
        text = f"{self.now_s:10.3f}  {what}"
        self._notes.append(text)
        self._print.update(text.encode())

    def notes(self) -> list[str]:
        """Return the last events."""
        return list(self._notes)

    def fingerprint(self) -> str:
        """Name this history: equal for two runs exactly if all their events were equal."""
        return self._print.copy().hexdigest()
