"""What tills may charge and labels may show: rows in and out, in batches.

Charges are kept as JSON ``[price, member, [[quantity, total], …]]``; what labels are told as the
fourteen values of an offer, in the order in which `esl.store.truth` reads them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, delete, func, select

from esl.domain.ids import Sku, StoreId
from esl.domain.till import Charge, Standing
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.tables import absent_labels, former_pairings, till_prices
from esl.store.upsert import in_batches, insert_or_update


class Waits(IntEnum):
    """For whom a price waits."""

    NOBODY = 0
    LABELS = 1  #: it is dearer, and some may still show less
    TILL = 2  #: it is cheaper, and the till has not acknowledged it


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a product will cost from a moment on; ``is_acked``: its till will charge it then."""

    at: datetime
    charge: Charge
    rev: int
    is_acked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TillPrice:
    """How till and labels of a product stand. ``shown`` is what labels are told, as JSON."""

    sku: Sku
    standing: Standing
    truth: Charge
    shown: str
    is_held: bool
    rev: int  # of the last change that a till hears of
    waits: Waits
    since: datetime
    acked_at: datetime | None = None
    plan: Plan | None = None


class Truth(NamedTuple):
    """What holds of a product: as labels say it, and what it costs."""

    shown: str
    charge: Charge
    rev: int


_TRUTHS: Final = Bulk(
    """
    SELECT price.sku, price.price_minor, price.was_minor, price.unit_price_minor, price.badge,
        price.rev, price.regular_minor, price.member_minor, price.multibuy_quantity,
        price.multibuy_minor, price.multibuy_pay_for, price.member_condition,
        o.price_minor, o.was_minor, o.unit_price_minor, o.badge, o.rev,
        o.regular_minor, o.member_minor, o.multibuy_quantity, o.multibuy_minor,
        o.multibuy_pay_for, o.member_condition,
        o.lowest_30d_minor, CAST(o.valid_to AS text), o.template
    FROM {rows} CROSS JOIN price
    LEFT JOIN offer AS o ON o.store_id = price.store_id AND o.sku = price.sku
    WHERE price.store_id = :store AND price.sku = {item}
    """
)
_OF_BASE: Final = 11
_REV: Final = 4


def truths_of(tx: Connection, store_id: StoreId, skus: Collection[Sku]) -> dict[Sku, Truth]:
    """Load what holds of products, promotions included; those without a price are left out."""
    found: dict[Sku, Truth] = {}
    for row in _TRUTHS.run(tx, sorted(skus), store=store_id):
        base, offer = row[1 : 1 + _OF_BASE], row[1 + _OF_BASE :]
        values = offer if offer[0] is not None else (*base, None, None, None)
        found[Sku(row[0])] = Truth(_text(values), charge_of(values), int(values[_REV]))
    return found


def charge_of(values: Sequence[Any]) -> Charge:
    """Read what a product costs from the values of an offer."""
    price, member, quantity, total = values[0], values[6], values[7], values[8]
    return charge_from(price, member, quantity, total)


def charge_from(price: int, member: int | None, quantity: int | None, total: int | None) -> Charge:
    """Make a charge as labels mean it: what is no advantage is not said, and not charged."""
    is_multibuy = quantity is not None and total is not None and total < price * quantity
    return Charge(
        price_minor=price,
        member_minor=member if member is not None and member < price else None,
        multibuys={quantity: total} if is_multibuy and quantity and total is not None else {},
    )


def prices_of(tx: Connection, store_id: StoreId, skus: Collection[Sku]) -> dict[Sku, TillPrice]:
    """Load how till and labels of products stand; those that are not followed are left out."""
    found: dict[Sku, TillPrice] = {}
    for some in in_batches(sorted(skus)):
        query = select(till_prices).where(
            till_prices.c.store_id == store_id, till_prices.c.sku.in_(some)
        )
        found |= {Sku(row.sku): _price(row) for row in tx.execute(query)}
    return found


def page_of(tx: Connection, store_id: StoreId, *, since: int, limit: int) -> list[TillPrice]:
    """List what changed for a store's tills after a revision, the oldest change first."""
    query = (
        select(till_prices)
        .where(till_prices.c.store_id == store_id, till_prices.c.rev > since)
        .order_by(till_prices.c.rev, till_prices.c.sku)
        .limit(limit)
    )
    return [_price(row) for row in tx.execute(query)]


def waiting_of(
    tx: Connection, store_id: StoreId, *, limit: int, waits: Waits | None = None
) -> list[TillPrice]:
    """List the prices that wait, the longest first."""
    query = _waiting(store_id, waits).order_by(till_prices.c.since, till_prices.c.sku).limit(limit)
    return [_price(row) for row in tx.execute(query)]


