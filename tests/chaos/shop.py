"""The simulator's gateways and labels on the simulated broker, as `simulator.uplink` runs them."""

from collections.abc import Callable, Collection, Sequence

from gateway.mqtt import MqttMessage
from gateway.wire.codec import encode_state
from gateway.wire.messages import Accepted, AnyEvent
from gateway.wire.signing import PublicKeys
from gateway.wire.topics import down_topic, state_topic, up_topic
from simulator.gateway import SimGateway
from simulator.label import SimLabel
from simulator.voice import up_payloads
from tests.chaos.broker import Broker, Client
from tests.chaos.clocks import MachineClocks
from tests.chaos.oracles import Oracles
from tests.chaos.world import World

GATHER_S = 0.05
_RECONNECT_S = (0.5, 3.0)


class Ceiling:
    """One gateway under the ceiling: its power, its connection and its clock.

    ``shelf`` are all labels of the shop, in its range or not.
    """

    def __init__(
        self,
        world: World,
        broker: Broker,
        gateway: SimGateway,
        oracles: Oracles,
        shelf: Collection[SimLabel],
        *,
        keeps_session: bool,
        queue_longest: int,
    ) -> None:
        self.gateway = gateway
        self.name = gateway.gateway_id
        self.powered = False
        self.gone = False  # for good
        self.client = Client(
            self.name,
            (down_topic(self.name),),
            self._hear,
            self._lost,
            keeps_session=keeps_session,
            queue_longest=queue_longest,
        )
        # One program simulates all gateways: labels measure their rest by its monotonic clock.
        self.clocks = MachineClocks(world, began_s=0.0)
        self._world = world
        self._broker = broker
        self._oracles = oracles
        self._shelf = shelf
        self._life = 0
        self._outbox: list[AnyEvent] = []
        self._flushing = False
        self._wakes_s = float("inf")

    @property
    def labels(self) -> dict[str, SimLabel]:
        """The labels in its range."""
        return self.gateway.labels

    def set_clock(self, ahead_s: float) -> None:
        """Somebody, or a source of time, sets its clock."""
        self.clocks.ahead_s = ahead_s
        worst_ms = self._oracles.flips.ahead_ms
        worst_ms[self.name] = max(worst_ms[self.name], ahead_s * 1000)

    def enrol(self, believes: PublicKeys) -> None:
        """Somebody brings it a new enrolment file, and it begins anew."""
        self.gateway._gatekeeper.keys = believes
        if self.powered:
            self.switch_off()
            self.switch_on()

    def take_up(self, label: SimLabel) -> None:
        """Hear a label that was not here when the shop was opened."""
        self.gateway._set_up(label)
        self.labels[label.label_id] = label

    # -- power ---------------------------------------------------------------------------------

    def switch_on(self) -> None:
        """Boot, and connect."""
        if self.powered or self.gone:
            return
        self.powered = True
        self._life += 1
        self._world.after(self._world.between(0.5, 5.0), self._connect, self._life)

    def switch_off(self) -> None:
        """Lose power: work in hand and session are lost, labels keep their glass."""
        if not self.powered:
            return
        self.powered = False
        self._life += 1
        self._broker.drop(self.client)
        self.client.queue.clear()
        self.gateway.reboot()
        self._outbox.clear()
        self._plan()

    # -- connection ----------------------------------------------------------------------------

    def _connect(self, life: int) -> None:
        if life != self._life or not self.powered or self.client.connected:
            return
        self.gateway.begin_session()
        moment = self.clocks.moment()
        offline = encode_state(self.gateway.state(moment, online=False))
        topic = state_topic(self.name)
        if not self._broker.connect(self.client, will=(topic, offline)):
            self._world.after(self._world.between(*_RECONNECT_S), self._connect, life)
            return
        self._world.note(f"{self.name} connects as {self.gateway.session}")
        online = encode_state(self.gateway.state(moment, online=True))
        self._broker.publish(self.client, MqttMessage(topic, online, retained=True))
        self._outbox.clear()
        self._say(self.gateway.connected(moment))
        self._plan()

    def _lost(self) -> None:
        if self.powered:
            self.gateway.disconnected()
            self._outbox.clear()
            pause_s = self._world.between(*_RECONNECT_S)
            self._world.after(pause_s, self._connect, self._life)
            self._plan()

    # -- steps ---------------------------------------------------------------------------------

    def _hear(self, message: MqttMessage) -> None:
        if self.powered and not message.retained:
            self._step(lambda: self.gateway.receive_down(message.payload, self.clocks.moment()))

    def _step(self, step: Callable[[], Sequence[AnyEvent]]) -> None:
        self._say(step())
        # What a label began to paint it ends, though it was carried out of range meanwhile.
        for label in (*self._shelf, *self.gateway.labels.values()):
            self._oracles.watch_glass(label)
        self._plan()

    def _plan(self) -> None:
        """Wake in time; labels end what they paint whether or not their gateway has power."""
        wakes_s = self.gateway.next_wake_s()
        if wakes_s == float("inf"):
            return
        delay_s = max(0.0, wakes_s - self.clocks.monotonic_s())
        at_s = self._world.now_s + delay_s
        if self._world.now_s < self._wakes_s <= at_s:
            return
        self._wakes_s = at_s
        self._world.after(delay_s, self._tick, at_s)

    def _tick(self, at_s: float) -> None:
        if at_s == self._wakes_s:
            self._wakes_s = float("inf")
            self._step(lambda: self.gateway.tick(self.clocks.moment()))

    def _say(self, events: Sequence[AnyEvent]) -> None:
        if not events or not self.powered:
            return
        for event in events:
            if isinstance(event, Accepted):
                self._oracles.orders.note_accepted(self.name, event.id)
        self._outbox.extend(events)
        if not self._flushing:
            self._flushing = True
            self._world.after(GATHER_S, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        events = list(self._outbox)
        self._outbox.clear()
        if not events or not self.client.connected:
            return
        for payload in up_payloads(events):
            self._broker.publish(
                self.client, MqttMessage(up_topic(self.name), payload, retained=False)
            )
