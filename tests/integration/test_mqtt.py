"""The MQTT connection against real brokers: mosquitto, the embedded one, and a hostile one."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from esl.domain.errors import SetupError
from gateway.broker import Waiter, embedded_broker
from gateway.mqtt import BrokerAddress, MqttConnection, MqttError, MqttMessage, Will, connect
from tests.services import Mosquitto

PATIENCE_S = 20.0
WAITER = Waiter(monotonic_s=time.monotonic, sleep_s=time.sleep)


@pytest.fixture(params=["mosquitto", "embedded"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerAddress]:
    """The address of either broker."""
    if request.param == "mosquitto":
        yield BrokerAddress.from_url(request.getfixturevalue("mosquitto").url)
    else:
        with embedded_broker(tmp_path, WAITER) as embedded:
            yield embedded.address


@contextlib.asynccontextmanager
async def connected(
    address: BrokerAddress, client_id: str, *topics: str, will: Will | None = None
) -> AsyncIterator[MqttConnection]:
    async with connect(address, client_id, topics, will=will, reconnect_longest_s=1) as connection:
        await until(connection.connected)
        yield connection


def open_sockets() -> set[str]:
    """Return the sockets that this process holds, each by its number in the kernel."""
    held = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists them
            held.add(str(descriptor.readlink()))
    return {one for one in held if one.startswith("socket:")}


async def until(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await event.wait()


async def next_message(connection: MqttConnection) -> MqttMessage:
    async with asyncio.timeout(PATIENCE_S):
        return await connection.messages.get()


async def test_connected_means_subscribed(broker: BrokerAddress) -> None:
    # Published the moment the other says that it is connected: nothing may be lost.
    async with connected(broker, "sender") as sender:
        for n in range(5):
            async with connected(broker, f"listener-{n}", "esl/+/up") as listener:
                await sender.publish("esl/a/up", bytes([n]))
                heard = await next_message(listener)
                assert heard == MqttMessage("esl/a/up", bytes([n]), retained=False)


async def test_a_connection_that_ended_leaves_no_socket_open(broker: BrokerAddress) -> None:
    before = open_sockets()
    async with connected(broker, "short", "esl/a/up") as connection:
        assert len(open_sockets() - before) >= 3, "to the broker, and two that wake paho's thread"
    assert connection.connections == 1  # it is still held, so nothing was collected
    assert open_sockets() <= before


async def test_a_poisoned_message_stops_none_after_it(broker: BrokerAddress) -> None:
    poison = (b"", b"\xff" * 50_000, b"\xc1", "ž".encode("utf-16"))
    async with (
        connected(broker, "sender") as sender,
        connected(broker, "listener", "esl/#") as listener,
    ):
        for payload in poison:
            await sender.publish("esl/\U0001f34f/x", payload)
        await sender.publish("esl/good", b"good")
        heard = [await next_message(listener) for _ in range(len(poison) + 1)]
        assert [message.payload for message in heard] == [*poison, b"good"]
        assert listener.connected.is_set()


async def test_an_acknowledgement_is_a_bool_whoever_listens(broker: BrokerAddress) -> None:
    # 0x10, "no matching subscribers", comes from mosquitto and not from others: only a hint.
    async with connected(broker, "sender") as sender:
        assert await sender.publish("esl/nobody", b"x") in (True, False)
        async with connected(broker, "listener", "esl/somebody"):
            assert await sender.publish("esl/somebody", b"x", expires_s=60) is True


async def test_mosquitto_hints_that_nobody_listens(mosquitto: Mosquitto) -> None:
    async with connected(BrokerAddress.from_url(mosquitto.url), "sender") as sender:
        assert await sender.publish("esl/nobody", b"x") is False


async def test_a_retained_state_waits_for_whoever_comes_later(broker: BrokerAddress) -> None:
    async with connected(broker, "gateway") as gateway:
        await gateway.publish("esl/v1/gw-1/state", b"online", retain=True)
    async with connected(broker, "listener", "esl/v1/+/state") as listener:
        heard = await next_message(listener)
        assert heard == MqttMessage("esl/v1/gw-1/state", b"online", retained=True)


async def test_the_will_is_said_for_whoever_vanishes(broker: BrokerAddress) -> None:
    will = Will(topic="esl/v1/gw-1/state", payload=b"gone")
    async with (
        connected(broker, "listener", "esl/v1/+/state") as listener,
        connected(broker, "gateway", will=will) as gateway,
    ):
        gateway._client.socket().close()  # as if its power were cut
        assert (await next_message(listener)).payload == b"gone"


async def test_a_wrong_password_is_said_and_never_connects(broker: BrokerAddress) -> None:
    wrong = BrokerAddress(
        host=broker.host, port=broker.port, username=broker.username, password="guess"
    )
    async with connect(wrong, "intruder", ["#"], reconnect_longest_s=1) as intruder:
        await until(intruder.lost)
        assert not intruder.connected.is_set()
        assert intruder.connections == 0
        with pytest.raises(MqttError, match="not connected"):
            await intruder.publish("esl/x", b"x")


async def test_a_burst_is_acknowledged_and_heard_whole(broker: BrokerAddress) -> None:
    async with (
        connected(broker, "sender") as sender,
        connected(broker, "listener", "esl/burst") as listener,
    ):
        payloads = [n.to_bytes(2) for n in range(300)]
        async with asyncio.timeout(PATIENCE_S):
            acked = await asyncio.gather(*(sender.publish("esl/burst", p) for p in payloads))
        assert all(acked)
        assert [(await next_message(listener)).payload for _ in payloads] == payloads


@pytest.mark.parametrize("end", [Mosquitto.stop, Mosquitto.kill], ids=["stop", "kill"])
async def test_after_a_restart_of_the_broker_it_subscribes_again(
    mosquitto: Mosquitto, end: object
) -> None:
    address = BrokerAddress.from_url(mosquitto.url)
    async with (
        connected(address, "sender") as sender,
        connected(address, "listener", "esl/up") as listener,
    ):
        end(mosquitto)  # type: ignore[operator]
        await until(sender.lost)
        await until(listener.lost)
        with pytest.raises(MqttError, match="not connected"):
            await sender.publish("esl/up", b"into the void")
        mosquitto.start()
        await until(sender.connected)
        await until(listener.connected)
        assert (sender.connections, listener.connections) == (2, 2)
        assert await sender.publish("esl/up", b"back") is True
        assert (await next_message(listener)).payload == b"back"


async def test_the_embedded_broker_that_ends_by_itself_is_started_again(tmp_path: Path) -> None:
    with embedded_broker(tmp_path, WAITER) as embedded:
        async with connected(embedded.address, "listener", "esl/up") as listener:
            assert not embedded.revive(), "it runs"
            child = embedded._child
            assert child is not None
            child.kill()
            child.wait(PATIENCE_S)
            await until(listener.lost)
            assert await asyncio.to_thread(embedded.revive)
            await until(listener.connected)
            async with connected(embedded.address, "sender") as sender:
                await sender.publish("esl/up", b"back")
            assert (await next_message(listener)).payload == b"back"


# ── A broker that keeps no rule ─────────────────────────────────────────────────────────────

CONNACK = b"\x20\x03\x00\x00\x00"
SUBACK = b"\x90\x04\x00\x01\x00\x01"


def publish(topic: bytes, payload: bytes) -> bytes:
    body = len(topic).to_bytes(2) + topic + b"\x00" + payload  # no properties, QoS 0
    return b"\x30" + bytes([len(body)]) + body


@contextlib.asynccontextmanager
async def hostile_broker(*sends: bytes, suback: bytes = SUBACK) -> AsyncIterator[BrokerAddress]:
    """A broker that lets everybody in and then sends just these bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await _packet(reader)
            writer.write(CONNACK)
            await _packet(reader)
            writer.write(suback)
            for data in sends:
                writer.write(data)
            await writer.drain()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield BrokerAddress(host="127.0.0.1", port=server.sockets[0].getsockname()[1])


