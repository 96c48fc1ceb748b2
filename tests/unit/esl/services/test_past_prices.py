"""Prices from before our time: what is kept, what is refused, and what is said of it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection

from esl.domain.entry import DatedPrice, Entry, PastKind
from esl.domain.ids import Sku, SourceId
from esl.domain.lowest_price import Basis
from esl.domain.pricing import Decision
from esl.domain.source import Source
from esl.services import batches as batch_services
from esl.services.listening import EntryResult, take_entries
from esl.services.lowest_price import lowest_price_of
from esl.store import batches, past_prices
from esl.store.tables import past_prices as past_table
from tests.builders import NOON, STORE, a_store, build_shelf
from tests.builders import count_rows as count

OLD = Source(source_id=SourceId("old"), name="Old", store_id=STORE)
OTHER = Source(source_id=SourceId("older"), name="Older", store_id=STORE)
TODAY = NOON.date()


@pytest.fixture(autouse=True)
def shelf(tx: Connection) -> None:
    """Two products that have had their prices since noon."""
    build_shelf(tx, labels_count=2, price_minor=129)


def ago(days: int, price_minor: int = 99, **changes: object) -> DatedPrice:
    return DatedPrice(day=TODAY - timedelta(days=days), price_minor=price_minor, **changes)  # type: ignore[arg-type]


def take(
    tx: Connection, *history: DatedPrice, source: Source = OLD, batch_id: int | None = None
) -> EntryResult:
    entry = Entry(
        store_id=STORE, sku=Sku("sku-0"), currency="EUR", rows=(2,), history=tuple(history)
    )
    taken = take_entries(tx, source, [entry], NOON, actor="t", batch_id=batch_id)
    [result] = taken.results
    assert taken.labels == ()
    return result


def kept(tx: Connection) -> list[tuple[date, int, str]]:
    found = past_prices.past_prices(tx, STORE, [Sku("sku-0")]).get(Sku("sku-0"), [])
    return [(p.dated.day, p.dated.price_minor, p.source) for p in found]


def test_it_is_kept_once_and_sent_again_changes_nothing(tx: Connection) -> None:
    first = take(tx, ago(40), ago(20, 89))
    again = take(tx, ago(40), ago(20, 89))
    assert (first.decision, again.decision) == (Decision.ACCEPTED, Decision.UNCHANGED)
    assert first.problems == again.problems == ()
    assert [minor for _, minor, _ in kept(tx)] == [99, 89]


def test_the_source_may_correct_itself_and_nobody_else_may(tx: Connection) -> None:
    take(tx, ago(40))
    assert take(tx, ago(40, 95)).decision is Decision.ACCEPTED
    other = take(tx, ago(40, 90), source=OTHER)
    assert other.decision is Decision.UNCHANGED
    [problem] = other.problems
    assert "'old'" in problem.reason
    assert take(tx, ago(40, 95), source=OTHER).problems == (), "it says the same"
    assert kept(tx) == [(TODAY - timedelta(days=40), 95, "old")]


def test_what_was_observed_here_is_never_overwritten(tx: Connection) -> None:
    told = take(tx, ago(0), ago(3), ago(5, row=9, until=TODAY + timedelta(days=5)))
    [problem] = told.problems
    assert (problem.row, problem.field, problem.rejects) == (2, "history", True)
    assert "known here since 2026-03-01" in problem.reason.replace(str(TODAY), "2026-03-01")
    assert problem.fix
    assert len(kept(tx)) == 2, "what began before is kept"


@pytest.mark.parametrize(
    ("dated", "words"),
    [
        (ago(-1), "still to come"),
        (ago(40, until=TODAY - timedelta(days=40)), "ends before it begins"),
        (ago(40, until=TODAY - timedelta(days=50)), "ends before it begins"),
    ],
)
def test_what_cannot_be_past_is_refused(tx: Connection, dated: DatedPrice, words: str) -> None:
    told = take(tx, replace(dated, row=17), ago(50))
    [problem] = told.problems
    assert problem.row == 17
    assert words in problem.reason
    assert told.decision is Decision.ACCEPTED, "the other is taken"
    assert len(kept(tx)) == 1


def test_prices_of_one_day_are_apart_by_kind(tx: Connection) -> None:
    take(tx, ago(40, 120), ago(40, 80, kind=PastKind.PROMOTION), ago(40, 70, kind=PastKind.MEMBER))
    assert len(kept(tx)) == 3


def test_an_unknown_product_has_no_past(tx: Connection) -> None:
    entry = Entry(store_id=STORE, sku=Sku("nope"), currency="EUR", history=(ago(3),))
    [result] = take_entries(tx, OLD, [entry], NOON, actor="t", batch_id=None).results
    assert result.decision is Decision.REJECTED
    assert count(tx, past_table) == 0


def test_a_price_of_nothing_refuses_the_product(tx: Connection) -> None:
    assert take(tx, ago(3, 0)).decision is Decision.REJECTED
    assert kept(tx) == []


def test_the_lowest_price_says_whose_word_it_rests_on(tx: Connection) -> None:
    number = batches.begin_batch(
        tx, NOON, store_id=STORE, source=OLD.source_id, actor="t", title="history.csv"
    )
    take(tx, ago(45, 99), ago(20, 89), ago(10, 105), batch_id=number)
    found = lowest_price_of(tx, a_store(), Sku("sku-0"), NOON + timedelta(days=2))
    assert found is not None
    assert (found.lowest.price_minor, found.lowest.basis) == (89, Basis.HISTORY)
    assert (found.lowest.sources, found.files) == (("old",), ((number, "history.csv"),))
    assert lowest_price_of(tx, a_store(), Sku("sku-1"), NOON) is None, "nothing is claimed"


def test_after_thirty_days_here_nothing_else_counts(tx: Connection) -> None:
    take(tx, ago(45, 9))
    found = lowest_price_of(tx, a_store(), Sku("sku-0"), NOON + timedelta(days=31))
    assert found is not None
    assert (found.lowest.price_minor, found.lowest.basis) == (129, Basis.OBSERVED)


def test_a_stated_low_is_the_last_resort_and_named_as_such(tx: Connection) -> None:
    entry = Entry(store_id=STORE, sku=Sku("sku-0"), currency="EUR", lowest_30d_minor=119)
    take_entries(tx, OLD, [entry], NOON, actor="t", batch_id=None)
    found = lowest_price_of(tx, a_store(), Sku("sku-0"), NOON)
    assert found is not None
    assert (found.lowest.price_minor, found.lowest.basis) == (119, Basis.STATED)
    assert (found.lowest.sources, found.lowest.stated_on) == (("old",), TODAY)
    later = NOON + timedelta(days=29)
    again = lowest_price_of(tx, a_store(), Sku("sku-0"), later)
    assert again is not None, "it is still its word"


def test_a_batch_that_is_rolled_back_takes_its_past_along(tx: Connection) -> None:
    number = batches.begin_batch(
        tx, NOON, store_id=STORE, source=OLD.source_id, actor="t", title="history.csv"
    )
    take(tx, ago(45, 99), batch_id=number)
    batch_services.roll_back(tx, STORE, number, NOON, actor="t", reason="wrong file")
    assert kept(tx) == []
