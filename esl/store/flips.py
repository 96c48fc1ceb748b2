"""Prices for a moment: rows in and out."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from esl.domain.errors import UnknownFlip
from esl.domain.ids import Sku, StoreId
from esl.domain.pricing import Decision
from esl.domain.staged import Flip, FlipKind, FlipState
from esl.store.columns import AnyRow
from esl.store.tables import flips, price_events
from esl.store.upsert import in_batches


def add_flip(
    tx: Connection,
    store_id: StoreId,
    show_at: datetime,
    changes: str,
    now: datetime,
    *,
    actor: str,
    kind: FlipKind = FlipKind.PRICES,
) -> int:
    """Write a flip down; return its number."""
    row = {
        "store_id": store_id,
        "show_at": show_at,
        "changes": changes,
        "state": int(FlipState.PLANNED),
        "actor": actor[:80],
        "planned_at": now,
        "kind": int(kind),
    }
    [flip_id] = tx.execute(insert(flips).returning(flips.c.flip_id), [row]).scalars()
    return int(flip_id)


def due_flips(tx: Connection, now: datetime, *, limit: int = 100) -> list[int]:
    """List the flips whose moment has come, the earliest first; no edges of promotions."""
    query = (
        select(flips.c.flip_id)
        .where(
            flips.c.state == int(FlipState.PLANNED),
            flips.c.show_at <= now,
            flips.c.kind == int(FlipKind.PRICES),
        )
        .order_by(flips.c.show_at, flips.c.flip_id)
        .limit(limit)
    )
    return [int(flip_id) for flip_id in tx.execute(query).scalars()]


def flip_named(
    tx: Connection, flip_id: int, *, store_id: StoreId | None = None, lock: bool = False
) -> Flip:
    """Look a flip up, with ``lock`` till the commit.

    Raises:
        UnknownFlip: There is none, or not in this store.
    """
    query = select(flips).where(flips.c.flip_id == flip_id)
    if store_id is not None:
        query = query.where(flips.c.store_id == store_id)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise UnknownFlip(f"no flip {flip_id}")
    return _flip(row)


def list_flips(
    tx: Connection, store_id: StoreId, *, after: int = 0, limit: int = 100
) -> list[Flip]:
    """List a store's flips by number, those after ``after``."""
    query = (
        select(flips)
        .where(flips.c.store_id == store_id, flips.c.flip_id > after)
        .order_by(flips.c.flip_id)
        .limit(limit)
    )
    return [_flip(row) for row in tx.execute(query)]


def first_planned(tx: Connection, store_id: StoreId) -> int | None:
    """Name a store's first flip of prices that is still to begin; None without one."""
    query = (
        select(flips.c.flip_id)
        .where(
            flips.c.store_id == store_id,
            flips.c.state == int(FlipState.PLANNED),
            flips.c.kind == int(FlipKind.PRICES),
        )
        .order_by(flips.c.flip_id)
        .limit(1)
    )
    return tx.execute(query).scalar()


def planned_edges(tx: Connection, store_id: StoreId | None = None) -> list[Flip]:
    """List the edges of promotions that are planned, in a store or in all, by their moments."""
    query = select(flips).where(
        flips.c.state == int(FlipState.PLANNED), flips.c.kind == int(FlipKind.EDGE)
    )
    if store_id is not None:
        query = query.where(flips.c.store_id == store_id)
    return [_flip(row) for row in tx.execute(query.order_by(flips.c.show_at, flips.c.flip_id))]


def planned_flips(tx: Connection, flip_ids: Collection[int]) -> dict[int, Flip]:
    """Load those of these flips that are still to begin."""
    query = select(flips).where(
        flips.c.flip_id.in_(sorted(flip_ids)), flips.c.state == int(FlipState.PLANNED)
    )
    return {int(row.flip_id): _flip(row) for row in tx.execute(query)}


def end_flip(
    tx: Connection,
    flip_id: int,
    state: FlipState,
    now: datetime,
    *,
    rev: int | None = None,
    detail: str = "",
) -> None:
    """Note what became of a flip."""
    tx.execute(
        update(flips)
        .where(flips.c.flip_id == flip_id)
        .values(state=int(state), ended_at=now, rev=rev, detail=detail[:300])
    )


def failed_flips(tx: Connection, store_id: StoreId, since: datetime) -> list[Flip]:
    """List a store's flips that failed since a moment, by number; those in part among them."""
    query = (
        select(flips)
        .where(
            flips.c.store_id == store_id,
            or_(
                flips.c.state == int(FlipState.FAILED),
                and_(flips.c.state == int(FlipState.BEGUN), flips.c.detail != ""),
            ),
            flips.c.ended_at >= since,
        )
        .order_by(flips.c.flip_id)
    )
    return [_flip(row) for row in tx.execute(query)]


def priced_since(
    tx: Connection, store_id: StoreId, skus: Collection[Sku], moment: datetime
) -> set[Sku]:
    """Say which of these products got a price that holds after a moment."""
    found: set[Sku] = set()
    for batch in in_batches(sorted(skus)):
        query = select(price_events.c.sku).where(
            price_events.c.store_id == store_id,
            price_events.c.sku.in_(batch),
            price_events.c.received_at > moment,
            price_events.c.rev.is_not(None),
        )
        found.update(Sku(sku) for sku in tx.execute(query).scalars())
    return found


def kept_back_at(
    tx: Connection, store_id: StoreId, skus: Collection[Sku], moment: datetime
) -> set[Sku]:
    """Say of which of these products a price was not taken at a moment."""
    found: set[Sku] = set()
    for batch in in_batches(sorted(skus)):
        query = select(price_events.c.sku).where(
            price_events.c.store_id == store_id,
            price_events.c.sku.in_(batch),
            price_events.c.received_at == moment,
            price_events.c.rev.is_(None),
            price_events.c.decision != Decision.UNCHANGED.value,
        )
        found.update(Sku(sku) for sku in tx.execute(query).scalars())
    return found


def forget_flips(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget flips that ended before a moment, the oldest first."""
    old = (
        select(flips.c.flip_id)
        .where(flips.c.ended_at < before)
        .order_by(flips.c.flip_id)
        .limit(most)
    )
    return int(tx.execute(delete(flips).where(flips.c.flip_id.in_(old))).rowcount)


def _flip(row: AnyRow) -> Flip:
    return Flip(
        flip_id=int(row.flip_id),
        store_id=StoreId(row.store_id),
        show_at=row.show_at,
        changes=row.changes,
        state=FlipState(row.state),
        actor=row.actor,
        planned_at=row.planned_at,
        ended_at=row.ended_at,
        rev=row.rev,
        detail=row.detail,
        kind=FlipKind(row.kind),
    )
