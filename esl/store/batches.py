"""Batches of changes that came together: rows in and out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, and_, delete, exists, insert, or_, select, update

from esl.domain.errors import UnknownBatch
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Decision, Says
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.tables import batches, price_events

_COUNTED: Final = (
    *(Decision.ACCEPTED, Decision.UNCHANGED, Decision.SUPERSEDED),
    *(Decision.QUARANTINED, Decision.REJECTED),
)


@dataclass(slots=True)
class Tally:
    """How many changes came to each decision."""

    counts: dict[Decision, int] = field(default_factory=lambda: dict.fromkeys(_COUNTED, 0))

    def count(self, decisions: Sequence[Decision]) -> None:
        """Count some more."""
        for decision in _COUNTED:
            self.counts[decision] += decisions.count(decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch, and what became of its changes."""

    batch_id: int
    store_id: StoreId | None  # None: of several
    source: SourceId
    title: str
    actor: str
    began_at: datetime
    counts: dict[Decision, int]
    tripped_at: datetime | None
    rolled_back_at: datetime | None
    rolled_back_by: str | None


class StillHolding(NamedTuple):
    """A price of a batch that holds still, and what held before it."""

    sku: Sku
    rev: int
    before: Says | None


class Move(NamedTuple):
    """A price before and after a batch, in minor units; None: there was none."""

    before_minor: int | None
    after_minor: int
    currency: str


_HOLDING: Final = Bulk(
    """
    SELECT DISTINCT e.sku, p.rev FROM price_event AS e
    JOIN price AS p ON p.store_id = e.store_id AND p.sku = e.sku AND p.rev = e.rev
    WHERE e.batch_id = :batch AND e.store_id = :store AND e.rev IS NOT NULL ORDER BY e.sku
    """
)
_BEFORE: Final = Bulk(
    """
    SELECT e.sku, e.price_minor, e.was_minor, e.unit_price_minor, e.badge, e.regular_minor,
        e.member_minor, e.multibuy_quantity, e.multibuy_minor, e.multibuy_pay_for,
        e.member_condition
    FROM {rows} CROSS JOIN price_event AS e
    WHERE e.store_id = :store AND e.sku = j.value->>0 AND e.rev IS NOT NULL AND e.layer <> 2
        AND (e.batch_id IS NULL OR e.batch_id <> :batch)
        AND e.event_id < (SELECT min(f.event_id) FROM price_event AS f
            WHERE f.store_id = :store AND f.sku = e.sku AND f.batch_id = :batch
                AND f.rev IS NOT NULL)
    ORDER BY e.sku, e.event_id
    """
)
_MOVES: Final = Bulk(
    """
    SELECT e.sku, e.currency, e.price_minor,
        (SELECT CASE WHEN f.decision = 'withdrawn' THEN NULL ELSE f.price_minor END
            FROM price_event AS f
            WHERE f.store_id = :store AND f.sku = e.sku AND f.event_id < e.event_id
                AND f.rev IS NOT NULL AND f.layer <> 2
            ORDER BY f.event_id DESC LIMIT 1)
    FROM {rows} CROSS JOIN price_event AS e
    WHERE e.store_id = :store AND e.sku = {item} AND e.batch_id = :batch
        AND e.rev IS NOT NULL AND e.layer <> 2
    ORDER BY e.event_id
    """
)
_TRIPPED: Final = Bulk(
    "SELECT 1 FROM batch WHERE batch_id = :batch AND tripped_at IS NOT NULL LIMIT 1"
)
_TALLY: Final = Bulk(
    """
    UPDATE batch SET accepted = accepted + :accepted, unchanged = unchanged + :unchanged,
        superseded = superseded + :superseded, quarantined = quarantined + :quarantined,
        rejected = rejected + :rejected
    WHERE batch_id = :batch
    """
)


def begin_batch(
    tx: Connection,
    now: datetime,
    *,
    store_id: StoreId | None,
    source: SourceId,
    actor: str,
    title: str = "",
) -> int:
    """Open a batch; return its number."""
    row = {
        "store_id": store_id,
        "source": source,
        "title": title[:200],
        "actor": actor,
        "began_at": now,
    }
    return int(tx.execute(insert(batches).values(**row).returning(batches.c.batch_id)).scalar_one())


def is_tripped(tx: Connection, batch_id: int) -> bool:
    """Say whether the circuit breaker holds back the rest of a batch."""
    return bool(_TRIPPED.run(tx, batch=batch_id))


