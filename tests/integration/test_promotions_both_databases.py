"""Promotions on SQLite and on PostgreSQL: the same edges, offers, labels and history."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select, update

from esl.domain.ids import Sku
from esl.domain.place import Pairing
from esl.domain.promotion.life import Action, State
from esl.intake.product_json import ProductPut
from esl.services import catalogue, deliveries, pairing
from esl.services.promotions import edges, planning
from esl.services.withdrawals import withdraw_prices
from esl.store import offers
from esl.store.database import Database
from esl.store.tables import labels, price_events
from tests.builders import (
    STORE,
    Controller,
    SimulatedClock,
    a_change,
    a_product,
    a_store,
    build_shelf,
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
    state,
    stop,
)
from tests.unit.gateway.staged_gateway import StagedGateway, on_the_line


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def shop(database: Database, clock: SimulatedClock) -> Iterator[Controller]:
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=LABELS)
    controller = Controller(database, clock)
    yield controller
    controller.close()


@pytest.fixture
def gateway(shop: Controller, clock: SimulatedClock) -> StagedGateway:
    return on_the_line(shop, clock)


def prices_of(shop: Controller, sku: str) -> list[tuple[int, int]]:
    with shop.database.read() as tx:
        query = (
            select(price_events.c.price_minor, price_events.c.layer)
            .where(price_events.c.sku == sku, price_events.c.rev.is_not(None))
            .order_by(price_events.c.event_id)
        )
        return [(row.price_minor, row.layer) for row in tx.execute(query)]


def test_a_promotion_begins_follows_the_till_and_ends(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    a_promotion(shop, HOUR, 2 * HOUR)
    run(shop, gateway)
    assert state(shop) is State.STAGING
    sleep(shop, gateway, clock, 3600.0)
    assert len(gateway.show_what_is_due(shop)) == 2
    run(shop, gateway)
    assert (state(shop), shown(shop)) == (State.ACTIVE, {"sku-0": 96, "sku-1": 96})
    shop.price(a_change("sku-0", 200), a_change("sku-2", 77))
    run(shop, gateway)
    assert shown(shop) == {"sku-0": 150, "sku-1": 96}
    assert shows_truth(shop, gateway)
    sleep(shop, gateway, clock, 3600.0)
    gateway.show_what_is_due(shop)
    run(shop, gateway)
    assert (state(shop), shown(shop)) == (State.ENDED, {})
    assert shows_truth(shop, gateway)
    assert prices_of(shop, "sku-0") == [(129, 0), (96, 2), (200, 1), (150, 2), (200, 2)]
    assert prices_of(shop, "sku-2") == [(129, 0), (77, 0)]


def test_each_edge_is_turned_once_whoever_looks(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    hours = {"hours": [{"begins": "14:00", "ends": "15:00"}]}
    a_promotion(shop, None, 60 * HOUR, window=hours)
    for _ in range(4):
        sleep(shop, gateway, clock, 6 * 3600.0)
        shop.staging.begin_flips()
        shop.staging.begin_flips()
    gateway.show_what_is_due(shop)
    run(shop, gateway)
    assert [minor for minor, layer in prices_of(shop, "sku-0") if layer == 2] == [96, 129]
    assert shows_truth(shop, gateway)


@pytest.mark.parametrize(
    ("noon", "hours", "expected"),
    [
        # In Zagreb the clock goes from 02:00 to 03:00 on 29 March: a skipped hour is none.
        (datetime(2026, 3, 28, 22, tzinfo=UTC), ("02:15", "02:45"), []),
        (datetime(2026, 3, 28, 22, tzinfo=UTC), ("01:30", "03:30"), [96, 129]),
        # 02:00 to 03:00 comes twice on 25 October: from the first time until the second.
        (datetime(2026, 10, 24, 22, tzinfo=UTC), ("02:15", "02:45"), [96, 129]),
    ],
)
def test_on_days_when_the_clock_is_turned_every_edge_happens_once(
    shop: Controller,
    gateway: StagedGateway,
    clock: SimulatedClock,
    noon: datetime,
    hours: tuple[str, str],
    expected: list[int],
) -> None:
    clock.pass_s((noon - clock.at).total_seconds())
    shop.hear(gateway.heartbeat(level="staged"))
    window = {"hours": [{"begins": hours[0], "ends": hours[1]}]}
    a_promotion(shop, None, 100 * HOUR, window=window)
    for _ in range(10):
        sleep(shop, gateway, clock, 1800.0)
        run(shop, gateway)
    assert [minor for minor, layer in prices_of(shop, "sku-0") if layer == 2] == expected


def test_a_withdrawn_price_takes_its_offer_along_and_a_new_one_gets_one(
    shop: Controller, gateway: StagedGateway
) -> None:
    a_promotion(shop, None, HOUR)
    run(shop, gateway)
    now = shop.time.now()
    shop.writer.write(lambda tx: withdraw_prices(tx, STORE, [Sku("sku-0")], now, actor="t"))
    run(shop, gateway)
    assert shown(shop) == {"sku-1": 96}
    shop.price(a_change("sku-0", 200))
    run(shop, gateway)
    assert shown(shop) == {"sku-0": 150, "sku-1": 96}
    assert shows_truth(shop, gateway)


def test_a_product_that_joins_the_category_gets_the_promotion(
    shop: Controller, gateway: StagedGateway
) -> None:
    a_promotion(shop, None, HOUR, selection={"categories": ["Coffee"]})
    run(shop, gateway)
    assert shown(shop) == {}
    put = ProductPut(product=a_product("sku-2", category="coffee"), price=None)
    now = shop.time.now()
    shop.writer.write(lambda tx: catalogue.put_products(tx, STORE, [put], now, actor="t"))
    run(shop, gateway)
    assert shown(shop) == {"sku-2": 96}
    assert shows_truth(shop, gateway)


def test_a_roll_out_reaches_its_labels_step_by_step_and_the_others_show_the_plain_price(
    shop: Controller, gateway: StagedGateway
) -> None:
    def hang(tx: Any) -> None:
        for number, place in enumerate(("aisle-1/bay-2", "aisle-2", "aisle-1")):
            tx.execute(
                update(labels).where(labels.c.label_id == label_id(number)).values(place=place)
            )

    def faces() -> list[int | None]:
        with shop.database.read() as tx:
            due = deliveries.load(tx, [label_id(n) for n in range(LABELS)])
            found = {one.label_id: one.face.price_minor for one in due if one.face is not None}
            return [found[label_id(n)] for n in range(LABELS)]

    shop.writer.write(hang)
    skus = {"skus": ["sku-0", "sku-1", "sku-2"]}
    steps = [{"areas": ["aisle-1"]}]
    a_promotion(shop, None, HOUR, selection=skus, rollout=steps)
    run(shop, gateway)
    assert shown(shop) == {"sku-0": 96, "sku-1": 96, "sku-2": 96}, "the till takes the lower price"
    assert faces() == [96, 129, 96]
    assert shows_truth(shop, gateway)
    now = shop.time.now()
    shop.writer.write(lambda tx: planning.advance(tx, "weekend", now, actor="t"))
    run(shop, gateway)
    assert faces() == [96, 96, 96]
    assert shows_truth(shop, gateway)
    stop(shop, Action.END)
    run(shop, gateway)
    assert faces() == [129, 129, 129]


def test_a_store_that_moves_to_another_zone_keeps_its_promotions_by_its_clock(
    shop: Controller, gateway: StagedGateway
) -> None:
    a_promotion(shop, HOUR, 3 * HOUR)
    moved = a_store(timezone="Europe/Helsinki")  # an hour ahead: it is that late there now
    now = shop.time.now()
    shop.writer.write(lambda tx: catalogue.put_store(tx, moved, now))
    run(shop, gateway)
    assert shown(shop) == {"sku-0": 96, "sku-1": 96}
    assert shows_truth(shop, gateway)


def test_a_label_paired_while_it_runs_shows_it(shop: Controller, gateway: StagedGateway) -> None:
    a_promotion(shop, None, HOUR)
    run(shop, gateway)
    now = shop.time.now()
    pair = [Pairing(label_id=label_id(2), sku=Sku("sku-0"))]
    shop.writer.write(lambda tx: pairing.pair_labels(tx, STORE, pair, now, single=False))
    run(shop, gateway)
    assert shows_truth(shop, gateway)
    with shop.database.read() as tx:
        assert set(offers.offers_of(tx, STORE, [Sku("sku-0")])) == {"sku-0"}


def test_two_processes_and_a_person_at_the_same_moment_turn_an_edge_once(
    shop: Controller, database: Database
) -> None:
    for number in range(4):
        a_promotion(shop, None, HOUR, id=f"no-{number}")
    now = shop.time.now()
    together = Barrier(3)

    def turn() -> int:
        together.wait(30)
        turned = 0
        while True:
            with database.writing.begin() as tx:
                if edges.begin_due(tx, now, grace=timedelta(seconds=1)) is None:
                    return turned
            turned += 1

    def cancel() -> int:
        together.wait(30)
        for number in range(2):
            with database.writing.begin() as tx:
                planning.stop(tx, f"no-{number}", Action.CANCEL, now, actor="t")
        return 0

    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(work) for work in (turn, turn, cancel)]
        assert sum(one.result(60) for one in done) >= 1
    with database.writing.begin() as tx:
        while edges.begin_due(tx, now, grace=timedelta(seconds=1)) is not None:
            pass
    assert shown(shop) == {"sku-0": 96, "sku-1": 96}
    assert [state(shop, f"no-{n}") for n in (2, 3)] == [State.ACTIVE, State.ACTIVE]
    assert {state(shop, f"no-{n}") for n in (0, 1)} <= {State.CANCELLED, State.ROLLED_BACK}
    assert [minor for minor, layer in prices_of(shop, "sku-0") if layer == 2] == [96]
