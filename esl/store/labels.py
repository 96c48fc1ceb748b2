"""Labels and their pairings: rows in and out, and what makes a label want something new."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    select,
)

from esl.domain.errors import AlreadyExists, UnknownLabel
from esl.domain.ids import Digest, GatewayId, LabelId, PanelId, Sku, StoreId
from esl.domain.label import LabelState, Lane
from esl.domain.neutral import NEUTRAL_TEMPLATE
from esl.domain.place import NewLabel, Pairing
from esl.store import till_labels, traces
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.restored import first_epoch
from esl.store.tables import issued, labels, pairings
from esl.store.upsert import in_batches, insert_if_new

_LOCK_OF_PRODUCTS: Final = Bulk(
    """
    SELECT pairing.sku, label.label_id FROM {rows} CROSS JOIN pairing CROSS JOIN label
    WHERE pairing.store_id = :store AND pairing.sku = {item}
        AND label.label_id = pairing.label_id
    ORDER BY label.label_id {lock[label]}
    """
)
_OF_PRODUCTS: Final = Bulk(
    """
    SELECT pairing.sku, pairing.label_id FROM {rows} CROSS JOIN pairing
    WHERE pairing.store_id = :store AND pairing.sku = {item}
    """
)
"""On SQLite nobody else writes: there is nothing to lock, and no order to lock it in."""
_WANT: Final = Bulk(
    """
    UPDATE label SET wanted_rev = {greatest}(label.wanted_rev, CAST(j.value->>1 AS bigint)),
        wanted_at = CASE WHEN label.wanted_rev < CAST(j.value->>1 AS bigint) THEN :now
            ELSE label.wanted_at END,
        lane = CASE WHEN label.due_at IS NOT NULL AND label.lane < :lane
            THEN label.lane ELSE :lane END,
        due_at = CASE WHEN label.quarantine = 0 THEN :now ELSE NULL END, attempts = 0,
        problem = CASE WHEN label.quarantine = 0 THEN NULL ELSE label.problem END,
        problem_detail = CASE WHEN label.quarantine = 0 THEN NULL ELSE label.problem_detail END
    FROM {rows} WHERE label.label_id = j.value->>0
    """
)


def register_labels(tx: Connection, store_id: StoreId, new: Sequence[NewLabel]) -> int:
    """Add labels; those already there stay as they are. Return how many are new.

    Raises:
        AlreadyExists: A label id is taken by another store or another panel model.
    """
    before, epoch = 0, first_epoch(tx)
    for batch in in_batches(new):
        panels = {n.label_id: n.panel_id for n in batch}
        query = select(labels.c.label_id, labels.c.store_id, labels.c.panel_id).where(
            labels.c.label_id.in_(list(panels))
        )
        for row in tx.execute(query):
            if row.store_id != store_id or row.panel_id != panels[LabelId(row.label_id)]:
                raise AlreadyExists(
                    f"the label {row.label_id!r} is registered to another store or panel model"
                )
            before += 1
        rows = [
            {
                "label_id": n.label_id,
                "store_id": n.store_id,
                "panel_id": n.panel_id,
                "gateway_id": n.gateway_id,
                "epoch": epoch,
            }
            for n in batch
        ]
        insert_if_new(tx, labels, rows)
    return len(new) - before


def lock_labels(tx: Connection, store_id: StoreId, label_ids: Sequence[LabelId]) -> None:
    """Lock these labels' rows until the transaction ends, always in one order.

    Raises:
        UnknownLabel: The store has no such label.
    """
    for batch in in_batches(sorted(label_ids)):
        query = (
            select(labels.c.label_id)
            .where(labels.c.label_id.in_(batch), labels.c.store_id == store_id)
            .order_by(labels.c.label_id)
            .with_for_update()
        )
        known = {row.label_id for row in tx.execute(query)}
        for label_id in batch:
            if label_id not in known:
                raise UnknownLabel(f"store {store_id!r} has no label {label_id!r}")


def lock_labels_of_products(
    tx: Connection, store_id: StoreId, skus: Iterable[Sku]
) -> dict[Sku, list[LabelId]]:
    """Lock the rows of every label that speaks for these products; return them by SKU."""
    found: dict[Sku, list[LabelId]] = {}
    locks = _OF_PRODUCTS if tx.dialect.name == "sqlite" else _LOCK_OF_PRODUCTS
    for sku, label_id in locks.run(tx, sorted(set(skus)), store=store_id):
        found.setdefault(sku, []).append(label_id)
    for some in found.values():
        if len(some) > 1:
            some.sort()
    return found


def want(
    tx: Connection, label_ids: Iterable[LabelId], rev: int, now: datetime, *, lane: Lane
) -> None:
    """Make labels want a revision, now; they must be locked, and ``rev`` taken after that.

    A more urgent lane that a label is in already stays.
    """
    want_each(tx, dict.fromkeys(label_ids, rev), now, lane=lane)


def want_each(tx: Connection, revs: Mapping[LabelId, int], now: datetime, *, lane: Lane) -> None:
    """Make each label want its revision, as `want` does."""
    _WANT.run(tx, sorted(revs.items()), now=now, lane=int(lane))
    if traces.is_gathering(tx):
        lines = [{"change": rev, "label": label} for label, rev in sorted(revs.items())]
        traces.note(tx, "label wants a picture", lines)


def pair(tx: Connection, store_id: StoreId, pairs: Sequence[Pairing], now: datetime) -> None:
    """Let each label speak for its products and nothing else. All must exist."""
    till_labels.note_former_pairings(tx, [p.label_id for p in pairs])
    till_labels.note_returned(tx, [p.label_id for p in pairs])
    for batch in in_batches(pairs):
        tx.execute(delete(pairings).where(pairings.c.label_id.in_([p.label_id for p in batch])))
        tx.execute(
            insert(pairings),
            [
                {
                    "label_id": p.label_id,
                    "position": position,
                    "store_id": store_id,
                    "sku": sku,
                    "paired_at": now,
                }
                for p in batch
                for position, sku in enumerate(p.skus)
            ],
        )


def label_named(tx: Connection, label_id: LabelId) -> LabelState:
    """Look a label up.

    Raises:
        UnknownLabel: There is none.
    """
    row = tx.execute(_states().where(labels.c.label_id == label_id)).one_or_none()
    if row is None:
        raise UnknownLabel(f"no label {label_id!r}")
    return label_from(row)


def list_labels(
    tx: Connection, store_id: StoreId, *, after: str = "", limit: int = 1000
) -> list[LabelState]:
    """List a store's labels by id, those after ``after``."""
    query = (
        _states()
        .where(labels.c.store_id == store_id, labels.c.label_id > after)
        .order_by(labels.c.label_id)
        .limit(limit)
    )
    return [label_from(row) for row in tx.execute(query)]


