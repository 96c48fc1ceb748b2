"""Prices by hand on SQLite and PostgreSQL: taken, told in the history, undone; products found."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from esl.domain.errors import Conflict, Forbidden, InvalidInput
from esl.domain.ids import Sku
from esl.domain.pricing import Decision
from esl.services import batches, catalogue, hand_prices, journal
from esl.services.finding import find_products
from esl.services.hand_prices import HAND, UNDO_WITHIN, ByHand
from esl.store import batches as rows
from esl.store import places, product_pages
from esl.store.database import Database
from esl.store.product_pages import Which
from esl.store.writer import Writer
from tests.builders import NOON, STORE, a_change, a_product, a_store, running_writer

NAMES = {"b-1": "Čaj od šipka", "b-2": "Kruh 2,8 %", "b-3": "Sir_bijeli"}
GTIN = "3850104274862"
NEWEST = 2**53 - 1


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    """A store with three products; the last has no price."""
    with running_writer(database) as running:
        running.write(lambda tx: places.put_store(tx, a_store()))
        items = [
            catalogue.ProductPut(
                product=a_product(sku, name=name, gtin=GTIN if sku == "b-1" else None),
                price=None if sku == "b-3" else a_change(sku, 200),
            )
            for sku, name in NAMES.items()
        ]
        running.write(lambda tx: catalogue.put_products(tx, STORE, items, NOON, actor="till"))
        yield running


def by_hand(
    writer: Writer, sku: str, minor: int, *, minutes: int = 1, actor: str = "ana"
) -> ByHand:
    now = NOON + timedelta(minutes=minutes)
    change = a_change(sku, minor, source=HAND)
    return writer.write(
        lambda tx: hand_prices.change_by_hand(
            tx, STORE, change, now, actor=actor, reason="the rival"
        )
    )


def undo(writer: Writer, batch_id: int, *, minutes: int, actor: str = "ana") -> None:
    now = NOON + timedelta(minutes=minutes)
    writer.write(lambda tx: hand_prices.undo_by_hand(tx, STORE, batch_id, now, actor=actor))


def history(database: Database, sku: str) -> list[tuple[int | None, int | None, str | None]]:
    with database.read() as tx:
        lines = journal.read_product(tx, STORE, Sku(sku), before=NEWEST, most=50)
    return [(line.old_minor, line.new_minor, line.reason) for line in lines]


def test_a_price_by_hand_tells_its_reason_and_is_undone(database: Database, writer: Writer) -> None:
    done = by_hand(writer, "b-1", 219)
    assert done.result.decision is Decision.ACCEPTED
    assert done.batch_id is not None
    assert history(database, "b-1") == [(200, 219, "the rival"), (None, 200, None)]
    with database.read() as tx:
        since = product_pages.prices_since(tx, STORE, [Sku("b-1"), Sku("b-3")])
        move = rows.moves_of(tx, STORE, done.batch_id, [Sku("b-1"), Sku("b-2")])
    assert since == {"b-1": (NOON + timedelta(minutes=1), HAND)}
    assert move == {"b-1": (200, 219, "EUR")}
    undo(writer, done.batch_id, minutes=5)
    assert [line[:2] for line in history(database, "b-1")] == [(219, 200), (200, 219), (None, 200)]


def test_only_ones_own_and_only_for_a_while(writer: Writer) -> None:
    done = by_hand(writer, "b-1", 219)
    assert done.batch_id is not None
    with pytest.raises(Forbidden):
        undo(writer, done.batch_id, minutes=2, actor="bo")
    late = 2 + UNDO_WITHIN // timedelta(minutes=1)
    with pytest.raises(Forbidden):
        undo(writer, done.batch_id, minutes=late)
    undo(writer, done.batch_id, minutes=3)
    with pytest.raises(Conflict):
        undo(writer, done.batch_id, minutes=4)


def test_what_somebody_said_since_stays(database: Database, writer: Writer) -> None:
    done = by_hand(writer, "b-1", 219)
    assert done.batch_id is not None
    by_hand(writer, "b-1", 229, minutes=2)
    with pytest.raises(Conflict, match="since"):
        undo(writer, done.batch_id, minutes=3)
    assert history(database, "b-1")[0][:2] == (219, 229)


def test_one_that_is_held_back_waits_and_its_undo_takes_it_away(
    database: Database, writer: Writer
) -> None:
    done = by_hand(writer, "b-2", 2000)
    assert done.result.decision is Decision.QUARANTINED
    assert done.batch_id is not None
    assert len(history(database, "b-2")) == 1
    undo(writer, done.batch_id, minutes=2)
    with pytest.raises(Conflict):
        undo(writer, done.batch_id, minutes=3)


def test_what_changes_nothing_leaves_no_batch(database: Database, writer: Writer) -> None:
    assert by_hand(writer, "b-1", 200).batch_id is None
    with pytest.raises(InvalidInput):
        by_hand(writer, "nobody", 200)
    with database.read() as tx:
        found = rows.list_batches(tx, STORE, before=None, limit=10)
    assert [one.source for one in found] == ["api"], "the one in which the products came"


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("CAJ sipka", ["b-1"]),
        ("b-", ["b-1", "b-2", "b-3"]),
        ("2,8 %", ["b-2"]),
        ("sir_", ["b-3"]),
        ("0104274", ["b-1"]),
        ("none of these", []),
    ],
)
def test_products_are_found_by_any_words(
    database: Database, writer: Writer, search: str, found: list[str]
) -> None:
    del writer
    with database.read() as tx:
        assert find_products(tx, STORE, Which(), search, after="", limit=9) == found
        rest = find_products(tx, STORE, Which(), search, after="b-1", limit=1)
    assert rest == [sku for sku in found if sku > "b-1"][:1]


def test_a_delisted_product_is_one_whose_price_was_taken_away(
    database: Database, writer: Writer
) -> None:
    done = by_hand(writer, "b-3", 300)
    assert done.batch_id is not None
    batch_id, now = done.batch_id, NOON + timedelta(hours=1)
    writer.write(lambda tx: batches.roll_back(tx, STORE, batch_id, now, actor="t", reason="x"))
    with database.read() as tx:
        gone = product_pages.products_after(tx, STORE, Which(is_delisted=True), after="", limit=9)
        others = product_pages.products_after(
            tx, STORE, Which(is_delisted=False), after="", limit=9
        )
    assert [one.product.sku for one in gone] == ["b-3"]
    assert [one.product.sku for one in others] == ["b-1", "b-2"]
