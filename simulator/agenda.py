"""What a gateway has to do at instants of its wall clock: timed shows, lights, deadlines."""

import heapq
import math
from collections.abc import Callable

from simulator.moment import MS_PER_S, Moment

Action = Callable[[Moment], None]


class Agenda:
    """Actions by their instant, ms since 1970 by the gateway's clock; ties in their order.

    The wall clock may jump: when an instant comes is reckoned anew with every step.
    """

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Action]] = []
        self._noted = 0
        self._now = Moment(0, 0.0)

    def note(self, at_ms: int, action: Action) -> None:
        """Have something done at an instant."""
        self._noted += 1
        heapq.heappush(self._entries, (at_ms, self._noted, action))

    def advance(self, now: Moment) -> None:
        """Do everything whose instant has come."""
        self._now = now
        while self._entries and self._entries[0][0] <= now.wall_ms:
            heapq.heappop(self._entries)[2](now)

    def next_wake_s(self) -> float:
        """When `advance` has something to do, by the monotonic clock; infinity for never."""
        if not self._entries:
            return math.inf
        wait_ms = self._entries[0][0] - self._now.wall_ms
        return self._now.monotonic_s + max(0, wait_ms) / MS_PER_S
