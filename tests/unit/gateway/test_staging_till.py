"""Timed shows in stores of the safe order: a cheaper picture turns by itself if the till does."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from esl.domain.ids import Sku
from esl.domain.label import SlotState
from esl.domain.till import Charge
from esl.domain.till_channel import TillChannel, TillSetting
from esl.services import flips, till_channels, tilling
from esl.store import tills
from esl.store.tills import TillPrice, Waits
from gateway.wire.messages import Put
from tests.builders import (
    GATEWAY,
    STORE,
    Controller,
    SimulatedClock,
    build_shelf,
    label_id,
    open_database,
)
from tests.unit.gateway.staged_gateway import StagedGateway
from tests.unit.gateway.test_staging import (
    IN_AN_HOUR,
    pass_with_heartbeats,
    plan,
    shows_truth,
    states,
)

SKU = Sku("sku-0")


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def shop(tmp_path: Path, clock: SimulatedClock) -> Iterator[Controller]:
    database = open_database(tmp_path)
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=2)
        setting = TillSetting(store_id=STORE, channel=TillChannel.PULL, is_safe=True)
        till_channels.put_till(tx, setting, clock.wall(), actor="tests")
    controller = Controller(database, clock)
    yield controller
    controller.close()
    database.close()


@pytest.fixture
def gateway(shop: Controller) -> StagedGateway:
    found = StagedGateway(GATEWAY, shop.clock)
    shop.hear(found.hello(level="staged"))
    found.run(shop)
    return found


def till_price(shop: Controller) -> TillPrice:
    with shop.database.read() as tx:
        return tills.prices_of(tx, STORE, [SKU])[SKU]


def acknowledge(shop: Controller, rev: int) -> None:
    now = shop.time.now()
    shop.writer.write(lambda tx: tilling.acknowledge_prices(tx, STORE, [(SKU, rev)], now))


def wait_and_show(shop: Controller, gateway: StagedGateway, clock: SimulatedClock) -> list[str]:
    pass_with_heartbeats(shop, gateway, clock, IN_AN_HOUR - 60)
    gateway.run(shop)
    clock.pass_s(61)
    return gateway.show_what_is_due(shop)


def test_a_cheaper_picture_is_armed_once_the_till_has_promised_its_price(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    plan(shop, {"sku-0": "0.99"})
    gateway.run(shop)
    assert set(states(shop).values()) == {SlotState.STORED}
    asked = till_price(shop).plan
    assert asked is not None
    assert (asked.charge, asked.is_acked) == (Charge(price_minor=99), False)
    assert asked.at == shop.time.now() + timedelta(seconds=IN_AN_HOUR)
    acknowledge(shop, asked.rev)
    pass_with_heartbeats(shop, gateway, clock, 30)
    gateway.run(shop)
    assert set(states(shop).values()) == {SlotState.ARMED}
    pass_with_heartbeats(shop, gateway, clock, IN_AN_HOUR - 60)
    clock.pass_s(31)
    assert gateway.show_what_is_due(shop) == [label_id(0)]
    assert gateway.run(shop) == []
    now = till_price(shop)
    assert (now.standing.grant, now.waits, now.plan) == (Charge(price_minor=99), Waits.NOBODY, None)
    assert now.standing.is_acknowledged
    assert shows_truth(shop, gateway)


def test_without_the_tills_word_labels_show_the_dearer_price_past_the_moment(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    before = dict(gateway.showing)
    plan(shop, {"sku-0": "0.99"})
    gateway.run(shop)
    assert wait_and_show(shop, gateway, clock) == []
    gateway.run(shop)
    assert {k: v[1] for k, v in gateway.showing.items()} == {k: v[1] for k, v in before.items()}
    waiting = till_price(shop)
    assert (waiting.waits, waiting.standing.grant) == (Waits.TILL, Charge(price_minor=99))
    acknowledge(shop, waiting.standing.grant_rev)
    assert [c.show for c in gateway.run(shop) if isinstance(c, Put)] == [True]
    assert till_price(shop).waits is Waits.NOBODY
    assert shows_truth(shop, gateway)


def test_a_dearer_picture_turns_by_itself_and_the_till_follows(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    plan(shop, {"sku-0": "1.99"})
    gateway.run(shop)
    assert set(states(shop).values()) == {SlotState.ARMED}
    assert wait_and_show(shop, gateway, clock) == [label_id(0)]
    gateway.run(shop)
    clock.pass_s(5)
    shop.upkeep.step()
    assert till_price(shop).standing.grant == Charge(price_minor=199)
    assert till_price(shop).waits is Waits.NOBODY


def test_a_promise_that_is_called_off_is_charged_until_no_label_may_show_it(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    planned = plan(shop, {"sku-0": "0.99"})
    gateway.run(shop)
    asked = till_price(shop).plan
    assert asked is not None
    acknowledge(shop, asked.rev)
    pass_with_heartbeats(shop, gateway, clock, 30)
    gateway.run(shop)
    now = shop.time.now()
    shop.writer.write(lambda tx: flips.cancel_flip(tx, STORE, planned.flip_id, now))
    until_gone = till_price(shop)
    assert until_gone.plan is None
    assert until_gone.standing.grant == Charge(price_minor=99)
    gateway.run(shop)
    clock.pass_s(5)
    shop.upkeep.step()
    assert till_price(shop).standing.grant == Charge(price_minor=129)
    assert shows_truth(shop, gateway)
