"""Products and the prices that hold: rows in and out."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, select

from esl.domain.errors import UnknownProduct
from esl.domain.face import Unit
from esl.domain.ids import Sku, StoreId
from esl.domain.pricing import CurrentPrice
from esl.domain.product import NetContent, Product, tags_from, tags_text
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.tables import prices, products
from esl.store.upsert import in_batches, insert_or_update

_LOCK: Final = Bulk(
    """
    SELECT product.sku FROM {rows} CROSS JOIN product
    WHERE product.store_id = :store AND product.sku = j.value->>0
    ORDER BY product.sku {lock[product]}
    """
)
_ADDING: Final = 0x61646473  # "adds"; the first half of the lock's name
_LOCK_NEW: Final = Bulk(
    """
    SELECT pg_advisory_xact_lock(CAST(:lock AS int), hashtext(:store))
    WHERE (SELECT count(*) FROM {rows} CROSS JOIN product
        WHERE product.store_id = :store AND product.sku = {item}) < :many
    """
)
_PRICES: Final = Bulk(
    """
    SELECT price.sku, price.price_minor, price.currency, price.was_minor, price.unit_price_minor,
        price.badge, price.rev, price.regular_minor, price.member_minor, price.multibuy_quantity,
        price.multibuy_minor, price.multibuy_pay_for, price.member_condition
    FROM {rows} CROSS JOIN price WHERE price.store_id = :store AND price.sku = j.value->>0
    """
)


def lock_new_products(tx: Connection, store_id: StoreId, skus: Iterable[Sku]) -> None:
    """Wait for whoever else adds products to the store, if not all of these are there yet.

    Two lists that bring the same new product at the same moment would on PostgreSQL each take it
    for new, and the guards would hold neither price against the other. To be called before
    products are locked, so that nobody waits here who holds one. SQLite has one writer anyway.
    """
    if tx.dialect.name == "sqlite":
        return
    rows = sorted(set(skus))
    if rows:
        _LOCK_NEW.run(tx, rows, store=store_id, lock=_ADDING, many=len(rows))


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
    rows = [[sku] for sku in sorted(set(skus))]
    return {Sku(row[0]) for row in _LOCK.run(tx, rows, store=store_id)}


def current_prices(
    tx: Connection, store_id: StoreId, skus: Iterable[Sku]
) -> dict[Sku, CurrentPrice]:
    """Load the prices that hold; products without one are left out."""
    rows = [[sku] for sku in sorted(set(skus))]
    found: dict[Sku, CurrentPrice] = {}
    for row in _PRICES.run(tx, rows, store=store_id):
        sku, price_minor, currency, was_minor, unit_price_minor, badge, rev, *beside = row
        regular_minor, member_minor, multibuy_quantity, multibuy_minor, pay_for, condition = beside
        found[Sku(sku)] = CurrentPrice(
            store_id=store_id,
            sku=sku,
            price_minor=price_minor,
            currency=currency,
            was_minor=was_minor,
            unit_price_minor=unit_price_minor,
            badge=badge,
            rev=rev,
            regular_minor=regular_minor,
            member_minor=member_minor,
            multibuy_quantity=multibuy_quantity,
            multibuy_minor=multibuy_minor,
            multibuy_pay_for=pay_for,
            member_condition=condition,
        )
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
        tags=tags_from(row.tags),
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
        "tags": tags_text(product.tags),
        "rev": rev,
    }
