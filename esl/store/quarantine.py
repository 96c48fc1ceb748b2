"""Prices that are held back until a second person decides: rows in and out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from esl.domain.errors import UnknownQuarantine
from esl.domain.guards import Reason
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Decision
from esl.domain.quarantine import HeldBack, QuarantineState
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.tables import price_events, quarantine
from esl.store.upsert import in_batches

EXPIRES_AFTER = timedelta(hours=24)
"""How long a price may wait for a person before a problem is opened."""

_PROBED_MOST = 50
"""Up to so many products are looked up one by one; of more, all that waits in the store is read."""


HeldAs = tuple[SourceId, Sku, str]
"""A price that was held back: its source, its product, and the words that are applied."""


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
    FROM {rows} RETURNING quarantine_id, sku, source, said
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
) -> dict[HeldAs, int]:
    """Hold prices back; return their numbers."""
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
    return {
        (SourceId(source), Sku(sku), str(said)): int(number) for number, sku, source, said in found
    }


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
    tx: Connection,
    store_id: StoreId,
    *,
    state: QuarantineState | None,
    after: int,
    limit: int,
    sku: Sku | None = None,
) -> list[HeldBack]:
    """List a store's by number, or those of one product."""
    query = _query().where(quarantine.c.store_id == store_id, quarantine.c.quarantine_id > after)
    if state is not None:
        query = query.where(quarantine.c.state == state.value)
    if sku is not None:
        query = query.where(quarantine.c.sku == sku)
    ordered = query.order_by(quarantine.c.quarantine_id).limit(limit)
    return [_held_back(row) for row in tx.execute(ordered)]


def doubted_of(
    tx: Connection, store_id: StoreId, batch_id: int, skus: Sequence[Sku]
) -> dict[Sku, tuple[int | None, int, str]]:
    """Say of products whose price a batch left waiting: what held, what was said, currency."""
    found: dict[Sku, tuple[int | None, int, str]] = {}
    row = quarantine.c
    for some in in_batches(skus):
        query = select(row.sku, row.held_minor, row.price_minor, row.currency).where(
            *_waits_of_batch(store_id, batch_id), row.sku.in_(some)
        )
        for one in tx.execute(query):
            found[Sku(one.sku)] = (one.held_minor, one.price_minor, one.currency)
    return found


def open_of_batch(
    tx: Connection, store_id: StoreId, batch_id: int, *, limit: int
) -> list[HeldBack]:
    """List what waits of a batch in a store, by number; lock it till the commit."""
    query = _query().where(*_waits_of_batch(store_id, batch_id))
    ordered = query.order_by(quarantine.c.quarantine_id).limit(limit).with_for_update()
    return [_held_back(row) for row in tx.execute(ordered)]


def count_open_of_batch(tx: Connection, store_id: StoreId, batch_id: int) -> int:
    """Count what waits of a batch in a store."""
    query = select(func.count()).where(*_waits_of_batch(store_id, batch_id))
    return int(tx.execute(query).scalar_one())


def also_sent(tx: Connection, store_id: StoreId, held: Sequence[HeldBack], *, by: str) -> set[int]:
    """Say which of these prices somebody sent, too, though another is noted as the sender.

    The same price sent again waits under the number that it has.
    """
    if not held:
        return set()
    alike: dict[tuple[Sku, str, int], list[HeldBack]] = {}
    for one in held:
        alike.setdefault((one.sku, one.source, one.price_minor), []).append(one)
    earliest = min(one.received_at for one in held)
    found: set[int] = set()
    for some in in_batches(sorted({one.sku for one in held})):
        query = select(
            price_events.c.sku,
            price_events.c.source,
            price_events.c.price_minor,
            price_events.c.received_at,
        ).where(
            price_events.c.store_id == store_id,
            price_events.c.sku.in_(some),
            price_events.c.actor == by,
            price_events.c.decision == Decision.QUARANTINED.value,
            price_events.c.received_at >= earliest,
        )
        for row in tx.execute(query):
            for one in alike.get((row.sku, row.source, row.price_minor), ()):
                if row.received_at >= one.received_at:
                    found.add(one.quarantine_id)
    return found


def _waits_of_batch(store_id: StoreId, batch_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        quarantine.c.batch_id == batch_id,
        quarantine.c.store_id == store_id,
        quarantine.c.state == QuarantineState.OPEN.value,
    )


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


def rulings_of(
    tx: Connection,
    store_id: StoreId,
    source: SourceId,
    skus: Collection[Sku],
    until: datetime,
    *,
    batch_id: int | None,
) -> dict[Sku, tuple[QuarantineState, int | None]]:
    """Say what became of the last price of each product that a source had held back by then.

    With the revision under which it holds, where a person approved it. Most are of the batch;
    what was said before, too, waits under the number of then.
    """
    query = select(quarantine.c.sku, quarantine.c.state, quarantine.c.rev).where(
        quarantine.c.store_id == store_id,
        quarantine.c.source == source,
        quarantine.c.received_at <= until,
    )
    ordered = query.order_by(quarantine.c.quarantine_id)

    def read(some: Select[Any]) -> dict[Sku, tuple[QuarantineState, int | None]]:
        return {Sku(r.sku): (QuarantineState(r.state), r.rev) for r in tx.execute(some)}

    found = {} if batch_id is None else read(ordered.where(quarantine.c.batch_id == batch_id))
    for some in in_batches(sorted(set(skus) - found.keys())):
        found |= read(ordered.where(quarantine.c.sku.in_(some)))
    return found


def decide(
    tx: Connection,
    quarantine_ids: Sequence[int],
    state: QuarantineState,
    now: datetime,
    *,
    by: str,
    note: str | None,
) -> None:
    """Write down what a person decided."""
    for batch in in_batches(sorted(quarantine_ids)):
        tx.execute(
            update(quarantine)
            .where(quarantine.c.quarantine_id.in_(batch))
            .values(state=state.value, decided_at=now, decided_by=by, note=note)
        )


def note_rev(tx: Connection, quarantine_ids: Sequence[int], rev: int) -> None:
    """Note under which revision prices were applied that a person approved."""
    for batch in in_batches(sorted(quarantine_ids)):
        tx.execute(update(quarantine).where(quarantine.c.quarantine_id.in_(batch)).values(rev=rev))


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
