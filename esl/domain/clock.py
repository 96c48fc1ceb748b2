"""Time, passed in. Nothing below `api` reads the machine's clocks itself.

Two clocks, because each can do what the other can't: the wall clock names instants that people
and other machines know, and may jump; the monotonic clock measures durations, and means nothing
after a restart. The *effective* clock is made of both, and every wait runs by it:

==================== ==========================================================================
the wall clock is    the effective clock
==================== ==========================================================================
where it should be   follows it
behind               goes on at 0.95 of real time until it is caught up: never back, never still
ahead, up to a day   catches up: at most 1.05 of the time that passed, and 2 s a second above it.
                     A clock set two hours forward makes no wait due at once, and no two edges of
                     a promotion fall into one moment
ahead, above a day   is *held*: it goes on by real time alone until the wall clock comes back to
                     reason, a person confirms it, or the process starts again
==================== ==========================================================================
"""

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol

_SLOWEST = 0.95
"""Rate of the effective clock while it waits for a wall clock that was set back."""

_FASTEST = 1.05
_LEAP_S = 2.0
"""The effective clock gains on real time at most a twentieth, and this much in a second
(reliability 3.10 of the field notes). Shared out by the time that passed, or looking often would
be leaping."""

HELD_ABOVE = timedelta(hours=24)
"""A wall clock this far ahead is wrong until somebody says that it is right."""


class Clock(Protocol):
    """The machine's clocks, or a test's."""

    def wall(self) -> datetime:
        """Return the wall clock: aware, UTC."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back, from an arbitrary start."""


class EffectiveClock:
    """The time the controller acts by: never backward, never stopped, never in leaps.

    Thread safe. Start it with the highest time any earlier run acted by, from the database. A
    start believes the wall clock, however far ahead it is: the machine may have been off.
    """

    def __init__(self, clock: Clock, *, not_before: datetime | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        wall = clock.wall()
        self._now = max(wall, not_before.astimezone(UTC)) if not_before else wall
        self._read_at_s = clock.monotonic_s()
        self._held = False
        self._confirmed = False

    def now(self) -> datetime:
        """Return the effective time: aware, UTC."""
        with self._lock:
            monotonic_s = self._clock.monotonic_s()
            passed_s = max(0.0, monotonic_s - self._read_at_s)
            self._read_at_s = max(monotonic_s, self._read_at_s)
            wall, before = self._clock.wall(), self._now
            ahead = wall - before - timedelta(seconds=passed_s)
            if ahead <= HELD_ABOVE:
                self._held = False
            elif not self._confirmed:
                self._held = True
            if self._held:
                self._now = before + timedelta(seconds=passed_s)
                return self._now
            highest_s = passed_s * _FASTEST + min(1.0, passed_s) * _LEAP_S
            if self._confirmed and ahead > timedelta(0):
                highest = wall
                self._confirmed = False
            else:
                highest = before + timedelta(seconds=highest_s)
            lowest = before + timedelta(seconds=passed_s * _SLOWEST)
            self._now = max(lowest, min(wall, highest))
            return self._now

    def wall(self) -> datetime:
        """Return what the machine says, for people to judge: aware, UTC."""
        return self._clock.wall()

    def monotonic_s(self) -> float:
        """Return the monotonic clock, for durations within this process."""
        return self._clock.monotonic_s()

    @property
    def held(self) -> bool:
        """Say whether the wall clock is too far ahead to be believed."""
        with self._lock:
            return self._held

    def confirm(self) -> None:
        """Believe the wall clock as it is: a person looked at it."""
        with self._lock:
            self._confirmed = True
            self._held = False
