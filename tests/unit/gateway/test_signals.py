"""Commands of people reach gateways, are answered, tried again, and end."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from esl.domain.ids import LabelId
from esl.domain.staged import CommandState
from esl.services import signals
from esl.services.signals import Order
from esl.store import commands, places
from gateway import signals as orders
from gateway.batch import PAYLOAD_LEAST_BYTES
from gateway.link import milliseconds
from gateway.orders import OrderBook
from gateway.signals import FIRMWARE_PART_BYTES, Light, SignalDispatcher
from gateway.wire.messages import (
    MAX_PAYLOAD_BYTES,
    Accepted,
    Config,
    Failed,
    Firmware,
    Led,
    Report,
    Time,
)
from tests.builders import (
    GATEWAY,
    KEY,
    NOON,
    STORE,
    Controller,
    FakeGateway,
    SimulatedClock,
    label_id,
)

GREEN = Light(colour=0xCC, pattern=b"\0\0\0\0\2", on_ms=200, off_ms=200, repeats=10)


def ask(shop: Controller, *wanted: Order) -> list[int]:
    now = shop.time.now()
    return shop.writer.write(lambda tx: signals.order(tx, STORE, wanted, now))


def state(shop: Controller, number: int) -> tuple[CommandState, str]:
    with shop.database.read() as tx:
        found = commands.command_numbered(tx, STORE, number)
    return found.state, found.detail


def accepted(gateway: FakeGateway, wire_id: int) -> Accepted:
    return Accepted(session=gateway.session, seq=gateway.next_seq(), id=wire_id)


def test_each_order_becomes_its_command_and_one_payload_carries_them(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    ask(
        shop,
        *orders.led_orders(GATEWAY, [label_id(0)], GREEN),
        orders.report_order(GATEWAY, [label_id(0)]),
        orders.time_order(GATEWAY),
        orders.config_order(GATEWAY, beacon_s=60, heartbeat_s=None, window=8),
    )
    clock.pass_s(7)
    outgoing = shop.signals.step()
    assert len(outgoing) == 1
    led, report, time, config = gateway.commands(outgoing)
    assert isinstance(led, Led)
    assert (led.labels, led.colour, led.repeats) == ([label_id(0)], 0xCC, 10)
    assert isinstance(report, Report)
    assert isinstance(time, Time)
    assert time.now == milliseconds(clock.wall()), "the time of sending, not of asking"
    assert isinstance(config, Config)
    assert (config.beacon_s, config.heartbeat_s, config.window) == (60, None, 8)
    assert len({c.id for c in (led, report, time, config)}) == 4


def test_a_command_ends_with_its_answer(shop: Controller, gateway: FakeGateway) -> None:
    first, second = ask(shop, orders.time_order(GATEWAY), orders.time_order(GATEWAY))
    one, two = gateway.commands(shop.signals.step())
    assert state(shop, first)[0] is CommandState.SENT
    refusal = Failed(
        session=gateway.session, seq=gateway.next_seq(), id=two.id, code="unsupported", detail="no"
    )
    shop.hear(gateway.up(accepted(gateway, one.id)), gateway.up(refusal))
    assert state(shop, first) == (CommandState.ACCEPTED, "")
    assert state(shop, second) == (CommandState.FAILED, "unsupported no")
    assert shop.signals.step() == ()


def test_a_command_without_an_answer_is_sent_again_under_a_new_id_until_it_expires(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    [number] = ask(shop, *orders.led_orders(GATEWAY, [label_id(0)], GREEN))
    ids: list[int] = []
    for _ in range(4):
        ids += [c.id for c in gateway.commands(shop.signals.step())]
        clock.pass_s(16)
        shop.hear(gateway.heartbeat())
    assert len(ids) == len(set(ids)) == 4
    clock.pass_s(60)
    shop.upkeep.step()
    assert state(shop, number)[0] is CommandState.EXPIRED
    shop.hear(gateway.heartbeat())
    assert shop.signals.step() == ()


def test_a_command_waits_for_its_gateway(
    open_shop: Callable[..., Controller], gateway: FakeGateway
) -> None:
    shop = open_shop()
    [number] = ask(shop, orders.time_order(GATEWAY))
    assert shop.signals.step() == ()
    assert state(shop, number)[0] is CommandState.WAITING
    shop.hear(gateway.hello())
    assert len(gateway.commands(shop.signals.step())) == 1


def test_a_restart_forgets_what_was_under_way_and_sends_it_again(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    [number] = ask(shop, orders.time_order(GATEWAY))
    [before] = gateway.commands(shop.signals.step())
    again = SignalDispatcher(
        database=shop.database,
        writer=shop.writer,
        roster=shop.roster,
        orders=OrderBook(),
        key=KEY,
        clock=shop.time,
    )
    assert again.step() == (), "two processes do not send it twice"
    clock.pass_s(16)
    [after] = gateway.commands(again.step())
    assert after.id > before.id
    assert state(shop, number)[0] is CommandState.SENT


@pytest.mark.parametrize("says", [None, 1, PAYLOAD_LEAST_BYTES, 5_000, 64 * 1024])
def test_no_command_is_larger_than_its_gateway_takes(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock, says: int | None
) -> None:
    many = [LabelId(f"{n:064}") for n in range(300)]
    image = bytes(70_000)
    ask(
        shop,
        *orders.led_orders(GATEWAY, many, GREEN, payload_bytes=says),
        *orders.firmware_orders(
            GATEWAY, target="t" * 64, version="v" * 64, image=image, at=NOON, payload_bytes=says
        ),
    )
    with shop.database.writing.begin() as tx:
        places.note_gateway_heard(tx, GATEWAY, NOON, session="boot-1", payload_bytes=says)
    largest = max(says or MAX_PAYLOAD_BYTES, PAYLOAD_LEAST_BYTES)
    lit: list[str] = []
    arrived = bytearray(len(image))
    for _ in range(400):
        outgoing = shop.signals.step()
        if not outgoing:
            break
        [only] = outgoing
        assert len(only.payload) <= largest
        for command in gateway.commands(outgoing):
            if isinstance(command, Led):
                lit += command.labels
            elif isinstance(command, Firmware):
                arrived[command.offset : command.offset + len(command.data)] = b"1" * len(
                    command.data
                )
            shop.hear(gateway.up(accepted(gateway, command.id)))
        clock.pass_s(0.1)
    assert lit == many
    assert set(arrived) == {ord("1")}


@pytest.mark.parametrize("size", [1, FIRMWARE_PART_BYTES, FIRMWARE_PART_BYTES * 3 + 5])
def test_a_firmware_image_arrives_whole_in_its_parts(
    shop: Controller, gateway: FakeGateway, size: int
) -> None:
    image = bytes(n % 251 for n in range(size))
    ask(
        shop,
        *orders.firmware_orders(GATEWAY, target="gateway", version="2.0", image=image, at=None),
    )
    arrived = bytearray(size)
    ids: set[int] = set()
    for _ in range(10):
        parts = gateway.commands(shop.signals.step())
        if not parts:
            break
        assert len(parts) == 1, "each waits for the answer to the one before"
        [part] = parts
        assert isinstance(part, Firmware)
        ids.add(part.id)
        assert part.total == size
        arrived[part.offset : part.offset + len(part.data)] = part.data
        shop.hear(gateway.up(accepted(gateway, part.id)))
    assert bytes(arrived) == image
    assert len(ids) == 1, "parts of one image are one command"


def test_an_answer_to_a_picture_is_no_answer_to_a_command(
    shop: Controller, gateway: FakeGateway
) -> None:
    [number] = ask(shop, orders.time_order(GATEWAY))
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.up(accepted(gateway, put.id)))
    assert state(shop, number)[0] is CommandState.WAITING


@pytest.mark.parametrize("body", [b"", b"no MessagePack", b"\x90"])
def test_a_stored_command_that_nobody_can_read_stops_no_other(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock, body: bytes
) -> None:
    hour = timedelta(hours=1)
    broken = Order(gateway_id=GATEWAY, kind="time", body=body, expires_after=hour)
    [number] = ask(shop, broken)
    assert shop.signals.step() == ()
    ask(shop, orders.time_order(GATEWAY))
    assert [type(c) for c in gateway.commands(shop.signals.step())] == [Time]
    clock.pass_s(3601)
    shop.hear(gateway.heartbeat())
    shop.upkeep.step()
    assert state(shop, number)[0] is CommandState.EXPIRED
