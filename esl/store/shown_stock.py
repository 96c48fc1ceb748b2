"""The stock that labels are drawn with: rows in and out."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import Sku, StoreId
from esl.store.bulk import Bulk

_LOAD: Final = Bulk(
    """
    SELECT p.sku, coalesce(p.stock_shown, p.stock) FROM {rows} CROSS JOIN product AS p
    WHERE p.store_id = :store AND p.sku = {item}
    """
)
_PUT: Final = Bulk(
    """
    UPDATE product SET stock_shown = CAST(j.value->>1 AS integer)
    FROM {rows} WHERE product.store_id = :store AND product.sku = j.value->>0
    """
)
_LAGGING: Final = Bulk(
    """
    SELECT sku FROM product
    WHERE store_id = :store AND stock_shown IS NOT NULL AND stock_shown <> stock ORDER BY sku
    """
)
_FORGET: Final = Bulk(
    "UPDATE product SET stock_shown = NULL WHERE store_id = :store AND stock_shown IS NOT NULL"
)
_PRINTED: Final = Bulk(
    """
    SELECT 1 FROM template AS t WHERE t.store_id = :store AND t.text LIKE '%stock%'
        AND t.version = (SELECT max(u.version) FROM template AS u
            WHERE u.store_id = :store AND u.name = t.name)
    LIMIT 1
    """
)


def shown_stock(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, int | None]:
    """Load the stock that labels of products go by."""
    return {Sku(sku): shown for sku, shown in _LOAD.run(tx, skus, store=store_id)}


def put_shown_stock(
    tx: Connection, store_id: StoreId, put: Iterable[tuple[Sku, int | None]]
) -> None:
    """Set it; None for the stock itself."""
    rows = sorted(put)
    if rows:
        _PUT.run(tx, rows, store=store_id)


def forget_shown_stock(tx: Connection, store_id: StoreId) -> list[Sku]:
    """Let labels of a store go by the stock itself; return the products where that is another."""
    lagging = [Sku(sku) for (sku,) in _LAGGING.run(tx, store=store_id)]
    _FORGET.run(tx, store=store_id)
    return lagging


def prints_stock(tx: Connection, store_id: StoreId) -> bool:
    """Say whether a store's own templates speak of the stock in any way."""
    return bool(_PRINTED.run(tx, store=store_id))
