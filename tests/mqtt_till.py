"""A till that speaks MQTT: publishes price changes, and hears what became of them."""

import contextlib
import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from esl.domain.mqtt_in import ROOT
from gateway.mqtt import BrokerAddress, put_away

PATIENCE_S = 60.0
INFLIGHT = 100


class MqttTill:
    """Publishes at QoS 1; `publish` returns once the broker has it."""

    def __init__(self, client: paho.Client) -> None:
        self.client = client
        self.results: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.refusals: list[str] = []  # of the broker's, in words

    def publish(
        self,
        source: str,
        body: Any,
        *,
        qos: int = 1,
        retain: bool = False,
        correlation: bytes | None = None,
        topic: str | None = None,
        waits: bool = True,
        **properties: str,
    ) -> paho.MQTTMessageInfo:
        """Publish a body: bytes as they are, anything else as JSON."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        said = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if properties:
            pairs = [(name.replace("_", "-"), value) for name, value in properties.items()]
            said.UserProperty = pairs
        if correlation is not None:
            said.CorrelationData = correlation
        info = self.client.publish(
            topic or f"{ROOT}/{source}", payload, qos=qos, retain=retain, properties=said
        )
        if waits:
            info.wait_for_publish(PATIENCE_S)
            assert info.is_published()
        return info

    def result(self) -> Any:
        """Wait for the next result."""
        return self.results.get(timeout=PATIENCE_S)[1]


@contextlib.contextmanager
def mqtt_till(address: BrokerAddress, *, hears: str = "") -> Iterator[MqttTill]:
    """Connect a till; ``hears`` is the source whose results it hears."""
    client = paho.Client(CallbackAPIVersion.VERSION2, "", protocol=paho.MQTTv5)
    if address.username is not None:
        client.username_pw_set(address.username, address.password)
    client.max_inflight_messages_set(INFLIGHT)
    client.max_queued_messages_set(0)
    client.reconnect_delay_set(1, 1)
    till = MqttTill(client)
    ready = threading.Event()

    def on_connect(*_: Any) -> None:
        if hears:
            client.subscribe(f"{ROOT}/{hears}/result", qos=1)
        else:
            ready.set()

    def on_message(_c: Any, _u: Any, message: paho.MQTTMessage) -> None:
        till.results.put((message.topic, json.loads(message.payload)))

    def on_publish(_c: Any, _u: Any, _m: int, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            till.refusals.append(str(reason))

    client.on_publish = on_publish
    client.on_connect = on_connect
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = on_message
    client.connect(address.host, address.port, keepalive=30)
    client.loop_start()
    try:
        assert ready.wait(PATIENCE_S)
        yield till
    finally:
        client.disconnect()
        put_away(client)
