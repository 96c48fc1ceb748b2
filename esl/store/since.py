"""What was accepted after a copy of the database was made: to be sent again to that copy.

Numbers of rows grow and are given once, so that what came after the copy is what has a higher
number than the copy's highest.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, select

from esl.domain.ids import Sku, StoreId
from esl.domain.money import format_minor
from esl.domain.pricing import Decision
from esl.domain.product import Product
from esl.store.offers import Layer
from esl.store.products import products_by_sku
from esl.store.schedule import ScheduleState
from esl.store.tables import audit_entries, price_events, products, scheduled_prices, stores

_SENT_AGAIN: Final = (Decision.ACCEPTED, Decision.QUARANTINED)

_NOT_IN_A_CHANGE: Final = ("member_minor", "multibuy_quantity")
"""What came with a promotion of a till, and no single price change can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How far a copy goes: its highest numbers, and the products that it knows."""

    event_id: int = 0
    schedule_id: int = 0
    entry_id: int = 0
    known: Collection[tuple[str, str]] = ()  # store and SKU


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What one store accepted after the copy, in the form in which the HTTP API takes it."""

    products: list[dict[str, Any]]  # unknown to the copy
    price_changes: list[dict[str, Any]]  # in the order in which they were accepted
    by_hand: list[str]  # SKUs of which a promotion of a till was accepted


def marks_of(tx: Connection) -> Marks:
    """Read how far a database goes."""

    def highest(column: Any) -> int:
        return tx.execute(select(func.max(column))).scalar_one() or 0

    return Marks(
        event_id=highest(price_events.c.event_id),
        schedule_id=highest(scheduled_prices.c.schedule_id),
        entry_id=highest(audit_entries.c.entry_id),
        known={(row[0], row[1]) for row in tx.execute(select(products.c.store_id, products.c.sku))},
    )


def accepted_since(tx: Connection, marks: Marks) -> dict[StoreId, Since]:
    """List what each store accepted after the marks; stores without anything are left out."""
    found: dict[StoreId, Since] = {}
    for name, currency in tx.execute(select(stores.c.store_id, stores.c.currency)).all():
        store = StoreId(name)
        events = list(_events(tx, store, marks))
        since = Since(
            products=_new_products(tx, store, marks, currency),
            price_changes=[
                *(_change(row, currency) for row in events),
                *_planned(tx, store, marks, currency),
            ],
            by_hand=sorted(
                {row.sku for row in events if any(getattr(row, one) for one in _NOT_IN_A_CHANGE)}
            ),
        )
        if since.products or since.price_changes:
            found[store] = since
    return found


def done_since(tx: Connection, marks: Marks) -> Counter[str]:
    """Count what people and machines decided after the marks, by the audit's actions."""
    query = select(audit_entries.c.action).where(audit_entries.c.entry_id > marks.entry_id)
    return Counter(tx.execute(query).scalars())


def _events(tx: Connection, store: StoreId, marks: Marks) -> Iterator[Any]:
    """Read prices that came to hold, or wait for somebody to look at them."""
    query = (
        select(price_events)
        .where(
            price_events.c.store_id == store,
            price_events.c.event_id > marks.event_id,
            price_events.c.decision.in_([one.value for one in _SENT_AGAIN]),
            price_events.c.layer != int(Layer.OFFER),
        )
        .order_by(price_events.c.event_id)
    )
    yield from tx.execute(query)


def _change(row: Any, currency: str) -> dict[str, Any]:
    def money(minor: int | None) -> str | None:
        return format_minor(minor, currency) if minor is not None else None

    change = {
        "sku": row.sku,
        "price": money(row.price_minor),
        "was": money(row.was_minor),
        "unit_price": money(row.unit_price_minor),
        "badge": row.badge,
        "source": row.source,
    }
    if row.source_seq is not None:
        change["source_seq"] = row.source_seq
    if row.source_time is not None:
        change["source_time"] = row.source_time.isoformat()
    return change


def _planned(
    tx: Connection, store: StoreId, marks: Marks, currency: str
) -> Iterator[dict[str, Any]]:
    """Read prices that hold from a later moment, or until one."""
    query = (
        select(scheduled_prices)
        .where(
            scheduled_prices.c.store_id == store,
            scheduled_prices.c.schedule_id > marks.schedule_id,
            scheduled_prices.c.state.in_([ScheduleState.WAITING, ScheduleState.HOLDING]),
        )
        .order_by(scheduled_prices.c.schedule_id)
    )
    for row in tx.execute(query):
        said = msgspec.json.decode(row.said)
        if "price" not in said or said.get("entry"):
            continue
        change = {"sku": row.sku, "source": row.source, "valid_from": row.valid_from.isoformat()}
        if row.valid_to is not None:
            change["valid_to"] = row.valid_to.isoformat()
        for name, kept in (("price", "price"), ("was", "was"), ("unit_price", "unit")):
            if said.get(kept) is not None:
                change[name] = format_minor(said[kept], currency)
        if said.get("badge") is not None:
            change["badge"] = said["badge"]
        yield change


def _new_products(
    tx: Connection, store: StoreId, marks: Marks, currency: str
) -> list[dict[str, Any]]:
    skus = tx.execute(select(products.c.sku).where(products.c.store_id == store)).scalars()
    new = [Sku(sku) for sku in skus if (store, sku) not in marks.known]
    return [_product(one, currency) for one in products_by_sku(tx, store, sorted(new)).values()]


def _product(product: Product, currency: str) -> dict[str, Any]:
    content, deposit = product.net_content, product.deposit_minor
    said: dict[str, Any] = {
        "sku": product.sku,
        "name": product.name,
        "brand": product.brand,
        "category": product.category,
        "gtin": product.gtin,
        "net_content": None,
        "priced_per": product.priced_per.value if product.priced_per is not None else None,
        "link": product.link,
        "origin": product.origin,
        "stock": product.stock,
        "deposit": format_minor(deposit, currency) if deposit is not None else None,
        "tags": sorted(product.tags),
    }
    if content is not None:
        whole, rest = divmod(content.milli, 1000)
        said["net_content"] = f"{whole}.{rest:03d} {content.unit.value}"
    return {name: value for name, value in said.items() if value not in (None, [])}
