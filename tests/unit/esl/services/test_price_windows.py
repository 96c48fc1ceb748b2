"""Prices that hold until a moment: said again, taken back, and what may end them before."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from esl.domain.entry import Entry, PromotionKind, StatedPromotion
from esl.domain.guards import Guards, Reason
from esl.domain.ids import Sku, SourceId
from esl.domain.pricing import Decision
from esl.domain.source import Source, unregistered
from esl.services import batches, guarding, quarantine, retiring, schedule, sources, withdrawals
from esl.services.listening import Taken, take_entries
from esl.services.pricing import apply_price_changes
from esl.store import batches as batch_rows
from esl.store import places, price_intake
from esl.store import schedule as schedule_rows
from esl.store.schedule import live_prices
from esl.store.tables import price_events, scheduled_prices
from tests.builders import NOON, STORE, a_change, build_shelf

DAY = timedelta(days=1)
SKU = Sku("sku-0")
ERP = SourceId("erp")


@pytest.fixture(autouse=True)
def shelf(tx: Connection) -> None:
    """A product at 1.00 with a label; its store believes every price."""
    build_shelf(tx, labels_count=1, price_minor=100)
    guarding.put_guards(tx, STORE, Guards(on=False), NOON, actor="t", reason="tested elsewhere")


def said(price_minor: int, begins: float | None = None, ends: float | None = None) -> Entry:
    return Entry(
        store_id=STORE,
        sku=SKU,
        currency="EUR",
        price_minor=price_minor,
        valid_from=None if begins is None else NOON + begins * DAY,
        valid_to=None if ends is None else NOON + ends * DAY,
    )


def take(tx: Connection, day: float, *entries: Entry, **options: Any) -> Taken:
    fields: dict[str, Any] = {"actor": "token:1", "batch_id": None} | options
    source = unregistered(fields.pop("source", ERP), STORE)
    return take_entries(tx, source, entries, NOON + day * DAY, **fields)


def told(taken: Taken) -> list[Decision]:
    return [result.decision for result in taken.results]


def price(tx: Connection) -> int | None:
    held = price_intake.held_prices(tx, STORE, [SKU]).get(SKU)
    return held.says.price_minor if held is not None else None


def on_days(tx: Connection, *days: float) -> list[int | None]:
    found: list[int | None] = []
    for day in days:
        while schedule.apply_due(tx, NOON + day * DAY).applied:
            pass
        found.append(price(tx))
    return found


def count_events(tx: Connection) -> int:
    return int(tx.execute(select(func.count()).select_from(price_events)).scalar_one())


def begin_batch(tx: Connection) -> int:
    return batch_rows.begin_batch(tx, NOON, store_id=STORE, source=ERP, actor="token:1")


def roll_back(tx: Connection, number: int, day: float) -> None:
    batches.roll_back(tx, STORE, number, NOON + day * DAY, actor="person:a", reason="x")


@pytest.mark.parametrize("ends", [6, 3])
def test_the_same_price_with_another_end_ends_then(tx: Connection, ends: int) -> None:
    take(tx, 0, said(80, ends=5))
    assert told(take(tx, 1, said(80, ends=ends))) == [Decision.ACCEPTED]
    assert on_days(tx, ends - 0.5, ends + 0.5, 7) == [80, 100, 100]


def test_after_the_end_holds_what_was_said_meanwhile(tx: Connection) -> None:
    take(tx, 0, said(80, 0, 5))
    take(tx, 1, said(120))
    take(tx, 2, said(90, 2, 6))
    assert on_days(tx, 3, 5.5, 6.5) == [90, 90, 120]


def test_a_price_said_without_an_end_stays_though_it_is_the_same(tx: Connection) -> None:
    take(tx, 0, said(80, ends=5))
    assert told(take(tx, 1, said(80))) == [Decision.ACCEPTED]
    assert on_days(tx, 6) == [80]


def test_of_nested_prices_the_inner_holds_then_the_outer(tx: Connection) -> None:
    take(tx, 0, said(70, 2, 3), said(80, 1, 4))
    assert on_days(tx, 1.5, 2.5, 3.5, 4.5) == [80, 70, 80, 100]


def test_a_list_that_says_both_means_both_and_is_quiet_the_second_time(tx: Connection) -> None:
    both = [said(105), said(80, 0, 5)]
    take(tx, 0, *both)
    assert price(tx) == 80
    for rows in (both, both[::-1]):
        before = count_events(tx)
        assert told(take(tx, 1, *rows)) == [Decision.UNCHANGED] * 2
        assert (price(tx), count_events(tx)) == (80, before)
    assert told(take(tx, 2, said(107), both[1])) == [Decision.ACCEPTED, Decision.UNCHANGED]
    assert on_days(tx, 3, 6) == [80, 107]


def test_a_nested_list_sent_again_every_day_is_quiet(tx: Connection) -> None:
    rows = [said(80, 1, 5), said(70, 2, 3), said(60, 6, 7)]
    take(tx, 0, *rows)
    assert on_days(tx, 2.5) == [70]
    before = count_events(tx)
    assert told(take(tx, 2.6, *rows)) == [Decision.UNCHANGED] * 3
    assert count_events(tx) == before
    assert told(take(tx, 2.7, said(85, 1, 5), rows[1]))[1] is Decision.UNCHANGED
    assert on_days(tx, 2.8, 3.5, 5.5, 6.5, 7.5) == [70, 85, 100, 60, 100]


def test_a_house_that_was_off_over_several_edges_shows_what_holds(tx: Connection) -> None:
    take(tx, 0, said(80, 1, 2), said(90, 2), said(70, 3, 9))
    assert on_days(tx, 5, 10) == [70, 90]


def test_a_word_that_comes_before_anybody_looked_is_the_later_one(tx: Connection) -> None:
    take(tx, 0, said(80, 1))
    take(tx, 2, said(120))
    assert on_days(tx, 3) == [120]


def test_a_badge_said_meanwhile_ends_with_the_price_it_was_said_of(tx: Connection) -> None:
    take(tx, 0, said(80, ends=5))
    badge = Entry(store_id=STORE, sku=SKU, currency="EUR", badge="NOVO")
    take(tx, 1, badge)
    assert price_intake.held_prices(tx, STORE, [SKU])[SKU].says[:4] == (80, None, None, "NOVO")
    assert told(take(tx, 2, said(80, ends=5))) == [Decision.UNCHANGED]
    on_days(tx, 6)
    assert price_intake.held_prices(tx, STORE, [SKU])[SKU].says[:4] == (100, None, None, None)


def test_a_promotion_runs_over_the_edge_of_a_price(tx: Connection) -> None:
    offer = StatedPromotion(price_minor=60, kind=PromotionKind.PRICE, valid_to=NOON + 8 * DAY)
    take(tx, 0, said(80, ends=5))
    take(tx, 1, replace(said(100), price_minor=80, valid_to=NOON + 5 * DAY, promotion=offer))
    assert on_days(tx, 4, 6, 9) == [60, 60, 100]


def test_a_product_without_a_price_has_none_again(tx: Connection) -> None:
    withdrawals.withdraw_prices(tx, STORE, [SKU], NOON)
    take(tx, 0, said(80, 1, 2))
    assert on_days(tx, 0.5, 1.5, 2.5) == [None, 80, None]


def test_a_price_that_was_taken_away_does_not_come_back_at_an_end(tx: Connection) -> None:
    take(tx, 0, said(80, ends=5))
    withdrawals.withdraw_prices(tx, STORE, [SKU], NOON + DAY)
    assert on_days(tx, 6) == [None]
    assert live_prices(tx, STORE, [SKU]) == []


def test_nothing_begins_of_a_product_that_left_the_list(tx: Connection) -> None:
    till = Source(source_id=ERP, name="ERP", store_id=STORE, accepts_full=True)
    sources.put_source(tx, till, NOON, actor="t")
    take(tx, 0, said(95), said(80, 1))
    number = begin_batch(tx)
    retiring.retire_missing(tx, till, STORE, set(), NOON, batch_id=number, actor="t")
    assert on_days(tx, 2) == [None]


def test_a_price_in_another_currency_does_not_begin(tx: Connection) -> None:
    withdrawals.withdraw_prices(tx, STORE, [SKU], NOON)
    take(tx, 0, said(80, 1))
    store = places.store_named(tx, STORE)
    places.put_store(tx, replace(store, currency="HUF"))
    assert on_days(tx, 2) == [None]
    [state] = tx.execute(select(scheduled_prices.c.state)).scalars()
    assert state == "cancelled"


@pytest.mark.parametrize(("rank", "then"), [(10, 130), (90, 80)])
def test_a_plan_yields_at_its_moment_to_a_source_of_higher_priority(
    tx: Connection, rank: int, then: int
) -> None:
    for name, priority in (("till", 50), ("web", rank)):
        source = Source(source_id=SourceId(name), name=name, priority=priority)
        sources.put_source(tx, source, NOON, actor="t")
    take(tx, 0, said(80, 2), source=SourceId("web"))
    [result] = take(tx, 1, said(130), source=SourceId("till")).results
    assert result.decision is Decision.ACCEPTED, "a plan owns nothing yet"
    assert on_days(tx, 3) == [then]


def test_what_a_lower_source_said_holds_after_a_higher_ones_end(tx: Connection) -> None:
    for name, priority in (("till", 90), ("web", 10)):
        source = Source(source_id=SourceId(name), name=name, priority=priority)
        sources.put_source(tx, source, NOON, actor="t")
    take(tx, 0, said(80, ends=5), source=SourceId("till"))
    [result] = take(tx, 1, said(120), source=SourceId("web")).results
    assert (result.decision, result.reasons) == (Decision.SUPERSEDED, (Reason.YIELDS,))
    assert on_days(tx, 4, 6) == [80, 120]
    [result] = take(tx, 7, said(110), source=SourceId("web")).results
    assert (result.decision, price(tx)) == (Decision.ACCEPTED, 110)


# ── Price changes ───────────────────────────────────────────────────────────────────────────


def change(tx: Connection, day: float, price_minor: int, **fields: Any) -> Any:
    one = replace(a_change(SKU, price_minor), **fields)
    applied = apply_price_changes(tx, STORE, [one], NOON + day * DAY, actor="token:1")
    return applied.results[0]


def test_a_price_change_waits_holds_and_ends(tx: Connection) -> None:
    window = {"valid_from": NOON + DAY, "valid_to": NOON + 2 * DAY}
    result = change(tx, 0, 80, **window)
    assert (result.decision, result.rev, result.labels) == (Decision.ACCEPTED, None, 0)
    assert change(tx, 0.5, 80, **window).decision is Decision.UNCHANGED
    assert on_days(tx, 0.9, 1, 2) == [100, 80, 100]
    over = change(tx, 3, 80, **window)
    assert (over.decision, over.reasons) == (Decision.REJECTED, (Reason.OVER,))
    assert over.path == "/valid_to"


def test_a_number_used_for_a_later_price_is_not_used_again(tx: Connection) -> None:
    change(tx, 0, 80, valid_from=NOON + DAY, source_seq=5)
    assert change(tx, 0, 90, source_seq=4).decision is Decision.SUPERSEDED
    again = change(tx, 0, 80, valid_from=NOON + DAY, source_seq=5)
    assert again.decision is Decision.UNCHANGED
    assert on_days(tx, 2) == [80]


def test_a_later_price_is_judged_when_it_is_sent_and_waits_once_approved(tx: Connection) -> None:
    guarding.put_guards(tx, STORE, Guards(), NOON, actor="t", reason="")
    result = change(tx, 0, 1000, valid_from=NOON + DAY)
    assert (result.decision, price(tx)) == (Decision.QUARANTINED, 100)
    assert result.quarantine_id is not None
    assert on_days(tx, 1.5) == [100]
    result = change(tx, 2, 1000, valid_from=NOON + 3 * DAY)
    quarantine.approve(tx, STORE, [result.quarantine_id], NOON + 2 * DAY, by="person:b")
    assert on_days(tx, 2.5, 3.5) == [100, 1000]


# ── Taken back ──────────────────────────────────────────────────────────────────────────────


def test_a_plan_that_was_replaced_lives_again_with_its_replacement_rolled_back(
    tx: Connection,
) -> None:
    take(tx, 0, said(80, 2), batch_id=begin_batch(tx))
    second = begin_batch(tx)
    take(tx, 0, said(70, 2), batch_id=second)
    roll_back(tx, second, 1)
    assert on_days(tx, 1.5, 2.5) == [100, 80]


def test_a_replaced_plan_waits_for_the_last_that_replaced_it(tx: Connection) -> None:
    numbers = [begin_batch(tx) for _ in range(3)]
    for number, minor in zip(numbers, (80, 70, 60), strict=True):
        take(tx, 0, said(minor, 2), batch_id=number)
    roll_back(tx, numbers[1], 0.5)
    [row] = live_prices(tx, STORE, [SKU])
    assert '"price":60' in row.said
    roll_back(tx, numbers[2], 1)
    assert on_days(tx, 2.5) == [80]


def test_a_price_with_an_end_is_rolled_back_to_what_lies_beneath(tx: Connection) -> None:
    number = begin_batch(tx)
    take(tx, 0, said(80, ends=5), batch_id=number)
    take(tx, 1, said(110), said(80, ends=5))
    roll_back(tx, number, 2)
    assert on_days(tx, 2, 6) == [110, 110]


def test_a_price_over_one_with_an_end_is_rolled_back_to_it(tx: Connection) -> None:
    take(tx, 0, said(80, ends=5), batch_id=begin_batch(tx))
    number = begin_batch(tx)
    take(tx, 1, said(120), batch_id=number)
    assert on_days(tx, 2) == [120]
    roll_back(tx, number, 2)
    assert on_days(tx, 2, 6) == [80, 100]


@pytest.mark.parametrize("begins", [None, 0.5])
def test_a_price_is_not_rolled_back_to_one_that_has_ended(
    tx: Connection, begins: float | None
) -> None:
    take(tx, 0.5, said(80, begins, 5))
    number = begin_batch(tx)
    take(tx, 1, said(120), batch_id=number)
    assert on_days(tx, 2, 6) == [120, 120]
    roll_back(tx, number, 7)
    assert price(tx) == 100


def test_the_index_answers_what_every_change_asks(tx: Connection) -> None:
    for statement in (schedule_rows._SOME, schedule_rows._OVERDUE):
        values = {"store": STORE, "now": NOON.isoformat()}
        bound = tuple(values[name] for name in statement._scalars)
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.sqlite()}", bound).all()
        assert "ix_scheduled_price_live" in str(plan), plan


def test_a_begun_plan_is_rolled_back_with_its_batch(tx: Connection) -> None:
    number = begin_batch(tx)
    take(tx, 0, said(80, 1, 5), batch_id=number)
    assert on_days(tx, 2) == [80]
    roll_back(tx, number, 3)
    assert on_days(tx, 3, 6) == [100, 100]
