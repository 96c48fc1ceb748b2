"""Prices that hold from a later moment, or until one: rows in and out.

A *base* is what holds beneath those that end, and after them; it is kept for as long as there are
any. See `esl.domain.layers`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, func, select, update

from esl.domain.ids import Sku, SourceId, StoreId
from esl.store.bulk import Bulk
from esl.store.columns import instant_from, instant_text
from esl.store.tables import pos_promotions, scheduled_prices
from esl.store.upsert import in_batches

EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""From when on a price holds that held before the others, since nobody asks when it began."""

NOBODY: Final = SourceId("")
"""Who said a price of which nobody knows who said it."""


class ScheduleState(StrEnum):
    """What became of a price with a begin or an end."""

    WAITING = "waiting"
    HOLDING = "holding"  #: until its ``valid_to``
    BASE = "base"  #: beneath those that hold until a moment
    DONE = "done"
    REPLACED = "replaced"  #: the source said something else in its place
    CANCELLED = "cancelled"


LIVE: Final = (ScheduleState.WAITING, ScheduleState.HOLDING, ScheduleState.BASE)
"""What may still decide what holds."""


class Planned(NamedTuple):
    """A price that waits, or holds until later, or lies beneath such."""

    schedule_id: int
    sku: Sku
    source: SourceId
    valid_from: datetime
    valid_to: datetime | None
    said: str
    state: ScheduleState
    received_at: datetime
    actor: str
    batch_id: int | None
    counts_from: datetime | None = None

    @property
    def holds(self) -> bool:
        """Say whether its moment has come."""
        return self.state is not ScheduleState.WAITING

    @property
    def since(self) -> datetime:
        """Return from when on it counts: nothing holds before it was said.

        What took the place of another word counts from when that did.
        """
        if self.counts_from is not None:
            return self.counts_from
        return max(self.valid_from, self.received_at)


class Due(NamedTuple):
    """A moment that has come for a price of a product."""

    schedule_id: int
    at: datetime
    store_id: StoreId
    sku: Sku


_COLUMNS: Final = """s.schedule_id, s.sku, s.source, s.valid_from, s.valid_to, s.said, s.state,
        s.received_at, s.actor, s.batch_id, s.counts_from"""
_SOME: Final = Bulk(
    "SELECT 1 FROM scheduled_price WHERE store_id = :store AND due_at IS NOT NULL LIMIT 1"
)
_LIVE: Final = Bulk(
    f"""
    SELECT {_COLUMNS} FROM {{rows}} CROSS JOIN scheduled_price AS s
    WHERE s.store_id = :store AND s.sku = {{item}} AND s.state IN ('waiting', 'holding', 'base')
    ORDER BY s.schedule_id
    """  # noqa: S608  our own words  # nosec B608
)
_OVERDUE: Final = Bulk(
    "SELECT 1 FROM scheduled_price WHERE due_at <= :now AND store_id = :store LIMIT 1"
)
_OVERDUE_OF: Final = Bulk(
    """
    SELECT DISTINCT s.sku FROM {rows} CROSS JOIN scheduled_price AS s
    WHERE s.store_id = :store AND s.sku = {item} AND s.due_at <= :now
    """
)
_DUE: Final = Bulk(
    """
    SELECT schedule_id, due_at, store_id, sku FROM scheduled_price WHERE due_at <= :now
    ORDER BY due_at, schedule_id LIMIT :most
    """
)
_PLAN: Final = Bulk(
    """
    INSERT INTO scheduled_price (store_id, sku, source, said, valid_from, valid_to, state, due_at,
        counts_from, actor, batch_id, received_at)
    SELECT :store, j.value->>0, j.value->>1, j.value->>2, {instant[3]}, {instant[4]}, j.value->>5,
        {instant[6]}, {instant[7]}, :actor, CAST(:batch AS bigint), :now
    FROM {rows}
    """
)
_MOVE: Final = Bulk(
    """
    UPDATE scheduled_price SET state = j.value->>1,
        due_at = CASE WHEN j.value->>1 = 'holding' THEN scheduled_price.valid_to END,
        replaced_by = CAST(:batch AS bigint)
    FROM {rows} WHERE scheduled_price.schedule_id = CAST(j.value->>0 AS bigint)
    """
)


