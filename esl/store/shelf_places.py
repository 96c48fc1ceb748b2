"""Places as they are kept: labels by place, shelf codes, where somebody stands, and walks."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.shelf_place import Walk
from esl.store.shelf_tables import current_places, place_codes, store_walks
from esl.store.tables import labels, pairings
from esl.store.upsert import in_batches, insert_or_update


def places_of_store(tx: Connection, store_id: StoreId) -> dict[LabelId, str | None]:
    """Say where each label of a store hangs; those that left the shop excepted."""
    query = select(labels.c.label_id, labels.c.place).where(
        labels.c.store_id == store_id, labels.c.retired_at.is_(None)
    )
    return {LabelId(label_id): place for label_id, place in tx.execute(query).all()}


def places_of_labels(
    tx: Connection, store_id: StoreId, label_ids: Collection[LabelId]
) -> dict[LabelId, str | None]:
    """Say where these labels of a store hang; others are left out."""
    found: dict[LabelId, str | None] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = select(labels.c.label_id, labels.c.place).where(
            labels.c.label_id.in_(batch),
            labels.c.store_id == store_id,
            labels.c.retired_at.is_(None),
        )
        found.update((LabelId(label_id), place) for label_id, place in tx.execute(query))
    return found


def labels_of_skus(
    tx: Connection, store_id: StoreId, skus: Collection[Sku]
) -> dict[Sku, list[LabelId]]:
    """Name the labels that speak for products, by id."""
    found: dict[Sku, list[LabelId]] = {}
    for batch in in_batches(sorted(set(skus))):
        query = (
            select(pairings.c.sku, pairings.c.label_id)
            .where(pairings.c.store_id == store_id, pairings.c.sku.in_(batch))
            .order_by(pairings.c.label_id)
        )
        for sku, label_id in tx.execute(query):
            found.setdefault(Sku(sku), []).append(LabelId(label_id))
    return found


def skus_of_labels(tx: Connection, label_ids: Collection[LabelId]) -> list[Sku]:
    """List the products that labels speak for."""
    found: set[Sku] = set()
    for batch in in_batches(sorted(set(label_ids))):
        query = select(pairings.c.sku).where(pairings.c.label_id.in_(batch))
        found.update(Sku(sku) for sku in tx.execute(query).scalars())
    return sorted(found)


def codes_of(tx: Connection, store_id: StoreId, codes: Collection[str]) -> dict[str, str]:
    """Say which places codes stand for; unknown ones are left out."""
    found: dict[str, str] = {}
    for batch in in_batches(sorted(set(codes))):
        query = select(place_codes.c.code, place_codes.c.place).where(
            place_codes.c.store_id == store_id, place_codes.c.code.in_(batch)
        )
        found.update((row.code, row.place) for row in tx.execute(query))
    return found


def list_codes(
    tx: Connection, store_id: StoreId, *, after: str = "", limit: int
) -> list[tuple[str, str]]:
    """List a store's shelf codes with their places, by code."""
    query = (
        select(place_codes.c.code, place_codes.c.place)
        .where(place_codes.c.store_id == store_id, place_codes.c.code > after)
        .order_by(place_codes.c.code)
        .limit(limit)
    )
    return [(row.code, row.place) for row in tx.execute(query)]


def put_codes(tx: Connection, store_id: StoreId, codes: Mapping[str, str]) -> None:
    """Note which places codes stand for."""
    rows = [{"store_id": store_id, "code": code, "place": at} for code, at in sorted(codes.items())]
    for batch in in_batches(rows):
        insert_or_update(tx, place_codes, batch)


def stand_at(
    tx: Connection, store_id: StoreId, actor: str, place: str | None, now: datetime
) -> None:
    """Note where somebody stands; None: nowhere."""
    if place is None:
        mine = (current_places.c.store_id == store_id) & (current_places.c.actor == actor[:80])
        tx.execute(delete(current_places).where(mine))
        return
    row = {"store_id": store_id, "actor": actor[:80], "place": place, "set_at": now}
    insert_or_update(tx, current_places, [row])


def stands_at(
    tx: Connection, store_id: StoreId, actor: str, *, since: datetime
) -> tuple[str, datetime] | None:
    """Say where somebody stands, and since when; None: nowhere, or it was said before ``since``."""
    query = select(current_places.c.place, current_places.c.set_at).where(
        current_places.c.store_id == store_id,
        current_places.c.actor == actor[:80],
        current_places.c.set_at >= since,
    )
    row = tx.execute(query).one_or_none()
    return (row.place, row.set_at) if row is not None else None


def walk_of(tx: Connection, store_id: StoreId) -> Walk:
    """Say how a store is walked."""
    row = tx.execute(select(store_walks).where(store_walks.c.store_id == store_id)).one_or_none()
    if row is None:
        return Walk()
    return Walk(is_serpentine=bool(row.is_serpentine), first=tuple(json.loads(row.first)))


def put_walk(tx: Connection, store_id: StoreId, walk: Walk) -> None:
    """Note how a store is walked."""
    first: Sequence[str] = walk.first
    row = {
        "store_id": store_id,
        "is_serpentine": walk.is_serpentine,
        "first": json.dumps(first, ensure_ascii=False),
    }
    insert_or_update(tx, store_walks, [row])
