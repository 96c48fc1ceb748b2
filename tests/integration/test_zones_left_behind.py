"""Stores that wait to be told keep nothing that their zone clears or loses meanwhile."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from esl.domain.errors import Conflict
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import PriceChange
from esl.domain.zone import CHAIN, PriceZone
from esl.intake.product_json import ProductPut
from esl.services import catalogue
from esl.services.zones import places, saying, telling
from esl.store import products, zone_tasks
from esl.store.database import Database
from tests.builders import NOON, a_product, a_store, believe_every_price

COAST = "coast"
HERE, THERE = StoreId("here"), StoreId("there")
MILK, BREAD = Sku("milk"), Sku("bread")
LATER = NOON + timedelta(hours=1)
ME = "token:7"


def build(tx: Connection, store_id: StoreId, currency: str = "EUR") -> None:
    """A store that sells milk and bread, without prices."""
    catalogue.put_store(tx, a_store(store_id, currency=currency), NOON)
    believe_every_price(tx, store_id)
    put = [
        ProductPut(product=a_product(sku, store_id=store_id), price=None) for sku in (MILK, BREAD)
    ]
    catalogue.put_products(tx, store_id, put, NOON, actor="tests")


@pytest.fixture
def database(either_database: Database) -> Database:
    """Two stores in the zone ``coast``, where the chain says less than the zone."""
    with either_database.writing.begin() as tx:
        build(tx, HERE)
        build(tx, THERE)
        places.put_zone(tx, coast(HERE, THERE), NOON, actor=ME)
        say(tx, CHAIN, (MILK, 100), (BREAD, 200))
        say(tx, COAST, (MILK, 110), (BREAD, 210))
    tell_all(either_database)
    assert prices(either_database, HERE) == prices(either_database, THERE) == [110, 210]
    return either_database


def coast(*of: StoreId) -> PriceZone:
    return PriceZone(zone_id=COAST, name=COAST, currency="EUR", stores=frozenset(of))


def say(
    tx: Connection, zone_id: str, *said: tuple[Sku, int], currency: str = "EUR"
) -> saying.Accepted:
    changes = [
        PriceChange(
            store_id=StoreId(""),
            sku=sku,
            price_minor=minor,
            currency=currency,
            source=SourceId("erp"),
        )
        for sku, minor in said
    ]
    return saying.say_prices(tx, zone_id, changes, LATER, actor=ME)


def tell_all(database: Database) -> None:
    for _ in range(1000):
        with database.read() as tx:
            waiting = zone_tasks.stores_waiting(tx, most=200)
        if not waiting:
            return
        with database.writing.begin() as tx:
            telling.tell_some(tx, waiting, LATER)
    raise AssertionError("stores wait for ever")


def prices(
    database: Database, store_id: StoreId, skus: Sequence[Sku] = (MILK, BREAD)
) -> list[int | None]:
    with database.read() as tx:
        held = products.current_prices(tx, store_id, list(skus))
    return [held[sku].price_minor if sku in held else None for sku in skus]


def test_what_a_zone_clears_goes_also_from_a_store_that_has_just_left_it(
    database: Database,
) -> None:
    with database.writing.begin() as tx:
        places.move_store(tx, THERE, None, LATER, actor=ME)
        saying.clear_prices(tx, COAST, [MILK], LATER, actor=ME)
    tell_all(database)
    assert prices(database, THERE) == [100, 200]
    assert prices(database, HERE) == [100, 210]


def test_a_zone_that_is_forgotten_at_once_leaves_no_price_behind(database: Database) -> None:
    with database.writing.begin() as tx:
        places.put_zone(tx, coast(), LATER, actor=ME)
        places.delete_zone(tx, COAST, LATER, actor=ME)
    tell_all(database)
    assert prices(database, HERE) == prices(database, THERE) == [100, 200]


def test_the_chain_says_a_product_in_one_currency(database: Database) -> None:
    with database.writing.begin() as tx:
        build(tx, StoreId("seoul"), currency="KRW")
    with database.writing.begin() as tx:
        with pytest.raises(Conflict, match=r"in EUR already.*milk"):
            say(tx, CHAIN, (MILK, 1500), currency="KRW")
        say(tx, CHAIN, (Sku("kimchi"), 5000), currency="KRW")
        saying.clear_prices(tx, CHAIN, [MILK], LATER, actor=ME)
        say(tx, CHAIN, (MILK, 1500), currency="KRW")


def test_stores_are_told_in_the_order_in_which_they_began_to_wait(database: Database) -> None:
    with database.writing.begin() as tx:
        say(tx, COAST, (MILK, 111))
        places.move_store(tx, HERE, None, LATER, actor=ME)
    with database.writing.begin() as tx:
        telling.tell_store(tx, HERE, LATER)
    with database.read() as tx:  # who goes first by name has heard of the first change
        assert zone_tasks.stores_waiting(tx, most=1) == [THERE]
