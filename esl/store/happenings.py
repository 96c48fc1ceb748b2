"""Events that no other book holds, as they are kept; and what is said in them of labels."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, func, select, update

from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.problem import ProblemKind
from esl.domain.subscription import EventType, Happened
from esl.store.bulk import Bulk
from esl.store.columns import instant_from
from esl.store.tables import event_recorder, happenings, labels, problems, promotions
from esl.store.upsert import insert_if_new

_ROWS: Final = Bulk(
    """
    SELECT h.happening_id, h.store_id, h.at, h.type, h.data FROM happening AS h
    WHERE h.happening_id > :after AND h.happening_id <= :last
        AND (:store = '' OR h.store_id = :store)
    ORDER BY h.happening_id LIMIT :most
    """
)
_HANGS: Final = Bulk(
    """
    SELECT l.label_id, l.gateway_id FROM {rows} CROSS JOIN label AS l WHERE l.label_id = {item}
    """
)
_SAYS: Final = Bulk(
    """
    SELECT g.label_id, g.sku, coalesce(o.price_minor, p.price_minor), p.currency, l.wanted_rev
    FROM {rows} CROSS JOIN pairing AS g CROSS JOIN label AS l CROSS JOIN price AS p
        LEFT JOIN offer AS o ON o.store_id = p.store_id AND o.sku = p.sku
    WHERE g.label_id = {item} AND l.label_id = g.label_id
        AND p.store_id = g.store_id AND p.sku = g.sku
    ORDER BY g.label_id, g.position
    """
)
_HELD: Final = Bulk(
    """
    SELECT q.store_id, q.batch_id, q.source, q.received_at, q.quarantine_id, q.sku, q.reasons,
        q.price_minor, q.currency
    FROM quarantine AS q WHERE q.quarantine_id > :after AND q.quarantine_id <= :last
    ORDER BY q.quarantine_id LIMIT :most
    """
)
_ENDS: Final = Bulk(
    "SELECT (SELECT coalesce(max(quarantine_id), 0) FROM quarantine),"
    " (SELECT coalesce(max(entry_id), 0) FROM audit_entry)"
)


class Row(NamedTuple):
    """Something that happened; ``data`` is JSON."""

    number: int
    store_id: StoreId | None
    at: datetime
    type: EventType
    data: str


class Says(NamedTuple):
    """What a label is to say of one of its products."""

    label_id: LabelId
    sku: str
    price_minor: int
    currency: str
    rev: int


class Held(NamedTuple):
    """A price that was held back."""

    store_id: StoreId
    batch_id: int | None
    source: str
    received_at: datetime
    number: int
    sku: str
    reasons: str
    price_minor: int
    currency: str


class RecordedUpTo(NamedTuple):
    """How far other books were looked through."""

    quarantine: int
    audit: int


def put_happenings(tx: Connection, happened: Sequence[Happened]) -> None:
    """Write down what happened; of two with the same ``once`` the first."""
    rows = [
        {
            "store_id": one.store_id,
            "at": one.at,
            "type": one.type.value,
            "once": one.once,
            "data": json.dumps(one.data, ensure_ascii=False),
        }
        for one in happened
    ]
    insert_if_new(tx, happenings, rows)


def happening_rows(
    tx: Connection, store: StoreId | None, *, after: int, last: int, most: int
) -> list[Row]:
    """Load what happened next."""
    found = _ROWS.run(tx, store=store or "", after=after, last=last, most=most)
    return [
        Row(int(number), store_id, _instant(at), EventType(kind), data)
        for number, store_id, at, kind, data in found
    ]


def gateways_of(tx: Connection, label_ids: Sequence[str]) -> dict[str, GatewayId]:
    """Say below which gateway labels hang, of those that hang below one."""
    found = _HANGS.run(tx, sorted(set(label_ids)))
    return {label: GatewayId(gateway) for label, gateway in found if gateway is not None}


def said_by(tx: Connection, label_ids: Sequence[str]) -> list[Says]:
    """Load what labels are to say of their products, by label."""
    found = _SAYS.run(tx, sorted(set(label_ids)))
    return [Says(LabelId(row[0]), row[1], int(row[2]), row[3], int(row[4])) for row in found]


def labels_below(tx: Connection, gateway_ids: Sequence[str]) -> Mapping[str, int]:
    """Count the labels below gateways."""
    below = select(labels.c.gateway_id, func.count()).group_by(labels.c.gateway_id)
    found = tx.execute(below.where(labels.c.gateway_id.in_(sorted(set(gateway_ids)))))
    return {str(name): int(count) for name, count in found}


def gateways_away(tx: Connection) -> frozenset[str]:
    """Name the gateways whose absence is a problem now."""
    query = select(problems.c.subject).where(
        problems.c.kind == ProblemKind.GATEWAY_AWAY.value, problems.c.until.is_(None)
    )
    return frozenset(tx.execute(query).scalars())


def recorded_up_to(tx: Connection, *, to_change: bool = False) -> RecordedUpTo:
    """Say how far other books were looked through; ``to_change`` makes others wait."""
    query = select(event_recorder.c.quarantine_after, event_recorder.c.audit_after)
    row = tx.execute(query.with_for_update() if to_change else query).one()
    held = int(row.quarantine_after)
    if tx.dialect.name == "sqlite":  # of an emptied table it numbers anew
        held = min(held, ends_of(tx).quarantine)
    return RecordedUpTo(held, int(row.audit_after))


def note_recorded(tx: Connection, at: RecordedUpTo) -> None:
    """Note how far other books were looked through."""
    tx.execute(update(event_recorder).values(quarantine_after=at.quarantine, audit_after=at.audit))


def ends_of(tx: Connection) -> RecordedUpTo:
    """Return the last number of each of these books, as seen now."""
    [row] = _ENDS.run(tx)
    return RecordedUpTo(*map(int, row))


def held_rows(tx: Connection, *, after: int, last: int, most: int) -> list[Held]:
    """Load the prices that were held back next, of all stores."""
    return [
        Held(StoreId(row[0]), row[1], row[2], _instant(row[3]), int(row[4]), *row[5:])
        for row in _HELD.run(tx, after=after, last=last, most=most)
    ]


def is_there(tx: Connection, once: str) -> bool:
    """Say whether something was written down that happens once."""
    query = select(happenings.c.happening_id).where(happenings.c.once == once)
    return tx.execute(query).first() is not None


def promotion_exists(tx: Connection, promotion_id: str) -> bool:
    """Say whether a promotion is still known."""
    query = select(promotions.c.promotion_id).where(promotions.c.promotion_id == promotion_id)
    return tx.execute(query).first() is not None


def forget_happenings(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget the oldest from before a moment; at most so many, return how many."""
    oldest = select(happenings.c.happening_id).order_by(happenings.c.happening_id).limit(most)
    newest = select(func.max(happenings.c.happening_id)).scalar_subquery()
    gone = delete(happenings).where(
        happenings.c.happening_id.in_(oldest),
        happenings.c.at < before,
        happenings.c.happening_id < newest,  # of an emptied table SQLite numbers anew
    )
    return int(tx.execute(gone).rowcount)


def _instant(value: Any) -> datetime:
    instant = instant_from(value)
    if instant is None:
        raise TypeError("a row without its moment")
    return instant
