"""A gateway in synchronous steps: payloads and the time in, events and the next wake time out.

::

    begin_session ─▶ connected ─▶ receive_down / tick … ─▶ disconnected ─▶ begin_session ─▶ …
    (its will)       (hello, all                           (works on, but
                      labels seen)                          nobody hears it)

Nothing here waits or knows MQTT: `simulator.uplink` drives it with a broker and the machine's
clock, a test with neither. All steps of one gateway are taken by one thread.
"""

import math
from collections import Counter
from collections.abc import Iterable
from random import Random

from gateway.wire.codec import decode_commands
from gateway.wire.errors import BadPayload, Refused
from gateway.wire.messages import AnyEvent, Config, GatewayState
from gateway.wire.signing import Gatekeeper, PublicKeys
from simulator.beacons import Beacons
from simulator.label import SimLabel
from simulator.moment import MS_PER_S, Moment
from simulator.options import FULL, GatewayOptions
from simulator.orders import Orders
from simulator.picture import Refusal
from simulator.voice import Voice

__all__ = ["GatewayOptions", "SimGateway"]


class SimGateway:
    """One simulated gateway and the labels in its range.

    ``labels`` may change while it runs; ``signal`` is how strong it hears a label, where that is
    not the label's own ``rssi_dbm``. ``dropped`` counts payloads it did not obey, by reason.
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
        self._gatekeeper = Gatekeeper(
            gateway=gateway_id, session="", keys=keys, max_bytes=options.payload_bytes
        )
        self._voice = Voice(level=options.level, payload_bytes=options.payload_bytes)
        self._orders = Orders(
            self.labels,
            self._voice,
            forward=self._forward,
            configure=self._configure,
            powered=lambda: bool(self.session),
            clock_off_ms=lambda: self._clock_off_ms,
            random=random,
            options=options,
        )
        self._queue = self._orders.queue
        self.signal = self._queue.signal
        self.radio = self._queue.radio
        self._beacons = Beacons(options.beacon_s, at_check_in=options.radio.check_in_s[1] > 0)
        self._heartbeat_s = options.heartbeat_s
        self._next_heartbeat_s = math.inf
        self._set_up_at_s: float | None = None
        self._clock_off_ms = self.clock_skew_ms
        self._now_s = 0.0
        for label in self.labels.values():
            self._set_up(label)
        self._boot()

    # -- life ----------------------------------------------------------------------------------

    @property
    def session(self) -> str:
        """The name of this or the last connection; fresh for each."""
        return self._gatekeeper.session

    @property
    def restart_due(self) -> bool:
        """Whether it must reboot to take new firmware into use."""
        return self._orders.firmware.restart_due

    @property
    def queued(self) -> int:
        """How much work is in hand."""
        return len(self._queue)

    @property
    def capacity(self) -> int:
        """How many labels it takes work for at once; a reboot restores it."""
        return self._queue.capacity

    @capacity.setter
    def capacity(self, labels: int) -> None:
        self._queue.capacity = labels

    @property
    def clock_off_ms(self) -> int:
        """How far its clock was ahead at its last step."""
        return self._clock_off_ms

    @property
    def pending(self) -> int:
        """How many timed shows are pending."""
        return self._orders.timed.count()

    @property
    def firmware(self) -> str:
        """The version of its software."""
        return self._orders.firmware.version

    def begin_session(self) -> None:
        """Name the coming connection; to be called before it is made, for its will."""
        self._connections += 1
        self._gatekeeper.begin_session(f"{self._nonce}-{self._connections}")
        self.disconnected()

    def state(self, now: Moment, *, online: bool) -> GatewayState:
        """The retained ``state`` of this session; with ``online`` false its will."""
        return GatewayState(online=online, session=self.session, since=self._own(now).wall_ms)

    def connected(self, now: Moment) -> list[AnyEvent]:
        """The connection stands: say hello, and what every label shows."""
        own = self._enter(now)
        self._voice.begin(self.session)
        self._voice.hello(firmware=self.firmware, capacity=self._queue.capacity)
        self._orders.firmware.speak()
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
        self._orders.reboot()
        self._heartbeat_s = self._options.heartbeat_s
        self._beacons.interval_s = self._options.beacon_s
        self._boot()

    def _boot(self) -> None:
        self._nonce = f"{self._random.getrandbits(32):08x}"
        self._connections = 0
        self._gatekeeper.begin_session("")

    def _set_up(self, label: SimLabel) -> None:
        """Make a label behave as the options say."""
        radio = self._options.radio
        label.quirks = self._options.quirks
        label.coldest_c = self._options.coldest_c
        if radio.check_in_s[1] > 0 and not label.wakes_every_s:
            label.wakes_every_s = self._random.uniform(*radio.check_in_s)
            label.wakes_after_s = self._random.uniform(0, label.wakes_every_s)

    # -- steps ---------------------------------------------------------------------------------

    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        """Obey a ``down`` payload, if it must be obeyed (G1, G3)."""
        own = self._enter(now)
        try:
            body = self._gatekeeper.admit(payload, own.wall_ms)
            decoded = decode_commands(body, max_bytes=self._options.payload_bytes)
        except (BadPayload, Refused) as exc:
            self.dropped[type(exc).__name__] += 1
            return self._voice.take()
        for rejected in decoded.rejected:
            self.dropped["Rejected"] += 1
            refusal = Refusal(rejected.code, f"element {rejected.position}")
            self._voice.failed(rejected.id or 0, refusal)
        for command in decoded.messages:
            self._orders.obey(command, own)
        return self._voice.take()

    def tick(self, now: Moment) -> list[AnyEvent]:
        """Do what is due: paintings end, labels beacon, the heart beats."""
        own = self._enter(now)
        if own.monotonic_s >= self._beacons.next_wake_s():
            self._pass_on(self._beacons.due(self.labels.values(), own.monotonic_s))
        if own.monotonic_s >= self._next_heartbeat_s:
            self._voice.heartbeat(
                firmware=self.firmware, capacity=self._queue.capacity, queued=len(self._queue)
            )
            self._next_heartbeat_s = own.monotonic_s + self._heartbeat_s
        return self._voice.take()

    def press(self, label_id: str, button: int, now: Moment) -> list[AnyEvent]:
        """Somebody presses a button of a label."""
        self._enter(now)
        label = self.labels[label_id]
        if self._orders.reaches(label) and self._options.level == FULL:
            self._voice.pressed(label, button)
        return self._voice.take()

    def tap(self, label_id: str, now: Moment) -> list[AnyEvent]:
        """Somebody holds a phone to a label."""
        self._enter(now)
        label = self.labels[label_id]
        if self._orders.reaches(label) and self._options.level == FULL:
            self._voice.tapped(label)
        return self._voice.take()

    def next_wake_s(self) -> float:
        """When `tick` has something to do, by the monotonic clock; infinity for never."""
        return min(
            self._queue.next_wake_s(),
            self._next_heartbeat_s,
            self._beacons.next_wake_s(),
            self._orders.agenda.next_wake_s(),
        )

    def _enter(self, now: Moment) -> Moment:
        """Begin a step: what was due before it comes first."""
        own = self._own(now)
        self._now_s = own.monotonic_s
        self._voice.now_ms = own.wall_ms
        self._orders.advance(own)
        return own

    def _own(self, now: Moment) -> Moment:
        """The moment by the gateway's own clock, skewed and drifting."""
        self._clock_off_ms = self.clock_skew_ms
        if self._options.clock_drift_ppm:
            if self._set_up_at_s is None:
                self._set_up_at_s = now.monotonic_s
            ran_s = now.monotonic_s - self._set_up_at_s
            self._clock_off_ms += round(ran_s * self._options.clock_drift_ppm / MS_PER_S)
        return now.skewed(self._clock_off_ms)

    # -- labels --------------------------------------------------------------------------------

    def _configure(self, command: Config, own: Moment) -> None:
        if command.beacon_s is not None:
            for label in self.labels.values():
                if label.wakes_every_s:
                    label.wakes_every_s = command.beacon_s
            self._beacons.change_interval(command.beacon_s, own.monotonic_s)
        if command.heartbeat_s is not None:
            self._heartbeat_s = command.heartbeat_s
            self._next_heartbeat_s = own.monotonic_s + command.heartbeat_s

    def _pass_on(self, labels: Iterable[SimLabel]) -> None:
        """Pass on the beacons of those labels that are heard (G6)."""
        if self.radio.is_lossy:
            labels = [label for label in labels if self.radio.hears(self._signal_of(label))]
        self._forward(labels)

    def _forward(self, labels: Iterable[SimLabel]) -> None:
        """Say what those labels show that answer."""
        for label in labels:
            if label.answers:
                self._queue.heard(label)
                label.live_until(self._now_s, listens_every_s=self._beacons.interval_s)
                self._voice.seen(label, self._signal_of(label))

    def _signal_of(self, label: SimLabel) -> int:
        return self.signal.get(label.label_id, label.rssi_dbm) if self.signal else label.rssi_dbm
