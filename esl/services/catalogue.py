"""Stores, their products and their gateways: add them, and let labels follow."""

import contextlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import Conflict, UnknownStore
from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.label import Lane
from esl.domain.place import Store
from esl.domain.pricing import DEFAULT_SOURCE
from esl.domain.product import Product
from esl.intake.product_json import ProductPut
from esl.services.field_ranks import yield_fields
from esl.services.pricing import Applied, apply_price_changes
from esl.store import flips, labels, owners, places, products
from esl.store.revisions import take_revision


def put_store(tx: Connection, store: Store, now: datetime) -> tuple[LabelId, ...]:
    """Add a store, or change it; its labels show the change. Return those labels.

    The currency of a store that has prices stays: its prices mean nothing in another.

    Raises:
        Conflict: The store has prices in another currency, or such are planned.
    """
    before: Store | None = None
    with contextlib.suppress(UnknownStore):
        before = places.lock_store(tx, store.store_id, to_change=True)
    foreign = products.currencies_of_prices(tx, store.store_id) - {store.currency}
    if foreign:
        raise Conflict(f"the store has prices in {', '.join(sorted(foreign))}; its currency stays")
    if (
        before is not None
        and before.currency != store.currency
        and products.has_deposits(tx, store.store_id)
    ):
        raise Conflict(f"the store has deposits in {before.currency}; its currency stays")
    if before is not None and before.currency != store.currency:
        planned = flips.first_planned(tx, store.store_id)
        if planned is not None:
            raise Conflict(
                f"flip {planned} is planned with prices in {before.currency}; cancel it first:"
                f" DELETE /api/v1/stores/{store.store_id}/flips/{planned}"
            )
    places.put_store(tx, store)
    known = labels.list_labels(tx, store.store_id, limit=1_000_000)
    paired = [label.label_id for label in known if label.paired]
    if paired:
        labels.lock_labels(tx, store.store_id, paired)
        labels.want(tx, paired, take_revision(tx), now, lane=Lane.NORMAL)
    return tuple(paired)


def put_products(
    tx: Connection, store_id: StoreId, put: Sequence[ProductPut], now: datetime, *, actor: str
) -> Applied:
    """Add or replace products, and apply the prices that came with them.

    Labels of a product that did not change want nothing new. Of several items with one SKU the
    last counts. A field that a source of higher priority has said stays.

    Raises:
        InvalidInput: A price that came along cannot be applied.
        Conflict: The store's currency is not that of a product's amounts.
    """
    last: dict[Sku, tuple[SourceId, Product]] = {
        item.product.sku: (_source_of(item), item.product) for item in put
    }
    store = places.lock_store(tx, store_id)
    if any(item.currency not in (None, store.currency) for item in put):
        raise Conflict("the store's currency has just changed; send the products again")
    products.lock_new_products(tx, store_id, last)
    products.lock_products(tx, store_id, last)
    held = products.products_by_sku(tx, store_id, last)
    final, said_by = yield_fields(tx, store_id, last, held)
    changed = [p for p in final.values() if held.get(p.sku) != p]
    touched: tuple[LabelId, ...] = ()
    if changed:
        paired = labels.lock_labels_of_products(tx, store_id, [p.sku for p in changed])
        rev = take_revision(tx)
        products.put_products(tx, changed, rev)
        owners.note_owners(tx, store_id, said_by)
        touched = tuple(label for found in paired.values() for label in found)
        labels.want(tx, touched, rev, now, lane=Lane.NORMAL)
    changes = [item.price for item in put if item.price is not None]
    if not changes:
        return Applied(results=(), labels=touched)
    applied = apply_price_changes(tx, store_id, changes, now, actor=actor)
    return Applied(results=applied.results, labels=touched + applied.labels)


def _source_of(item: ProductPut) -> SourceId:
    return item.price.source if item.price is not None else DEFAULT_SOURCE
