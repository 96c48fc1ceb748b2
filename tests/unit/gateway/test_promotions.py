"""Promotions on the glass: staged, begun and ended by themselves, cancelled, and after downtime."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from esl.domain.label import SlotState
from esl.domain.promotion.life import Action, State
from esl.store.tables import labels, price_events
from gateway.wire.messages import Put
from tests.builders import (
    Controller,
    SimulatedClock,
    a_change,
    label_id,
)
from tests.promotions import (
    HOUR,
    LABELS,
    a_promotion,
    run,
    shown,
    shows_truth,
    sleep,
    slots,
    state,
    stop,
)
from tests.unit.gateway.staged_gateway import StagedGateway, on_the_line


@pytest.fixture
def shop(open_shop: Callable[..., Controller]) -> Controller:
    return open_shop(labels_count=LABELS)


@pytest.fixture
def gateway(shop: Controller, clock: SimulatedClock) -> StagedGateway:
    return on_the_line(shop, clock)


def test_a_promotion_is_staged_begins_and_ends_by_itself(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    before = dict(gateway.showing)
    a_promotion(shop, HOUR, 2 * HOUR)
    assert state(shop) is State.SCHEDULED
    said = run(shop, gateway)
    assert state(shop) is State.STAGING
    assert [put.show for put in said if isinstance(put, Put)] == [False, False]
    assert set(slots(shop).values()) == {SlotState.ARMED}
    assert gateway.showing == before, "nothing changes before the moment"
    assert shown(shop) == {}

    sleep(shop, gateway, clock, 3600.0)
    assert len(gateway.show_what_is_due(shop)) == 2
    said = run(shop, gateway)
    assert state(shop) is State.ACTIVE
    assert shown(shop) == {"sku-0": 96, "sku-1": 96}
    assert [put for put in said if isinstance(put, Put) and put.show] == [], "they turned alone"
    assert shows_truth(shop, gateway)
    assert set(slots(shop).values()) == {SlotState.ARMED}, "and its end is staged by now"

    sleep(shop, gateway, clock, 3600.0)
    assert len(gateway.show_what_is_due(shop)) == 2
    said = run(shop, gateway)
    assert state(shop) is State.ENDED
    assert shown(shop) == {}
    assert [put for put in said if isinstance(put, Put) and put.show] == []
    assert shows_truth(shop, gateway)
    assert slots(shop) == {}
    assert {x: y[1] for x, y in gateway.showing.items()} == {x: y[1] for x, y in before.items()}


def test_one_whose_time_has_come_begins_at_once(shop: Controller, gateway: StagedGateway) -> None:
    a_promotion(shop, None, HOUR)
    run(shop, gateway)
    assert state(shop) is State.ACTIVE
    assert shown(shop) == {"sku-0": 96, "sku-1": 96}
    assert shows_truth(shop, gateway)


@pytest.mark.parametrize("action", [Action.CANCEL, Action.END])
def test_a_staged_promotion_that_is_stopped_never_shows(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock, action: Action
) -> None:
    before = {x: y[1] for x, y in gateway.showing.items()}
    gateway.loses_cancels = True
    a_promotion(shop, HOUR, 2 * HOUR)
    run(shop, gateway)
    sleep(shop, gateway, clock, 3590.0)
    stop(shop, action)
    run(shop, gateway)
    clock.pass_s(9)
    gateway.show_what_is_due(shop)
    run(shop, gateway)
    assert shown(shop) == {}
    assert {x: y[1] for x, y in gateway.showing.items()} == before
    assert shows_truth(shop, gateway)


@pytest.mark.parametrize(
    ("action", "then"), [(Action.CANCEL, State.ROLLED_BACK), (Action.END, State.ENDED)]
)
def test_one_that_runs_is_taken_back_from_the_glass(
    shop: Controller,
    gateway: StagedGateway,
    clock: SimulatedClock,
    action: Action,
    then: State,
) -> None:
    before = {x: y[1] for x, y in gateway.showing.items()}
    a_promotion(shop, HOUR, 2 * HOUR)
    run(shop, gateway)
    sleep(shop, gateway, clock, 3600.0)
    run(shop, gateway)  # it begins; the labels' own shows are under way
    stop(shop, action)
    run(shop, gateway)
    gateway.show_what_is_due(shop)
    run(shop, gateway)
    assert state(shop) is then
    assert shown(shop) == {}
    assert {x: y[1] for x, y in gateway.showing.items()} == before
    assert shows_truth(shop, gateway)


def test_after_downtime_the_edges_come_in_their_order(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    a_promotion(shop, HOUR, 2 * HOUR)
    a_promotion(shop, HOUR + HOUR / 2, 9 * HOUR, id="other", gives={"percent": 10})
    clock.pass_s(3 * 3600)
    shop.hear(gateway.heartbeat(level="staged"))
    run(shop, gateway)
    assert (state(shop), state(shop, "other")) == (State.ENDED, State.ACTIVE)
    assert shown(shop) == {"sku-0": 116, "sku-1": 116}
    with shop.database.read() as tx:
        query = (
            select(price_events.c.price_minor)
            .where(price_events.c.sku == "sku-0", price_events.c.layer == 2)
            .order_by(price_events.c.event_id)
        )
        assert list(tx.execute(query).scalars()) == [96, 116]


def test_a_price_between_staging_and_the_moment_is_drawn_anew(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    a_promotion(shop, HOUR, 2 * HOUR)
    run(shop, gateway)
    shop.price(a_change("sku-0", 200))
    said = run(shop, gateway)
    assert [p.show for p in said if isinstance(p, Put) and p.label == label_id(0)] == [True, False]
    sleep(shop, gateway, clock, 3600.0)
    assert len(gateway.show_what_is_due(shop)) == 2
    said = run(shop, gateway)
    assert [put for put in said if isinstance(put, Put) and put.show] == []
    assert shown(shop) == {"sku-0": 150, "sku-1": 96}
    assert shows_truth(shop, gateway)


def test_a_till_price_while_it_runs_becomes_a_new_offer_and_holds_after_it(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    a_promotion(shop, None, HOUR)
    run(shop, gateway)
    shop.price(a_change("sku-0", 200, source="till", source_seq=7))
    shop.price(a_change("sku-0", 200, source="till", source_seq=7))
    gateway.run(shop)
    assert shown(shop)["sku-0"] == 150
    assert shows_truth(shop, gateway)
    sleep(shop, gateway, clock, 3600.0)
    assert len(gateway.show_what_is_due(shop)) == 2
    run(shop, gateway)
    assert shown(shop) == {}
    assert shows_truth(shop, gateway)
    with shop.database.read() as tx:
        query = (
            select(price_events.c.price_minor, price_events.c.layer)
            .where(price_events.c.sku == "sku-0", price_events.c.rev.is_not(None))
            .order_by(price_events.c.event_id)
        )
        assert [tuple(row) for row in tx.execute(query)] == [
            (129, 0),
            (96, 2),
            (200, 1),
            (150, 2),
            (200, 2),
        ]


def test_a_slot_that_one_promotion_leaves_is_filled_for_the_next(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    a_promotion(shop, HOUR, 9 * HOUR)
    other = {"gives": {"percent": 50}, "priority": 5}
    a_promotion(shop, 2 * HOUR, 9 * HOUR, id="other", **other)
    run(shop, gateway)
    assert len(slots(shop)) == 2, "one slot to spare a label, for the first moment"
    sleep(shop, gateway, clock, 3600.0)
    gateway.show_what_is_due(shop)
    run(shop, gateway)
    assert shown(shop) == {"sku-0": 96, "sku-1": 96}
    assert set(slots(shop).values()) == {SlotState.ARMED}, "and then for the second"
    sleep(shop, gateway, clock, 3600.0)
    assert len(gateway.show_what_is_due(shop)) == 2
    said = run(shop, gateway)
    assert [put for put in said if isinstance(put, Put) and put.show] == []
    assert shown(shop) == {"sku-0": 64, "sku-1": 64}
    assert shows_truth(shop, gateway)


def test_a_promotion_that_is_cancelled_is_drawn_out_of_the_pictures_of_another(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    a_promotion(shop, HOUR, 9 * HOUR)
    top = {"gives": {"amount": "0.10"}, "currency": "EUR", "stacking": "on_top"}
    a_promotion(shop, HOUR / 2, 9 * HOUR, id="on-top", **top)
    run(shop, gateway)
    sleep(shop, gateway, clock, 1800.0)
    gateway.show_what_is_due(shop)
    run(shop, gateway)
    assert set(slots(shop).values()) == {SlotState.ARMED}
    stop(shop, Action.CANCEL, "on-top")
    run(shop, gateway)
    sleep(shop, gateway, clock, 1800.0)
    assert len(gateway.show_what_is_due(shop)) == 2
    said = run(shop, gateway)
    assert [put for put in said if isinstance(put, Put) and put.show] == []
    assert shown(shop) == {"sku-0": 96, "sku-1": 96}
    assert shows_truth(shop, gateway)


def test_what_becomes_cheaper_is_sent_before_what_becomes_dearer(
    shop: Controller, gateway: StagedGateway
) -> None:
    a_promotion(shop, None, 9 * HOUR, selection={"skus": ["sku-0"]})
    run(shop, gateway)
    a_promotion(shop, None, 9 * HOUR, id="other", selection={"skus": ["sku-2"]})
    stop(shop, Action.END)
    shop.staging.begin_flips()
    with shop.database.read() as tx:
        query = select(labels.c.label_id).where(labels.c.due_at.is_not(None))
        order = list(tx.execute(query.order_by(labels.c.lane, labels.c.due_at)).scalars())
    assert order == [label_id(2), label_id(0)]
