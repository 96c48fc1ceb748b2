"""A simulated shop on a real broker."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from gateway.broker import Waiter, embedded_broker
from gateway.mqtt import BrokerAddress, MqttConnection, connect
from gateway.wire.codec import decode_events, decode_state, encode_commands
from gateway.wire.enrolment import Enrolment, enrolment_keys
from gateway.wire.messages import (
    VERSION,
    AnyEvent,
    Command,
    Firmware,
    Header,
    Hello,
    Pressed,
    Report,
    Seen,
    Shown,
    Tapped,
)
from gateway.wire.signing import PublicKeys, seal
from gateway.wire.topics import ALL_STATES, ALL_UPS, Kind, down_topic, parse_topic
from simulator.faults import Faults
from simulator.gateway import GatewayOptions
from simulator.shop import Shop
from simulator.thin import ThinShop
from tests.unit.simulator.rig import KEY, PANEL, picture, put

PATIENCE_S = 20
WAITER = Waiter(monotonic_s=time.monotonic, sleep_s=time.sleep)
E = TypeVar("E")


class MachineClock:
    def wall(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()


class Controller:
    """The least that can talk to gateways."""

    def __init__(self, connection: MqttConnection) -> None:
        self.sessions: dict[str, str] = {}
        self.states: dict[str, list[tuple[bool, str]]] = defaultdict(list)
        self._connection = connection
        self._counter = 0

    async def send(self, gateway: str, *commands: Command) -> None:
        self._counter += 1
        expires = round(time.time() * 1000) + 60_000
        header = Header(
            VERSION, KEY.key_id, gateway, self.sessions[gateway], self._counter, expires
        )
        payload = seal(KEY, header, encode_commands(commands))
        await self._connection.publish(down_topic(gateway), payload)

    async def hear(self, kind: type[E], number: int = 1) -> list[E]:
        """Wait for so many events of one kind."""
        heard: list[E] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(heard) < number:
                heard += [event for event in await self.listen() if isinstance(event, kind)]
        return heard

    async def hear_states(self, gateway: str, number: int) -> list[tuple[bool, str]]:
        """Wait until so many states of a gateway were heard; (online, session) of each."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.states[gateway]) < number:
                await self.listen()
        return self.states[gateway]

    async def hear_state(self, gateway: str, state: tuple[bool, str]) -> list[tuple[bool, str]]:
        """Wait for a state of a gateway; all that were heard of it."""
        async with asyncio.timeout(PATIENCE_S):
            while state not in self.states[gateway]:
                await self.listen()
        return self.states[gateway]

    async def listen(self) -> list[AnyEvent]:
        message = await self._connection.messages.get()
        gateway, topic = parse_topic(message.topic)
        if topic is Kind.STATE:
            state = decode_state(message.payload)
            self.states[gateway].append((state.online, state.session))
            return []
        events = decode_events(message.payload).messages
        for event in events:
            if isinstance(event, Hello):
                self.sessions[gateway] = event.session
        return events


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerAddress]:
    with embedded_broker(tmp_path, WAITER) as running:
        yield running.address


@contextlib.asynccontextmanager
async def controller_on(address: BrokerAddress) -> AsyncIterator[Controller]:
    async with connect(address, "controller", [ALL_STATES, ALL_UPS]) as connection:
        async with asyncio.timeout(PATIENCE_S):
            await connection.connected.wait()
        yield Controller(connection)


def enrolment_on(address: BrokerAddress, gateway: str) -> Enrolment:
    return Enrolment(
        gateway=gateway,
        store="shop-1",
        host=address.host,
        port=address.port,
        tls=False,
        username=address.username or "",
        password=address.password or "",
        keys=enrolment_keys(PublicKeys.of(KEY)),
    )


def shop_on(address: BrokerAddress, *, labels: int = 2, faults: Faults | None = None) -> Shop:
    fittings = [
        (enrolment_on(address, gateway), [(f"{gateway}-{n}", PANEL) for n in range(labels)])
        for gateway in ("gw-1", "gw-2")
    ]
    options = GatewayOptions(beacon_s=3_600, heartbeat_s=3_600)
    return Shop(fittings, clock=MachineClock(), sleep=asyncio.sleep, options=options, faults=faults)


async def test_a_picture_put_by_a_controller_is_shown_and_reported(broker: BrokerAddress) -> None:
    async with controller_on(broker) as controller, shop_on(broker) as shop:
        assert len(await controller.hear(Seen, 4)) == 4

        deadline = round(time.time() * 1000) + 60_000
        await controller.send("gw-1", put(1, label="gw-1-0", deadline=deadline))
        await controller.send("gw-2", put(2, label="gw-2-1", deadline=deadline))
        shown = await controller.hear(Shown, 2)

        assert sorted((event.label, event.rev) for event in shown) == [("gw-1-0", 1), ("gw-2-1", 2)]
        assert shop.labels["gw-2-1"].shown_pixels == picture(2)
        assert dict(shop.counts) == {}


