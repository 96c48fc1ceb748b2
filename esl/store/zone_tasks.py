"""Changes of zones, and how far each of their stores was told: rows in and out.

::

    change ─▶ a task a store ─▶ told in pieces, by ``after_sku`` ─▶ ``done_at``

A store's tasks are done in the order of their changes; each piece is one transaction with the
prices that it changes, so a controller that dies begins again where the last piece ended.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from esl.domain.errors import NotFound
from esl.domain.ids import StoreId
from esl.domain.zone import Kind, Told
from esl.store.bulk import Bulk
from esl.store.tables import zone_changes, zone_tasks

Words = Mapping[str, Any]
"""Of a change: ``skus`` it speaks of, or ``zones`` whose products it is about."""

_FORGOTTEN_TOGETHER: Final = 10
"""Changes that are forgotten by one statement: each may have hundreds of stores."""

HELD_MOST: Final = 50
"""Products that do not hold in a store, so many are named; the counts have all."""

_ADD_TASKS: Final = Bulk(
    """
    INSERT INTO zone_task (change_id, store_id)
    SELECT CAST(:change AS bigint), {item} FROM {rows}
    """
)
_WAITING: Final = Bulk(
    """
    SELECT store_id FROM zone_task WHERE done_at IS NULL
    GROUP BY store_id ORDER BY min(change_id), store_id LIMIT :most
    """
)
_NEXT: Final = """
    SELECT change_id, after_sku, told FROM zone_task
    WHERE store_id = :store AND done_at IS NULL ORDER BY change_id LIMIT 1
    """
_TAKE: Final = {"sqlite": Bulk(_NEXT), "postgresql": Bulk(f"{_NEXT} FOR UPDATE")}


class Change(NamedTuple):
    """A change of a zone."""

    change_id: int
    zone_id: str
    kind: Kind
    words: Words
    products: int
    stores: int
    actor: str
    said_at: datetime


class Task(NamedTuple):
    """What a store is still to be told of a change."""

    change_id: int
    after_sku: str
    told: Told


def add_change(
    tx: Connection,
    zone_id: str,
    kind: Kind,
    words: Words,
    store_ids: Sequence[StoreId],
    now: datetime,
    *,
    products: int,
    actor: str,
) -> int:
    """Write a change down, and that stores are to be told; return its number."""
    row = {
        "zone_id": zone_id,
        "kind": kind.value,
        "words": msgspec.json.encode(words).decode(),
        "products": products,
        "stores": len(store_ids),
        "actor": actor[:80],
        "said_at": now,
    }
    made = tx.execute(insert(zone_changes).returning(zone_changes.c.change_id), row)
    change_id = int(made.scalar_one())
    _ADD_TASKS.run(tx, sorted(store_ids), change=change_id)
    return change_id


def change_numbered(tx: Connection, change_id: int) -> Change:
    """Look a change up.

    Raises:
        NotFound: There is none.
    """
    query = select(zone_changes).where(zone_changes.c.change_id == change_id)
    row = tx.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"no change {change_id} of a zone")
    return Change(
        change_id=int(row.change_id),
        zone_id=row.zone_id,
        kind=Kind(row.kind),
        words=msgspec.json.decode(row.words),
        products=row.products,
        stores=row.stores,
        actor=row.actor,
        said_at=row.said_at,
    )


def count_waiting(tx: Connection, change_id: int) -> int:
    """Count the stores that a change has not come to yet."""
    query = select(func.count()).where(
        zone_tasks.c.change_id == change_id, zone_tasks.c.done_at.is_(None)
    )
    return int(tx.execute(query).scalar_one())


def told_of(tx: Connection, change_id: int, *, after: str = "", limit: int = 1000) -> list[Told]:
    """List what became of a change, store by store."""
    query = (
        select(zone_tasks.c.store_id, zone_tasks.c.done_at, zone_tasks.c.told)
        .where(zone_tasks.c.change_id == change_id, zone_tasks.c.store_id > after)
        .order_by(zone_tasks.c.store_id)
        .limit(limit)
    )
    return [
        _told(StoreId(store_id), told, is_done=done_at is not None)
        for store_id, done_at, told in tx.execute(query)
    ]


def stores_waiting(tx: Connection, *, most: int) -> list[StoreId]:
    """Name stores that are to be told something, first who waits for the oldest change."""
    return [StoreId(store_id) for (store_id,) in _WAITING.run(tx, most=most)]


def stores_moving(tx: Connection, zone_id: str) -> frozenset[StoreId]:
    """Name stores that have come into a zone, or have left it, and were not told all of it yet."""
    query = (
        select(zone_tasks.c.store_id, zone_changes.c.words)
        .join(zone_changes, zone_changes.c.change_id == zone_tasks.c.change_id)
        .where(zone_tasks.c.done_at.is_(None), zone_changes.c.kind == Kind.MOVE.value)
    )
    return frozenset(
        StoreId(store_id)
        for store_id, words in tx.execute(query)
        if zone_id in msgspec.json.decode(words)["zones"]
    )


def take_task(tx: Connection, store_id: StoreId) -> Task | None:
    """Return what a store is to be told first, and keep it from others until the commit."""
    rows = _TAKE[tx.dialect.name].run(tx, store=store_id)
    if not rows:
        return None
    change_id, after_sku, told = rows[0]
    return Task(int(change_id), after_sku, _told(store_id, told, is_done=False))


def note_told(
    tx: Connection, change_id: int, told: Told, *, after_sku: str, now: datetime | None
) -> None:
    """Note how far a store was told; ``now`` if that was all."""
    text = msgspec.json.encode(
        {"counts": told.counts, "held": told.held[:HELD_MOST], "labels": told.labels}
    ).decode()
    tx.execute(
        update(zone_tasks)
        .where(zone_tasks.c.change_id == change_id, zone_tasks.c.store_id == told.store_id)
        .values(after_sku=after_sku, told=text, done_at=now)
    )


def forget_changes(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget changes of which every store was told long ago; prices stay what they are."""
    still_open = select(zone_tasks.c.change_id).where(
        zone_tasks.c.change_id == zone_changes.c.change_id, zone_tasks.c.done_at.is_(None)
    )
    query = (
        select(zone_changes.c.change_id)
        .where(zone_changes.c.said_at < before, ~still_open.exists())
        .order_by(zone_changes.c.change_id)
        .limit(_FORGOTTEN_TOGETHER)
    )
    gone = 0
    while gone < most and (old := list(tx.execute(query).scalars())):
        gone += tx.execute(delete(zone_tasks).where(zone_tasks.c.change_id.in_(old))).rowcount
        gone += tx.execute(delete(zone_changes).where(zone_changes.c.change_id.in_(old))).rowcount
    return gone


def _told(store_id: StoreId, text: str | None, *, is_done: bool) -> Told:
    if text is None:
        return Told(store_id=store_id, is_done=is_done, counts={})
    said = msgspec.json.decode(text)
    return Told(
        store_id=store_id,
        is_done=is_done,
        counts=said["counts"],
        held=tuple((sku, decision, why) for sku, decision, why in said["held"]),
        labels=said["labels"],
    )
