"""What people did to labels, as it is kept: rows in and out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.touch import Touch, TouchKind
from esl.store.bulk import Bulk
from esl.store.columns import instant_text
from esl.store.tables import touches

ONCE_IN = timedelta(seconds=1)
"""Of a label and a button no more is kept than once in this time: a contact that bounces, or a
gateway that repeats itself, fills no table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTouch:
    """A touch, with its number and when it was heard of."""

    number: int
    touch: Touch
    heard_at: datetime


_ADD: Final = Bulk(
    """
    INSERT INTO touch (store_id, label_id, gateway_id, kind, button, touched_at, heard_at)
    SELECT j.value->>0, j.value->>1, j.value->>2, j.value->>3, CAST(j.value->>4 AS integer),
        {instant[5]}, :now
    FROM {rows} WHERE NOT EXISTS (
        SELECT 1 FROM touch AS held
        WHERE held.label_id = j.value->>1 AND held.kind = j.value->>3
            AND coalesce(held.button, -1) = coalesce(CAST(j.value->>4 AS integer), -1)
            AND (held.heard_at > :since OR held.touched_at = {instant[5]})
    )
    """
)


def add_touches(tx: Connection, found: Sequence[Touch], now: datetime) -> None:
    """Keep touches, in their order; of each label, kind and button the first of a moment."""
    first = {(t.label_id, t.kind, t.button): t for t in reversed(found)}
    rows = [
        (
            t.store_id,
            t.label_id,
            t.gateway_id,
            t.kind.value,
            t.button,
            instant_text(t.at) if t.at is not None else None,
        )
        for t in found
        if first[t.label_id, t.kind, t.button] is t
    ]
    _ADD.run(tx, rows, now=now, since=now - ONCE_IN)


def list_touches(
    tx: Connection, store_id: StoreId, *, after: int = 0, limit: int = 100
) -> list[KeptTouch]:
    """List what people did to a store's labels by number, that after ``after``."""
    query = (
        select(touches)
        .where(touches.c.store_id == store_id, touches.c.touch_id > after)
        .order_by(touches.c.touch_id)
        .limit(limit)
    )
    return [
        KeptTouch(
            number=int(row.touch_id),
            touch=Touch(
                label_id=LabelId(row.label_id),
                store_id=StoreId(row.store_id),
                gateway_id=GatewayId(row.gateway_id),
                kind=TouchKind(row.kind),
                button=row.button,
                at=row.touched_at,
            ),
            heard_at=row.heard_at,
        )
        for row in tx.execute(query)
    ]


def forget_touches(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget touches that were heard of before a moment, the oldest first."""
    old = (
        select(touches.c.touch_id)
        .where(touches.c.heard_at < before)
        .order_by(touches.c.touch_id)
        .limit(most)
    )
    return int(tx.execute(delete(touches).where(touches.c.touch_id.in_(old))).rowcount)
