"""Batches of prices: applied together, and taken back as new revisions.

Only where a price of the batch holds still: what anybody has said since stays. History is never
rewritten; what the batch planned for later or left in quarantine is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import Conflict
from esl.domain.guards import Reason
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.pricing import DEFAULT_SOURCE, PriceChange, Says
from esl.services.pricing import Applied, apply_price_changes
from esl.services.schedule import let_hold_again
from esl.services.turning import settle
from esl.store import audit, batches, past_prices, places, promotions, quarantine, schedule
from esl.store.batches import Tally
from esl.store.products import lock_products
from esl.store.schedule_undo import undo_batch


def apply_batch(
    tx: Connection, store_id: StoreId, changes: Sequence[PriceChange], now: datetime, *, actor: str
) -> tuple[Applied, int | None]:
    """Apply price changes that came together as a batch, which can be taken back as one.

    One of an unknown product, or under a number used before, is rejected by itself. A single
    change is no batch. Raises what `esl.services.pricing.apply_price_changes` does.
    """
    if len(changes) == 1:
        return apply_price_changes(tx, store_id, changes, now, actor=actor), None
    said_by = {change.source for change in changes}
    source = min(said_by) if len(said_by) == 1 else DEFAULT_SOURCE
    batch_id = batches.begin_batch(tx, now, store_id=store_id, source=source, actor=actor)
    applied = apply_price_changes(
        tx, store_id, changes, now, actor=actor, batch_id=batch_id, each_by_itself=True
    )
    tally = Tally()
    tally.count([result.decision for result in applied.results])
    held = Reason.BULK in {r for result in applied.results for r in result.reasons}
    batches.add_tally(tx, batch_id, tally, now, tripped=held)
    return applied, batch_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """What became of a batch: how many prices went back, and the labels that want it."""

    batch_id: int
    restored: int
    withdrawn: int  # had no price before
    kept: int  # somebody has said another price since
    labels: tuple[LabelId, ...]


def roll_back(
    tx: Connection, store_id: StoreId, batch_id: int, now: datetime, *, actor: str, reason: str
) -> RolledBack:
    """Let the prices from before a batch hold again.

    Raises:
        UnknownBatch: The store has no such batch.
        Conflict: It was rolled back before.
    """
    places.lock_store(tx, store_id)
    batch = batches.batch_named(tx, store_id, batch_id, lock=True)
    if batch.rolled_back_at is not None and batch.store_id is not None:
        raise Conflict(f"the batch {batch_id} was rolled back before")
    lock_products(tx, store_id, batches.skus_of(tx, store_id, batch_id))
    holding = batches.still_holding(tx, store_id, batch_id)
    promotions.forget_of_batch(tx, store_id, batch_id)
    past_prices.forget_past_of_batch(tx, store_id, batch_id)
    quarantine.supersede_batch(tx, batch_id, store_id, now, by=actor)
    before: dict[Sku, Says | None] = {one.sku: one.before for one in holding}
    planned = undo_batch(tx, batch_id, store_id, before, now)
    layered = {one.sku for one in schedule.live_prices(tx, store_id, planned) if one.holds}
    plain = {sku: says for sku, says in before.items() if sku not in layered}
    touched = let_hold_again(tx, store_id, plain, now, actor=actor, source=batch.source)
    if planned:
        touched += settle(tx, store_id, planned, now, now, actor=actor)
    batches.note_rolled_back(tx, batch_id, now, by=actor)
    withdrawn = sum(1 for says in before.values() if says is None)
    rolled = RolledBack(
        batch_id=batch_id,
        restored=len(before) - withdrawn,
        withdrawn=withdrawn,
        kept=batches.count_accepted(tx, store_id, batch_id) - len(before),
        labels=touched,
    )
    audit.note(
        tx,
        now,
        actor=actor,
        action="roll_back",
        subject=f"batch/{batch_id}",
        store_id=store_id,
        reason=reason or None,
        detail={
            "restored": rolled.restored,
            "withdrawn": rolled.withdrawn,
            "kept": rolled.kept,
        },
    )
    return rolled
