"""Both roads of taking in reports do the same on PostgreSQL too; and prices, in bulk."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from esl.domain.errors import InvalidInput
from esl.domain.ids import Sku, SourceId
from esl.domain.label import Lane
from esl.domain.pricing import Decision
from esl.services.pricing import apply_price_changes
from esl.store import labels, places, products
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.price_intake import SourcePosition, source_positions
from esl.store.tables import price_events
from tests.builders import GATEWAY, NOON, STORE, a_change, a_store, build_shelf, label_id
from tests.unit.esl.services.report_twists import (
    AWAY,
    OTHER_STORE,
    every_twist,
    in_bulk,
    one_by_one,
    put_shop,
    tried,
)

LATER = NOON + timedelta(minutes=9, microseconds=7)
TILL = SourceId("till")


@pytest.fixture
def database(fresh_postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_postgres_url)
    migrate(opened, NOON)
    with opened.writing.begin() as tx:
        build_shelf(tx, labels_count=0, gateways=[GATEWAY, AWAY])
        places.put_store(tx, a_store(OTHER_STORE))
    yield opened
    opened.close()


def test_both_roads_do_the_same_on_postgresql(database: Database) -> None:
    rows, told, heard = every_twist()
    with database.writing.connect() as tx, tx.begin() as undone:
        put_shop(tx, rows, told)
        (taken, books), (taken_one_by_one, books_one_by_one) = (
            tried(tx, road, heard) for road in (in_bulk, one_by_one)
        )
        assert books[0] == books_one_by_one[0]
        assert books[1] == books_one_by_one[1]
        assert taken == taken_one_by_one
        undone.rollback()


def test_prices_positions_and_wishes_are_what_they_are_on_sqlite(database: Database) -> None:
    def change(sku: str, price_minor: int, seq: int, **more: object) -> object:
        said = {"source": TILL, "source_seq": seq, "source_time": LATER} | more
        return a_change(sku, price_minor, **said)

    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=2, price_minor=None)
        changes = [change("sku-0", 199, 5), change("sku-1", 299, 2**40, badge='"ž\\')]
        applied = apply_price_changes(tx, STORE, changes, NOON, actor="tests")  # type: ignore[arg-type]
        assert [r.decision for r in applied.results] == [Decision.ACCEPTED] * 2
        assert applied.labels == (label_id(0), label_id(1))
        [first, second] = [
            products.current_prices(tx, STORE, [Sku(s)])[Sku(s)] for s in ("sku-0", "sku-1")
        ]
        assert (first.price_minor, second.price_minor, second.badge) == (199, 299, '"ž\\')
        assert source_positions(tx, STORE, [(TILL, Sku("sku-1")), (TILL, Sku("sku-2"))]) == {
            (TILL, Sku("sku-1")): SourcePosition(2**40, LATER)
        }
        again = apply_price_changes(tx, STORE, changes, NOON, actor="tests")  # type: ignore[arg-type]
        assert {r.decision for r in again.results} == {Decision.UNCHANGED}
        with pytest.raises(InvalidInput, match="another price"):
            apply_price_changes(tx, STORE, [change("sku-0", 1, 5)], NOON, actor="tests")  # type: ignore[list-item]
        late = apply_price_changes(tx, STORE, [change("sku-0", 1, 4)], NOON, actor="tests")  # type: ignore[list-item]
        assert late.results[0].decision is Decision.SUPERSEDED
        event = tx.execute(select(price_events).order_by(price_events.c.event_id)).all()[-1]
        assert (event.source_time, event.received_at, event.rev) == (LATER, NOON, None)


def test_a_wish_keeps_a_more_urgent_lane_and_the_newest_revision(database: Database) -> None:
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=2)
        labels.want(tx, [label_id(0)], 900, NOON, lane=Lane.CORRECTION)
        labels.want(tx, [label_id(0), label_id(1)], 800, LATER, lane=Lane.NORMAL)
        first, second = labels.label_named(tx, label_id(0)), labels.label_named(tx, label_id(1))
    assert (first.wanted_rev, first.lane, first.due_at) == (900, Lane.CORRECTION, LATER)
    assert (second.wanted_rev, second.lane) == (800, Lane.NORMAL)
