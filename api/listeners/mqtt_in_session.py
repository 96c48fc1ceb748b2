"""One connection that listens for messages and acknowledges them when it is told to.

The session lies with the broker and outlives the connection: what was not acknowledged comes
again. Each connection is a paho client of its own, so that an acknowledgement can never reach
another connection, where the same packet id may name another message.

* Manual acknowledgement; the broker has at most `UNACKED_MOST` messages on their way to us.
* What the broker keeps as retained is not asked for: it may be years old (MQTT 5, 3.8.3.1).
* paho's thread only hands over to the loop; an exception in its callbacks would end it.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from esl.domain.mqtt_in import ALL_SOURCES, InMessage
from gateway.mqtt import KEEPALIVE_S, BrokerAddress, MqttError, put_away

UNACKED_MOST = 256
"""Messages on their way at a time: it bounds the memory, and what may come again."""

SESSION_S = 7 * 86_400
"""So long a broker keeps what came for us while we are away."""

PACKET_LARGEST_BYTES = 16 * 1024 * 1024
"""What is above this the broker drops by itself (MQTT 5, 3.1.2.11.4)."""

_CONNECT_PATIENCE_S = 15.0
_FAILURE = 0x80  # reason codes from here up are failures (MQTT 5, 2.4)

log = structlog.get_logger()


class InSession:
    """A connection; made by `open_session`."""

    def __init__(self, client: paho.Client) -> None:
        self.lost = asyncio.Event()
        self.is_resumed = False  # the broker still knew us
        self.dropped = 0  # sent at QoS 0 faster than they could be stored
        self._messages: deque[InMessage] = deque()
        self._changed = asyncio.Event()
        self._is_ended = False
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()

    async def next_group(self, most: int, most_bytes: int) -> list[InMessage]:
        """Wait for a message, and return it with those that came behind it.

        Returns nothing once it was told to `end`.

        Raises:
            MqttError: The connection has ended; what was not acknowledged comes again.
        """
        while not (self._messages or self._is_ended or self.lost.is_set()):
            self._changed.clear()
            await self._changed.wait()
        if self._is_ended:
            return []
        if self.lost.is_set():
            raise MqttError("the connection to the broker has ended")
        group: list[InMessage] = []
        size = 0
        while self._messages and len(group) < most and size < most_bytes:
            group.append(self._messages.popleft())
            size += len(group[-1].payload)
        return group

    def acknowledge(self, message: InMessage) -> None:
        """Tell the broker that a message is stored for good."""
        if message.packet_id:
            self._client.ack(message.packet_id, 1)

    def publish(self, topic: str, payload: str, correlation: bytes | None) -> None:
        """Tell a source something, as far as the connection stands."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if correlation is not None:
            properties.CorrelationData = correlation
        self._client.publish(topic, payload, qos=1, properties=properties)

    def end(self) -> None:
        """Let whoever waits for messages go: there is nobody to listen for."""
        self._is_ended = True
        self._changed.set()

    def drop(self) -> None:
        """End the connection as if the network had; from any thread."""
        self._hand(self._lose)

    async def ready(self) -> None:
        """Wait until the broker has taken us in and granted the subscription.

        Raises:
            MqttError: It did not.
        """
        try:
            async with asyncio.timeout(_CONNECT_PATIENCE_S):
                await self._ready
        except TimeoutError:
            raise MqttError("the broker did not answer in time") from None

    # -- paho's thread calls these; each only hands over to the loop ---------------------------

    def _on_connect(self, client: Any, _u: Any, flags: Any, reason: ReasonCode, _p: Any) -> None:
        if reason.is_failure:
            self._hand(self._fail, f"the broker refused: {reason}")
            return
        self.is_resumed = bool(flags.session_present)
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        client.subscribe(ALL_SOURCES, options=options)

    def _on_subscribe(self, _c: Any, _u: Any, _m: int, reasons: Any, _p: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.value >= _FAILURE]
        if refused:
            self._hand(self._fail, f"the broker refused {ALL_SOURCES}: {refused[0]}")
        else:
            self._hand(self._succeed)

    def _on_disconnect(self, *_: Any) -> None:
        self._hand(self._lose)

    def _on_message(self, client: Any, _u: Any, message: paho.MQTTMessage) -> None:
        try:
            received = _received(message)
        except UnicodeDecodeError:
            client.ack(message.mid, message.qos)  # what is no text is no topic of ours
            return
        self._hand(self._put, received)

    def _on_socket_open(self, _c: Any, _u: Any, sock: Any) -> None:
        with contextlib.suppress(OSError, AttributeError):  # a TLS wrapper may not pass it on
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _hand(self, call: Any, *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is left to tell
            self._loop.call_soon_threadsafe(call, *arguments)

    # -- on the loop ---------------------------------------------------------------------------

    def _put(self, message: InMessage) -> None:
        if message.packet_id == 0 and len(self._messages) >= UNACKED_MOST:
            if self.dropped == 0:
                log.warning("messages at QoS 0 are dropped", topic=message.topic)
            self.dropped += 1
            return
        self._messages.append(message)
        self._changed.set()

    def _succeed(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def _fail(self, words: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(MqttError(words))
        self.lost.set()
        self._changed.set()

    def _lose(self) -> None:
        self._fail("the connection has ended")


def _received(message: paho.MQTTMessage) -> InMessage:
    """Copy a message out of paho's hands.

    Raises:
        UnicodeDecodeError: Its topic is no text.
    """
    said = getattr(message.properties, "UserProperty", None) or ()
    named = {name: value for name, value in reversed(said) if len(value) <= _PROPERTY_LONGEST}
    return InMessage(
        topic=message.topic,
        payload=bytes(message.payload),
        packet_id=message.mid if message.qos else 0,
        again=bool(message.dup),
        retained=bool(message.retain),
        key=named.get("idempotency-key"),
        store=named.get("store"),
        correlation=getattr(message.properties, "CorrelationData", None),
    )


_PROPERTY_LONGEST = 200


@contextlib.asynccontextmanager
async def open_session(address: BrokerAddress, client_id: str) -> AsyncIterator[InSession]:
    """Listen while the block runs; it ends for good when the connection does.

    Raises:
        MqttError: The broker cannot be reached, or refuses.
    """
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id,
        protocol=paho.MQTTv5,
        manual_ack=True,
        reconnect_on_failure=False,
    )
    session = InSession(client)
    client.on_connect = session._on_connect
    client.on_subscribe = session._on_subscribe
    client.on_disconnect = session._on_disconnect
    client.on_message = session._on_message
    client.on_socket_open = session._on_socket_open
    if address.username is not None:
        client.username_pw_set(address.username, address.password)
    if address.tls:
        client.tls_set()
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_S
    properties.ReceiveMaximum = UNACKED_MOST
    properties.MaximumPacketSize = PACKET_LARGEST_BYTES
    try:
        await asyncio.to_thread(
            client.connect,
            address.host,
            address.port,
            KEEPALIVE_S,
            clean_start=False,
            properties=properties,
        )
    except (OSError, ValueError) as exc:
        raise MqttError(f"the broker cannot be reached: {type(exc).__name__}") from exc
    client.loop_start()
    try:
        await session.ready()
        yield session
    finally:
        client.disconnect()
        await asyncio.to_thread(put_away, client)
        if session._ready.done() and not session._ready.cancelled():
            session._ready.exception()  # it was told, or nobody asks any more
