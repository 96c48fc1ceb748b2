"""Inspections and what was seen: loading and storing."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from esl.domain.errors import NotFound
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.inspection import Inspection, Item, Seen
from esl.store.columns import AnyRow
from esl.store.tables import inspection_items, inspections


def begin_inspection(
    tx: Connection,
    store_id: StoreId,
    items: Sequence[Item],
    now: datetime,
    *,
    seed: int,
    by: str,
) -> Inspection:
    """Store a sample; return the inspection."""
    row = {
        "store_id": store_id,
        "seed": seed,
        "size": len(items),
        "begun_at": now,
        "begun_by": by[:80],
    }
    made = tx.execute(insert(inspections).values(**row).returning(inspections.c.inspection_id))
    number = int(made.scalar_one())
    if items:
        tx.execute(insert(inspection_items), [_item_row(number, item) for item in items])
    return inspection_named(tx, store_id, number)


def inspection_named(tx: Connection, store_id: StoreId, inspection_id: int) -> Inspection:
    """Load one.

    Raises:
        NotFound: The store has no such inspection.
    """
    query = select(inspections).where(
        inspections.c.inspection_id == inspection_id, inspections.c.store_id == store_id
    )
    row = tx.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"no inspection {inspection_id} in this store")
    return _inspection(row)


def inspections_of(
    tx: Connection, store_id: StoreId, *, before: int | None, most: int
) -> list[Inspection]:
    """List a store's inspections, the newest first."""
    query = select(inspections).where(inspections.c.store_id == store_id)
    if before is not None:
        query = query.where(inspections.c.inspection_id < before)
    query = query.order_by(inspections.c.inspection_id.desc()).limit(most)
    return [_inspection(row) for row in tx.execute(query)]


def items_of(tx: Connection, inspection_ids: Sequence[int]) -> dict[int, list[Item]]:
    """Load the items of inspections, in the order of each walk."""
    query = (
        select(inspection_items)
        .where(inspection_items.c.inspection_id.in_(inspection_ids))
        .order_by(inspection_items.c.inspection_id, inspection_items.c.number)
    )
    found: dict[int, list[Item]] = {one: [] for one in inspection_ids}
    for row in tx.execute(query):
        found[int(row.inspection_id)].append(_item(row))
    return found


def last_looks(tx: Connection, store_id: StoreId, *, since: datetime) -> dict[LabelId, Item]:
    """Load what was last seen of each label that somebody looked at since a moment."""
    query = (
        select(inspection_items)
        .join(inspections, inspections.c.inspection_id == inspection_items.c.inspection_id)
        .where(inspections.c.store_id == store_id, inspection_items.c.seen_at > since)
        .order_by(inspection_items.c.seen_at)
    )
    return {LabelId(row.label_id): _item(row) for row in tx.execute(query)}


def put_seen(
    tx: Connection,
    inspection_id: int,
    number: int,
    *,
    seen: Seen | None,
    seen_minor: int | None,
    note: str | None,
    now: datetime,
    by: str,
) -> bool:
    """Store what was seen of an item, or that nothing was; say whether there is such an item."""
    values = {
        "seen": seen.value if seen is not None else None,
        "seen_minor": seen_minor,
        "note": note,
        "seen_at": now if seen is not None else None,
        "seen_by": by[:80] if seen is not None else None,
    }
    where = (
        inspection_items.c.inspection_id == inspection_id,
        inspection_items.c.number == number,
    )
    return tx.execute(update(inspection_items).where(*where).values(**values)).rowcount == 1


def end_inspection(tx: Connection, inspection_id: int, now: datetime) -> None:
    """Note the end."""
    where = inspections.c.inspection_id == inspection_id
    tx.execute(update(inspections).where(where).values(ended_at=now))


def forget_inspections(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget inspections that were begun before a moment, with their items."""
    old = select(inspections.c.inspection_id).where(inspections.c.begun_at < before)
    few = old.order_by(inspections.c.inspection_id).limit(max(1, most // 100))
    numbers = list(tx.execute(few).scalars())
    if not numbers:
        return 0
    tx.execute(delete(inspection_items).where(inspection_items.c.inspection_id.in_(numbers)))
    tx.execute(delete(inspections).where(inspections.c.inspection_id.in_(numbers)))
    return len(numbers)


def _item_row(inspection_id: int, item: Item) -> dict[str, object]:
    return {
        "inspection_id": inspection_id,
        "number": item.number,
        "label_id": item.label_id,
        "sku": item.sku,
        "name": item.name,
        "place": item.place,
        "shelf_minor": item.shelf_minor,
        "till_minor": item.till_minor,
    }


def _item(row: AnyRow) -> Item:
    return Item(
        number=int(row.number),
        label_id=LabelId(row.label_id),
        sku=Sku(row.sku),
        name=row.name,
        place=row.place,
        shelf_minor=row.shelf_minor,
        till_minor=row.till_minor,
        seen=Seen(row.seen) if row.seen is not None else None,
        seen_minor=row.seen_minor,
        note=row.note,
        seen_at=row.seen_at,
        seen_by=row.seen_by,
    )


def _inspection(row: AnyRow) -> Inspection:
    return Inspection(
        inspection_id=int(row.inspection_id),
        store_id=StoreId(row.store_id),
        seed=int(row.seed),
        size=int(row.size),
        begun_at=row.begun_at,
        begun_by=row.begun_by,
        ended_at=row.ended_at,
    )