def add_tally(
    tx: Connection, batch_id: int, tally: Tally, now: datetime, *, tripped: bool = False
) -> None:
    """Add what became of some changes of a batch."""
    if any(tally.counts.values()):
        more = {decision.value: count for decision, count in tally.counts.items()}
        _TALLY.run(tx, None, batch=batch_id, **more)
    if tripped:
        tx.execute(
            update(batches)
            .where(batches.c.batch_id == batch_id, batches.c.tripped_at.is_(None))
            .values(tripped_at=now)
        )


def forget_if_empty(tx: Connection, batch_id: int) -> None:
    """Forget a batch that changed nothing and holds nothing back: there is nothing to take back.

    Whoever asks a shop every minute would have one a minute otherwise.
    """
    tx.execute(
        delete(batches).where(
            batches.c.batch_id == batch_id,
            batches.c.accepted == 0,
            batches.c.quarantined == 0,
            batches.c.tripped_at.is_(None),
        )
    )


def batch_named(tx: Connection, store_id: StoreId, batch_id: int, *, lock: bool = False) -> Batch:
    """Look up a batch that changed something in a store.

    Raises:
        UnknownBatch: There is none.
    """
    query = _of_store(store_id).where(batches.c.batch_id == batch_id)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise UnknownBatch("the store has no such batch")
    return _batch(row)


def list_batches(
    tx: Connection, store_id: StoreId, *, before: int | None, limit: int
) -> list[Batch]:
    """List a store's batches, the newest first."""
    query = _of_store(store_id)
    if before is not None:
        query = query.where(batches.c.batch_id < before)
    ordered = query.order_by(batches.c.batch_id.desc()).limit(limit)
    return [_batch(row) for row in tx.execute(ordered)]


def still_holding(tx: Connection, store_id: StoreId, batch_id: int) -> list[StillHolding]:
    """List the prices of a batch that hold still, each with what held before the batch."""
    found = _HOLDING.run(tx, store=store_id, batch=batch_id)
    before: dict[str, Says] = {}
    for row in _BEFORE.run(tx, [[sku] for sku, _ in found], store=store_id, batch=batch_id):
        before[row[0]] = Says._make(row[1:])
    return [StillHolding(Sku(sku), int(rev), before.get(sku)) for sku, rev in found]


def skus_of(tx: Connection, store_id: StoreId, batch_id: int) -> list[Sku]:
    """List the products of which a batch changed the price."""
    query = (
        select(price_events.c.sku)
        .where(
            price_events.c.batch_id == batch_id,
            price_events.c.store_id == store_id,
            price_events.c.rev.is_not(None),
        )
        .distinct()
    )
    return sorted(Sku(sku) for sku in tx.execute(query).scalars())


def count_accepted(tx: Connection, store_id: StoreId, batch_id: int) -> int:
    """Count the products of which a batch changed the price."""
    return len(skus_of(tx, store_id, batch_id))


def moves_of(
    tx: Connection, store_id: StoreId, batch_id: int, skus: Sequence[Sku]
) -> dict[Sku, Move]:
    """Say of products what a batch made of their prices; those it left as they were are left out.

    Of several changes of one product the last counts.
    """
    return {
        Sku(sku): Move(before, after, currency)
        for sku, currency, after, before in _MOVES.run(
            tx, sorted(set(skus)), store=store_id, batch=batch_id
        )
    }


def note_rolled_back(tx: Connection, batch_id: int, now: datetime, *, by: str) -> None:
    """Note that a batch's prices were taken back."""
    tx.execute(
        update(batches)
        .where(batches.c.batch_id == batch_id)
        .values(rolled_back_at=now, rolled_back_by=by)
    )


def _of_store(store_id: StoreId) -> Select[Any]:
    said_here = exists(
        select(price_events.c.event_id).where(
            price_events.c.batch_id == batches.c.batch_id, price_events.c.store_id == store_id
        )
    )
    return select(batches).where(
        or_(batches.c.store_id == store_id, and_(batches.c.store_id.is_(None), said_here))
    )


def _batch(row: AnyRow) -> Batch:
    return Batch(
        batch_id=int(row.batch_id),
        store_id=StoreId(row.store_id) if row.store_id is not None else None,
        source=SourceId(row.source),
        title=row.title,
        actor=row.actor,
        began_at=row.began_at,
        counts={decision: int(getattr(row, decision.value)) for decision in _COUNTED},
        tripped_at=row.tripped_at,
        rolled_back_at=row.rolled_back_at,
        rolled_back_by=row.rolled_back_by,
    )
