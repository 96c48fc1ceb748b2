"""Tell stores what their zones say, in the background, a few stores at a time.

::

    task ─▶ products of it ─▶ what is nearest *now* ─▶ a price change of the store ─▶ counted

A change only says *that* products must be looked at; what holds is what the store's zone and the
chain say at that moment, so nothing depends on which of two changes a store hears of first. A
piece is one transaction: the prices, and how far the store was told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from esl.domain.errors import UnknownStore
from esl.domain.guards import Reason
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.place import Store
from esl.domain.pricing import Decision, PriceChange
from esl.domain.zone import Kind, ZonePrice, source_of
from esl.services.pricing import apply_price_changes
from esl.store import places, zone_prices, zone_tasks, zones
from esl.store.zone_tasks import HELD_MOST, Change, Task

PRODUCTS_AT_ONCE: Final = 500
"""Products of a store that are told in one transaction: some hundredths of a second."""

STORES_AT_ONCE: Final = 4
PRODUCTS_TOGETHER: Final = 100
"""One transaction comes to so many stores, until they have so many products between them."""

NOT_LISTED: Final = "not_listed"
NOTHING_SAID: Final = "nothing_said"
NEARER: Final = "nearer_zone"
NEWER: Final = "newer_word"
FAILED: Final = "failed"

log = structlog.get_logger()

Held = tuple[str, str, str]


@dataclass(slots=True)
class _Tally:
    counts: dict[str, int]
    held: list[Held]
    labels: set[LabelId]

    def count(self, sku: Sku, decision: str, why: str = "") -> None:
        self.counts[decision] = self.counts.get(decision, 0) + 1
        if why and len(self.held) < HELD_MOST:
            self.held.append((sku, decision, why))


def tell_some(
    tx: Connection, store_ids: Sequence[StoreId], now: datetime
) -> tuple[tuple[LabelId, ...], int]:
    """Tell some stores their next piece; return the labels that want it, and the stores done with.

    Stops before the products are too many for one transaction: the others wait for the next.
    """
    labels: list[LabelId] = []
    products = 0
    for number, store_id in enumerate(store_ids[:STORES_AT_ONCE], start=1):
        told, touched = tell_store(tx, store_id, now)
        labels += touched
        products += told
        if products >= PRODUCTS_TOGETHER:
            return tuple(labels), number
    return tuple(labels), min(len(store_ids), STORES_AT_ONCE)


def tell_store(tx: Connection, store_id: StoreId, now: datetime) -> tuple[int, tuple[LabelId, ...]]:
    """Tell a store the next piece of its first change; return its size, and labels that want it."""
    task = zone_tasks.take_task(tx, store_id)
    if task is None:
        return 0, ()
    change = zone_tasks.change_numbered(tx, task.change_id)
    skus = _next_skus(tx, change, task.after_sku)
    tally = _Tally(dict(task.told.counts), list(task.told.held), set())
    point = tx.begin_nested()
    try:
        _apply(tx, store_id, change, skus, tally, now)
    except OperationalError:
        raise  # the database, not the store
    except Exception:  # a store that cannot be told holds up no other
        point.rollback()
        log.exception("a store could not be told its zone's prices", store=store_id)
        tally = _Tally(dict(task.told.counts), list(task.told.held), set())
        for sku in skus:
            tally.count(sku, FAILED, FAILED)
    else:
        point.commit()
    _note(tx, task, skus, tally, now)
    return len(skus), tuple(tally.labels)


def _next_skus(tx: Connection, change: Change, after: str) -> list[Sku]:
    if "skus" in change.words:
        skus = [Sku(one) for one in change.words["skus"] if one > after]
        return skus[:PRODUCTS_AT_ONCE]
    of = change.words["zones"]
    return zone_prices.skus_said(tx, of, after=after, limit=PRODUCTS_AT_ONCE)


def _note(tx: Connection, task: Task, skus: Sequence[Sku], tally: _Tally, now: datetime) -> None:
    told = replace(
        task.told,
        counts=tally.counts,
        held=tuple(tally.held),
        labels=task.told.labels + len(tally.labels),
    )
    is_all = len(skus) < PRODUCTS_AT_ONCE
    after = skus[-1] if skus else task.after_sku
    zone_tasks.note_told(tx, task.change_id, told, after_sku=after, now=now if is_all else None)


def _apply(
    tx: Connection,
    store_id: StoreId,
    change: Change,
    skus: Sequence[Sku],
    tally: _Tally,
    now: datetime,
) -> None:
    try:
        store = places.lock_store(tx, store_id)
    except UnknownStore:
        return  # it is gone, and with it all that it was to be told
    zone = zones.zone_of_store(tx, store_id)
    said = zone_prices.said_of(tx, zone, skus)
    by_actor: dict[str, list[ZonePrice]] = {}
    for sku in skus:
        nearest = said[sku][0] if sku in said else None
        why = _why_not(change, nearest, store)
        if nearest is None or why is not None:
            tally.count(sku, *(why or (NOTHING_SAID, "")))
        else:
            by_actor.setdefault(nearest.actor, []).append(nearest)
    for actor, some in by_actor.items():
        changes = [change_of(one, store_id) for one in some]
        applied = apply_price_changes(tx, store_id, changes, now, actor=actor, each_by_itself=True)
        tally.labels.update(applied.labels)
        for result in applied.results:
            if Reason.UNKNOWN_SKU in result.reasons:
                tally.count(result.sku, NOT_LISTED)
                continue
            why_held = " ".join(result.reasons)
            is_own = Reason.YIELDS in result.reasons
            tally.count(result.sku, "own_price" if is_own else result.decision, why_held)


def _why_not(change: Change, nearest: ZonePrice | None, store: Store) -> tuple[str, str] | None:
    """Say why a product is not told this time: what becomes of it, and the reason."""
    if nearest is None:
        return NOTHING_SAID, ""
    if change.kind is Kind.PRICES and nearest.change_id != change.change_id:
        why = NEARER if nearest.zone_id != change.zone_id else NEWER
        return Decision.SUPERSEDED, why
    if nearest.currency != store.currency:
        return Decision.REJECTED, Reason.CURRENCY
    return None


def change_of(said: ZonePrice, store_id: StoreId) -> PriceChange:
    """Make the price change of a store from what its zone says."""
    return PriceChange(
        store_id=store_id,
        sku=Sku(said.sku),
        price_minor=said.price_minor,
        currency=said.currency,
        was_minor=said.was_minor,
        unit_price_minor=said.unit_price_minor,
        badge=said.badge,
        source=source_of(said.zone_id),
    )
