"""Products put whole yield, field by field, to sources of higher priority: as entries do."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection

from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.product import Product
from esl.store import owners
from esl.store.desk import desk_of, owners_from, owners_with

FIELD_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        "name": "name",
        "brand": "brand",
        "category": "category",
        "gtin": "gtins",
        "net_content": "net_content",
        "priced_per": "priced_per",
        "link": "link",
        "origin": "origin",
        "stock": "stock",
        "deposit_minor": "deposit",
        "tags": "tags",
    }
)
"""Fields of a `Product`, as sources' priorities name them."""


def yield_fields(
    tx: Connection,
    store_id: StoreId,
    put: Mapping[Sku, tuple[SourceId, Product]],
    held: Mapping[Sku, Product],
) -> tuple[dict[Sku, Product], dict[Sku, str]]:
    """Return the products as they are once put, and who says their fields by then.

    Where no source of the store differs in priority, all is as it was put, and nobody is noted.
    """
    desk = desk_of(tx, store_id)
    final = {sku: product for sku, (_, product) in put.items()}
    if not desk.has_ranks:
        return final, {}
    noted: dict[Sku, str] = {}
    known = owners.owners_of(tx, store_id, sorted(put))
    for sku, (source, product) in put.items():
        before = held.get(sku)
        said_by = owners_from(known.get(sku))
        kept: dict[str, Any] = {}
        claimed: list[str] = []
        for name, field in FIELD_OF.items():
            old = getattr(before, name) if before is not None else None
            if old == getattr(product, name):
                continue
            if before is not None and desk.owner_above(said_by.get(field), source, field):
                kept[name] = old
            else:
                claimed.append(field)
        final[sku] = replace(product, **kept)
        if claimed:
            noted[sku] = owners_with(known.get(sku), source, tuple(claimed))
    return final, noted
