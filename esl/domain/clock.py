"""Time, passed in. Nothing below `api` reads the machine's clocks itself.

Two clocks, because each can do what the other can't: the wall clock names instants that people
and other machines know, and may jump; the monotonic clock measures durations, and means nothing
after a restart. The *effective* clock is made of both: it follows the wall clock forward, never
goes back, and never stands still for longer than a twentieth of the time that really passes.
"""

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol

_SLOWEST = 0.95
"""Rate of the effective clock while it waits for a wall clock that was set back."""


class Clock(Protocol):
    """The machine's clocks, or a test's."""

    def wall(self) -> datetime:
        """Return the wall clock: aware, UTC."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back, from an arbitrary start."""


class EffectiveClock:
    """The time the controller acts by: never backward, never stopped.

    Thread safe. Start it with the highest time any earlier run acted by, from the database.
    """

    def __init__(self, clock: Clock, *, not_before: datetime | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        wall = clock.wall()
        self._now = max(wall, not_before.astimezone(UTC)) if not_before else wall
        self._read_at_s = clock.monotonic_s()

    def now(self) -> datetime:
        """Return the effective time: aware, UTC."""
        with self._lock:
            monotonic_s = self._clock.monotonic_s()
            passed = timedelta(seconds=(monotonic_s - self._read_at_s) * _SLOWEST)
            self._read_at_s = monotonic_s
            self._now = max(self._now + passed, self._clock.wall())
            return self._now

    def monotonic_s(self) -> float:
        """Return the monotonic clock, for durations within this process."""
        return self._clock.monotonic_s()
