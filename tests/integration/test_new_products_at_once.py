"""Two lists bring the same new product at the same moment, on PostgreSQL, in two real threads."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from esl.domain.entry import Entry
from esl.domain.guards import Guards, Reason
from esl.domain.ids import Sku, SourceId
from esl.domain.pricing import Decision
from esl.domain.product import Product
from esl.domain.source import unregistered
from esl.intake.product_json import ProductPut
from esl.services import catalogue, guarding
from esl.services.listening import Taken, take_entries
from esl.store import places, products
from esl.store.database import Database
from esl.store.migrate import migrate
from tests.builders import STORE, a_change, a_store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SKUS = [Sku(f"n-{number}") for number in range(20)]


@pytest.fixture
def database(fresh_postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_postgres_url)
    migrate(opened, NOON)
    with opened.writing.begin() as tx:
        places.put_store(tx, a_store())
        guarding.put_guards(tx, STORE, Guards(), NOON, actor="tests", reason="as usual")
    yield opened
    opened.close()


def entries(price_minor: int, skus: list[Sku]) -> list[Entry]:
    return [
        Entry(store_id=STORE, sku=sku, currency="EUR", name="Kruh", price_minor=price_minor)
        for sku in skus
    ]


class Second(threading.Thread):
    """Somebody else's transaction, begun while ours is open."""

    def __init__(self, database: Database, said: list[Entry]) -> None:
        super().__init__(name="second", daemon=True)
        self.taken: Taken | None = None
        self.failed: BaseException | None = None
        self._database, self._said = database, said

    def run(self) -> None:
        try:
            with self._database.writing.begin() as tx:
                source = unregistered(SourceId("b"), STORE)
                self.taken = take_entries(
                    tx, source, self._said, NOON, actor="token:2", batch_id=None
                )
        except BaseException as exc:  # noqa: BLE001  told to the test
            self.failed = exc

    def waits(self) -> bool:
        with self._database.read() as tx:
            found = tx.exec_driver_sql(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"
            )
            return bool(found.scalar_one())

    def until_it_waits(self) -> None:
        deadline = time.monotonic() + 30
        while not self.waits():
            assert self.failed is None, self.failed
            assert time.monotonic() < deadline, "the second does not wait for the first"
            time.sleep(0.02)

    def end(self) -> Taken:
        self.join(30)
        assert self.failed is None, self.failed
        assert self.taken is not None
        return self.taken


def test_the_second_price_is_held_against_the_first(database: Database) -> None:
    second = Second(database, entries(12_900, SKUS[::-1]))
    with database.writing.begin() as tx:
        first = take_entries(
            tx,
            unregistered(SourceId("a"), STORE),
            entries(129, SKUS),
            NOON,
            actor="token:1",
            batch_id=None,
        )
        second.start()
        second.until_it_waits()
    assert first.count(Decision.ACCEPTED) == len(SKUS)
    taken = second.end()
    assert taken.count(Decision.QUARANTINED) == len(SKUS), "a hundred times the price before"
    assert all(Reason.DECIMAL_SHIFT in result.reasons for result in taken.results)
    with database.read() as tx:
        held = products.current_prices(tx, STORE, SKUS)
    assert {price.price_minor for price in held.values()} == {129}


def test_a_product_put_beside_a_list_is_no_different(database: Database) -> None:
    second = Second(database, entries(12_900, SKUS[:1]))
    with database.writing.begin() as tx:
        product = Product(store_id=STORE, sku=SKUS[0], name="Kruh")
        put = ProductPut(product=product, price=a_change(SKUS[0], 129))
        catalogue.put_products(tx, STORE, [put], NOON, actor="token:1")
        second.start()
        second.until_it_waits()
    [result] = second.end().results
    assert result.decision is Decision.QUARANTINED


def test_nobody_waits_for_products_that_are_there(database: Database) -> None:
    def take(said: list[Entry], name: str) -> None:
        with database.writing.begin() as tx:
            source = unregistered(SourceId(name), STORE)
            take_entries(tx, source, said, NOON, actor="token:1", batch_id=None)

    take(entries(129, SKUS), "a")
    second = Second(database, entries(135, SKUS[:10]))
    with database.writing.begin() as tx:
        source = unregistered(SourceId("a"), STORE)
        more = entries(129, [Sku("another"), *SKUS[10:]])
        take_entries(tx, source, more, NOON, actor="token:1", batch_id=None)
        second.start()
        assert second.end().count(Decision.ACCEPTED) == 10, "while the first is open"
