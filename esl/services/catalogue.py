"""Stores, their products and their gateways: add them, and let labels follow."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from esl.domain.errors import Conflict, UnknownStore
from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.label import Lane
from esl.domain.place import Store
from esl.domain.pricing import DEFAULT_SOURCE, ChangeResult
from esl.domain.product import Product
from esl.intake.product_json import ProductPut
from esl.services.batches import apply_batch
from esl.services.field_ranks import yield_fields
from esl.services.judging import begin_to_judge
from esl.services.promotions.books import profile_of
from esl.services.promotions.turning import follow
from esl.services.stock_bands import StockMoves
from esl.services.tilling import follow_till
from esl.services.zones.places import tell_new_products
from esl.store import flips, labels, owners, places, products, promotion_rows
from esl.store.revisions import take_revision


class Put(StrEnum):
    """What became of a product that was put."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"  #: it says what is stored, or what a source of lower priority may not


@dataclass(frozen=True, slots=True, kw_only=True)
class PutResult:
    """What became of one item; ``price`` where a price came along.

    ``labels`` are those that will change for it, the product's or the price's sake.
    """

    sku: Sku
    put: Put
    labels: int
    price: ChangeResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductsPut:
    """What came of a request: one result an item, the labels that want something new.

    ``batch_id`` names its prices together, where there are several.
    """

    results: tuple[PutResult, ...]
    labels: tuple[LabelId, ...]
    batch_id: int | None = None


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
    if before is not None and (before.timezone, before.locale, before.law) != (
        store.timezone,
        store.locale,
        store.law,
    ):
        promotion_rows.turn_now(tx, store.store_id, now)  # other moments, another law
    if before is not None and _is_under_another_law(before, store):
        begin_to_judge(tx, store, now)  # what the one law lets a till say, another may not
    known = labels.list_labels(tx, store.store_id, limit=1_000_000)
    paired = [label.label_id for label in known if label.paired]
    if paired:
        labels.lock_labels(tx, store.store_id, paired)
        labels.want(tx, paired, take_revision(tx), now, lane=Lane.NORMAL)
    return tuple(paired)


def _is_under_another_law(before: Store, store: Store) -> bool:
    return profile_of(before) is not profile_of(store) or before.law_goods != store.law_goods


def put_products(
    tx: Connection, store_id: StoreId, put: Sequence[ProductPut], now: datetime, *, actor: str
) -> ProductsPut:
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
    labels_of: dict[Sku, int] = {}
    if changed:
        paired = labels.lock_labels_of_products(tx, store_id, [p.sku for p in changed])
        rev = take_revision(tx)
        moves = StockMoves(tx, store_id, [p.sku for p in changed])
        seen = [p.sku for p in changed if _is_seen(moves, held.get(p.sku), p)]
        products.put_products(tx, changed, rev)
        owners.note_owners(tx, store_id, said_by)
        follow(tx, store, {p.sku: rev for p in changed}, {}, now, actor=actor)
        follow_till(tx, store_id, {p.sku: rev for p in changed}, now)
        moves.write()
        touched = tuple(label for sku in seen for label in paired.get(sku, ()))
        labels.want(tx, touched, rev, now, lane=Lane.NORMAL)
        labels_of = dict.fromkeys((p.sku for p in changed), 0)
        labels_of |= {sku: len(paired.get(sku, ())) for sku in seen}
    changes = [item.price for item in put if item.price is not None]
    prices: list[ChangeResult] = []
    batch_id: int | None = None
    if changes:
        applied, batch_id = apply_batch(tx, store_id, changes, now, actor=actor)
        prices, touched = list(applied.results), touched + applied.labels
    tell_new_products(tx, store_id, last.keys() - held.keys(), now, actor=actor)
    puts = {
        sku: Put.ADDED if sku not in held else Put.CHANGED if sku in labels_of else Put.UNCHANGED
        for sku in last
    }
    return ProductsPut(
        results=_results(put, puts, labels_of, prices), labels=touched, batch_id=batch_id
    )


def _is_seen(moves: StockMoves, before: Product | None, after: Product) -> bool:
    """Say whether labels look otherwise by what is known of a product now."""
    if before is None:
        return True
    by_stock = moves.shows(after.sku, before.stock, after.stock)
    return by_stock or replace(before, stock=after.stock) != after


def _results(
    put: Sequence[ProductPut],
    puts: Mapping[Sku, Put],
    labels_of: Mapping[Sku, int],
    prices: Sequence[ChangeResult],
) -> tuple[PutResult, ...]:
    """Answer each item; ``prices`` are of those that brought one, in their order."""
    told = iter(prices)
    results: list[PutResult] = []
    for item in put:
        sku = item.product.sku
        price = next(told) if item.price is not None else None
        labels = max(labels_of.get(sku, 0), price.labels if price is not None else 0)
        results.append(PutResult(sku=sku, put=puts[sku], labels=labels, price=price))
    return tuple(results)


def _source_of(item: ProductPut) -> SourceId:
    return item.price.source if item.price is not None else DEFAULT_SOURCE
