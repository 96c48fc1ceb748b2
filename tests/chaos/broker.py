"""An MQTT broker as bad as real ones: it acknowledges and loses, repeats, delays and reorders.

    publish ─▶ up and reachable? ─▶ PUBACK ─▶ each subscriber: connected ─▶ delivered after a while
                    │ no                        │ away, session kept ─▶ queue, newest dropped
                    ▼                           ▼ away ─▶ gone
                 refused                                                    (QoS 1, no order)

A client may be *cut*, which both ends notice at once, or *half open*: both ends believe in a
connection through which nothing passes any more, until their patience ends.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.mqtt import MqttMessage
from tests.chaos.world import World

KEEPALIVE_S = 30.0


@dataclass(slots=True, eq=False)
class Client:
    """One MQTT client, as the broker knows it."""

    name: str
    topics: tuple[str, ...]
    deliver: Callable[[MqttMessage], None]
    lost: Callable[[], None]
    keeps_session: bool = False
    queue_longest: int = 100
    connection: int = 0  # rises with each; 0 is none yet
    connected: bool = False
    reachable: bool = True
    will: tuple[str, bytes] | None = None
    queue: deque[MqttMessage] = field(default_factory=deque)
    carried_s: float = 0.0  # when the last message on its way arrives: keeps their order


@dataclass(slots=True, kw_only=True)
class Weather:
    """How bad the network of a seed is: shares of messages, and seconds."""

    loses: float = 0.01
    repeats: float = 0.02
    delays: float = 0.02
    delays_longest_s: float = 25.0
    repeats_longest_s: float = 60.0
    spoils: float = 0.0


class Broker:
    """One broker for all clients of a world."""

    def __init__(self, world: World, weather: Weather) -> None:
        self.up = True
        self.weather = weather
        self.retained: dict[str, bytes] = {}
        self.queued_most = 0
        self._world = world
        self._clients: dict[str, Client] = {}

    def clients(self) -> list[Client]:
        """Return everybody who ever connected."""
        return list(self._clients.values())

    # -- clients -------------------------------------------------------------------------------

    def connect(self, client: Client, *, will: tuple[str, bytes] | None = None) -> bool:
        """Take a client in; False if it does not get through."""
        if not self.up or not client.reachable:
            return False
        if client.connected:  # taken over: its old connection ends, and its will is spoken
            self._speak_will(client)
        self._clients[client.name] = client
        client.connection += 1
        client.connected = True
        client.carried_s = self._world.now_s
        client.will = will
        for topic, payload in list(self.retained.items()):
            if _matches(client, topic):
                self._carry(client, MqttMessage(topic, payload, retained=True))
        while client.queue:
            self._carry(client, client.queue.popleft())
        return True

    def disconnect(self, client: Client) -> None:
        """A client says farewell: its will is not spoken."""
        client.connected = False
        client.will = None

    def publish(self, client: Client, message: MqttMessage) -> bool:
        """Take a message; whether it was acknowledged."""
        if not (self.up and client.connected and client.reachable):
            return False
        self._pass_on(message)
        return True

    def _pass_on(self, message: MqttMessage) -> None:
        if message.retained:
            self.retained[message.topic] = message.payload
        for client in self._clients.values():
            if not _matches(client, message.topic):
                continue
            # Retained is said of what lay there when one came, not of what is said now.
            fresh = MqttMessage(message.topic, message.payload, retained=False)
            if client.connected:
                self._carry(client, fresh)
            elif client.keeps_session:
                self._keep(client, fresh)

    def _keep(self, client: Client, message: MqttMessage) -> None:
        if len(client.queue) >= client.queue_longest:
            self._world.count("queue overflow", client.name)
            return
        client.queue.append(message)
        self.queued_most = max(self.queued_most, len(client.queue))

    # -- on the way ----------------------------------------------------------------------------

    def _carry(self, client: Client, message: MqttMessage) -> None:
        world, weather = self._world, self.weather
        if world.happens(weather.loses):
            world.count("message lost after PUBACK", f"{message.topic} to {client.name}")
            return
        arrives_s = max(client.carried_s, world.now_s + world.between(0.002, 0.05))
        if world.happens(weather.delays):
            late_s = world.between(0.5, weather.delays_longest_s)
            world.after(arrives_s + late_s - world.now_s, self._arrive, client, message, "late")
        else:
            client.carried_s = arrives_s
            world.after(arrives_s - world.now_s, self._arrive, client, message, "")
        if world.happens(weather.repeats):
            again_s = world.between(0.0, weather.repeats_longest_s)
            world.after(again_s, self._arrive, client, message, "again")

    def _arrive(self, client: Client, message: MqttMessage, how: str) -> None:
        world = self._world
        if not (self.up and client.connected and client.reachable):
            if client.keeps_session and self.up and not client.connected and not how:
                self._keep(client, message)
            return
        if how == "again" and not world.faulty:
            return  # a fault as well, and those have stopped
        if how:
            fault = "message delayed" if how == "late" else "message repeated"
            world.count(fault, f"{message.topic} to {client.name}")
        if world.happens(self.weather.spoils):
            message = self._spoil(message)
            world.count("payload spoiled", message.topic)
        client.deliver(message)

    def _spoil(self, message: MqttMessage) -> MqttMessage:
        payload = bytearray(message.payload)
        if payload:
            payload[self._world.random.randrange(len(payload))] ^= (
                1 << self._world.random.randrange(8)
            )
        return MqttMessage(message.topic, bytes(payload), message.retained)

    def inject(self, topic: str, payload: bytes) -> None:
        """Somebody else publishes, with nothing checked: the embedded broker has no rules."""
        if self.up:
            self._pass_on(MqttMessage(topic, payload, retained=False))

    # -- faults --------------------------------------------------------------------------------

    def restart(self, away_s: float, *, keeps_memory: bool) -> None:
        """Go down and come back, with or without what was kept."""
        self.up = False
        if not keeps_memory:
            self.retained.clear()
        for client in self._clients.values():
            if not keeps_memory:
                client.queue.clear()
            client.will = None
            self._end(client)
        self._world.after(away_s, self._come_back)

    def _come_back(self) -> None:
        self.up = True

    def cut(self, client: Client, *, half_open: bool) -> None:
        """Let nothing through to and from a client, until `heal`."""
        client.reachable = False
        if not half_open:
            self._speak_will(client)
            self._end(client)
            return
        number = client.connection
        patience_s = self._world.between(1.0, 1.5) * KEEPALIVE_S
        self._world.after(patience_s, self._give_up, client, number)

    def _give_up(self, client: Client, number: int) -> None:
        if client.connected and client.connection == number and not client.reachable:
            self._speak_will(client)
            self._end(client)

    def expire(self, client: Client) -> None:
        """A client said nothing for longer than its keep-alive."""
        self._speak_will(client)
        self._end(client)

    def heal(self, client: Client) -> None:
        """Let a client through again; a half-open connection goes on."""
        client.reachable = True

    def _speak_will(self, client: Client) -> None:
        if client.connected and client.will is not None and self.up:
            topic, payload = client.will
            client.will = None
            # The broker may notice the end of a connection after the next has begun.
            late_s = self._world.between(0.0, 3.0) if self._world.happens(0.2) else 0.0
            self._world.after(late_s, self._pass_on, MqttMessage(topic, payload, retained=True))

    def _end(self, client: Client) -> None:
        if client.connected:
            client.connected = False
            self._world.after(0.0, client.lost)

    def drop(self, client: Client) -> None:
        """A client's process died: its connection ends, and its will is spoken."""
        self._speak_will(client)
        client.connected = False


def _matches(client: Client, topic: str) -> bool:
    return any(_fits(pattern, topic) for pattern in client.topics)


def _fits(pattern: str, topic: str) -> bool:
    if pattern == topic:
        return True
    if "+" not in pattern:
        return False
    head, tail = pattern.split("+")
    return topic.startswith(head) and topic.endswith(tail)