def labels_by_id(
    tx: Connection, label_ids: Sequence[LabelId], *, lock: bool = False
) -> dict[LabelId, LabelState]:
    """Load labels; unknown ids are left out. ``lock`` holds their rows till the commit."""
    found: dict[LabelId, LabelState] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = _states().where(labels.c.label_id.in_(batch)).order_by(labels.c.label_id)
        if lock:
            query = query.with_for_update(of=labels)
        found.update((LabelId(row.label_id), label_from(row)) for row in tx.execute(query))
    return found


def panels_in_use(tx: Connection, store_id: StoreId) -> set[PanelId]:
    """Say which display models a store's labels are of."""
    query = select(labels.c.panel_id).where(labels.c.store_id == store_id).distinct()
    return {PanelId(panel_id) for panel_id in tx.execute(query).scalars()}


def count_labels(tx: Connection, store_id: StoreId) -> int:
    """Count a store's labels."""
    query = select(func.count()).select_from(labels).where(labels.c.store_id == store_id)
    return int(tx.execute(query).scalar_one())


def stores_of_labels(tx: Connection, label_ids: Iterable[LabelId]) -> dict[LabelId, StoreId]:
    """Say which store each of these labels belongs to; unknown ones are left out."""
    found: dict[LabelId, StoreId] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = select(labels.c.label_id, labels.c.store_id).where(labels.c.label_id.in_(batch))
        found.update((LabelId(r.label_id), StoreId(r.store_id)) for r in tx.execute(query))
    return found


LABEL_IS_PAIRED = (
    select(pairings.c.label_id)
    .where(pairings.c.label_id == labels.c.label_id)
    .correlate(labels)
    .exists()
)
"""Says of a label's row whether it speaks for a product."""

LABEL_IS_REFUSED = and_(
    labels.c.refused_rev == labels.c.wanted_rev,
    select(issued.c.rev)
    .where(
        issued.c.label_id == labels.c.label_id,
        issued.c.rev == labels.c.sent_rev,
        issued.c.template == NEUTRAL_TEMPLATE,
    )
    .correlate(labels)
    .exists(),
)
"""Says of a label's row whether it was told a neutral face, since the picture of what it wants was
refused. A picture that could be drawn after all, of the same revision, ends it."""

STATE_COLUMNS = (
    labels,
    LABEL_IS_PAIRED.label("paired"),
    case((LABEL_IS_REFUSED, labels.c.refused_code)).label("refusal"),
)
"""What `label_from` reads."""


def _states() -> Select[Any]:
    return select(*STATE_COLUMNS)


def label_from(row: AnyRow) -> LabelState:
    """Make a label's state of a row that holds `STATE_COLUMNS`."""
    return LabelState(
        label_id=LabelId(row.label_id),
        store_id=StoreId(row.store_id),
        gateway_id=GatewayId(row.gateway_id) if row.gateway_id is not None else None,
        panel_id=PanelId(row.panel_id),
        epoch=row.epoch,
        wanted_rev=row.wanted_rev,
        sent_rev=row.sent_rev,
        settled_rev=row.settled_rev,
        shown_rev=row.shown_rev,
        shown_digest=Digest(row.shown_digest),
        incarnation=row.incarnation,
        shown_session=row.shown_session,
        shown_seq=row.shown_seq,
        attempts=row.attempts,
        due_at=row.due_at,
        lane=Lane(row.lane),
        problem=row.problem,
        problem_detail=row.problem_detail,
        paired=bool(row.paired),
        battery_mv=row.battery_mv,
        temperature_c=row.temperature_c,
        rssi_dbm=row.rssi_dbm,
        firmware=row.firmware,
        seen_at=row.seen_at,
        send_full=bool(row.send_full),
        quarantine=row.quarantine,
        refresh_failures=row.refresh_failures,
        refusal=row.refusal,
        refusal_detail=row.refused_detail if row.refusal is not None else None,
    )