async def test_a_restarted_gateway_comes_back_with_a_new_session(broker: BrokerAddress) -> None:
    async with controller_on(broker) as controller, shop_on(broker) as shop:
        await controller.hear(Seen, 4)
        before = controller.sessions["gw-1"]

        shop.restart_gateway("gw-1")
        (hello,) = await controller.hear(Hello)

        assert hello.session != before
        # The embedded broker may also speak the new session's will, when it comes to end the old
        # connection after it has begun the new one of the same client.
        told = await controller.hear_state("gw-1", (True, hello.session))
        told = [state for state in told if state != (False, hello.session)]
        assert told == [(True, before), (False, before), (True, hello.session)]


async def test_a_gateway_that_lost_its_connection_makes_a_new_session(
    broker: BrokerAddress,
) -> None:
    async with controller_on(broker) as controller, shop_on(broker) as shop:
        await controller.hear(Seen, 4)
        before = controller.sessions["gw-1"]

        async with connect(broker, "gw-1"):  # the broker throws out the first of one name
            (hello,) = await controller.hear(Hello)

        assert hello.session != before
        assert shop.counts["connections lost"] >= 1


async def test_gateways_find_a_broker_again_that_was_away(tmp_path: Path) -> None:
    with contextlib.ExitStack() as first:
        address = first.enter_context(embedded_broker(tmp_path, WAITER)).address
        async with shop_on(address) as shop:
            async with asyncio.timeout(PATIENCE_S):
                await shop.connected()
            before = shop.gateways["gw-1"].session
            await asyncio.to_thread(first.close)

            with embedded_broker(tmp_path, WAITER):
                async with controller_on(address) as controller:
                    ((online, session),) = await controller.hear_states("gw-1", 1)

    assert online
    assert session != before


async def test_bad_payloads_are_counted_and_end_nothing(broker: BrokerAddress) -> None:
    async with controller_on(broker) as controller, shop_on(broker) as shop:
        await controller.hear(Seen, 4)

        await controller._connection.publish(down_topic("gw-1"), b"rubbish")
        await controller.send("gw-1", Report(id=1))

        assert await controller.hear(Seen, 2)
        assert dict(shop.counts) == {"BadPayload": 1}


async def test_lost_payloads_were_acknowledged_and_never_arrive(broker: BrokerAddress) -> None:
    faults = Faults(Random(1), lose=1.0)
    async with controller_on(broker) as controller, shop_on(broker, faults=faults) as shop:
        await shop.connected()
        controller.sessions["gw-1"] = shop.gateways["gw-1"].session

        async with asyncio.timeout(PATIENCE_S):
            while faults.counts.lost < 3:  # two gateways' greetings, and the first put
                await controller.send("gw-1", put(1, label="gw-1-0"))

        assert shop.labels["gw-1-0"].shown_rev == 0
        assert faults.counts.passed == 0


async def test_a_gateway_without_power_is_offline_until_it_is_switched_on(
    broker: BrokerAddress,
) -> None:
    async with controller_on(broker) as controller, shop_on(broker) as shop:
        await controller.hear(Seen, 4)
        shop.switch_off("gw-2")
        assert [online for online, _ in await controller.hear_states("gw-2", 2)] == [True, False]

        shop.switch_on("gw-2")

        assert await controller.hear(Hello)


async def test_thin_gateways_acknowledge_through_a_broker(broker: BrokerAddress) -> None:
    async with controller_on(broker) as controller:
        thin = ThinShop(
            [enrolment_on(broker, name) for name in ("gw-1", "gw-2")],
            clock=MachineClock(),
            sleep=asyncio.sleep,
        )
        async with thin:
            await controller.hear(Hello, 2)
            order = put(1, label="anybody")
            await controller.send("gw-2", order)

            (shown,) = await controller.hear(Shown)

    assert (shown.label, shown.digest) == ("anybody", order.digest)
    assert thin.travelled.pictures == 1
    assert thin.travelled.picture_bytes == len(order.data)


async def test_a_pressed_button_is_heard_by_the_controller(broker: BrokerAddress) -> None:
    async with controller_on(broker) as controller, shop_on(broker) as shop:
        await controller.hear(Seen, 4)

        shop.press_button("gw-1-0", 1)
        assert [(e.label, e.button) for e in await controller.hear(Pressed)] == [("gw-1-0", 1)]
        shop.tap("gw-2-1")  # later: nobody says in which order two gateways are heard
        assert [e.label for e in await controller.hear(Tapped)] == ["gw-2-1"]


async def test_a_gateway_reboots_by_itself_into_new_firmware(broker: BrokerAddress) -> None:
    image = b"new firmware"
    async with controller_on(broker) as controller, shop_on(broker) as shop:
        await controller.hear(Seen, 4)
        update = Firmware(
            id=1,
            target="gateway",
            version="sim-2",
            digest=sha256(image).digest(),
            offset=0,
            total=len(image),
            data=image,
        )

        await controller.send("gw-1", update)
        (hello,) = await controller.hear(Hello)

        assert hello.firmware == "sim-2"
        assert shop.gateways["gw-2"].firmware == "sim-1"