def count_waiting(tx: Connection, store_id: StoreId, waits: Waits, *, before: datetime) -> int:
    """Count the prices that have waited since before a moment."""
    some = _waiting(store_id, waits).where(till_prices.c.since <= before).subquery()
    return int(tx.execute(select(func.count()).select_from(some)).scalar_one())


def _waiting(store_id: StoreId, waits: Waits | None) -> Select[Any]:
    query = select(till_prices).where(till_prices.c.store_id == store_id, till_prices.c.waits > 0)
    return query if waits is None else query.where(till_prices.c.waits == int(waits))


def skus_followed(tx: Connection, store_id: StoreId, *, after: str, limit: int) -> list[Sku]:
    """List the products that are followed, by SKU."""
    query = (
        select(till_prices.c.sku)
        .where(till_prices.c.store_id == store_id, till_prices.c.sku > after)
        .order_by(till_prices.c.sku)
        .limit(limit)
    )
    return [Sku(sku) for sku in tx.execute(query).scalars()]


def skus_planned(tx: Connection, store_id: StoreId, at: datetime) -> list[Sku]:
    """List the products that a till was asked to charge something for from a moment on."""
    query = (
        select(till_prices.c.sku)
        .where(till_prices.c.store_id == store_id, till_prices.c.plan_at == at)
        .order_by(till_prices.c.sku)
    )
    return [Sku(sku) for sku in tx.execute(query).scalars()]


def put_prices(tx: Connection, store_id: StoreId, put: Iterable[TillPrice]) -> None:
    """Write down how till and labels stand."""
    rows = [_row(store_id, one) for one in put]
    for some in in_batches(rows):
        insert_or_update(tx, till_prices, some)


def forget_prices(tx: Connection, store_id: StoreId, skus: Collection[Sku]) -> None:
    """Forget products that are gone."""
    for some in in_batches(sorted(skus)):
        tx.execute(
            delete(till_prices).where(
                till_prices.c.store_id == store_id, till_prices.c.sku.in_(some)
            )
        )


def forget_store(tx: Connection, store_id: StoreId) -> None:
    """Forget a store whose tills are followed no more."""
    for table in (till_prices, former_pairings, absent_labels):
        tx.execute(delete(table).where(table.c.store_id == store_id))


def _text(values: Sequence[Any]) -> str:
    return msgspec.json.encode(list(values)).decode()


def _charge_text(charge: Charge) -> str:
    multibuys = sorted(charge.multibuys.items())
    return msgspec.json.encode([charge.price_minor, charge.member_minor, multibuys]).decode()


def _charge(text: str) -> Charge:
    price, member, multibuys = msgspec.json.decode(
        text, type=tuple[int, int | None, list[tuple[int, int]]]
    )
    return Charge(price_minor=price, member_minor=member, multibuys=dict(multibuys))


def _row(store_id: StoreId, one: TillPrice) -> dict[str, Any]:
    s, plan = one.standing, one.plan
    return {
        "store_id": store_id,
        "sku": one.sku,
        "rev": one.rev,
        "shelf": one.shown,
        "shelf_rev": s.shelf_rev,
        "held": one.shown if one.is_held else None,
        "least": None if s.is_confirmed else _charge_text(s.least),
        "granted": _charge_text(s.grant),
        "granted_rev": s.grant_rev,
        "most": None if s.most == s.grant else _charge_text(s.most),
        "acked_rev": s.acked_rev,
        "acked_at": one.acked_at,
        "truth": _charge_text(one.truth),
        "waits": int(one.waits),
        "since": one.since,
        "plan_at": plan.at if plan is not None else None,
        "plan": _charge_text(plan.charge) if plan is not None else None,
        "plan_rev": plan.rev if plan is not None else None,
        "plan_acked": plan.is_acked if plan is not None else False,
    }


def _price(row: AnyRow) -> TillPrice:
    shelf, granted = charge_of(msgspec.json.decode(row.shelf)), _charge(row.granted)
    return TillPrice(
        sku=Sku(row.sku),
        standing=Standing(
            shelf=shelf,
            shelf_rev=row.shelf_rev,
            least=shelf if row.least is None else _charge(row.least),
            grant=granted,
            grant_rev=row.granted_rev,
            most=granted if row.most is None else _charge(row.most),
            acked_rev=row.acked_rev,
        ),
        truth=_charge(row.truth),
        shown=row.shelf,
        is_held=row.held is not None,
        rev=row.rev,
        waits=Waits(row.waits),
        since=row.since,
        acked_at=row.acked_at,
        plan=(
            Plan(
                at=row.plan_at,
                charge=_charge(row.plan),
                rev=row.plan_rev,
                is_acked=bool(row.plan_acked),
            )
            if row.plan is not None
            else None
        ),
    )
