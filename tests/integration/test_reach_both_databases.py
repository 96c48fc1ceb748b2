"""Labels that a promotion does not reach: what they show, what is staged for them, who is told."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from esl.domain.ids import LabelId, Sku
from esl.domain.label import SlotState
from esl.domain.place import Pairing
from esl.domain.promotion.life import Action
from esl.intake.promotion_json import parse_promotion
from esl.services import pairing
from esl.services.promotions import planning
from esl.services.promotions.explaining import explain_label
from esl.services.promotions.preview import preview
from esl.services.promotions.progress import Progress, progress_of
from esl.store import places, wall
from esl.store.database import Database
from esl.store.due_labels import load_due
from esl.store.tables import gateways, labels
from tests.builders import (
    GATEWAY,
    PANELS,
    STORE,
    Controller,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
)
from tests.promotions import HOUR, LABELS, a_promotion, run, shows_truth, sleep, slots, stop
from tests.unit.gateway.staged_gateway import StagedGateway, on_the_line

ALL = {"skus": ["sku-0", "sku-1", "sku-2"]}
FIRST_AISLE = [{"areas": ["aisle-1"]}]


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def shop(database: Database, clock: SimulatedClock) -> Iterator[Controller]:
    """Three products at 1.29, a label each: in the first aisle, in the second, in the first."""
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=LABELS)
        for number, place in enumerate(("aisle-1/bay-2", "aisle-2", "aisle-1")):
            row = labels.c.label_id == label_id(number)
            tx.execute(update(labels).where(row).values(place=place))
    controller = Controller(database, clock)
    yield controller
    controller.close()


@pytest.fixture
def gateway(shop: Controller, clock: SimulatedClock) -> StagedGateway:
    return on_the_line(shop, clock)


def prices(shop: Controller) -> list[int | None]:
    """What each label is to say."""
    with shop.database.read() as tx:
        due = load_due(tx, [label_id(n) for n in range(LABELS)])
        faces = {one.label_id: one.face for one in due}
        found = [faces[label_id(n)] for n in range(LABELS)]
        on_wall = [tile.price_minor for tile in wall.wall_of(tx, STORE)]
    said = [face.price_minor if face is not None else None for face in found]
    assert on_wall == said, "the wall shows what the labels say"
    return said


def progress(shop: Controller, name: str = "weekend") -> Progress:
    with shop.database.read() as tx:
        return progress_of(tx, name, shop.time.now())


def test_a_label_that_waits_shows_the_best_of_the_others(
    shop: Controller, gateway: StagedGateway
) -> None:
    a_promotion(shop, None, HOUR, selection=ALL, rollout=FIRST_AISLE, priority=5)
    a_promotion(
        shop, None, 2 * HOUR, id="daily", name="Daily", gives={"percent": 10}, selection=ALL
    )
    run(shop, gateway)
    assert prices(shop) == [96, 116, 96]
    assert shows_truth(shop, gateway)
    shop.price(a_change("sku-1", 200))
    run(shop, gateway)
    assert prices(shop) == [96, 180, 96], "it follows its till"
    with shop.database.read() as tx:
        store = places.store_named(tx, STORE)
        now = shop.time.now()
        [told] = explain_label(tx, store, label_id(1), now, now)
    assert (told.waits, told.price_minor) == ("weekend", 180)
    assert any("1.80 EUR, as without weekend" in line for line in told.words)
    stop(shop, Action.END, "daily")
    run(shop, gateway)
    assert prices(shop) == [96, 200, 96]
    now = shop.time.now()
    shop.writer.write(lambda tx: planning.advance(tx, "weekend", now, actor="t"))
    run(shop, gateway)
    assert prices(shop) == [96, 150, 96]
    assert shows_truth(shop, gateway)


def test_a_label_that_waits_never_asks_for_less_than_the_till(
    shop: Controller, gateway: StagedGateway
) -> None:
    a_promotion(shop, None, HOUR, selection=ALL, rollout=FIRST_AISLE, priority=5)
    deeper = {"percent": 50}  # it loses to the higher priority, so the till charges 0.96
    a_promotion(shop, None, 2 * HOUR, id="half", name="Half", gives=deeper, selection=ALL)
    run(shop, gateway)
    assert prices(shop) == [96, 129, 96]
    assert shows_truth(shop, gateway)


def test_what_is_staged_for_a_label_that_will_wait_is_what_it_will_show(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    a_promotion(
        shop, None, 3 * HOUR, id="daily", name="Daily", gives={"percent": 10}, selection=ALL
    )
    run(shop, gateway)
    a_promotion(shop, HOUR, 2 * HOUR, selection=ALL, rollout=FIRST_AISLE, priority=5)
    run(shop, gateway)
    assert SlotState.ARMED in slots(shop).values() or SlotState.STORED in slots(shop).values()
    sleep(shop, gateway, clock, 3600.0)
    shown = dict(gateway.showing)
    for name in gateway.show_what_is_due(shop):
        assert name
    after = gateway.showing[label_id(1)][1]
    run(shop, gateway)
    assert prices(shop) == [96, 116, 96]
    assert shows_truth(shop, gateway)
    assert gateway.showing[label_id(1)][1] == after == shown[label_id(1)][1], "as it was all along"


def test_of_two_products_one_waits_and_the_other_changes_freely(
    shop: Controller, gateway: StagedGateway
) -> None:
    both = [Pairing(label_id=label_id(1), sku=Sku("sku-1"), more=(Sku("sku-2"),))]
    now = shop.time.now()
    shop.writer.write(lambda tx: pairing.pair_labels(tx, STORE, both, now, single=False))
    a_promotion(shop, None, HOUR, selection={"skus": ["sku-1"]}, rollout=FIRST_AISLE)
    run(shop, gateway)
    assert prices(shop)[1] == 129
    shop.price(a_change("sku-2", 77))
    run(shop, gateway)
    assert prices(shop)[1] == 129, "a price of its other product lets it wait on"
    with shop.database.read() as tx:
        [due] = load_due(tx, [label_id(1)])
    assert due.face is not None
    assert [one.price_minor for one in due.face.others] == [77]


def test_progress_counts_the_labels_of_its_areas_and_those_that_come_later(
    shop: Controller, gateway: StagedGateway
) -> None:
    a_promotion(shop, None, HOUR, selection=ALL, where={"areas": ["aisle-1"]})
    a_promotion(
        shop, None, HOUR, id="steps", name="Steps", selection=ALL, rollout=FIRST_AISLE, priority=-1
    )
    run(shop, gateway)
    found = progress(shop)
    assert (found.labels, found.later, found.counts) == (2, 0, {"shown": 2})
    found = progress(shop, "steps")
    assert (found.labels, found.later, found.counts) == (3, 1, {"shown": 2})


def test_a_straggler_is_named_with_what_it_waits_for(
    shop: Controller, gateway: StagedGateway
) -> None:
    assert gateway.showing
    a_promotion(shop, None, HOUR, selection=ALL)
    shop.clock.pass_s(60.0)
    shop.staging.begin_flips()  # it is turned, and nothing has been sent
    reasons = {one.reason for one in progress(shop).stragglers}
    assert reasons == {"waits for its turn: its gateway has 3 labels of this promotion to send"}

    def leave(tx: Connection) -> None:
        tx.execute(update(gateways).where(gateways.c.gateway_id == GATEWAY).values(online=False))

    shop.writer.write(leave)
    reasons = {one.reason for one in progress(shop).stragglers}
    assert reasons == {f"its gateway {GATEWAY} is not connected"}


def test_a_preview_counts_the_labels_of_its_areas(shop: Controller) -> None:
    value: dict[str, Any] = {
        "id": "areas",
        "name": "Areas",
        "gives": {"percent": 25},
        "selection": ALL,
        "where": {"areas": ["aisle-1"]},
        "rollout": [{"areas": ["aisle-1/bay-2"]}],
    }
    with shop.database.read() as tx:
        store = places.store_named(tx, STORE)
        now = shop.time.now() + timedelta(seconds=1)
        [found] = preview(tx, parse_promotion(value), [store], now, panels=PANELS)
    assert (found.products, found.labels, found.at_first) == (3, 2, 1)
    assert (found.changes, found.looked_at) == (3, 3)
    shown: dict[LabelId, int | None] = {
        one.label_id: one.face.price_minor for one in found.examples
    }
    assert shown == {label_id(0): 96, label_id(2): 129}
