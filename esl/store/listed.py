"""Products as lists state them: all of their columns, in tuples and text SQL."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from esl.domain.ids import Sku, StoreId
from esl.store.bulk import Bulk


class Listed(NamedTuple):
    """A product's columns. The first `SHOWN` of them are on labels."""

    name: str
    brand: str | None = None
    category: str | None = None
    gtin: str | None = None
    content_milli: int | None = None
    content_unit: str | None = None
    priced_per: str | None = None
    link: str | None = None
    origin: str | None = None
    stock: int | None = None
    deposit_minor: int | None = None
    location: str | None = None
    tax_permille: int | None = None
    anchor_minor: int | None = None
    lowest_30d_minor: int | None = None
    lowest_30d_source: str | None = None
    lowest_30d_day: str | None = None  # ISO 8601
    tags: str | None = None  # a line each, in order
    owners: str | None = None


SHOWN: Final = 11

_LOAD_TEXT: Final = """
    SELECT p.sku, p.name, p.brand, p.category, p.gtin, p.content_milli, p.content_unit,
        p.priced_per, p.link, p.origin, p.stock, p.deposit_minor, p.location, p.tax_permille,
        p.anchor_minor, p.lowest_30d_minor, p.lowest_30d_source, CAST(p.lowest_30d_day AS text),
        p.tags, p.owners
    FROM {rows} CROSS JOIN product AS p WHERE p.store_id = :store AND p.sku = {item}
    """
_LOAD: Final = Bulk(_LOAD_TEXT)
_LOCK: Final = Bulk(f"{_LOAD_TEXT} ORDER BY p.sku {{lock[p]}}")
_PUT: Final = Bulk(
    """
    INSERT INTO product (store_id, sku, name, brand, category, gtin, content_milli, content_unit,
        priced_per, link, origin, stock, deposit_minor, location, tax_permille, anchor_minor,
        lowest_30d_minor, lowest_30d_source, lowest_30d_day, tags, owners, rev)
    SELECT :store, j.value->>0, j.value->>1, j.value->>2, j.value->>3, j.value->>4,
        CAST(j.value->>5 AS integer), j.value->>6, j.value->>7, j.value->>8, j.value->>9,
        CAST(j.value->>10 AS integer), CAST(j.value->>11 AS integer), j.value->>12,
        CAST(j.value->>13 AS integer), CAST(j.value->>14 AS integer),
        CAST(j.value->>15 AS integer), j.value->>16, {day[17]}, j.value->>18,
        j.value->>19, CAST(:rev AS bigint)
    FROM {rows} WHERE true
    ON CONFLICT (store_id, sku) DO UPDATE SET name = excluded.name, brand = excluded.brand,
        category = excluded.category, gtin = excluded.gtin,
        content_milli = excluded.content_milli, content_unit = excluded.content_unit,
        priced_per = excluded.priced_per, link = excluded.link, origin = excluded.origin,
        stock = excluded.stock, deposit_minor = excluded.deposit_minor,
        location = excluded.location, tax_permille = excluded.tax_permille,
        anchor_minor = excluded.anchor_minor, lowest_30d_minor = excluded.lowest_30d_minor,
        lowest_30d_source = excluded.lowest_30d_source,
        lowest_30d_day = excluded.lowest_30d_day, tags = excluded.tags,
        owners = excluded.owners, rev = excluded.rev
    """
)
_SOME_GTINS: Final = Bulk("SELECT 1 FROM product_gtin WHERE store_id = :store LIMIT 1")
_GTINS: Final = Bulk(
    """
    SELECT g.sku, g.gtin FROM {rows} CROSS JOIN product_gtin AS g
    WHERE g.store_id = :store AND g.sku = {item} ORDER BY g.sku, g.position
    """
)
_FORGET_GTINS: Final = Bulk(
    "DELETE FROM product_gtin WHERE store_id = :store AND sku IN (SELECT {item} FROM {rows})"
)
_PUT_GTINS: Final = Bulk(
    """
    INSERT INTO product_gtin (store_id, sku, gtin, position)
    SELECT :store, j.value->>0, j.value->>1, CAST(j.value->>2 AS integer) FROM {rows} WHERE true
    ON CONFLICT (store_id, sku, gtin) DO UPDATE SET position = excluded.position
    """
)


def lock_listed(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, Listed]:
    """Lock the rows of products as `esl.store.products.lock_products`; return what is known.

    Unknown ones are left out. ``skus`` are sorted, and stand there once.
    """
    return {row[0]: Listed._make(row[1:]) for row in _LOCK.run(tx, skus, store=store_id)}


def listed_products(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, Listed]:
    """Load products; unknown ones are left out."""
    return {row[0]: Listed._make(row[1:]) for row in _LOAD.run(tx, skus, store=store_id)}


def put_listed(
    tx: Connection, store_id: StoreId, put: Iterable[tuple[Sku, Listed]], rev: int
) -> None:
    """Add products, or replace what is known of them."""
    rows: list[tuple[Any, ...]] = [(sku, *product) for sku, product in sorted(put)]
    _PUT.run(tx, rows, store=store_id, rev=rev)


def further_gtins(
    tx: Connection, store_id: StoreId, skus: Sequence[Sku]
) -> dict[Sku, tuple[str, ...]]:
    """Load the GTINs of products beyond their first; those without are left out."""
    found: dict[Sku, tuple[str, ...]] = {}
    if _SOME_GTINS.run(tx, store=store_id):
        for sku, gtin in _GTINS.run(tx, skus, store=store_id):
            found[Sku(sku)] = (*found.get(Sku(sku), ()), gtin)
    return found


def put_further_gtins(
    tx: Connection, store_id: StoreId, gtins: Mapping[Sku, tuple[str, ...]]
) -> None:
    """Replace the GTINs of products beyond their first."""
    if not gtins:
        return
    _FORGET_GTINS.run(tx, sorted(gtins), store=store_id)
    rows = [
        (sku, gtin, place) for sku, some in sorted(gtins.items()) for place, gtin in enumerate(some)
    ]
    _PUT_GTINS.run(tx, rows, store=store_id)
