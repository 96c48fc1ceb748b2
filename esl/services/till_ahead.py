"""What a till is asked to charge from a moment on, and which timed shows wait for its word.

::

    a cheaper picture is staged ──▶ the till is told what it will cost, and from when
      not acknowledged in time ───▶ its show is never armed; at its moment the till comes first
      acknowledged ───────────────▶ shows are armed; at the moment labels and till turn together
      called off ─────────────────▶ what may hang all the same is charged, until it does not

A till that acknowledges a plan promises to charge it from that instant, or before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from esl.domain.face import Face
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.label import Lane
from esl.domain.till import Charge, cheapest, dearest
from esl.services.tilling import follow_standing, numbered, told
from esl.store import labels, till_settings, tills
from esl.store.due_labels import DueLabel
from esl.store.revisions import take_revision
from esl.store.tills import Plan, TillPrice, Truth

Key = tuple[LabelId, int]
"""A label and its slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What a product will cost from a moment on, and the till has not said that it charges."""

    store_id: StoreId
    sku: Sku
    at: datetime
    charge: Charge


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Timed shows that are not to be armed yet, and what tills are asked for them."""

    keys: frozenset[Key] = frozenset()
    asked: tuple[Ahead, ...] = ()


NOTHING_WITHHELD: Final = Withheld()


def withhold(
    tx: Connection, future: Mapping[Key, DueLabel], moments: Mapping[Key, datetime]
) -> Withheld:
    """Say which labels are not to turn by themselves, as a till may charge more then: a read."""
    safe = till_settings.safe_stores(tx)
    if not safe or not future:
        return NOTHING_WITHHELD
    wanted: dict[StoreId, set[Sku]] = {}
    for due in future.values():
        if due.store_id in safe:
            wanted.setdefault(due.store_id, set()).update(sku for sku, _ in _charges(due.face))
    standing = {store_id: tills.prices_of(tx, store_id, skus) for store_id, skus in wanted.items()}
    keys: set[Key] = set()
    asked: dict[tuple[StoreId, Sku], Ahead] = {}
    for key, due in future.items():
        at = moments[key]
        for sku, charge in _charges(due.face):
            held = standing.get(due.store_id, {}).get(sku)
            if held is None or _is_promised(held, at, charge):
                continue
            # What waits for labels may be charged by then: dearer than it is now.
            if dearest(held.standing.most, held.truth) <= charge:
                continue
            keys.add(key)
            if not _is_asked(held, at, charge):
                asked[due.store_id, sku] = Ahead(
                    store_id=due.store_id, sku=sku, at=at, charge=charge
                )
    return Withheld(keys=frozenset(keys), asked=tuple(asked[one] for one in sorted(asked)))


def ask_ahead(tx: Connection, asked: Iterable[Ahead], now: datetime) -> None:
    """Let tills hear what products will cost; of a product's moments the nearest one."""
    by_store: dict[StoreId, dict[Sku, Ahead]] = {}
    for one in asked:
        by_store.setdefault(one.store_id, {})[one.sku] = one
    for store_id, wanted in sorted(by_store.items()):
        _replace_plans(tx, store_id, sorted(wanted), wanted, now)


def call_off(tx: Connection, store_id: StoreId, at: datetime, now: datetime) -> None:
    """Take back what tills were asked for a moment that does not come."""
    if till_settings.is_followed(tx, store_id):
        _replace_plans(tx, store_id, tills.skus_planned(tx, store_id, at), {}, now)


def _replace_plans(
    tx: Connection,
    store_id: StoreId,
    skus: Sequence[Sku],
    wanted: Mapping[Sku, Ahead],
    now: datetime,
) -> None:
    """Put plans in the place of others; what was promised and may hang is charged till it is gone.

    A show that was armed for the plan before may come all the same: its gateway need not have
    heard that it is cancelled.
    """
    if not skus:
        return
    labels_of = labels.lock_labels_of_products(tx, store_id, skus)
    setting = till_settings.lock_setting(tx, store_id)
    rev = take_revision(tx)
    put: list[TillPrice] = []
    touched: set[LabelId] = set()
    for sku, old in tills.prices_of(tx, store_id, skus).items():
        ahead = wanted.get(sku)
        if ahead is not None and old.plan is not None and old.plan.at < ahead.at:
            continue  # the nearer moment first
        plan = Plan(at=ahead.at, charge=ahead.charge, rev=rev) if ahead is not None else None
        standing = old.standing
        if old.plan is not None and old.plan.is_acked and not standing.shelf <= old.plan.charge:
            least = cheapest(standing.least, old.plan.charge)
            standing = replace(standing, least=least, shelf_rev=rev)
            touched.update(labels_of.get(sku, ()))
            standing = follow_standing(setting, standing, old.truth, rev)
        truth = Truth(old.shown, old.truth, standing.shelf_rev)
        new = replace(told(sku, old, standing, truth, now), plan=plan)
        put.append(numbered(old, new, rev))
    tills.put_prices(tx, store_id, put)
    labels.want(tx, sorted(touched), rev, now, lane=Lane.FLIP)


def _charges(face: Face | None) -> list[tuple[Sku, Charge]]:
    """List what a label would say its products cost."""
    if face is None:
        return []
    return [
        (
            Sku(one.sku),
            tills.charge_from(
                one.price_minor,
                one.member_price_minor,
                one.multibuy.quantity if one.multibuy is not None else None,
                one.multibuy.total_minor if one.multibuy is not None else None,
            ),
        )
        for one in (face, *face.others)
        if one.price_minor is not None and one.sku is not None
    ]


def _is_asked(held: TillPrice, at: datetime, charge: Charge) -> bool:
    plan = held.plan
    if plan is None or plan.at > at:
        return False
    return plan.at < at or plan.charge <= charge


def _is_promised(held: TillPrice, at: datetime, charge: Charge) -> bool:
    plan = held.plan
    return plan is not None and plan.is_acked and plan.at == at and plan.charge <= charge
