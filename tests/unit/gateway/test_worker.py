"""The async shell around the steps, on a connection of the test's own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from esl.domain.errors import Unavailable
from esl.domain.ids import GatewayId
from gateway import worker as worker_module
from gateway.link import Outgoing
from gateway.mqtt import MqttError, MqttMessage
from gateway.wire.messages import Put, Report
from gateway.wire.topics import down_topic
from gateway.worker import Notice, Worker
from tests.builders import (
    GATEWAY,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    label_id,
)

PATIENCE_S = 20.0
OpenShop = Callable[..., Controller]


class Wire:
    """What a worker needs of an `MqttConnection`; what it publishes lands in a queue."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[MqttMessage] = asyncio.Queue()
        self.connected = asyncio.Event()
        self.connected.set()
        self.refusal: str | None = None
        self.sent: asyncio.Queue[Outgoing] = asyncio.Queue()
        self.failures: list[Exception] = []

    async def publish(self, topic: str, payload: bytes, *, expires_s: int | None = None) -> bool:
        assert topic == down_topic(GATEWAY)
        assert expires_s
        if self.failures:
            raise self.failures.pop()
        self.sent.put_nowait(Outgoing(gateway_id=GATEWAY, payload=payload, label_ids=()))
        return True


class Running:
    """A worker that runs, and what it told."""

    def __init__(self, shop: Controller, gateway: FakeGateway) -> None:
        self.wire = Wire()
        self.gateway = gateway
        self.notices: asyncio.Queue[Notice] = asyncio.Queue()
        self.tell: Callable[[Notice], None] = self.notices.put_nowait
        self.worker = Worker(
            mqtt=self.wire,  # type: ignore[arg-type]  does what the worker asks of it
            dispatcher=shop.dispatcher,
            inbox=shop.inbox,
            clock=shop.house_clock,
            tell=self._tell,
        )
        self.task: asyncio.Task[None] | None = None

    def _tell(self, notice: Notice) -> None:
        self.tell(notice)

    async def next_commands(self) -> list[Any]:
        async with asyncio.timeout(PATIENCE_S):
            return list(self.gateway.commands([await self.wire.sent.get()]))

    async def next_of(self, kind: type[Any]) -> Any:
        while True:
            for command in await self.next_commands():
                if isinstance(command, kind):
                    return command

    async def until_told(self, true: Callable[[Notice], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not true(await self.notices.get()):
                pass


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "POLL_S", 0.05)
    monkeypatch.setattr(worker_module, "HOUSEKEEPING_S", 0.05)
    monkeypatch.setattr(worker_module, "_RETRY_DATABASE_S", 0.01)


@contextlib.asynccontextmanager
async def run(shop: Controller, gateway: FakeGateway) -> AsyncIterator[Running]:
    running = Running(shop, gateway)
    running.task = asyncio.create_task(running.worker.run())
    try:
        yield running
    finally:
        running.task.cancel()
        await asyncio.wait([running.task])


async def test_a_price_goes_out_and_its_report_is_told(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop()
    async with run(shop, gateway) as running:
        running.wire.messages.put_nowait(gateway.hello())
        put = await running.next_of(Put)
        running.wire.messages.put_nowait(gateway.paint(put))
        await running.until_told(lambda _: shop.label().settled_rev == put.rev)
        shop.price(a_change(price_minor=777))
        running.worker.wake()
        again = await running.next_of(Put)
        assert again.rev > put.rev


async def test_a_lost_wake_up_is_caught_by_the_poll(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop()
    async with run(shop, gateway) as running:
        running.wire.messages.put_nowait(gateway.hello())
        running.wire.messages.put_nowait(gateway.paint(await running.next_of(Put)))
        await running.until_told(lambda _: shop.label().due_at is None)
        shop.price(a_change(price_minor=777))  # and nobody wakes it
        assert await running.next_of(Put)


async def test_a_gateway_that_begins_is_asked_what_its_labels_show(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    async with run(open_shop(), gateway) as running:
        running.wire.messages.put_nowait(gateway.hello())
        assert await running.next_of(Report)


async def test_poison_stops_nothing(open_shop: OpenShop, gateway: FakeGateway) -> None:
    shop = open_shop()
    async with run(shop, gateway) as running:
        for topic, payload in (("", b""), ("esl/v1/gw-1/up", b"\xc1"), ("x" * 999, b"y" * 999)):
            running.wire.messages.put_nowait(MqttMessage(topic, payload, retained=False))
        running.wire.messages.put_nowait(gateway.hello())
        assert await running.next_of(Put)
    assert shop.inbox.dropped.total() == 3


async def test_a_payload_the_broker_does_not_take_stops_nothing(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop()
    async with run(shop, gateway) as running:
        running.wire.failures += [MqttError("refused"), MqttError("refused")]
        running.wire.messages.put_nowait(gateway.hello())
        await running.until_told(lambda notice: label_id(0) in notice.labels)
        shop.price(a_change(price_minor=777))
        running.worker.wake()
        shop.clock.pass_s(1000)
        running.wire.messages.put_nowait(gateway.heartbeat())
        assert await running.next_of(Put)


async def test_without_a_broker_no_label_loses_its_patience(
    open_shop: OpenShop, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    shop = open_shop(gateways=(GATEWAY, GatewayId("gw-2")))
    other = FakeGateway(GatewayId("gw-2"), clock)
    shop.hear(gateway.hello(), other.hello())
    async with run(shop, gateway) as running:
        running.wire.connected.clear()
        for online in (False, True, False):  # time enough for many steps
            running.worker.wake()
            running.wire.messages.put_nowait(other.state(online=online))
            await running.until_told(lambda notice: notice.gateways)
        assert shop.label().attempts == 0
        running.wire.connected.set()
        assert await running.next_of(Put)


async def test_a_database_that_does_not_answer_is_asked_again(
    open_shop: OpenShop, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop()
    failures = dict.fromkeys(["inbox", "dispatcher", "clock", "ask"], 2)
    asked: list[set[str]] = []

    def fails_at_first(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def attempt(*arguments: Any) -> Any:
            if name == "ask":
                asked.append(set(arguments[0]))
            if failures[name]:
                failures[name] -= 1
                raise Unavailable("the disk is full")
            return step(*arguments)

        return attempt

    monkeypatch.setattr(shop.inbox, "step", fails_at_first("inbox", shop.inbox.step))
    monkeypatch.setattr(shop.dispatcher, "step", fails_at_first("dispatcher", shop.dispatcher.step))
    monkeypatch.setattr(
        shop.dispatcher, "ask_reports", fails_at_first("ask", shop.dispatcher.ask_reports)
    )
    monkeypatch.setattr(shop.house_clock, "step", fails_at_first("clock", shop.house_clock.step))
    async with run(shop, gateway) as running:
        running.wire.messages.put_nowait(gateway.hello())
        assert await running.next_of(Report)
        assert await running.next_of(Put)
    assert asked[:3] == [{GATEWAY}] * 3
    assert failures == {"inbox": 0, "dispatcher": 0, "clock": failures["clock"], "ask": 0}


async def test_a_fault_of_ours_ends_everything(open_shop: OpenShop, gateway: FakeGateway) -> None:
    shop = open_shop()
    async with run(shop, gateway) as running:

        def fault(_notice: Notice) -> None:
            raise KeyError("a fault")

        running.tell = fault
        running.wire.messages.put_nowait(gateway.hello())
        assert running.task is not None
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([running.task])
        failure = running.task.exception()
        assert isinstance(failure, ExceptionGroup)
        assert failure.subgroup(KeyError)


async def test_a_gateway_that_fell_silent_is_told(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop()
    async with run(shop, gateway) as running:
        running.wire.messages.put_nowait(gateway.hello())
        await running.until_told(lambda notice: notice.gateways)
        shop.clock.pass_s(1000)
        await running.until_told(lambda notice: notice.gateways)
        assert shop.roster.online() == frozenset()
