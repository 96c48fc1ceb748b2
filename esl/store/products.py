"""Products, their current prices and every price event: rows in and out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from esl.domain.errors import UnknownProduct
from esl.domain.face import Unit
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import CurrentPrice, Decision, PriceChange
from esl.domain.product import NetContent, Product
from esl.store.columns import AnyRow
from esl.store.tables import price_events, prices, products, source_positions
from esl.store.upsert import in_batches, insert_or_update


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEvent:
    """One change as it was received, with what became of it. Append only."""

    change: PriceChange
    was_minor: int | None
    unit_price_minor: int | None
    badge: str | None
    decision: Decision
    rev: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePosition:
    """How far a source's changes of one product have come."""

    last_seq: int | None
    last_time: datetime | None


class SaidPrice(NamedTuple):
    """What a source said of a product, in minor units."""

    price_minor: int
    was_minor: int | None
    unit_price_minor: int | None
    badge: str | None


def put_products(tx: Connection, put: Sequence[Product], rev: int) -> None:
    """Add products, or replace what is known of them."""
    for batch in in_batches(put):
        insert_or_update(tx, products, [_product_row(product, rev) for product in batch])


def products_by_sku(tx: Connection, store_id: StoreId, skus: Iterable[Sku]) -> dict[Sku, Product]:
    """Load products of one store; unknown SKUs are left out."""
    found: dict[Sku, Product] = {}
    for batch in in_batches(list(skus)):
        query = select(products).where(products.c.store_id == store_id, products.c.sku.in_(batch))
        for row in tx.execute(query):
            found[Sku(row.sku)] = product_from(row)
    return found


def product_named(tx: Connection, store_id: StoreId, sku: Sku) -> Product:
    """Look a product up.

    Raises:
        UnknownProduct: The store has none with this SKU.
    """
    found = products_by_sku(tx, store_id, [sku])
    if sku not in found:
        raise UnknownProduct(f"store {store_id!r} has no product {sku!r}")
    return found[sku]


def lock_products(tx: Connection, store_id: StoreId, skus: Iterable[Sku]) -> set[Sku]:
    """Lock the rows of these products until the transaction ends; return those there are.

    What a product's labels show and what its sources said is decided under this lock: a pairing
    and a price change at the same time would else not see each other on PostgreSQL. Locks are
    taken in one order everywhere: store, products, labels, then the revision.
    """
    known: set[Sku] = set()
    for batch in in_batches(sorted(set(skus))):
        query = (
            select(products.c.sku)
            .where(products.c.store_id == store_id, products.c.sku.in_(batch))
            .order_by(products.c.sku)
            .with_for_update()
        )
        known.update(Sku(row.sku) for row in tx.execute(query))
    return known


def current_prices(
    tx: Connection, store_id: StoreId, skus: Iterable[Sku]
) -> dict[Sku, CurrentPrice]:
    """Load the prices that hold; products without one are left out."""
    found: dict[Sku, CurrentPrice] = {}
    for batch in in_batches(list(skus)):
        query = select(prices).where(prices.c.store_id == store_id, prices.c.sku.in_(batch))
        for row in tx.execute(query):
            found[Sku(row.sku)] = CurrentPrice(**row._asdict())
    return found


def currencies_of_prices(tx: Connection, store_id: StoreId) -> set[str]:
    """Say in which currencies a store's prices are: in one, or it has no prices."""
    query = select(prices.c.currency).where(prices.c.store_id == store_id).distinct()
    return set(tx.execute(query).scalars())


def has_deposits(tx: Connection, store_id: StoreId) -> bool:
    """Say whether a store has products with a deposit: an amount in the currency of the store."""
    query = select(products.c.sku).where(
        products.c.store_id == store_id, products.c.deposit_minor.is_not(None)
    )
    return tx.execute(query.limit(1)).first() is not None


def put_prices(tx: Connection, put: Sequence[CurrentPrice]) -> None:
    """Set the prices that hold from now on."""
    for batch in in_batches(put):
        rows = [
            {
                "store_id": p.store_id,
                "sku": p.sku,
                "price_minor": p.price_minor,
                "currency": p.currency,
                "was_minor": p.was_minor,
                "unit_price_minor": p.unit_price_minor,
                "badge": p.badge,
                "rev": p.rev,
            }
            for p in batch
        ]
        insert_or_update(tx, prices, rows)


