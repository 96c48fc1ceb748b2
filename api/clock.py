"""The machine's own clocks: the one place that reads them."""

import time
from datetime import UTC, datetime


class MachineClock:
    """`esl.domain.clock.Clock` on this machine."""

    def wall(self) -> datetime:
        """Return the wall clock: aware, UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def thread_cpu_s(self) -> float:
        """Return the processor time of the calling thread, in seconds: waiting is not in it."""
        return time.thread_time()
