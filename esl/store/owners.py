"""Who said which field of a product: it matters where sources differ in priority."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import Sku, StoreId
from esl.domain.source import PRICE_FIELD
from esl.store.bulk import Bulk
from esl.store.desk import owners_from, owners_with

_PUT: Final = Bulk(
    """
    UPDATE product SET owners = j.value->>1
    FROM {rows} WHERE product.store_id = :store AND product.sku = j.value->>0
    """
)


_LOAD: Final = Bulk(
    """
    SELECT product.sku, product.owners FROM {rows} CROSS JOIN product
    WHERE product.store_id = :store AND product.sku = {item}
    """
)


def owners_of(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, str | None]:
    """Load who said the fields of products, as `esl.store.desk.owners_from` reads it."""
    return {Sku(row[0]): row[1] for row in _LOAD.run(tx, skus, store=store_id)}


def note_owners(tx: Connection, store_id: StoreId, said: Mapping[Sku, str]) -> None:
    """Note who says the fields of products now."""
    _PUT.run(tx, sorted(said.items()), store=store_id)


def note_price_owners(
    tx: Connection, store_id: StoreId, said: Mapping[Sku, tuple[str | None, str]]
) -> None:
    """Note who says prices now: of each product its owners so far, and the source."""
    rows = [
        (sku, owners_with(owners, source, (PRICE_FIELD,)))
        for sku, (owners, source) in sorted(said.items())
        if owners_from(owners).get(PRICE_FIELD) != source
    ]
    _PUT.run(tx, rows, store=store_id)
