"""Inspecting: a sample is drawn, and somebody walks with it and says what is seen; audited."""

from collections.abc import Mapping
from datetime import datetime
from random import Random

from sqlalchemy import Connection

from esl.domain.errors import Conflict, NotFound
from esl.domain.ids import StoreId
from esl.domain.inspection import Counted, Inspection, Item, Seen, count_seen
from esl.domain.shelf_report import ShelfItem, inspection_sample
from esl.services.placing import labels_in_order
from esl.store import audit, inspections, shelf_report


def begin(
    tx: Connection, store_id: StoreId, now: datetime, *, size: int, seed: int, by: str
) -> tuple[Inspection, list[Item]]:
    """Draw a sample, and keep it in walking order with the prices of this moment.

    Raises:
        Conflict: No label of the store speaks for a product.
    """
    random = Random(seed)  # noqa: S311  a sample that can be drawn again, and no secret
    sample = inspection_sample(shelf_report.shelf_items(tx, store_id), size, random)
    if not sample:
        raise Conflict("there is nothing to inspect: no label has a product")
    walk = {
        label_id: number
        for number, label_id in enumerate(labels_in_order(tx, store_id, area=None, by_walk=True))
    }
    sample.sort(key=lambda one: (walk.get(one.label_id, len(walk)), one.label_id, one.sku))
    items = [_item(number, one) for number, one in enumerate(sample, 1)]
    made = inspections.begin_inspection(tx, store_id, items, now, seed=seed, by=by)
    detail = {"size": len(items), "seed": seed}
    _note(tx, now, made, "inspection_begin", detail, by=by)
    return made, items


def see(
    tx: Connection,
    store_id: StoreId,
    inspection_id: int,
    number: int,
    now: datetime,
    *,
    seen: Seen | None,
    seen_minor: int | None,
    note: str | None,
    by: str,
) -> tuple[Item, Counted]:
    """Note what was seen of an item, or take it back; return the item, and how far the walk is.

    Raises:
        NotFound: There is no such inspection in this store, or no such item in it.
        Conflict: The inspection has ended.
    """
    one = inspections.inspection_named(tx, store_id, inspection_id)
    if one.ended_at is not None:
        raise Conflict("this inspection has ended; begin another")
    if not inspections.put_seen(
        tx, inspection_id, number, seen=seen, seen_minor=seen_minor, note=note, now=now, by=by
    ):
        raise NotFound(f"inspection {inspection_id} has no item {number}")
    items = inspections.items_of(tx, [inspection_id])[inspection_id]
    item = items[number - 1]
    detail = {
        "item": number,
        "label": item.label_id,
        "sku": item.sku,
        "seen": seen.value if seen is not None else None,
        "seen_minor": seen_minor,
        "till_minor": item.till_minor,
    }
    _note(tx, now, one, "inspection_seen", detail, by=by, reason=note)
    return item, count_seen([each.seen for each in items])


def end(
    tx: Connection, store_id: StoreId, inspection_id: int, now: datetime, *, by: str
) -> tuple[Inspection, list[Item]]:
    """End an inspection: what was seen stays as it is. A second time changes nothing.

    Raises:
        NotFound: There is no such inspection in this store.
    """
    one = inspections.inspection_named(tx, store_id, inspection_id)
    items = inspections.items_of(tx, [inspection_id])[inspection_id]
    if one.ended_at is not None:
        return one, items
    inspections.end_inspection(tx, inspection_id, now)
    counted = count_seen([each.seen for each in items])
    detail = {"items": counted.items, **{seen.value: n for seen, n in counted.seen.items()}}
    _note(tx, now, one, "inspection_end", detail, by=by)
    return inspections.inspection_named(tx, store_id, inspection_id), items


def _item(number: int, one: ShelfItem) -> Item:
    return Item(
        number=number,
        label_id=one.label_id,
        sku=one.sku,
        name=one.name,
        place=one.place,
        shelf_minor=one.shelf_minor,
        till_minor=one.till_minor,
    )


def _note(
    tx: Connection,
    now: datetime,
    one: Inspection,
    action: str,
    detail: Mapping[str, object],
    *,
    by: str,
    reason: str | None = None,
) -> None:
    audit.note(
        tx,
        now,
        actor=by,
        action=action,
        subject=f"inspection/{one.inspection_id}",
        store_id=one.store_id,
        reason=reason,
        detail=detail,
    )
