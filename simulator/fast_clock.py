"""A shop that lives faster: paintings, beacons and airtime, while the wall clock stays true.

Instants on the wire are true UTC, so only durations shrink: the monotonic clock runs ``speed``
times as fast and sleeps are as much shorter. A promotion's instant comes when it comes.
"""

from datetime import datetime

from esl.domain.clock import Clock
from simulator.waiting import Sleep


class FastClock:
    """A clock whose durations pass ``speed`` times as fast."""

    def __init__(self, clock: Clock, speed: float) -> None:
        self._clock = clock
        self._speed = speed
        self._begun_s = clock.monotonic_s()

    def wall(self) -> datetime:
        """Return the wall clock, as it is."""
        return self._clock.wall()

    def monotonic_s(self) -> float:
        """Return seconds that pass faster."""
        return self._begun_s + (self._clock.monotonic_s() - self._begun_s) * self._speed


def fast_sleep(sleep: Sleep, speed: float) -> Sleep:
    """Wait so many of the faster seconds."""

    async def sleep_faster(seconds: float) -> None:
        await sleep(seconds / speed)

    return sleep_faster
