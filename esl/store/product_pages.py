"""Products page by page, with their prices and the labels that speak for them."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Exists,
    LargeBinary,
    Select,
    Table,
    cast,
    collate,
    exists,
    func,
    or_,
    select,
)

from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.pricing import CurrentPrice, Decision
from esl.domain.product import Product
from esl.store.bulk import Bulk
from esl.store.columns import instant_from
from esl.store.products import current_prices, product_from
from esl.store.tables import pairings, price_events, prices, products
from esl.store.upsert import in_batches

BETWEEN_FIELDS: Final = "\x1f"
BETWEEN_LINES: Final = "\x1e"
"""No name and no SKU has control characters."""

_FIRST_PIECE: Final = 500
_LARGEST_PIECE: Final = 32_000
_CODED_MOST: Final = 500
"""Products of a code that a query names; of more, all are looked through."""

_SINCE: Final = Bulk(
    """
    SELECT e.sku, e.received_at, e.source FROM {rows} CROSS JOIN price AS p
    JOIN price_event AS e ON e.store_id = p.store_id AND e.sku = p.sku AND e.rev = p.rev
    WHERE p.store_id = :store AND p.sku = {item} AND e.layer <> 2
    ORDER BY e.event_id
    """
)


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
    is_delisted: bool | None = None  # no price holds, and one did


class Since(NamedTuple):
    """When the price that holds came to hold, and whose word it is."""

    at: datetime
    source: SourceId


def products_after(
    tx: Connection, store_id: StoreId, which: Which, *, after: str, limit: int
) -> list[ListedProduct]:
    """List a store's products by SKU behind one, at most ``limit`` of those that fit."""
    query = _narrowed(select(products), store_id, which).where(products.c.sku > after)
    ordered = query.order_by(products.c.sku).limit(limit)
    return _with_prices(tx, store_id, [product_from(row) for row in tx.execute(ordered)])


def products_of(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> list[ListedProduct]:
    """Load these products as they are listed, by SKU; unknown ones are left out."""
    query = select(products).where(products.c.store_id == store_id, products.c.sku.in_(skus))
    ordered = query.order_by(products.c.sku)
    return _with_prices(tx, store_id, [product_from(row) for row in tx.execute(ordered)])


class Word(NamedTuple):
    """What a product must have in SKU, name or GTIN, folded; or be one of ``coded``."""

    text: str
    coded: AbstractSet[Sku] = frozenset()


def findable_after(
    tx: Connection, store_id: StoreId, which: Which, words: Sequence[Word], *, after: str
) -> Iterator[str]:
    """Read what those that may fit can be found by, by SKU: a line each, in pieces that grow.

    A line is SKU, name and first GTIN. The database joins them: a row for each product would
    take several times as long as looking through them. It leaves out what certainly lacks a
    word; whoever folds texts says what fits.
    """
    columns = _narrowed(select(products.c.sku, products.c.name, products.c.gtin), store_id, which)
    columns = columns.where(*(_may_have(tx, word) for word in words if _is_for_database(word)))
    size = _FIRST_PIECE
    while True:
        some = columns.where(products.c.sku > after).order_by(products.c.sku).limit(size).subquery()
        fields = (some.c.sku, some.c.name, func.coalesce(some.c.gtin, ""))
        line = fields[0] + BETWEEN_FIELDS + fields[1] + BETWEEN_FIELDS + fields[2]
        joined = select(func.aggregate_strings(line, BETWEEN_LINES), func.max(some.c.sku))
        piece, last = tx.execute(joined).one()
        if last is None:
            return
        yield str(piece)
        after, size = last, min(4 * size, _LARGEST_PIECE)


def _is_for_database(word: Word) -> bool:
    """Say whether databases can tell: of ASCII, where all of them take the same for alike."""
    return word.text.isascii() and len(word.coded) <= _CODED_MOST


def _may_have(tx: Connection, word: Word) -> ColumnElement[bool]:
    """Say of a product whether it may have a word: texts beyond ASCII may, unfolded as they are."""
    fields = (products.c.sku, products.c.name, products.c.gtin)
    if tx.dialect.name == "sqlite":  # its LIKE takes capitals for small letters, of ASCII alone
        has = [one.contains(word.text, autoescape=True) for one in fields]
        beyond = [func.length(cast(one, LargeBinary)) > func.length(one) for one in fields[:2]]
    else:
        has = [func.strpos(func.lower(collate(one, "C")), word.text) > 0 for one in fields]
        beyond = [func.octet_length(one) > func.length(one) for one in fields[:2]]
    return or_(*has, *beyond, products.c.sku.in_(sorted(word.coded)))


def first_by_sku(
    tx: Connection, store_id: StoreId, skus: Sequence[Sku], *, limit: int
) -> list[Sku]:
    """Return the first of these products in the order in which lists come."""
    if len(skus) <= 1:
        return list(skus)
    found: list[Sku] = []
    for batch in in_batches(skus):  # in pieces, each of which has at most so many of the first
        query = select(products.c.sku).where(
            products.c.store_id == store_id, products.c.sku.in_([*found, *batch])
        )
        ordered = query.order_by(products.c.sku).limit(limit)
        found = [Sku(sku) for sku in tx.execute(ordered).scalars()]
    return found


def prices_since(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, Since]:
    """Say since when prices hold; without one, or where its history is forgotten, nothing."""
    found: dict[Sku, Since] = {}
    for sku, at, source in _SINCE.run(tx, sorted(set(skus)), store=store_id):
        instant = instant_from(at)
        if instant is not None:
            found[Sku(sku)] = Since(instant, SourceId(source))
    return found


def _narrowed(query: Select[Any], store_id: StoreId, which: Which) -> Select[Any]:
    query = query.where(products.c.store_id == store_id)
    if which.category is not None:
        query = query.where(products.c.category == which.category)
    if which.brand is not None:
        query = query.where(products.c.brand == which.brand)
    if which.name is not None:
        query = query.where(products.c.name.startswith(which.name, autoescape=True))
    for table, wanted in ((prices, which.is_priced), (pairings, which.is_paired)):
        if wanted is not None:
            of_it = _of(table)
            query = query.where(of_it if wanted else ~of_it)
    if which.is_delisted is not None:
        held = _of(prices)
        did = exists().where(
            price_events.c.store_id == products.c.store_id,
            price_events.c.sku == products.c.sku,
            price_events.c.decision == Decision.WITHDRAWN.value,
        )
        query = query.where(~held & did if which.is_delisted else held | ~did)
    return query


def _of(table: Table) -> Exists:
    return exists().where(table.c.store_id == products.c.store_id, table.c.sku == products.c.sku)


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
