"""A line to a simulated gateway on a simulated clock: an hour of listening costs milliseconds."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from random import Random

from esl.domain.ids import PanelId
from esl.domain.panel import Panel
from gateway.conform.conversation import Numbers
from gateway.conform.hands import Deed
from gateway.conform.line import Arrived
from gateway.conform.run import Wishes, conform
from gateway.conform.verdicts import Report
from gateway.wire.codec import encode_events, encode_state
from gateway.wire.messages import AnyEvent
from gateway.wire.signing import PublicKeys, SigningKey
from gateway.wire.topics import Kind
from simulator.gateway import GatewayOptions, SimGateway
from simulator.label import SimLabel
from simulator.moment import Moment

NOON_MS = 1_767_268_800_000
KEY = SigningKey.from_seed(bytes(range(32)))
PANEL = Panel(
    panel_id=PanelId("tiny"), name="tiny", width_px=16, height_px=8, dpi=100, refresh_s=20, slots=2
)
PANELS = {str(PANEL.panel_id): PANEL}
GATEWAY = "gw-1"
LABELS = 4


class SimLine:
    """Drives one simulated gateway; the kit's sends and waits are its only clock."""

    def __init__(self, gateway: SimGateway, *, connect: bool = True) -> None:
        self.gateway = gateway
        self.now = Moment(NOON_MS, 1000.0)
        self.queue: deque[Arrived] = deque()
        self.restart_after_sends: int | None = None
        self._sends = 0
        if connect:
            self.connect()

    def connect(self) -> None:
        self.gateway.begin_session()
        self.retain(online=True)
        self._say(self.gateway.connected(self.now))

    def retain(self, *, online: bool) -> None:
        state = encode_state(self.gateway.state(self.now, online=online))
        self.queue.append(Arrived(Kind.STATE, state, retained=True))

    def monotonic_s(self) -> float:
        return self.now.monotonic_s

    def wall_ms(self) -> int:
        return self.now.wall_ms

    async def send(self, payload: bytes) -> None:
        self._sends += 1
        if self._sends == self.restart_after_sends:
            self.gateway.reboot()
            self.connect()
        self._say(self.gateway.receive_down(payload, self.now))

    async def arrived(self, patience_s: float) -> Arrived | None:
        end_s = self.now.monotonic_s + patience_s
        while not self.queue:
            wake_s = self.gateway.next_wake_s()
            if wake_s > end_s:
                self._move(end_s)
                return None
            self._move(max(wake_s, self.now.monotonic_s))
            self._say(self.gateway.tick(self.now))
        return self.queue.popleft()

    def _move(self, to_s: float) -> None:
        passed_ms = round((to_s - self.now.monotonic_s) * 1000)
        self.now = Moment(self.now.wall_ms + passed_ms, to_s)

    def _say(self, events: Sequence[AnyEvent]) -> None:
        if events:
            self.queue.append(Arrived(Kind.UP, encode_events(events)))


class Hand:
    """An operator who plays with the simulated labels instead of real ones."""

    def __init__(self, labels: dict[str, SimLabel]) -> None:
        self._labels = labels
        self.asked: list[Deed] = []

    async def do(self, deed: Deed, label: str) -> bool:
        self.asked.append(deed)
        touched = self._labels[label]
        match deed:
            case Deed.TAKE_AWAY:
                touched.asleep = True
            case Deed.BRING_BACK:
                touched.asleep = False
            case Deed.RESTART:
                touched.reboot()
            case Deed.ERASE:
                touched.lose_memory()
        return True


def make_gateway(
    kind: type[SimGateway] = SimGateway,
    labels: Iterable[SimLabel] | None = None,
    *,
    keys: PublicKeys | None = None,
    capacity: int = 3,
    level: str = "full",
) -> SimGateway:
    """A gateway whose labels take three seconds to paint, with fewer places than labels."""
    return kind(
        GATEWAY,
        labels if labels is not None else make_labels(),
        keys or PublicKeys.of(KEY),
        random=Random(7),
        options=GatewayOptions(paint_s=3.0, capacity=capacity, level=level),
    )


def make_labels(kind: Callable[[str, Panel], SimLabel] = SimLabel) -> list[SimLabel]:
    return [kind(f"label-{n}", PANEL) for n in range(1, LABELS + 1)]


async def judge(
    gateway: SimGateway, *, with_operator: bool = True, line: SimLine | None = None
) -> Report:
    """Run the whole kit over a gateway."""
    line = line or SimLine(gateway)
    return await conform(
        line,
        GATEWAY,
        key=KEY,
        panels=PANELS,
        numbers=Numbers.standing_alone(NOON_MS),
        wishes=Wishes(epoch_of=lambda _: 1, patience_s=30.0, labels_most=LABELS),
        operator=Hand(gateway.labels) if with_operator else None,
    )
