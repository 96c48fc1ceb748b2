"""The time as one step of the simulation sees it."""

from dataclasses import dataclass

from esl.domain.clock import Clock

MS_PER_S = 1000


@dataclass(frozen=True, slots=True)
class Moment:
    """Both clocks at once: the wall clock in ms since 1970-01-01 UTC, and the monotonic one."""

    wall_ms: int
    monotonic_s: float

    @classmethod
    def read(cls, clock: Clock) -> "Moment":
        """Read a clock."""
        return cls(round(clock.wall().timestamp() * MS_PER_S), clock.monotonic_s())

    def skewed(self, skew_ms: int) -> "Moment":
        """The same moment by a wall clock that is so many ms ahead."""
        return Moment(self.wall_ms + skew_ms, self.monotonic_s) if skew_ms else self
