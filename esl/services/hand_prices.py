"""Prices that a person changes by hand, each with a reason, and taken back as quickly.

A change by hand is a batch of one: its title is the reason, which price history and journal tell.
The guards weigh it like any other, and a source of higher priority keeps its price.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from esl.domain.errors import Conflict, Forbidden
from esl.domain.guards import Reason
from esl.domain.ids import LabelId, SourceId, StoreId
from esl.domain.pricing import ChangeResult, Decision, PriceChange
from esl.services.batches import RolledBack, roll_back
from esl.services.pricing import apply_price_changes
from esl.store import audit, batches
from esl.store.batches import Tally

HAND: Final = SourceId("hand")
"""As whose word such a price stands in history and in the batch."""

UNDO_WITHIN: Final = timedelta(minutes=10)
"""Later it is a batch like any other, and rolling it back takes the right to approve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """What became of a price; ``batch_id`` is None where it changed nothing."""

    result: ChangeResult
    batch_id: int | None
    labels: tuple[LabelId, ...]


def change_by_hand(
    tx: Connection,
    store_id: StoreId,
    change: PriceChange,
    now: datetime,
    *,
    actor: str,
    reason: str,
) -> ByHand:
    """Apply a price that somebody typed in.

    Raises:
        InvalidInput: The store has no product with this SKU.
        Conflict: The currency is not the store's.
    """
    batch_id = batches.begin_batch(
        tx, now, store_id=store_id, source=HAND, actor=actor, title=reason
    )
    applied = apply_price_changes(tx, store_id, [change], now, actor=actor, batch_id=batch_id)
    [result] = applied.results
    tally = Tally()
    tally.count([result.decision])
    batches.add_tally(tx, batch_id, tally, now, tripped=Reason.BULK in result.reasons)
    changed = result.decision in (Decision.ACCEPTED, Decision.QUARANTINED)
    if not changed:
        batches.forget_if_empty(tx, batch_id)
    audit.note(
        tx,
        now,
        actor=actor,
        action="price_by_hand",
        subject=f"product/{change.sku}",
        store_id=store_id,
        reason=reason,
        detail={"price_minor": change.price_minor, "decision": result.decision.value},
    )
    return ByHand(result=result, batch_id=batch_id if changed else None, labels=applied.labels)


def undo_by_hand(
    tx: Connection, store_id: StoreId, batch_id: int, now: datetime, *, actor: str
) -> RolledBack:
    """Let the price from before hold again: one's own, and only for `UNDO_WITHIN`.

    Raises:
        UnknownBatch: The store has no such batch.
        Forbidden: It is no price by hand, another's, or older.
        Conflict: It was taken back before, or somebody has said another price since.
    """
    batch = batches.batch_named(tx, store_id, batch_id)
    if batch.source != HAND or batch.actor != actor or now - batch.began_at > UNDO_WITHIN:
        minutes = UNDO_WITHIN // timedelta(minutes=1)
        raise Forbidden(
            f"only one's own price by hand can be undone, for {minutes} minutes;"
            " later whoever may approve prices rolls its batch back"
        )
    done = roll_back(tx, store_id, batch_id, now, actor=actor, reason="undone")
    if done.kept and not (done.restored or done.withdrawn):
        raise Conflict("somebody has said another price of the product since: it stays")
    return done
