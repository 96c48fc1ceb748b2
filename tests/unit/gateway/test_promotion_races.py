"""What comes between a promotion's moment and whoever looks: prices, clocks, second thoughts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from esl.domain.errors import Conflict
from esl.domain.promotion.life import Action, State
from esl.services.pricing import apply_price_changes
from esl.services.promotions import planning
from esl.services.promotions.books import promotion_of
from esl.store import promotion_rows
from tests.builders import (
    STORE,
    Controller,
    SimulatedClock,
    a_change,
)
from tests.promotions import HOUR, LABELS, a_promotion, run, shown, shows_truth, sleep, state, stop
from tests.unit.gateway.staged_gateway import StagedGateway, on_the_line

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(open_shop: Callable[..., Controller]) -> Controller:
    return open_shop(labels_count=LABELS)


@pytest.fixture
def gateway(shop: Controller, clock: SimulatedClock) -> StagedGateway:
    return on_the_line(shop, clock)


def late_price(shop: Controller, price_minor: int) -> None:
    """A price that was sent a minute ago, and waited behind other work till now."""
    then = shop.time.now() - MINUTE
    shop.writer.write(
        lambda tx: apply_price_changes(
            tx, STORE, [a_change("sku-0", price_minor)], then, actor="till"
        )
    )


def test_a_price_that_waited_does_not_undo_a_beginning(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    a_promotion(shop, HOUR, 2 * HOUR)
    sleep(shop, gateway, clock, 3600.0)
    run(shop, gateway)
    assert shown(shop) == {"sku-0": 96, "sku-1": 96}
    late_price(shop, 200)
    assert shown(shop) == {"sku-0": 150, "sku-1": 96}, "nobody would begin it again"


def test_one_stopped_by_a_clock_that_is_behind_leaves_the_others_as_they_are(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    a_promotion(shop, None, 2 * HOUR)
    a_promotion(shop, HOUR, 9 * HOUR, id="other", gives={"percent": 50}, priority=5)
    sleep(shop, gateway, clock, 3600.0)
    run(shop, gateway)
    assert shown(shop) == {"sku-0": 64, "sku-1": 64}
    clock.pass_s(-MINUTE.total_seconds())  # another process, whose clock is behind
    behind = Controller(shop.database, clock)
    try:
        stop(behind, Action.END)
        behind.staging.begin_flips()
    finally:
        behind.close()
    assert shown(shop) == {"sku-0": 64, "sku-1": 64}, "the other began, and nobody begins it again"


def test_one_that_is_cancelled_before_anybody_looked_is_gone_from_prices_that_came(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    a_promotion(shop, HOUR, 2 * HOUR)
    sleep(shop, gateway, clock, 3601.0)
    shop.price(a_change("sku-0", 200))
    assert shown(shop) == {"sku-0": 150}, "its moment has come"
    stop(shop, Action.CANCEL)
    run(shop, gateway)
    assert state(shop) is State.CANCELLED
    assert shown(shop) == {}
    gateway.run(shop)
    assert shows_truth(shop, gateway)


def test_one_whose_moment_has_come_is_not_revised_though_nobody_has_looked(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    a_promotion(shop, HOUR, 2 * HOUR)
    sleep(shop, gateway, clock, 3601.0)
    shop.price(a_change("sku-0", 200))
    with shop.database.read() as tx:
        stored = promotion_of(promotion_rows.promotion_named(tx, "weekend"))
    with pytest.raises(Conflict, match="It has begun"):
        shop.writer.write(
            lambda tx: planning.revise(
                tx, replace(stored, name="Other"), shop.time.now(), actor="t", gallery=()
            )
        )
    run(shop, gateway)
    assert state(shop) is State.ACTIVE
    assert shown(shop) == {"sku-0": 150, "sku-1": 96}
