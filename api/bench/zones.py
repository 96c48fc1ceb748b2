"""``esl bench zones``: how long a change of a zone takes to be accepted, and to reach its stores.

::

    accept    read, check, write down for every store, commit: what whoever asks waits for
    tell      all stores have it in their books, in pieces beside which other prices are taken

The stores sell the products that change; guards are on. SQLite in a temporary
folder, one core.
"""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

from sqlalchemy import Connection

from esl.domain.ids import Sku, StoreId
from esl.domain.place import Store
from esl.domain.pricing import PriceChange
from esl.domain.product import Product
from esl.domain.zone import PriceZone
from esl.intake.product_json import ProductPut
from esl.intake.zone_json import ZoneWords, parse_zone_changes
from esl.services import catalogue
from esl.services.zones import places, saying, telling
from esl.store import zone_tasks
from esl.store.database import Database
from esl.store.migrate import migrate

ROUNDS: Final = 5

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_ZONE = "bench"
_WHO = "bench"


def measure_zones(stores: int, products: int, *, rounds: int = ROUNDS) -> dict[str, Any]:
    """Change so many products of a zone with so many stores, and take the median of the rounds."""
    with tempfile.TemporaryDirectory(prefix="esl-bench-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'esl.db'}")
        try:
            migrate(database, _NOON)
            _build(database, stores, products)
            took = [_round(database, products, number) for number in range(rounds)]
        finally:
            database.close()
    accepted = [one[0] for one in took]
    told = [one[1] for one in took]
    return {
        "stores": stores,
        "products": products,
        "accepted_ms": round(median(accepted) * 1000, 1),
        "accepted_worst_ms": round(max(accepted) * 1000, 1),
        "told_s": round(median(told), 2),
        "prices_a_second": round(stores * products / median(told)),
        "longest_piece_ms": round(max(one[2] for one in took) * 1000, 1),
    }


def _build(database: Database, stores: int, products: int) -> None:
    ids = [StoreId(f"store-{number}") for number in range(stores)]
    with database.writing.begin() as tx:
        for store_id in ids:
            catalogue.put_store(tx, _store(store_id), _NOON)
            put = [
                ProductPut(product=Product(store_id=store_id, sku=sku, name=sku), price=None)
                for sku in _skus(products)
            ]
            catalogue.put_products(tx, store_id, put, _NOON, actor=_WHO)
        zone = PriceZone(zone_id=_ZONE, name=_ZONE, currency="EUR", stores=frozenset(ids))
        places.put_zone(tx, zone, _NOON, actor=_WHO)


def _round(database: Database, products: int, number: int) -> tuple[float, float, float]:
    """Return the seconds until it was accepted, until all stores were told, and of a piece."""
    now = _NOON + timedelta(hours=number)
    price = f"1.{10 + number}"
    words = ZoneWords(
        currency=None, changes=[{"sku": sku, "price": price} for sku in _skus(products)]
    )
    began = time.perf_counter()
    changes = parse_zone_changes(words, currency="EUR")
    with database.writing.begin() as tx:
        _say(tx, changes, now)
    accepted = time.perf_counter() - began
    began, longest = time.perf_counter(), 0.0
    with database.read() as tx:
        waiting = zone_tasks.stores_waiting(tx, most=1_000_000)
    while waiting:
        begins = time.perf_counter()
        with database.writing.begin() as tx:
            _, done = telling.tell_some(tx, waiting, now)
        waiting = waiting[done:]
        longest = max(longest, time.perf_counter() - begins)
    return accepted, time.perf_counter() - began, longest


def _say(tx: Connection, changes: list[PriceChange], now: datetime) -> None:
    accepted = saying.say_prices(tx, _ZONE, changes, now, actor=_WHO)
    if accepted.change_id is None:
        raise AssertionError("a new price is a change")


def _skus(products: int) -> list[Sku]:
    return [Sku(f"sku-{number:05}") for number in range(products)]


def _store(store_id: StoreId) -> Store:
    return Store(
        store_id=store_id,
        name=store_id,
        currency="EUR",
        locale="hr_HR",
        timezone="Europe/Zagreb",
        link_base=None,
    )
