"""Prices for later that the guards doubt: each moment waits for a person by itself."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.errors import Conflict
from esl.domain.guards import Guards
from esl.domain.ids import Sku, SourceId
from esl.domain.pricing import ChangeResult, Decision
from esl.domain.quarantine import QuarantineState
from esl.domain.source import unregistered
from esl.services import guarding, quarantine, schedule
from esl.services.listening import EntryResult, take_entries
from esl.services.pricing import apply_price_changes
from esl.store import price_intake
from esl.store import quarantine as held_rows
from tests.builders import NOON, STORE, a_change, build_shelf

DAY = timedelta(days=1)
SKU = Sku("sku-0")
TILL = SourceId("default")
DOORS = ("entry", "change")


@pytest.fixture(autouse=True)
def shelf(tx: Connection) -> None:
    """A guarded product at 1.00."""
    build_shelf(tx, labels_count=1, price_minor=100)
    guarding.put_guards(tx, STORE, Guards(), NOON, actor="t", reason="")


def entry(price_minor: int, begins: float | None = None, **fields: Any) -> Entry:
    valid_from = None if begins is None else NOON + begins * DAY
    return Entry(
        store_id=STORE,
        sku=SKU,
        currency="EUR",
        price_minor=price_minor,
        valid_from=valid_from,
        **fields,
    )


def take(tx: Connection, *entries: Entry, actor: str = "till") -> tuple[EntryResult, ...]:
    source = unregistered(TILL, STORE)
    return take_entries(tx, source, entries, NOON, actor=actor, batch_id=None).results


def say(
    tx: Connection,
    door: str,
    price_minor: int,
    begins: float | None = None,
    actor: str = "till",
    **fields: Any,
) -> EntryResult | ChangeResult:
    if door == "entry":
        return take(tx, entry(price_minor, begins, **fields), actor=actor)[0]
    if begins is not None:
        fields["valid_from"] = NOON + begins * DAY
    change = a_change(SKU, price_minor, source=TILL, **fields)
    applied = apply_price_changes(tx, STORE, [change], NOON, actor=actor, each_by_itself=True)
    return applied.results[0]


def waiting(tx: Connection) -> list[int]:
    held = held_rows.list_held(tx, STORE, state=QuarantineState.OPEN, after=0, limit=100)
    return [one.price_minor for one in held]


def price_at(tx: Connection, moment: datetime) -> int:
    schedule.apply_due(tx, moment)
    return price_intake.held_prices(tx, STORE, [SKU])[SKU].says.price_minor


@pytest.mark.parametrize("door", DOORS)
def test_a_plan_in_range_takes_the_place_of_one_that_waits_for_its_moment(
    tx: Connection, door: str
) -> None:
    say(tx, door, 10, begins=1)
    assert waiting(tx) == [10]
    assert say(tx, door, 110, begins=1).decision is Decision.ACCEPTED
    assert waiting(tx) == []
    say(tx, door, 11, begins=1)
    assert say(tx, door, 110, begins=1).decision is Decision.UNCHANGED
    assert waiting(tx) == []
    assert price_at(tx, NOON + 2 * DAY) == 110


@pytest.mark.parametrize("door", DOORS)
def test_a_price_of_today_leaves_waiting_what_is_meant_for_later(tx: Connection, door: str) -> None:
    held = say(tx, door, 10, begins=1)
    assert say(tx, door, 100).decision is Decision.UNCHANGED
    assert say(tx, door, 105).decision is Decision.ACCEPTED
    assert waiting(tx) == [10]
    quarantine.approve(tx, STORE, [held.quarantine_id or 0], NOON, by="ana")
    assert price_at(tx, NOON) == 105
    assert price_at(tx, NOON + 2 * DAY) == 10


@pytest.mark.parametrize("door", DOORS)
def test_each_moment_waits_by_itself(tx: Connection, door: str) -> None:
    numbers = {
        say(tx, door, 10, begins=1).quarantine_id,
        say(tx, door, 11, begins=2).quarantine_id,
        say(tx, door, 12).quarantine_id,
    }
    assert (len(numbers - {None}), sorted(waiting(tx))) == (3, [10, 11, 12])
    say(tx, door, 13, begins=2)
    assert sorted(waiting(tx)) == [10, 12, 13]


def test_the_rows_of_one_list_wait_with_numbers_of_their_own(tx: Connection) -> None:
    rows = entry(10, 1), entry(100), entry(11, 2), entry(12)
    results = take(tx, *rows)
    assert sorted(waiting(tx)) == [10, 11, 12]
    numbers = [result.quarantine_id for result in results]
    assert numbers[1] is None
    assert len(set(numbers)) == len(rows)
    assert [result.quarantine_id for result in take(tx, *rows)] == numbers


@pytest.mark.parametrize("door", DOORS)
def test_a_plan_sent_again_under_its_number_waits_as_it_did(tx: Connection, door: str) -> None:
    first = say(tx, door, 10, begins=1, source_seq=5)
    again = say(tx, door, 10, begins=1, source_seq=5)
    assert (again.decision, again.quarantine_id) == (Decision.QUARANTINED, first.quarantine_id)
    assert say(tx, door, 99, begins=1, source_seq=4).decision is Decision.SUPERSEDED
    assert waiting(tx) == [10]


@pytest.mark.parametrize("door", DOORS)
def test_who_sent_the_same_plan_again_does_not_approve_it(tx: Connection, door: str) -> None:
    first = say(tx, door, 10, begins=1)
    again = say(tx, door, 10, begins=1, actor="ana")
    assert again.quarantine_id == first.quarantine_id
    with pytest.raises(Conflict, match="you sent"):
        quarantine.approve(tx, STORE, [first.quarantine_id or 0], NOON, by="ana")


def test_a_price_that_a_newer_one_replaced_is_late_when_it_is_sent_again_at_once(
    tx: Connection,
) -> None:
    erp, till = SourceId("erp"), SourceId("till")
    doubted = a_change(SKU, 1000, source=erp, source_seq=1)
    both = [doubted, a_change(SKU, 105, source=till)]
    apply_price_changes(tx, STORE, both, NOON, actor="t", each_by_itself=True)
    [alone] = apply_price_changes(tx, STORE, [doubted], NOON, actor="t").results
    assert alone.decision is Decision.SUPERSEDED
    erp_again = a_change(SKU, 1000, source=erp, source_seq=2)
    told = apply_price_changes(
        tx, STORE, [erp_again, a_change(SKU, 106, source=till), erp_again], NOON, actor="t"
    )
    assert told.results[2].decision is Decision.SUPERSEDED
    assert waiting(tx) == []
