"""When labels beacon: each once an interval, spread evenly, gathered by the second.

A gateway that forwarded every beacon by itself would publish without end; it collects what it
heard for a second and sends that together. Labels that listen at moments of their own beacon then.
"""

import math
from collections.abc import Collection

from simulator.label import SimLabel

GATHER_S = 1.0


class Beacons:
    """The beacon times of a gateway's labels; ``interval_s`` may change while it runs."""

    def __init__(self, interval_s: float, *, at_check_in: bool = False) -> None:
        self.interval_s = interval_s
        self._at_check_in = at_check_in
        self._begun_s: float | None = None
        self._sent = 0  # beacons since then; the label's place is this modulo their number
        self._asked_s = 0.0
        self._next_s = math.inf

    def begin(self, now_s: float) -> None:
        """Start an interval; every label was just heard."""
        self._begun_s = now_s
        self._sent = 0
        self._asked_s = now_s
        self._next_s = now_s

    def stop(self) -> None:
        """Be silent until `begin`."""
        self._begun_s = None
        self._next_s = math.inf

    def change_interval(self, interval_s: float, now_s: float) -> None:
        """Beacon at another pace."""
        self.interval_s = interval_s
        if self._begun_s is not None:
            self.begin(now_s)

    def next_wake_s(self) -> float:
        """When `due` should be asked, by the monotonic clock; infinity for never."""
        return self._next_s

    def due(self, labels: Collection[SimLabel], now_s: float) -> list[SimLabel]:
        """Labels whose turn has come, each at most once."""
        if self._begun_s is None or now_s < self._next_s:
            return []
        if self._at_check_in:
            return self._checked_in(labels, now_s)
        if not labels:
            self._next_s = now_s + min(self.interval_s, GATHER_S)
            return []
        passed = int((now_s - self._begun_s) / self.interval_s * len(labels) + 1e-9)
        turns = range(max(self._sent, passed - len(labels)), passed)
        self._sent = passed
        turn_s = self._begun_s + (passed + 1) / len(labels) * self.interval_s
        self._next_s = max(turn_s, now_s + min(self.interval_s, GATHER_S))
        if not turns:
            return []
        listed = list(labels)
        return [listed[turn % len(listed)] for turn in turns]

    def _checked_in(self, labels: Collection[SimLabel], now_s: float) -> list[SimLabel]:
        since_s, self._asked_s = self._asked_s, now_s
        self._next_s = now_s + GATHER_S
        return [label for label in labels if label.woke_between(since_s, now_s)]
