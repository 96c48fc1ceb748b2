"""Products that a complete list left out: rows in and out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, select

from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.source import PRICE_FIELD
from esl.store.bulk import Bulk
from esl.store.desk import owners_from
from esl.store.tables import missing_products, prices, products
from esl.store.upsert import in_batches

_NOTE: Final = Bulk(
    """
    INSERT INTO missing_product (store_id, sku, source, batch_id, noted_at)
    SELECT :store, {item}, :source, CAST(:batch AS bigint), :now FROM {rows} WHERE true
    ON CONFLICT (store_id, sku) DO UPDATE SET source = excluded.source,
        batch_id = excluded.batch_id, noted_at = excluded.noted_at
    """
)
_FORGET: Final = Bulk(
    "DELETE FROM missing_product WHERE store_id = :store AND sku IN (SELECT {item} FROM {rows})"
)
_ANY: Final = Bulk("SELECT 1 FROM missing_product WHERE store_id = :store LIMIT 1")


def priced_by(tx: Connection, store_id: StoreId, source: SourceId) -> list[Sku]:
    """List the products that have a price, and have it from a source."""
    query = (
        select(products.c.sku, products.c.owners)
        .join(prices, (prices.c.store_id == products.c.store_id) & (prices.c.sku == products.c.sku))
        .where(products.c.store_id == store_id, products.c.owners.is_not(None))
        .order_by(products.c.sku)
    )
    return [
        Sku(row.sku)
        for row in tx.execute(query)
        if owners_from(row.owners).get(PRICE_FIELD) == source
    ]


def note_missing(
    tx: Connection,
    store_id: StoreId,
    skus: Sequence[Sku],
    now: datetime,
    *,
    source: SourceId,
    batch_id: int,
) -> None:
    """Note products that wait for a person before they are retired."""
    _NOTE.run(tx, list(skus), store=store_id, source=source, batch=batch_id, now=now)


def missing_of(tx: Connection, store_id: StoreId, batch_id: int) -> list[Sku]:
    """List what a batch left out and still waits."""
    query = select(missing_products.c.sku).where(
        missing_products.c.store_id == store_id, missing_products.c.batch_id == batch_id
    )
    return sorted(Sku(sku) for sku in tx.execute(query).scalars())


def count_missing(tx: Connection, store_id: StoreId) -> list[tuple[SourceId, int, int]]:
    """Count what waits: (source, batch, products)."""
    query = (
        select(missing_products.c.source, missing_products.c.batch_id, func.count().label("many"))
        .where(missing_products.c.store_id == store_id)
        .group_by(missing_products.c.source, missing_products.c.batch_id)
        .order_by(missing_products.c.batch_id)
    )
    return [(SourceId(r.source), int(r.batch_id), int(r.many)) for r in tx.execute(query)]


def forget_missing(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> None:
    """Forget that products were left out: they are listed again, or retired."""
    for batch in in_batches(skus):
        _FORGET.run(tx, list(batch), store=store_id)


def forget_of_source(tx: Connection, store_id: StoreId, source: SourceId) -> None:
    """Forget what earlier lists of a source left out: there is a newer one."""
    tx.execute(
        delete(missing_products).where(
            missing_products.c.store_id == store_id, missing_products.c.source == source
        )
    )


def any_missing(tx: Connection, store_id: StoreId) -> bool:
    """Say whether anything of a store waits."""
    return bool(_ANY.run(tx, store=store_id))
