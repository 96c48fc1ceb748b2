"""The async shell around the steps, on a connection of the test's own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from esl.domain.errors import Unavailable
from esl.domain.ids import GatewayId
from gateway import worker as worker_module
from gateway.dispatcher import BATCH_MOST, UNSENT_AGAIN_AFTER
from gateway.link import Outgoing
from gateway.mqtt import MqttError, MqttMessage
from gateway.outbox import PAYLOADS_OUT_MOST
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
        self.place = "the broker of the test"
        self.sent: asyncio.Queue[Outgoing] = asyncio.Queue()
        self.failures: list[Exception] = []
        self.hangs: set[GatewayId] = set()  # whose payloads the broker never acknowledges
        self.hanging: list[tuple[GatewayId, asyncio.Future[bool]]] = []

    def send(
        self, topic: str, payload: bytes, *, expires_s: int | None = None
    ) -> asyncio.Future[bool]:
        assert expires_s
        acknowledged = asyncio.get_running_loop().create_future()
        gateway_id = GatewayId(topic.split("/")[-2])
        assert topic == down_topic(gateway_id)
        if gateway_id in self.hangs:
            self.hanging.append((gateway_id, acknowledged))
        elif self.failures:
            acknowledged.set_exception(self.failures.pop())
        else:
            self.sent.put_nowait(Outgoing(gateway_id=gateway_id, payload=payload, label_ids=()))
            acknowledged.set_result(True)
        return acknowledged


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


async def test_a_gateway_whose_payloads_hang_delays_no_other(
    open_shop: OpenShop, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    names = [GatewayId(f"gw-{n}") for n in range(1, 11)]
    shop = open_shop(labels_count=200, gateways=names)
    others = {name: FakeGateway(name, clock) for name in names[1:]}
    async with run(shop, gateway) as running:
        running.wire.hangs.add(GATEWAY)
        for speaker in (gateway, *others.values()):
            running.wire.messages.put_nowait(speaker.hello(capacity=4))
        answered = 0
        async with asyncio.timeout(PATIENCE_S):
            while answered < 180:
                sent = await running.wire.sent.get()
                speaker = others[sent.gateway_id]
                for put in speaker.obey([sent]):
                    running.wire.messages.put_nowait(speaker.paint(put))
                    answered += 1
        assert {name for name, _ in running.wire.hanging} == {GATEWAY}
        assert 1 <= len(running.wire.hanging) <= PAYLOADS_OUT_MOST


def told_after(
    step: Callable[..., Any], *, of: Callable[[Any], bool] = bool
) -> tuple[Callable[..., Any], asyncio.Event]:
    """A step that is taken on another thread, and an event on this loop for when it has been.

    ``of`` says which arguments count.
    """
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def then_tell(*arguments: Any) -> Any:
        try:
            return step(*arguments)
        finally:
            if of(arguments[0]):
                loop.call_soon_threadsafe(done.set)

    return then_tell, done


async def test_labels_whose_payload_the_broker_refused_are_due_again_soon(
    open_shop: OpenShop,
    gateway: FakeGateway,
    clock: SimulatedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = open_shop()
    release, released = told_after(shop.dispatcher.release, of=lambda unsent: any(unsent.values()))
    monkeypatch.setattr(shop.dispatcher, "release", release)
    async with run(shop, gateway) as running:
        running.wire.failures += [MqttError("refused")] * 2  # the first price and the report
        running.wire.messages.put_nowait(gateway.hello())
        async with asyncio.timeout(PATIENCE_S):
            await released.wait()
        assert shop.label().sent_rev > 0
        assert shop.label().due_at == clock.wall() + UNSENT_AGAIN_AFTER
        clock.pass_s(UNSENT_AGAIN_AFTER.total_seconds())
        assert await running.next_of(Put)


async def test_what_was_claimed_ahead_is_given_back_when_the_broker_is_lost(
    open_shop: OpenShop, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(labels_count=BATCH_MOST + 5, window=2 * BATCH_MOST)
    let_go, given_back = told_after(shop.dispatcher.let_go)
    monkeypatch.setattr(shop.dispatcher, "let_go", let_go)
    async with run(shop, gateway) as running:
        advance, loop = shop.dispatcher.advance, asyncio.get_running_loop()

        def lose_the_broker(*claimed: Any) -> Any:
            step = advance(*claimed)
            if step.claimed:
                loop.call_soon_threadsafe(running.wire.connected.clear)
            return step

        monkeypatch.setattr(shop.dispatcher, "advance", lose_the_broker)
        running.wire.messages.put_nowait(gateway.hello(capacity=2 * BATCH_MOST))
        async with asyncio.timeout(PATIENCE_S):
            await given_back.wait()
    states, now = shop.states(), shop.time.now()
    assert sum(state.sent_rev > 0 for state in states) == BATCH_MOST
    assert [state.due_at for state in states if not state.sent_rev] == [now] * 5


async def test_a_database_that_does_not_answer_is_asked_again(
    open_shop: OpenShop, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop()
    failures = dict.fromkeys(["inbox", "dispatcher", "clock", "ask"], 2)
    asked: list[set[str]] = []

    def fails_at_first(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def attempt(*arguments: Any) -> Any:
            if name == "ask" and arguments[0]:
                asked.append(set(arguments[0]))
            if failures[name] and (name != "ask" or arguments[0]):
                failures[name] -= 1
                if name == "ask":
                    shop.clock.pass_s(30)  # a gateway is not asked twice in a breath
                raise Unavailable("the disk is full")
            return step(*arguments)

        return attempt

    monkeypatch.setattr(shop.inbox, "step", fails_at_first("inbox", shop.inbox.step))
    monkeypatch.setattr(
        shop.dispatcher, "advance", fails_at_first("dispatcher", shop.dispatcher.advance)
    )
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
