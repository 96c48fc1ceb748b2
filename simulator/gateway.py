"""A gateway in synchronous steps: payloads and the time in, events and the next wake time out.

::

    begin_session ─▶ connected ─▶ receive_down / tick … ─▶ disconnected ─▶ begin_session ─▶ …
    (its will)       (hello, all                           (works on, but
                      labels seen)                          nobody hears it)

Nothing here waits or knows MQTT: `simulator.uplink` drives it with a broker and the machine's
clock, a test with neither. All steps of one gateway are taken by one thread.
"""

import math
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from gateway.wire.codec import decode_commands
from gateway.wire.errors import BadPayload, Refused
from gateway.wire.failures import FailureCode
from gateway.wire.messages import (
    AnyEvent,
    Command,
    Config,
    GatewayState,
    Put,
    Report,
    Show,
    ShowEntry,
    Time,
)
from gateway.wire.signing import Gatekeeper, PublicKeys
from simulator.beacons import Beacons
from simulator.label import Done, SimLabel
from simulator.moment import MS_PER_S, Moment
from simulator.picture import Refusal
from simulator.queue import Answer, Queued, Work, WorkQueue
from simulator.voice import Voice

RESULTS_KEPT = 4096
"""Commands whose results a gateway can repeat (G8): many windows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """How a simulated gateway and its labels behave; durations in seconds.

    ``jitter`` is the share of ``paint_s`` by which refreshes differ; ``paint_s`` 0 paints
    within the step. ``capacity`` is how many labels a gateway has work in hand for.
    """

    paint_s: float = 0.0
    jitter: float = 0.1
    beacon_s: float = 60.0
    heartbeat_s: float = 20.0
    capacity: int = 128
    label_timeout_s: float = 5.0
    clock_skew_s: float = 0.0


class SimGateway:
    """One simulated gateway and the labels in its range.

    ``labels`` may change while it runs; ``dropped`` counts payloads it did not obey, by reason.
    """

    def __init__(
        self,
        gateway_id: str,
        labels: Iterable[SimLabel],
        keys: PublicKeys,
        *,
        random: Random,
        options: GatewayOptions,
    ) -> None:
        self.gateway_id = gateway_id
        self.labels = {label.label_id: label for label in labels}
        self.clock_skew_ms = round(options.clock_skew_s * MS_PER_S)
        self.dropped: Counter[str] = Counter()
        self._options = options
        self._random = random
        self._gatekeeper = Gatekeeper(gateway=gateway_id, session="", keys=keys)
        self._queue = WorkQueue(
            self._answer,
            random=random,
            capacity=options.capacity,
            paint_s=options.paint_s,
            jitter=options.jitter,
            label_timeout_s=options.label_timeout_s,
        )
        self._voice = Voice()
        self._beacons = Beacons(options.beacon_s)
        self._results: OrderedDict[int, list[AnyEvent]] = OrderedDict()
        self._heartbeat_s = options.heartbeat_s
        self._next_heartbeat_s = math.inf
        self._boot()

    # -- life ----------------------------------------------------------------------------------

    @property
    def session(self) -> str:
        """The name of this or the last connection; fresh for each."""
        return self._gatekeeper.session

    def begin_session(self) -> None:
        """Name the coming connection; to be called before it is made, for its will."""
        self._connections += 1
        self._gatekeeper.begin_session(f"{self._nonce}-{self._connections}")
        self.disconnected()

    def state(self, now: Moment, *, online: bool) -> GatewayState:
        """The retained ``state`` of this session; with ``online`` false its will."""
        own = now.skewed(self.clock_skew_ms)
        return GatewayState(online=online, session=self.session, since=own.wall_ms)

    def connected(self, now: Moment) -> list[AnyEvent]:
        """The connection stands: say hello, and what every label shows."""
        own = self._enter(now)
        self._voice.begin(self.session)
        self._voice.hello(capacity=self._queue.capacity)
        self._forward(self.labels.values())
        self._next_heartbeat_s = own.monotonic_s + self._heartbeat_s
        self._beacons.begin(own.monotonic_s)
        return self._voice.take()

    def disconnected(self) -> None:
        """The connection is gone: work goes on, and nobody hears of it."""
        self._voice.stop()
        self._beacons.stop()
        self._next_heartbeat_s = math.inf

    def reboot(self) -> None:
        """Lose work, results and session; labels keep their glass."""
        self.disconnected()
        self._queue.forget()
        self._queue.capacity = self._options.capacity
        self._results.clear()
        self._boot()

    def _boot(self) -> None:
        self._nonce = f"{self._random.getrandbits(32):08x}"
        self._connections = 0
        self._gatekeeper.begin_session("")

    # -- steps ---------------------------------------------------------------------------------

    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        """Obey a ``down`` payload, if it must be obeyed (G1, G3)."""
        own = self._enter(now)
        try:
            decoded = decode_commands(self._gatekeeper.admit(payload, own.wall_ms))
        except (BadPayload, Refused) as exc:
            self.dropped[type(exc).__name__] += 1
            return self._voice.take()
        for rejected in decoded.rejected:
            self.dropped["Rejected"] += 1
            refusal = Refusal(rejected.code, f"element {rejected.position}")
            self._voice.failed(rejected.id or 0, refusal)
        for command in decoded.messages:
            self._obey(command, own)
        return self._voice.take()

    def tick(self, now: Moment) -> list[AnyEvent]:
        """Do what is due: paintings end, labels beacon, the heart beats."""
        own = self._enter(now)
        if own.monotonic_s >= self._beacons.next_wake_s():
            self._forward(self._beacons.due(list(self.labels.values()), own.monotonic_s))
        if own.monotonic_s >= self._next_heartbeat_s:
            self._voice.heartbeat(capacity=self._queue.capacity, queued=len(self._queue))
            self._next_heartbeat_s = own.monotonic_s + self._heartbeat_s
        return self._voice.take()

    def next_wake_s(self) -> float:
        """When `tick` has something to do, by the monotonic clock; infinity for never."""
        beacons_s = self._beacons.next_wake_s()
        return min(self._queue.next_wake_s(), self._next_heartbeat_s, beacons_s)

    def _enter(self, now: Moment) -> Moment:
        """Begin a step: what was due before it comes first."""
        own = now.skewed(self.clock_skew_ms)
        self._voice.now_ms = own.wall_ms
        self._queue.advance(own)
        return own

    # -- commands ------------------------------------------------------------------------------

    def _obey(self, command: Command, own: Moment) -> None:
        match command:
            case Put():
                if self._is_new(command.id):
                    self._offer(command.id, command, own, deadline_ms=command.deadline)
            case Show(at=None):
                if self._is_new(command.id):
                    for entry in command.entries:
                        self._offer(command.id, entry, own)
            case Report():
                self._voice.accepted(command.id)
                self._report(command)
            case Config():
                self._configure(command, own)
                self._voice.accepted(command.id)
            case Time():  # a clock that is off stays off: the skew is what is being simulated
                self._voice.accepted(command.id)
            case _:
                self._voice.failed(command.id, Refusal(FailureCode.UNSUPPORTED, command.name))

    def _is_new(self, command_id: int) -> bool:
        """G8: an id that was seen before is answered with what came of it."""
        known = self._results.get(command_id)
        if known is None:
            self._results[command_id] = []
            if len(self._results) > RESULTS_KEPT:
                self._results.popitem(last=False)
            return True
        for event in known:
            self._voice.repeat(event)
        if not known:
            self._voice.accepted(command_id)
        return False

    def _offer(
        self,
        command_id: int,
        order: Put | ShowEntry,
        own: Moment,
        *,
        deadline_ms: int | None = None,
    ) -> None:
        label = self.labels.get(order.label)
        if label is not None:
            self._queue.offer(Work(command_id, label, order, deadline_ms), own)
            return
        refusal = Refusal(FailureCode.UNKNOWN_LABEL)
        self._keep(command_id, self._voice.failed(command_id, refusal, order.label, order.rev))

    def _answer(self, work: Work, answer: Answer) -> None:
        """Tell the controller what came of a piece of work."""
        command_id, label, order = work.command_id, work.label, work.order
        match answer:
            case Queued():
                self._voice.accepted(command_id)
                return
            case Done.SHOWN:
                event = self._voice.shown(command_id, label)
            case Done.STORED:
                event = self._voice.stored(command_id, label, order.slot, label.slots[order.slot])
            case Refusal():
                event = self._voice.failed(command_id, answer, order.label, order.rev)
        self._keep(command_id, event)
        if isinstance(answer, Refusal) and answer.code is FailureCode.SUPERSEDED:
            self._forward([label])  # what it shows decides

    def _keep(self, command_id: int, event: AnyEvent) -> None:
        results = self._results.get(command_id)
        if results is not None:
            results.append(event)

    def _report(self, command: Report) -> None:
        if not command.labels:
            self._forward(self.labels.values())
            return
        for label_id in command.labels:
            label = self.labels.get(label_id)
            if label is None:
                self._voice.failed(command.id, Refusal(FailureCode.UNKNOWN_LABEL), label_id)
            else:
                self._forward([label])

    def _configure(self, command: Config, own: Moment) -> None:
        if command.beacon_s is not None:
            self._beacons.change_interval(command.beacon_s, own.monotonic_s)
        if command.heartbeat_s is not None:
            self._heartbeat_s = command.heartbeat_s
            self._next_heartbeat_s = own.monotonic_s + command.heartbeat_s
        if command.window is not None:
            self._queue.capacity = min(command.window, self._options.capacity)

    def _forward(self, labels: Iterable[SimLabel]) -> None:
        """Pass on the beacons of those labels that answer (G6)."""
        for label in labels:
            if label.answers:
                self._queue.heard(label)
                self._voice.seen(label)
