"""Senders whose clock is wrong, or who plan without end: they harm nobody, themselves neither."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.guards import Guards, Reason
from esl.domain.ids import Sku, SourceId
from esl.domain.pricing import Decision
from esl.domain.source import unregistered
from esl.services import guarding
from esl.services.listening import take_entries
from esl.services.pricing import apply_price_changes
from esl.services.till_plans import PLANS_MOST
from esl.store import price_intake, schedule
from esl.store.schedule import EVER
from tests.builders import NOON, STORE, a_change, build_shelf

SKU = Sku("sku-0")
TILL = SourceId("till")
DOORS = ("entry", "change")
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def shelf(tx: Connection) -> None:
    """A product at 1.00; its store believes every price."""
    build_shelf(tx, labels_count=1, price_minor=100)
    guarding.put_guards(tx, STORE, Guards(on=False), NOON, actor="t", reason="tested elsewhere")


def stamped(tx: Connection, door: str, price_minor: int, at: datetime, now: datetime) -> Decision:
    if door == "change":
        change = a_change(SKU, price_minor, source=TILL, source_time=at)
        return apply_price_changes(tx, STORE, [change], now, actor="t").results[0].decision
    entry = Entry(store_id=STORE, sku=SKU, currency="EUR", price_minor=price_minor, source_time=at)
    source = unregistered(TILL, STORE)
    return take_entries(tx, source, [entry], now, actor="t", batch_id=None).results[0].decision


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("ahead", [HOUR, 73 * 365 * 24 * HOUR], ids=["an hour", "73 years"])
def test_a_clock_that_was_ahead_does_not_silence_its_source(
    tx: Connection, door: str, ahead: timedelta
) -> None:
    second = timedelta(seconds=1)
    assert stamped(tx, door, 101, NOON + ahead, NOON) is Decision.ACCEPTED
    assert stamped(tx, door, 102, NOON + ahead + second, NOON + second) is Decision.ACCEPTED
    # Its clock is set right: what it says now counts, and what is older is late.
    assert stamped(tx, door, 103, NOON + 3 * second, NOON + 3 * second) is Decision.ACCEPTED
    assert stamped(tx, door, 104, NOON + 2 * second, NOON + 4 * second) is Decision.SUPERSEDED


@pytest.mark.parametrize("door", DOORS)
def test_a_clock_that_is_a_little_ahead_orders_what_it_stamps(tx: Connection, door: str) -> None:
    ahead = timedelta(minutes=1)
    assert stamped(tx, door, 101, NOON + ahead, NOON) is Decision.ACCEPTED
    late = NOON + ahead - timedelta(seconds=1)
    assert stamped(tx, door, 102, late, NOON) is Decision.SUPERSEDED


@pytest.mark.parametrize("ends", [False, True], ids=["for later", "until a moment"])
@pytest.mark.parametrize("door", DOORS)
def test_who_plans_without_end_is_refused(tx: Connection, door: str, *, ends: bool) -> None:
    moments = [NOON + (-n if ends else n) * HOUR for n in range(1, PLANS_MOST + 6)]
    valid_to = NOON + 10_000 * HOUR if ends else None
    if door == "change":
        changes = [
            a_change(SKU, 200 + n, source=TILL, valid_from=at, valid_to=valid_to)
            for n, at in enumerate(moments)
        ]
        applied = apply_price_changes(tx, STORE, changes, NOON, actor="t", each_by_itself=True)
        told = [(r.decision, r.reasons) for r in applied.results]
    else:
        entries = [
            Entry(
                store_id=STORE,
                sku=SKU,
                currency="EUR",
                price_minor=200 + n,
                valid_from=at,
                valid_to=valid_to,
            )
            for n, at in enumerate(moments)
        ]
        taken = take_entries(tx, unregistered(TILL, STORE), entries, NOON, actor="t", batch_id=None)
        told = [(r.decision, r.reasons) for r in taken.results]
        assert "too many prices" in (taken.results[-1].detail or "")
    refused = [reasons for decision, reasons in told if decision is Decision.REJECTED]
    kept = [row for row in schedule.live_prices(tx, STORE, [SKU]) if row.valid_from > EVER]
    assert len(kept) == PLANS_MOST
    assert refused == [(Reason.TOO_MANY_PLANS,) if door == "change" else ()] * 5
    # What takes the place of one is taken, and a price of today.
    again = a_change(SKU, 777, source=TILL, valid_from=moments[0], valid_to=valid_to)
    plain = a_change(SKU, 150)
    told_of = apply_price_changes(tx, STORE, [again, plain], NOON, actor="t").results
    assert [r.decision for r in told_of] == [Decision.ACCEPTED, Decision.ACCEPTED]
    assert price_intake.held_prices(tx, STORE, [SKU])[SKU].says.price_minor == 150