async def _packet(reader: asyncio.StreamReader) -> bytes:
    _kind, length = await reader.readexactly(2)  # ours are shorter than 128 bytes
    return await reader.readexactly(length)


async def test_a_topic_that_is_no_text_stops_no_message_after_it() -> None:
    # An exception in on_message ends paho's thread while is_connected() stays true.
    async with (
        hostile_broker(publish(b"\xff\xfe", b"bad"), publish(b"esl/good", b"good")) as address,
        connected(address, "listener", "esl/#") as listener,
    ):
        heard = await next_message(listener)
        if heard.payload == b"bad":
            heard = await next_message(listener)
        assert heard == MqttMessage("esl/good", b"good", retained=False)


async def test_a_subscription_that_is_refused_is_no_connection() -> None:
    denied = SUBACK[:-1] + b"\x87"  # not authorized
    async with (
        hostile_broker(suback=denied) as address,
        connect(address, "listener", ["esl/#"], reconnect_longest_s=1) as listener,
    ):
        async with asyncio.timeout(PATIENCE_S):
            while listener.refusal is None:  # noqa: ASYNC110  there is no event for it
                await asyncio.sleep(0)
        assert "subscription: Not authorized" in listener.refusal
        assert not listener.connected.is_set()


async def test_a_publish_that_is_never_acknowledged_ends_in_time() -> None:
    async with hostile_broker() as address, connected(address, "sender", "esl/#") as sender:
        with pytest.raises(MqttError, match="not acknowledged"):
            await sender.publish("esl/x", b"x", patience_s=0.05)
        assert sender._unacked == {}


# ── Addresses ───────────────────────────────────────────────────────────────────────────────


def test_an_address_is_read_and_its_password_never_written() -> None:
    address = BrokerAddress.from_url("mqtt://us%40er:p%3Aw@broker.example")
    assert (address.host, address.port) == ("broker.example", 1883)
    assert (address.username, address.password) == ("us@er", "p:w")
    assert "p:w" not in f"{address} {address!r}"
    secure = BrokerAddress.from_url("mqtts://broker.example")
    assert (secure.port, secure.tls, secure.username) == (8883, True, None)
    assert str(secure) == "mqtts://broker.example:8883"


@pytest.mark.parametrize(
    "url", ["", "http://x", "mqtt://", "mqtt:/x", "mqtt://x:99999", "mqtt://x:y", "broker:1883"]
)
def test_what_is_no_address_is_refused_in_words(url: str) -> None:
    with pytest.raises(SetupError, match="broker address"):
        BrokerAddress.from_url(url)
