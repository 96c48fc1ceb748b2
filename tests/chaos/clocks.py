"""The clocks of one simulated machine: a wall clock that people and NTP turn, and one that runs."""

from datetime import datetime, timedelta

from simulator.moment import Moment
from tests.chaos.world import World


class MachineClocks:
    """`esl.domain.clock.Clock` of one machine.

    ``ahead_s`` is how far its wall clock is ahead of true time. The monotonic clock begins
    anywhere and runs true: it means nothing to any other machine.
    """

    def __init__(self, world: World, *, began_s: float | None = None) -> None:
        self._world = world
        self._began_s = world.random.uniform(0, 1e6) if began_s is None else began_s
        self.ahead_s = 0.0

    def wall(self) -> datetime:
        """Return the machine's own wall clock: aware, UTC."""
        return self._world.wall() + timedelta(seconds=self.ahead_s)

    def monotonic_s(self) -> float:
        """Return seconds that never go back, from an arbitrary start."""
        return self._began_s + self._world.now_s

    def moment(self) -> Moment:
        """Read both at once."""
        return Moment.read(self)
