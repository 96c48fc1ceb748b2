"""Prices that are held back until a second person decides: rows in and out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, select, update

from esl.domain.errors import UnknownQuarantine
from esl.domain.guards import Reason
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.quarantine import HeldBack, QuarantineState
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.tables import quarantine
from esl.store.upsert import in_batches

EXPIRES_AFTER = timedelta(hours=24)
"""How long a price may wait for a person before a problem is opened."""

_PROBED_MOST = 50
"""Up to so many products are looked up one by one; of more, all that waits in the store is read."""


class Waiting(NamedTuple):
    """One price that waits."""

    quarantine_id: int
    sku: Sku
    source: SourceId
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHeld:
    """A price to hold back. ``reasons`` are separated by blanks."""

    sku: Sku
    source: SourceId
    said: str
    price_minor: int
    held_minor: int | None
    reasons: str


_HOLD: Final = Bulk(
    """
    INSERT INTO quarantine (store_id, sku, source, batch_id, said, price_minor, currency,
        held_minor, reasons, actor, received_at, expires_at)
    SELECT :store, j.value->>0, j.value->>1, CAST(:batch AS bigint), j.value->>2,
        CAST(j.value->>3 AS integer), :currency, CAST(j.value->>4 AS integer), j.value->>5,
        :actor, :now, :expires
    FROM {rows} RETURNING quarantine_id, sku, source
    """
)
_OPEN: Final = Bulk(
    """
    SELECT q.quarantine_id, q.sku, q.source, q.said FROM {rows} CROSS JOIN quarantine AS q
    WHERE q.store_id = :store AND q.sku = {item} AND q.state = 'open'
    """
)
_ALL_OPEN: Final = Bulk(
    """
    SELECT quarantine_id, sku, source, said FROM quarantine
    WHERE store_id = :store AND state = 'open'
    """
)
_END: Final = Bulk(
    """
    UPDATE quarantine SET state = :state, decided_at = :now, decided_by = :by
    FROM {rows} WHERE quarantine.quarantine_id = CAST(j.value->>0 AS bigint)
        AND quarantine.state = 'open'
    """
)


def waiting_of(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> list[Waiting]:
    """Load what waits of products; of other products of the store, too, where they are many."""
    found = (
        _OPEN.run(tx, skus, store=store_id)
        if len(skus) <= _PROBED_MOST
        else _ALL_OPEN.run(tx, store=store_id)
    )
    return [Waiting._make(row) for row in found]


def hold(
    tx: Connection,
    store_id: StoreId,
    held: Sequence[NewHeld],
    now: datetime,
    *,
    currency: str,
    actor: str,
    batch_id: int | None,
) -> dict[tuple[SourceId, Sku], int]:
    """Hold prices back, one of each source and product; return their numbers."""
    rows = [(h.sku, h.source, h.said, h.price_minor, h.held_minor, h.reasons) for h in held]
    found = _HOLD.run(
        tx,
        rows,
        store=store_id,
        currency=currency,
        actor=actor,
        now=now,
        expires=now + EXPIRES_AFTER,
        batch=batch_id,
    )
    return {(SourceId(source), Sku(sku)): int(number) for number, sku, source in found}


def supersede(tx: Connection, quarantine_ids: Iterable[int], now: datetime, *, by: str) -> None:
    """Note that newer words took the place of what waited."""
    rows = [[number] for number in sorted(quarantine_ids)]
    _END.run(tx, rows, state=QuarantineState.SUPERSEDED.value, now=now, by=by)


def supersede_batch(
    tx: Connection, batch_id: int, store_id: StoreId, now: datetime, *, by: str
) -> None:
    """End what waits of a batch that was rolled back."""
    tx.execute(
        update(quarantine)
        .where(
            quarantine.c.batch_id == batch_id,
            quarantine.c.store_id == store_id,
            quarantine.c.state == QuarantineState.OPEN.value,
        )
        .values(state=QuarantineState.SUPERSEDED.value, decided_at=now, decided_by=by)
    )


def held_back(tx: Connection, store_id: StoreId, quarantine_id: int) -> HeldBack:
    """Look up one, and lock it till the commit.

    Raises:
        UnknownQuarantine: The store has none with this number.
    """
    query = _query().where(
        quarantine.c.quarantine_id == quarantine_id, quarantine.c.store_id == store_id
    )
    row = tx.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise UnknownQuarantine("the store has no such price in quarantine")
    return _held_back(row)


def list_held(
    tx: Connection, store_id: StoreId, *, state: QuarantineState | None, after: int, limit: int
) -> list[HeldBack]:
    """List a store's by number."""
    query = _query().where(quarantine.c.store_id == store_id, quarantine.c.quarantine_id > after)
    if state is not None:
        query = query.where(quarantine.c.state == state.value)
    ordered = query.order_by(quarantine.c.quarantine_id).limit(limit)
    return [_held_back(row) for row in tx.execute(ordered)]


def expired(tx: Connection, store_id: StoreId, now: datetime) -> list[HeldBack]:
    """List what has waited for too long."""
    query = _query().where(
        quarantine.c.store_id == store_id,
        quarantine.c.state == QuarantineState.OPEN.value,
        quarantine.c.expires_at <= now,
    )
    return [_held_back(row) for row in tx.execute(query.order_by(quarantine.c.quarantine_id))]


def rejected_of(
    tx: Connection, store_id: StoreId, skus: Iterable[Sku], received_at: datetime
) -> set[Sku]:
    """Say of which of these products a price that came at a moment was rejected by a person."""
    found: set[Sku] = set()
    for batch in in_batches(sorted(skus)):
        query = select(quarantine.c.sku).where(
            quarantine.c.store_id == store_id,
            quarantine.c.sku.in_(batch),
            quarantine.c.received_at == received_at,
            quarantine.c.state == QuarantineState.REJECTED.value,
        )
        found.update(Sku(sku) for sku in tx.execute(query).scalars())
    return found


def decide(
    tx: Connection,
    quarantine_ids: Sequence[int],
    state: QuarantineState,
    now: datetime,
    *,
    by: str,
    note: str | None,
    rev: int | None = None,
) -> None:
    """Write down what a person decided."""
    for batch in in_batches(sorted(quarantine_ids)):
        tx.execute(
            update(quarantine)
            .where(quarantine.c.quarantine_id.in_(batch))
            .values(state=state.value, decided_at=now, decided_by=by, note=note, rev=rev)
        )


def _query() -> Select[Any]:
    return select(quarantine)


def _held_back(row: AnyRow) -> HeldBack:
    return HeldBack(
        quarantine_id=int(row.quarantine_id),
        store_id=StoreId(row.store_id),
        sku=Sku(row.sku),
        source=SourceId(row.source),
        batch_id=row.batch_id,
        said=row.said,
        price_minor=row.price_minor,
        currency=row.currency,
        held_minor=row.held_minor,
        reasons=tuple(Reason(name) for name in row.reasons.split()),
        actor=row.actor,
        received_at=row.received_at,
        expires_at=row.expires_at,
        state=QuarantineState(row.state),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
        rev=row.rev,
    )