def has_plans(tx: Connection, store_id: StoreId) -> bool:
    """Say whether anything of a store begins or ends later; without, there is no base either."""
    return bool(_SOME.run(tx, store=store_id))


def live_prices(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> list[Planned]:
    """Load what may still decide what holds of products, the oldest word first."""
    return [_planned(row) for row in _LIVE.run(tx, skus, store=store_id)]


def planned_prices(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> list[Planned]:
    """Load what waits or holds until later of products."""
    return [p for p in live_prices(tx, store_id, skus) if p.state is not ScheduleState.BASE]


def overdue_products(
    tx: Connection, store_id: StoreId, skus: Sequence[Sku], now: datetime
) -> list[Sku]:
    """Name those of a store's products of which a moment has come that nobody has looked at."""
    if not _OVERDUE.run(tx, store=store_id, now=now):
        return []
    return sorted(Sku(sku) for (sku,) in _OVERDUE_OF.run(tx, skus, store=store_id, now=now))


def due_prices(tx: Connection, now: datetime, *, most: int) -> list[Due]:
    """List what begins or ends by now, in the order of its moments."""
    found: list[Due] = []
    for schedule_id, due_at, store_id, sku in _DUE.run(tx, now=now, most=most):
        at = instant_from(due_at) or now
        found.append(Due(int(schedule_id), at, StoreId(store_id), Sku(sku)))
    return found


def plan_prices(
    tx: Connection,
    store_id: StoreId,
    planned: Iterable[Planned],
    now: datetime,
    *,
    actor: str,
    batch_id: int | None,
) -> None:
    """Keep prices, each in the state that it has; their numbers are given here."""
    rows: list[tuple[Any, ...]] = []
    for one in planned:
        due = {
            ScheduleState.WAITING: one.valid_from,
            ScheduleState.HOLDING: one.valid_to,
        }.get(one.state)
        rows.append(
            (
                *(one.sku, one.source, one.said, instant_text(one.valid_from)),
                *(_text(one.valid_to), one.state.value, _text(due)),
                _text(one.counts_from),
            )
        )
    _PLAN.run(tx, rows, store=store_id, actor=actor, batch=batch_id, now=now)


def move_planned(
    tx: Connection, moved: Iterable[tuple[int, ScheduleState]], *, replaced_by: int | None = None
) -> None:
    """Note what became of prices; ``replaced_by`` is the batch with the word in their place."""
    rows = [(number, state.value) for number, state in sorted(moved)]
    _MOVE.run(tx, rows, batch=replaced_by)


def next_due(tx: Connection) -> datetime | None:
    """Return the next moment at which a price or a promotion of a till begins or ends."""
    found = [
        tx.execute(select(func.min(table.c.due_at)).where(table.c.due_at.is_not(None))).scalar()
        for table in (scheduled_prices, pos_promotions)
    ]
    return min((at for at in found if at is not None), default=None)


def cancel_of_products(
    tx: Connection,
    store_id: StoreId,
    skus: Sequence[Sku],
    *,
    states: Iterable[ScheduleState] = LIVE,
) -> None:
    """Forget what waits or holds of products whose price was taken away."""
    for batch in in_batches(skus):
        tx.execute(
            update(scheduled_prices)
            .where(
                scheduled_prices.c.store_id == store_id,
                scheduled_prices.c.sku.in_(batch),
                scheduled_prices.c.state.in_([state.value for state in states]),
            )
            .values(state=ScheduleState.CANCELLED.value, due_at=None)
        )


def forget_done(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget prices that began and ended long ago."""
    old = (
        select(scheduled_prices.c.schedule_id)
        .where(
            scheduled_prices.c.due_at.is_(None),
            scheduled_prices.c.received_at < before,
            scheduled_prices.c.state != ScheduleState.BASE.value,
        )
        .limit(most)
    )
    return int(
        tx.execute(delete(scheduled_prices).where(scheduled_prices.c.schedule_id.in_(old))).rowcount
    )


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant_text(instant)


def _planned(row: tuple[Any, ...]) -> Planned:
    number, sku, source, begins, ends, said, state, received, actor, batch_id, counts_from = row
    return Planned(
        int(number),
        Sku(sku),
        SourceId(source),
        instant_from(begins) or EVER,
        instant_from(ends),
        said,
        ScheduleState(state),
        instant_from(received) or EVER,
        actor,
        None if batch_id is None else int(batch_id),
        instant_from(counts_from),
    )
