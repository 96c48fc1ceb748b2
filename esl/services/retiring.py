"""Retire what a complete list leaves out; a list that is too short retires nothing.

::

    full list taken ──▶ missing = what this source priced, and did not list now
                         ├─ few ───▶ their prices are withdrawn: labels go neutral
                         └─ many ──▶ nothing; a problem is open until a person confirms,
                                     or a whole list comes
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from esl.domain.errors import Conflict, InvalidInput
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.source import Source
from esl.services.withdrawals import withdraw_prices
from esl.store import audit, missing, places, promotions, schedule
from esl.store.products import lock_products
from esl.store.upsert import in_batches

MISSING_MOST_PERCENT: Final = 10
MISSING_LEAST: Final = 20
"""A list that leaves out more than both is taken for broken, not for true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """What became of missing products. ``held`` of them wait for a person."""

    skus: tuple[Sku, ...]
    held: int
    labels: tuple[LabelId, ...]


def retire_missing(
    tx: Connection,
    source: Source,
    store_id: StoreId,
    listed: Container[Sku],
    now: datetime,
    *,
    batch_id: int,
    actor: str,
) -> Retired:
    """Withdraw the prices of products that a source's complete list leaves out.

    Raises:
        InvalidInput: The source does not send complete lists.
    """
    if not source.accepts_full:
        raise InvalidInput.at(
            "/full",
            "this source does not send complete lists",
            fix="Set accepts_full of the source, or import it as a delta.",
        )
    places.lock_store(tx, store_id)
    mine = missing.priced_by(tx, store_id, source.source_id)
    gone = [sku for sku in mine if sku not in listed]
    missing.forget_of_source(tx, store_id, source.source_id)
    if len(gone) > MISSING_LEAST and len(gone) * 100 > len(mine) * MISSING_MOST_PERCENT:
        missing.note_missing(tx, store_id, gone, now, source=source.source_id, batch_id=batch_id)
        return Retired(skus=(), held=len(gone), labels=())
    return Retired(skus=tuple(gone), held=0, labels=_withdraw(tx, store_id, gone, now, actor))


def confirm_retirement(
    tx: Connection, store_id: StoreId, batch_id: int, now: datetime, *, actor: str, reason: str
) -> Retired:
    """Withdraw the prices that a short list has put in doubt: a person says that it is true.

    Raises:
        Conflict: Nothing of this batch waits.
    """
    places.lock_store(tx, store_id)
    gone = missing.missing_of(tx, store_id, batch_id)
    if not gone:
        raise Conflict(f"nothing of the batch {batch_id} waits to be retired")
    missing.forget_missing(tx, store_id, gone)
    labels = _withdraw(tx, store_id, gone, now, actor)
    audit.note(
        tx,
        now,
        actor=actor,
        action="retire",
        subject=f"batch/{batch_id}",
        store_id=store_id,
        reason=reason or None,
        detail={"products": len(gone)},
    )
    return Retired(skus=tuple(gone), held=0, labels=labels)


def _withdraw(
    tx: Connection, store_id: StoreId, gone: list[Sku], now: datetime, actor: str
) -> tuple[LabelId, ...]:
    touched: list[LabelId] = []
    for batch in in_batches(gone):
        known = sorted(lock_products(tx, store_id, batch))
        touched += withdraw_prices(tx, store_id, known, now, actor=actor)
        promotions.forget_of_products(tx, store_id, known)
        schedule.cancel_of_products(tx, store_id, known)
    if gone:
        audit.note(
            tx,
            now,
            actor=actor,
            action="retired",
            subject=f"{len(gone)} products",
            store_id=store_id,
            detail={"skus": gone[:100]},
        )
    return tuple(touched)
