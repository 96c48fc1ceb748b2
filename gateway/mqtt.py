"""An asyncio MQTT 5 connection over paho, for the controller and for gateways alike.

paho's own thread does the I/O and hands everything to the loop with ``call_soon_threadsafe``;
no callback of paho's runs our code. What was learned about paho, each with a test:

* An exception in ``on_message`` ends paho's thread while ``is_connected()`` stays true. The
  callbacks here do nothing that can fail.
* *Connected* means subscribed: set when the broker has granted every subscription. A message
  published before that is lost for good.
* Subscribe again on each connection; a persistent session is no guarantee.
* Without TCP_NODELAY each publish takes 15 to 18 ms on a connection that also receives.
* A large in-flight window makes paho slower (200 µs a message at 1,000, 105 µs at 20).
* PUBACK 0x10, "no matching subscribers", comes from mosquitto and not from others: a hint.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from esl.domain.errors import SetupError
from gateway.mqtt_tls import tls_context

MQTT_PORT = 1883
MQTTS_PORT = 8883
KEEPALIVE_S = 20
INFLIGHT = 20
_FAILURE = 0x80  # reason codes from here up are failures (MQTT 5, 2.4)
_NO_SUBSCRIBERS = 0x10  # MQTT 5, 3.4.2.1


Acknowledgement = asyncio.Future[bool]
"""Of a message published: the broker has it, or `MqttError`."""


class MqttError(Exception):
    """The broker could not be reached, or refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where a broker is, and the login for it."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_pem: str | None = field(default=None, repr=False)
    """The authorities that may have signed the broker's certificate; None: the system's."""

    ca_file: Path | None = None
    """Where those stand; each connection reads them anew. None: they stay as they are."""

    @classmethod
    def from_url(cls, url: str, *, ca_pem: str | None = None) -> "BrokerAddress":
        """Read ``mqtt://user:password@host:port`` or ``mqtts://…``.

        Raises:
            SetupError: It is not such an address.
        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == -1:
            raise SetupError("broker address: write mqtt://user:password@host:port, or mqtts://…")
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=port or (MQTTS_PORT if tls else MQTT_PORT),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
            ca_pem=ca_pem,
        )

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker says for us when we vanish; always retained, QoS 1."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class MqttMessage:
    """One message from the broker."""

    topic: str
    payload: bytes
    retained: bool


class MqttConnection:
    """One session with a broker, kept up by paho; made by `connect`."""

    def __init__(self, client: paho.Client, topics: Sequence[str]) -> None:
        self.messages: asyncio.Queue[MqttMessage] = asyncio.Queue()
        self.connected = asyncio.Event()
        self.lost = asyncio.Event()  # set once a connection has ended; stays so, paho goes on
        self.connections = 0  # how often the broker has taken us in
        self.refusal: str | None = None  # why it last did not
        self._client = client
        self._topics = tuple(topics)
        self._loop = asyncio.get_running_loop()
        self._unacked: dict[int, asyncio.Future[bool]] = {}

    @property
    def place(self) -> str:
        """Where the broker is, without a login."""
        return f"{self._client.host}:{self._client.port}"

    def send(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expires_s: int | None = None,
        patience_s: float = 10.0,
    ) -> Acknowledgement:
        """Publish at QoS 1, without waiting; call it on the loop.

        The future has False where the broker hinted that nobody listens. The acknowledgement
        means that the broker has it, and nothing more. The future raises `MqttError` where we
        are not connected, and where the broker refused or did not acknowledge in time.
        """
        acked: asyncio.Future[bool] = self._loop.create_future()
        if not self.connected.is_set():
            acked.set_exception(MqttError("not connected to the broker"))
            return acked
        properties = None
        if expires_s is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = expires_s
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            acked.set_exception(MqttError(f"publish: {info.rc.name}"))
            return acked
        # There was no await since publish(): the acknowledgement cannot have run on the loop.
        self._unacked[info.mid] = acked
        timer = self._loop.call_later(patience_s, self._give_up, info.mid, acked, patience_s)

        def forget(_: object) -> None:
            timer.cancel()
            if self._unacked.get(info.mid) is acked:
                del self._unacked[info.mid]

        acked.add_done_callback(forget)
        return acked

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expires_s: int | None = None,
        patience_s: float = 10.0,
    ) -> bool:
        """Publish at QoS 1 and wait for the broker's acknowledgement, as `send` describes.

        Raises:
            MqttError: Not connected, refused, or not acknowledged in time.
        """
        return await self.send(
            topic, payload, retain=retain, expires_s=expires_s, patience_s=patience_s
        )

    def follow(self, topics: Sequence[str]) -> None:
        """Subscribe to more topics, now and on each connection to come; call it on the loop."""
        self._topics = tuple(dict.fromkeys((*self._topics, *topics)))
        if topics and self._client.is_connected():
            self._client.subscribe([(topic, 1) for topic in topics])

    def unfollow(self, topics: Sequence[str]) -> None:
        """Unsubscribe from topics; what is on its way may still come. Call it on the loop."""
        gone = frozenset(topics)
        self._topics = tuple(topic for topic in self._topics if topic not in gone)
        if topics and self._client.is_connected():
            self._client.unsubscribe(list(topics))

    # -- paho's thread calls these; each only hands over to the loop ---------------------------

    def _on_connect(self, _c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        if reason.is_failure:
            self._hand(self._set_refusal, str(reason))
        elif self._topics:
            self._client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self._hand(self._set_connected)

    def _on_subscribe(self, _c: Any, _u: Any, _m: int, reasons: Any, _p: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.value >= _FAILURE]
        if refused:
            self._hand(self._set_refusal, f"subscription: {refused[0]}")
        else:
            self._hand(self._set_connected)

    def _on_disconnect(self, *_: Any) -> None:
        self._hand(self._set_lost)

    def _on_message(self, _c: Any, _u: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # paho decodes it here, and what is no text is no topic of ours
        self._hand(
            self.messages.put_nowait, MqttMessage(topic, bytes(message.payload), message.retain)
        )

    def _on_publish(self, _c: Any, _u: Any, mid: int, reason: ReasonCode, _p: Any) -> None:
        self._hand(self._acknowledge, mid, reason)

    def _on_socket_open(self, _c: Any, _u: Any, sock: Any) -> None:
        with contextlib.suppress(OSError, AttributeError):  # a TLS wrapper may not pass it on
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _hand(self, call: Any, *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is left to tell
            self._loop.call_soon_threadsafe(call, *arguments)

    # -- on the loop ---------------------------------------------------------------------------

    def _set_connected(self) -> None:
        self.refusal = None
        if not self.connected.is_set():  # else it was a subscription that came later
            self.connections += 1
            self.connected.set()

    def _set_lost(self) -> None:
        self.connected.clear()
        self.lost.set()

    def _set_refusal(self, why: str) -> None:
        self.refusal = why

    def _give_up(self, mid: int, acked: asyncio.Future[bool], patience_s: float) -> None:
        if self._unacked.get(mid) is acked and not acked.done():
            acked.set_exception(MqttError(f"not acknowledged within {patience_s:g} s"))

    def _acknowledge(self, mid: int, reason: ReasonCode) -> None:
        waiting = self._unacked.get(mid)
        if waiting is None or waiting.done():
            return
        if reason.value >= _FAILURE:
            waiting.set_exception(MqttError(f"the broker refused: {reason}"))
        else:
            waiting.set_result(reason.value != _NO_SUBSCRIBERS)


@contextlib.asynccontextmanager
async def connect(
    address: BrokerAddress,
    client_id: str,
    topics: Sequence[str] = (),
    *,
    will: Will | None = None,
    clean: bool = True,
    reconnect_longest_s: int = 10,
) -> AsyncIterator[MqttConnection]:
    """Stay connected while the block runs, reconnecting and subscribing again as needed.

    Enters at once; await ``connected`` to know when the first connection stands.
    """
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
    connection = MqttConnection(client, topics)
    client.on_connect = connection._on_connect
    client.on_subscribe = connection._on_subscribe
    client.on_disconnect = connection._on_disconnect
    client.on_message = connection._on_message
    client.on_publish = connection._on_publish
    client.on_socket_open = connection._on_socket_open
    client.max_inflight_messages_set(INFLIGHT)
    client.reconnect_delay_set(min_delay=1, max_delay=reconnect_longest_s)
    if address.username is not None:
        client.username_pw_set(address.username, address.password)
    if address.tls:
        client.tls_set_context(tls_context(address.ca_pem, address.ca_file))
    if will is not None:
        client.will_set(will.topic, will.payload, qos=1, retain=True)
    client.connect_async(address.host, address.port, keepalive=KEEPALIVE_S, clean_start=clean)
    client.loop_start()
    try:
        yield connection
    finally:
        client.disconnect()
        await asyncio.to_thread(put_away, client)


def put_away(client: paho.Client) -> None:
    """End a client for good: its thread, and the two sockets that wake it.

    paho closes those when the client is collected, and no sooner. Where they are collected together
    Python may come to the sockets first, and then says that they were left open.
    """
    client.loop_stop()
    client._reset_sockets()  # no public call of paho's does it
