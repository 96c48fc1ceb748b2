"""The history of pairings: rows in and out, and what labels hang like now."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, and_, case, delete, func, insert, select, update

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.neutral import NEUTRAL_TEMPLATE
from esl.domain.pairing import Action, Hanging, PairingEvent
from esl.store.columns import AnyRow
from esl.store.shelf_tables import pairing_events
from esl.store.tables import display_log, issued, labels, pairings
from esl.store.upsert import in_batches


class NewEvent(NamedTuple):
    """A step that is to be written down."""

    label_id: LabelId
    action: Action
    before: Hanging
    after: Hanging
    beside: LabelId | None = None


def hangings(tx: Connection, label_ids: Collection[LabelId]) -> dict[LabelId, Hanging]:
    """Say what labels speak for, where they hang, and whether they leave; unknown: left out."""
    found: dict[LabelId, Hanging] = {}
    for batch in in_batches(sorted(set(label_ids))):
        skus: dict[str, tuple[Sku, ...]] = {}
        spoken = (
            select(pairings.c.label_id, pairings.c.sku)
            .where(pairings.c.label_id.in_(batch))
            .order_by(pairings.c.label_id, pairings.c.position)
        )
        for row in tx.execute(spoken):
            skus[row.label_id] = (*skus.get(row.label_id, ()), Sku(row.sku))
        query = select(labels.c.label_id, labels.c.place, labels.c.retired_at).where(
            labels.c.label_id.in_(batch)
        )
        for label in tx.execute(query):
            found[LabelId(label.label_id)] = Hanging(
                skus.get(label.label_id, ()), label.place, label.retired_at is not None
            )
    return found


def last_changed(tx: Connection, label_ids: Collection[LabelId]) -> dict[LabelId, datetime]:
    """Say when pairings or places of labels changed last; never: left out."""
    found: dict[LabelId, datetime] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = (
            select(pairing_events.c.label_id, func.max(pairing_events.c.at).label("at"))
            .where(pairing_events.c.label_id.in_(batch))
            .group_by(pairing_events.c.label_id)
        )
        found.update((LabelId(row.label_id), row.at) for row in tx.execute(query))
    return found


def add_events(
    tx: Connection,
    store_id: StoreId,
    new: Sequence[NewEvent],
    now: datetime,
    *,
    actor: str,
    rev: int,
) -> None:
    """Write steps down; ``rev`` is what their labels want by them, 0 where nothing shows."""
    rows = [
        {
            "store_id": store_id,
            "label_id": one.label_id,
            "at": now,
            "actor": actor[:80],
            "action": one.action.value,
            "before": _text_of(one.before),
            "after": _text_of(one.after),
            "rev": rev,
            "beside": one.beside,
        }
        for one in new
    ]
    if rows:
        tx.execute(insert(pairing_events), rows)


def event_numbered(tx: Connection, store_id: StoreId, event_id: int) -> PairingEvent | None:
    """Look a step of a store up; None: there is none."""
    query = select(pairing_events).where(
        pairing_events.c.event_id == event_id, pairing_events.c.store_id == store_id
    )
    row = tx.execute(query).one_or_none()
    return _event_from(row) if row is not None else None


def events_of_store(
    tx: Connection,
    store_id: StoreId,
    *,
    label_id: LabelId | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[PairingEvent]:
    """List a store's steps, or those of one label, the newest first; those below ``before``."""
    query = select(pairing_events).where(pairing_events.c.store_id == store_id)
    if label_id is not None:
        query = query.where(pairing_events.c.label_id == label_id)
    if before is not None:
        query = query.where(pairing_events.c.event_id < before)
    found = tx.execute(query.order_by(pairing_events.c.event_id.desc()).limit(limit))
    return [_event_from(row) for row in found]


def event_of_store(tx: Connection, store_id: StoreId, event_id: int) -> PairingEvent | None:
    """Load one step of a store's; None: it has none of that number."""
    query = select(pairing_events).where(pairing_events.c.event_id == event_id)
    row = tx.execute(query.where(pairing_events.c.store_id == store_id)).first()
    return None if row is None else _event_from(row)