def log_price_events(
    tx: Connection, events: Sequence[PriceEvent], *, actor: str, now: datetime
) -> None:
    """Write down what was received, once each, with what became of it."""
    for batch in in_batches(events):
        rows = [
            {
                "store_id": e.change.store_id,
                "sku": e.change.sku,
                "source": e.change.source,
                "source_seq": e.change.source_seq,
                "source_time": e.change.source_time,
                "price_minor": e.change.price_minor,
                "currency": e.change.currency,
                "was_minor": e.was_minor,
                "unit_price_minor": e.unit_price_minor,
                "badge": e.badge,
                "decision": e.decision.value,
                "rev": e.rev,
                "actor": actor,
                "received_at": now,
            }
            for e in batch
        ]
        tx.execute(insert(price_events), rows)


def source_positions_of(
    tx: Connection, store_id: StoreId, source: SourceId, skus: Iterable[Sku]
) -> dict[Sku, SourcePosition]:
    """Load how far a source has come with these products."""
    found: dict[Sku, SourcePosition] = {}
    for batch in in_batches(list(skus)):
        query = select(
            source_positions.c.sku, source_positions.c.last_seq, source_positions.c.last_time
        ).where(
            source_positions.c.store_id == store_id,
            source_positions.c.source == source,
            source_positions.c.sku.in_(batch),
        )
        for row in tx.execute(query):
            found[Sku(row.sku)] = SourcePosition(last_seq=row.last_seq, last_time=row.last_time)
    return found


def prices_numbered(
    tx: Connection, store_id: StoreId, source: SourceId, numbers: Mapping[Sku, int]
) -> dict[Sku, SaidPrice]:
    """Load what a source said of products under these sequence numbers."""
    found: dict[Sku, SaidPrice] = {}
    for batch in in_batches(list(numbers)):
        query = (
            select(
                price_events.c.sku,
                price_events.c.source_seq,
                price_events.c.price_minor,
                price_events.c.was_minor,
                price_events.c.unit_price_minor,
                price_events.c.badge,
            )
            .where(
                price_events.c.store_id == store_id,
                price_events.c.source == source,
                price_events.c.sku.in_(batch),
                price_events.c.source_seq.in_({numbers[sku] for sku in batch}),
            )
            .order_by(price_events.c.event_id)
        )
        for row in tx.execute(query):
            if row.source_seq == numbers[Sku(row.sku)]:
                found.setdefault(Sku(row.sku), SaidPrice(*row[2:]))
    return found


def put_source_positions(
    tx: Connection, store_id: StoreId, source: SourceId, reached: dict[Sku, SourcePosition]
) -> None:
    """Note how far a source has come."""
    rows = [
        {
            "store_id": store_id,
            "sku": sku,
            "source": source,
            "last_seq": position.last_seq,
            "last_time": position.last_time,
        }
        for sku, position in reached.items()
    ]
    for batch in in_batches(rows):
        insert_or_update(tx, source_positions, batch)


def product_from(row: AnyRow) -> Product:
    """Make a product of a row that holds its columns."""
    content = (
        NetContent(milli=row.content_milli, unit=Unit(row.content_unit))
        if row.content_milli is not None
        else None
    )
    return Product(
        store_id=StoreId(row.store_id),
        sku=Sku(row.sku),
        name=row.name,
        brand=row.brand,
        category=row.category,
        gtin=row.gtin,
        net_content=content,
        priced_per=Unit(row.priced_per) if row.priced_per is not None else None,
        link=row.link,
        origin=row.origin,
        stock=row.stock,
        deposit_minor=row.deposit_minor,
    )


def _product_row(product: Product, rev: int) -> dict[str, object]:
    content = product.net_content
    return {
        "store_id": product.store_id,
        "sku": product.sku,
        "name": product.name,
        "brand": product.brand,
        "category": product.category,
        "gtin": product.gtin,
        "content_milli": content.milli if content else None,
        "content_unit": content.unit.value if content else None,
        "priced_per": product.priced_per.value if product.priced_per else None,
        "link": product.link,
        "origin": product.origin,
        "stock": product.stock,
        "deposit_minor": product.deposit_minor,
        "rev": rev,
    }
