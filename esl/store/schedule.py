"""Prices that hold from a later moment, or until one: rows in and out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Says
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow, instant_from, instant_text
from esl.store.tables import pos_promotions, scheduled_prices
from esl.store.upsert import in_batches


class ScheduleState(StrEnum):
    """What became of a price for a later moment."""

    WAITING = "waiting"
    HOLDING = "holding"  #: until its ``valid_to``
    DONE = "done"
    REPLACED = "replaced"  #: the source said something else for the same moment
    CANCELLED = "cancelled"


class Planned(NamedTuple):
    """One that waits, or holds until later, as far as its source may say it again."""

    schedule_id: int
    sku: Sku
    source: SourceId
    valid_from: datetime | None
    said: str
    holds: bool
    before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A price for a later moment."""

    schedule_id: int
    store_id: StoreId
    sku: Sku
    source: SourceId
    batch_id: int | None
    said: str
    valid_from: datetime
    valid_to: datetime | None
    before: str | None
    rev: int | None
    state: ScheduleState
    due_at: datetime | None
    actor: str


_SOME: Final = Bulk(
    "SELECT 1 FROM scheduled_price WHERE store_id = :store AND due_at IS NOT NULL LIMIT 1"
)
_WAITING: Final = Bulk(
    """
    SELECT s.schedule_id, s.sku, s.source, s.valid_from, s.said,
        CASE WHEN s.state = 'holding' THEN 1 ELSE 0 END, s.before
    FROM {rows} CROSS JOIN scheduled_price AS s
    WHERE s.store_id = :store AND s.sku = {item} AND s.due_at IS NOT NULL
    """
)
_PLAN: Final = Bulk(
    """
    INSERT INTO scheduled_price (store_id, sku, source, batch_id, said, valid_from, valid_to,
        due_at, state, before, actor, received_at)
    SELECT :store, j.value->>0, :source, CAST(:batch AS bigint), j.value->>1, {instant[2]},
        {instant[3]}, {instant[4]}, j.value->>5, j.value->>6, :actor, :now
    FROM {rows}
    """
)
_END: Final = Bulk(
    """
    UPDATE scheduled_price SET state = :state, due_at = NULL
    FROM {rows} WHERE scheduled_price.schedule_id = CAST(j.value->>0 AS bigint)
    """
)


def planned_prices(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> list[Planned]:
    """Load what waits or holds for a while of products."""
    if not _SOME.run(tx, store=store_id):
        return []
    return [
        Planned(number, sku, source, instant_from(begins), said, bool(holds), before)
        for number, sku, source, begins, said, holds, before in _WAITING.run(
            tx, skus, store=store_id
        )
    ]


def plan_prices(
    tx: Connection,
    store_id: StoreId,
    planned: Iterable[tuple[Sku, str, datetime, datetime | None, str | None, bool]],
    now: datetime,
    *,
    source: SourceId,
    actor: str,
    batch_id: int | None,
) -> None:
    """Keep prices for later: (SKU, said, from, to, what held before, whether it holds already)."""
    rows: list[tuple[Any, ...]] = []
    for sku, said, begins, ends, before, holds in planned:
        state = ScheduleState.HOLDING if holds else ScheduleState.WAITING
        due = ends if holds else begins
        rows.append(
            (
                *(sku, said, instant_text(begins), None if ends is None else instant_text(ends)),
                *(None if due is None else instant_text(due), state.value, before),
            )
        )
    _PLAN.run(tx, rows, store=store_id, source=source, actor=actor, batch=batch_id, now=now)


def end_planned(tx: Connection, schedule_ids: Iterable[int], state: ScheduleState) -> None:
    """Note what became of prices that wait or hold."""
    _END.run(tx, [[number] for number in sorted(schedule_ids)], state=state.value)


def begin_holding(
    tx: Connection, scheduled: Scheduled, before: Says | None, rev: int | None
) -> None:
    """Note that a price holds until its ``valid_to``, and what holds again from then."""
    tx.execute(
        update(scheduled_prices)
        .where(scheduled_prices.c.schedule_id == scheduled.schedule_id)
        .values(
            state=ScheduleState.HOLDING.value,
            due_at=scheduled.valid_to,
            before=says_text(before),
            rev=rev,
        )
    )


def note_revs(tx: Connection, store_id: StoreId, batch: Iterable[Sku], rev: int | None) -> None:
    """Note the revision of prices that began to hold with the entry that said them."""
    for skus in in_batches(sorted(set(batch))):
        tx.execute(
            update(scheduled_prices)
            .where(
                scheduled_prices.c.store_id == store_id,
                scheduled_prices.c.sku.in_(skus),
                scheduled_prices.c.state == ScheduleState.HOLDING.value,
                scheduled_prices.c.rev.is_(None),
            )
            .values(rev=rev)
        )


def due_prices(tx: Connection, now: datetime, *, most: int) -> list[Scheduled]:
    """List what begins or ends by now, in the order of its moments."""
    query = (
        select(scheduled_prices)
        .where(scheduled_prices.c.due_at <= now)
        .order_by(scheduled_prices.c.due_at, scheduled_prices.c.schedule_id)
        .limit(most)
    )
    return [_scheduled(row) for row in tx.execute(query)]


def next_due(tx: Connection) -> datetime | None:
    """Return the next moment at which a price or a promotion of a till begins or ends."""
    found = [
        tx.execute(select(func.min(table.c.due_at)).where(table.c.due_at.is_not(None))).scalar()
        for table in (scheduled_prices, pos_promotions)
    ]
    return min((at for at in found if at is not None), default=None)


def cancel_of_products(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> None:
    """Forget what waits for products that left the list."""
    for batch in in_batches(skus):
        tx.execute(
            update(scheduled_prices)
            .where(
                scheduled_prices.c.store_id == store_id,
                scheduled_prices.c.sku.in_(batch),
                scheduled_prices.c.due_at.is_not(None),
            )
            .values(state=ScheduleState.CANCELLED.value, due_at=None)
        )


def cancel_of_batch(tx: Connection, batch_id: int, store_id: StoreId) -> int:
    """Forget what a batch planned and is not over."""
    return int(
        tx.execute(
            update(scheduled_prices)
            .where(
                scheduled_prices.c.batch_id == batch_id,
                scheduled_prices.c.store_id == store_id,
                scheduled_prices.c.due_at.is_not(None),
            )
            .values(state=ScheduleState.CANCELLED.value, due_at=None)
        ).rowcount
    )


def forget_done(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget prices that began and ended long ago."""
    old = (
        select(scheduled_prices.c.schedule_id)
        .where(scheduled_prices.c.due_at.is_(None), scheduled_prices.c.received_at < before)
        .limit(most)
    )
    return int(
        tx.execute(delete(scheduled_prices).where(scheduled_prices.c.schedule_id.in_(old))).rowcount
    )


def says_text(says: Says | None) -> str | None:
    """Write what a price says as it is kept."""
    return None if says is None else msgspec.json.encode(tuple(says)).decode()


def says_from(text: str | None) -> Says | None:
    """Read what `says_text` wrote."""
    return None if text is None else Says._make(msgspec.json.decode(text))


def _scheduled(row: AnyRow) -> Scheduled:
    return Scheduled(
        schedule_id=int(row.schedule_id),
        store_id=StoreId(row.store_id),
        sku=Sku(row.sku),
        source=SourceId(row.source),
        batch_id=row.batch_id,
        said=row.said,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        before=row.before,
        rev=row.rev,
        state=ScheduleState(row.state),
        due_at=row.due_at,
        actor=row.actor,
    )
