"""Products page by page, with their prices and the labels that speak for them."""

from dataclasses import dataclass

from sqlalchemy import Connection, exists, func, select

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.pricing import CurrentPrice
from esl.domain.product import Product
from esl.store.products import current_prices, product_from
from esl.store.tables import pairings, prices, products
from esl.store.upsert import in_batches


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedProduct:
    """A product, the price that holds, and its labels by id."""

    product: Product
    price: CurrentPrice | None
    labels: tuple[LabelId, ...]


def page_of_products(
    tx: Connection, store_id: StoreId, *, start: int, limit: int
) -> list[ListedProduct]:
    """List a store's products by SKU, ``limit`` of them from the ``start``-th on, from 0."""
    query = (
        select(products)
        .where(products.c.store_id == store_id)
        .order_by(products.c.sku)
        .limit(limit)
        .offset(start)
    )
    return _with_prices(tx, store_id, [product_from(row) for row in tx.execute(query)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which products: what is None does not matter."""

    category: str | None = None
    brand: str | None = None
    name: str | None = None  # how it begins
    is_priced: bool | None = None
    is_paired: bool | None = None


def products_after(
    tx: Connection, store_id: StoreId, which: Which, *, after: str, limit: int
) -> list[ListedProduct]:
    """List a store's products by SKU behind one, at most ``limit`` of those that fit."""
    query = select(products).where(products.c.store_id == store_id, products.c.sku > after)
    if which.category is not None:
        query = query.where(products.c.category == which.category)
    if which.brand is not None:
        query = query.where(products.c.brand == which.brand)
    if which.name is not None:
        query = query.where(products.c.name.startswith(which.name, autoescape=True))
    for table, wanted in ((prices, which.is_priced), (pairings, which.is_paired)):
        if wanted is not None:
            of_it = exists().where(
                table.c.store_id == products.c.store_id, table.c.sku == products.c.sku
            )
            query = query.where(of_it if wanted else ~of_it)
    ordered = query.order_by(products.c.sku).limit(limit)
    return _with_prices(tx, store_id, [product_from(row) for row in tx.execute(ordered)])


def product_on_its_page(tx: Connection, store_id: StoreId, sku: Sku) -> ListedProduct | None:
    """Load one product as it is listed; None if the store has none with this SKU."""
    query = select(products).where(products.c.store_id == store_id, products.c.sku == sku)
    found = _with_prices(tx, store_id, [product_from(row) for row in tx.execute(query)])
    return found[0] if found else None


def count_products(tx: Connection, store_id: StoreId) -> int:
    """Count a store's products."""
    query = select(func.count()).select_from(products).where(products.c.store_id == store_id)
    return int(tx.execute(query).scalar_one())


def _with_prices(tx: Connection, store_id: StoreId, found: list[Product]) -> list[ListedProduct]:
    skus = [product.sku for product in found]
    holding = current_prices(tx, store_id, skus)
    paired: dict[Sku, list[LabelId]] = {}
    for batch in in_batches(skus):
        of_them = (
            select(pairings.c.sku, pairings.c.label_id)
            .where(pairings.c.store_id == store_id, pairings.c.sku.in_(batch))
            .order_by(pairings.c.label_id)
        )
        for row in tx.execute(of_them):
            paired.setdefault(Sku(row.sku), []).append(LabelId(row.label_id))
    return [
        ListedProduct(
            product=product,
            price=holding.get(product.sku),
            labels=tuple(paired.get(product.sku, ())),
        )
        for product in found
    ]