def newest_of(tx: Connection, label_ids: Iterable[LabelId]) -> dict[LabelId, int]:
    """Return the number of each label's last step."""
    query = (
        select(pairing_events.c.label_id, func.max(pairing_events.c.event_id).label("last"))
        .where(pairing_events.c.label_id.in_(sorted(set(label_ids))))
        .group_by(pairing_events.c.label_id)
    )
    return {LabelId(row.label_id): int(row.last) for row in tx.execute(query)}


def event_beside(tx: Connection, event: PairingEvent) -> PairingEvent | None:
    """Return the other half of a replacement."""
    query = select(pairing_events).where(
        pairing_events.c.label_id == event.beside,
        pairing_events.c.beside == event.label_id,
        pairing_events.c.at == event.at,
    )
    row = tx.execute(query.order_by(pairing_events.c.event_id.desc())).first()
    return _event_from(row) if row is not None else None


def mark_undone(tx: Connection, undone: Mapping[int, LabelId]) -> None:
    """Note that steps were taken back by the last steps of their labels."""
    newest = newest_of(tx, undone.values())
    for event_id, label_id in sorted(undone.items()):
        tx.execute(
            update(pairing_events)
            .where(pairing_events.c.event_id == event_id)
            .values(undone_by=newest[label_id])
        )


class _Glass(NamedTuple):
    settled_rev: int
    problem: str | None
    is_heard: bool


def glasses_of(tx: Connection, label_ids: Iterable[LabelId]) -> dict[LabelId, _Glass]:
    """Say how far labels are with what they should show."""
    refusal = case((labels.c.refused_rev == labels.c.wanted_rev, labels.c.refused_code))
    query = select(
        labels.c.label_id,
        labels.c.settled_rev,
        func.coalesce(labels.c.problem, refusal).label("problem"),
        labels.c.shown_digest,
    ).where(labels.c.label_id.in_(sorted(set(label_ids))))
    return {
        LabelId(row.label_id): _Glass(int(row.settled_rev), row.problem, row.shown_digest != "")
        for row in tx.execute(query)
    }


def next_rev_of(tx: Connection, event: PairingEvent) -> int | None:
    """Return the revision of the label's next step that shows; None: there is none."""
    query = select(func.min(pairing_events.c.rev)).where(
        pairing_events.c.label_id == event.label_id,
        pairing_events.c.event_id > event.event_id,
        pairing_events.c.rev > 0,
    )
    found = tx.execute(query).scalar_one_or_none()
    return int(found) if found is not None else None


def shown_between(tx: Connection, event: PairingEvent, next_rev: int | None) -> datetime | None:
    """Return when a label first reported a picture of a step, before the next one.

    A neutral face is none, where the label is to speak for a product.
    """
    of_picture = and_(
        issued.c.label_id == display_log.c.label_id, issued.c.rev == display_log.c.rev
    )
    query = (
        select(display_log.c.recorded_at)
        .outerjoin(issued, of_picture)
        .where(display_log.c.label_id == event.label_id, display_log.c.rev >= event.rev)
    )
    if event.after.skus:
        query = query.where(func.coalesce(issued.c.template, "") != NEUTRAL_TEMPLATE)
    if next_rev is not None:
        query = query.where(display_log.c.rev < next_rev)
    found: datetime | None = tx.execute(
        query.order_by(display_log.c.entry_id).limit(1)
    ).scalar_one_or_none()
    return found


def forget_events(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget steps from before a moment, the oldest first."""
    old = (
        select(pairing_events.c.event_id)
        .where(pairing_events.c.at < before)
        .order_by(pairing_events.c.event_id)
        .limit(most)
    )
    return int(
        tx.execute(delete(pairing_events).where(pairing_events.c.event_id.in_(old))).rowcount
    )


def _text_of(hanging: Hanging) -> str:
    return msgspec.json.encode(hanging).decode()


def _event_from(row: AnyRow) -> PairingEvent:
    return PairingEvent(
        event_id=int(row.event_id),
        store_id=StoreId(row.store_id),
        label_id=LabelId(row.label_id),
        at=row.at,
        actor=row.actor,
        action=Action(row.action),
        before=msgspec.json.decode(row.before, type=Hanging),
        after=msgspec.json.decode(row.after, type=Hanging),
        rev=int(row.rev),
        beside=LabelId(row.beside) if row.beside is not None else None,
        undone_by=int(row.undone_by) if row.undone_by is not None else None,
    )
