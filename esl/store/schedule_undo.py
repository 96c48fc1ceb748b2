"""Prices with a begin or an end, as a batch said them, are taken back with it: rows in and out.

What the batch put its words in the place of lives again, where nobody has said more since.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select, update

from esl.domain.ids import Sku, StoreId
from esl.store.schedule import LIVE, ScheduleState
from esl.store.tables import scheduled_prices

_ROWS = scheduled_prices.c
_REPLACED = ScheduleState.REPLACED.value


def undo_batch(
    tx: Connection, batch_id: int, store_id: StoreId, holding: Collection[Sku], now: datetime
) -> list[Sku]:
    """Forget what a batch planned; name the products of which it said or replaced something.

    ``holding`` are the products whose price is the batch's still. What another batch replaced
    since stays replaced, and lives again once that one is taken back.
    """
    mine = tx.execute(
        select(_ROWS.schedule_id, _ROWS.sku, _ROWS.source, _ROWS.state, _ROWS.replaced_by).where(
            _ROWS.batch_id == batch_id, _ROWS.store_id == store_id
        )
    ).all()
    living = {row.sku for row in mine if row.state in LIVE}
    passed_on = {(r.sku, r.source): r.replaced_by for r in mine if r.state == _REPLACED}
    ended = [row.schedule_id for row in mine if row.state in (*LIVE, _REPLACED)]
    _put(tx, ended, state=ScheduleState.CANCELLED.value, due_at=None)
    touched: set[Sku] = {Sku(sku) for sku in living}
    for row in tx.execute(
        select(scheduled_prices).where(
            _ROWS.replaced_by == batch_id,
            _ROWS.store_id == store_id,
            _ROWS.state == _REPLACED,
            or_(_ROWS.valid_to.is_(None), _ROWS.valid_to > now),
        )
    ).all():
        sku = Sku(row.sku)
        if sku in living or sku in holding:
            _put(tx, [row.schedule_id], replaced_by=None, **_alive(row, now))
            touched.add(sku)
        elif (sku, row.source) in passed_on:
            _put(tx, [row.schedule_id], replaced_by=passed_on[sku, row.source])
    return sorted(touched)


def _alive(row: Any, now: datetime) -> dict[str, Any]:
    """Say in which state a price lives again: the base is without an end, and has begun."""
    if row.valid_from > now:
        return {"state": ScheduleState.WAITING.value, "due_at": row.valid_from}
    if row.valid_to is None:
        return {"state": ScheduleState.BASE.value, "due_at": None}
    return {"state": ScheduleState.HOLDING.value, "due_at": row.valid_to}


def _put(tx: Connection, numbers: Collection[int], **values: Any) -> None:
    if numbers:
        tx.execute(
            update(scheduled_prices).where(_ROWS.schedule_id.in_(sorted(numbers))).values(**values)
        )
