"""What faults act upon, and the pause between two of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from simulator.label import SimLabel
from tests.chaos.broker import Broker
from tests.chaos.disk import SharedFile
from tests.chaos.oracles import Oracles
from tests.chaos.process import Process
from tests.chaos.shop import Ceiling
from tests.chaos.world import World

T = TypeVar("T")

Fault = Callable[[], None]


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything that can be harmed."""

    world: World
    broker: Broker
    file: SharedFile
    processes: Sequence[Process]
    ceilings: Sequence[Ceiling]
    labels: dict[str, SimLabel]
    oracles: Oracles
    ends_s: float  # when faults will stop
    over: bool = False  # faults have stopped
    twins: dict[str, SimLabel] = field(default_factory=dict)

    def some(self, things: Sequence[T]) -> T:
        """Draw one of them."""
        return things[self.world.random.randrange(len(things))]

    def some_label(self) -> SimLabel:
        """Draw a label."""
        return self.some(list(self.labels.values()))

    def shuffled(self) -> list[SimLabel]:
        """Return all labels, in any order."""
        return self.world.random.sample(list(self.labels.values()), len(self.labels))

    def hang(self, label: SimLabel, homes: Sequence[Ceiling]) -> None:
        """Let exactly these gateways hear a label, and none a twin of it."""
        self.twins.pop(label.label_id, None)
        for ceiling in self.ceilings:
            if ceiling in homes:
                ceiling.labels[label.label_id] = label
            else:
                ceiling.labels.pop(label.label_id, None)

    def is_early_enough(self, needs_s: float) -> bool:
        """Say whether what takes so long is over before faults stop."""
        return self.world.now_s + needs_s < self.ends_s

    def standing(self) -> list[Ceiling]:
        """Return the gateways that are not gone for good."""
        return [ceiling for ceiling in self.ceilings if not ceiling.gone]
