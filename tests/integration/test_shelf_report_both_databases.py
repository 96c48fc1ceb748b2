"""What the glass reported against what the till says, of every label of a store."""

import pytest
from sqlalchemy import Connection, insert, update

from esl.domain.ids import SourceId
from esl.domain.shelf_report import Comparison, ShelfItem, summarise
from esl.services.pricing import apply_price_changes
from esl.store.database import Database
from esl.store.shelf_report import shelf_items
from esl.store.tables import absent_labels, labels, offers, till_settings
from tests.builders import NOON, STORE, a_change, build_shelf, label_id, revs_of

TILL = SourceId("till")


@pytest.fixture
def database(either_database: Database) -> Database:
    """A shelf of five products at 1.00; every label but the last shows what it should."""
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=5, price_minor=100)
        settle(tx, *range(4))
    return either_database


def settle(tx: Connection, *numbers: int) -> None:
    rev = labels.c.wanted_rev
    done = {"shown_rev": rev, "settled_rev": rev, "sent_rev": rev, "due_at": None}
    ids = [label_id(n) for n in numbers]
    tx.execute(update(labels).where(labels.c.label_id.in_(ids)).values(done))


def change(tx: Connection, sku: str, price_minor: int) -> None:
    changes = [a_change(sku, price_minor, source=TILL)]
    apply_price_changes(tx, STORE, changes, NOON, actor="till")


def items(tx: Connection) -> list[ShelfItem]:
    return shelf_items(tx, STORE)


def test_labels_that_follow_are_right_and_those_under_way_are_not(database: Database) -> None:
    with database.writing.begin() as tx:
        change(tx, "sku-0", 110)
        change(tx, "sku-1", 90)
        change(tx, "sku-2", 120)
        settle(tx, 2)
        found = items(tx)
        assert [(one.shelf_minor, one.till_minor) for one in found] == [
            (100, 110),
            (100, 90),
            (120, 120),
            (100, 100),
            (None, 100),  # it never said anything
        ]
        summary = summarise(found)
        assert (summary.checked, summary.right) == (4, 2)
        assert (summary.overcharges, summary.undercharges, summary.unverified) == (1, 1, 1)
        assert revs_of(tx)


def test_a_label_two_changes_behind_shows_what_held_by_its_revision(database: Database) -> None:
    with database.writing.begin() as tx:
        change(tx, "sku-0", 110)
        settle(tx, 0)
        change(tx, "sku-0", 130)
        change(tx, "sku-0", 140)
        first = items(tx)[0]
        assert (first.shelf_minor, first.till_minor) == (110, 140)
        assert first.comparison is Comparison.OVERCHARGE


def test_a_promotion_counts_at_the_till_where_somebody_tells_it(database: Database) -> None:
    with database.writing.begin() as tx:
        offer = {"price_minor": 80, "rev": 99, "promotions": "p", "reason": "{}"}
        tx.execute(insert(offers).values(store_id=STORE, sku="sku-0", **offer))
        assert items(tx)[0].comparison is Comparison.OVERCHARGE, "nobody tells the till"
        tx.execute(insert(till_settings).values(store_id=STORE, channel="own"))
        assert items(tx)[0].comparison is Comparison.RIGHT


def test_neutral_and_absent_labels_say_no_price(database: Database) -> None:
    with database.writing.begin() as tx:
        tx.execute(
            update(labels)
            .where(labels.c.label_id == label_id(0))
            .values(refused_rev=labels.c.wanted_rev)
        )
        tx.execute(
            insert(absent_labels).values(
                label_id=label_id(1),
                store_id=STORE,
                attested_at=NOON,
                attested_by="ana",
                reason="fell",
            )
        )
        found = items(tx)
        assert found[0].comparison is Comparison.UNVERIFIED
        assert label_id(1) not in {one.label_id for one in found}
        assert shelf_items(tx, type(STORE)("nowhere")) == []
