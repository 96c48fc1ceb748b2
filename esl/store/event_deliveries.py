"""Messages about events, and what became of each: rows in and out."""

import zlib
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from esl.domain.errors import UnknownSubscription
from esl.domain.subscription import Delivery, DeliveryState
from esl.store.columns import AnyRow
from esl.store.tables import event_deliveries

KEPT_MOST: Final = 300
"""Messages of one subscription; of 500 events each they take some 5 MB."""

_ALL = (
    event_deliveries.c.delivery_id,
    event_deliveries.c.subscription_id,
    event_deliveries.c.message_id,
    event_deliveries.c.created_at,
    event_deliveries.c.events,
    event_deliveries.c.state,
    event_deliveries.c.attempts,
    event_deliveries.c.status,
    event_deliveries.c.error,
    event_deliveries.c.sent_at,
    event_deliveries.c.delivered_at,
)
_OPEN: Final = event_deliveries.c.state == DeliveryState.OPEN.value


def put_delivery(
    tx: Connection,
    subscription_id: str,
    *,
    message_id: str,
    body: bytes,
    events: int,
    now: datetime,
) -> int:
    """Keep a message that is to be sent, and forget the oldest of many; return its number."""
    row = {
        "subscription_id": subscription_id,
        "message_id": message_id,
        "created_at": now,
        "events": events,
        "zlib_body": zlib.compress(body),
        "state": DeliveryState.OPEN.value,
    }
    made = tx.execute(
        insert(event_deliveries).values(**row).returning(event_deliveries.c.delivery_id)
    )
    number = int(made.scalar_one())
    of_it = event_deliveries.c.subscription_id == subscription_id
    last = (
        select(event_deliveries.c.delivery_id)
        .where(of_it)
        .order_by(event_deliveries.c.delivery_id.desc())
        .offset(KEPT_MOST)
        .limit(1)
    )
    oldest = tx.execute(last).scalar_one_or_none()
    if oldest is not None:
        gone = delete(event_deliveries).where(
            of_it, event_deliveries.c.delivery_id <= oldest, ~_OPEN
        )
        tx.execute(gone)
    return number


def first_open(tx: Connection, subscription_id: str) -> tuple[Delivery, bytes] | None:
    """Load the oldest message that is to be sent, and its body."""
    query = (
        select(*_ALL, event_deliveries.c.zlib_body)
        .where(event_deliveries.c.subscription_id == subscription_id, _OPEN)
        .order_by(event_deliveries.c.delivery_id)
        .limit(1)
    )
    row = tx.execute(query).one_or_none()
    return (_delivery(row), zlib.decompress(row.zlib_body)) if row is not None else None


def with_open(tx: Connection) -> frozenset[str]:
    """Name the subscriptions that have a message to be sent."""
    query = select(event_deliveries.c.subscription_id).where(_OPEN).distinct()
    return frozenset(tx.execute(query).scalars())


def count_open(tx: Connection, subscription_id: str) -> int:
    """Count the messages that are to be sent."""
    query = select(func.count()).where(event_deliveries.c.subscription_id == subscription_id, _OPEN)
    return int(tx.execute(query).scalar_one())


def list_deliveries(
    tx: Connection, subscription_id: str, *, before: int | None, limit: int
) -> list[Delivery]:
    """List messages, the newest first, from below a number on."""
    query = select(*_ALL).where(event_deliveries.c.subscription_id == subscription_id)
    if before is not None:
        query = query.where(event_deliveries.c.delivery_id < before)
    query = query.order_by(event_deliveries.c.delivery_id.desc()).limit(limit)
    return [_delivery(row) for row in tx.execute(query)]


def delivery_named(
    tx: Connection, subscription_id: str, delivery_id: int
) -> tuple[Delivery, bytes]:
    """Load a message and its body.

    Raises:
        UnknownSubscription: The subscription has no such message, or no longer.
    """
    query = select(*_ALL, event_deliveries.c.zlib_body).where(
        event_deliveries.c.subscription_id == subscription_id,
        event_deliveries.c.delivery_id == delivery_id,
    )
    row = tx.execute(query).one_or_none()
    if row is None:
        raise UnknownSubscription("no such delivery; old ones are forgotten")
    return _delivery(row), zlib.decompress(row.zlib_body)


def reopen(tx: Connection, delivery_id: int) -> None:
    """Let a message be sent once more."""
    tx.execute(
        update(event_deliveries)
        .where(event_deliveries.c.delivery_id == delivery_id)
        .values(state=DeliveryState.OPEN.value, attempts=0, error=None, delivered_at=None)
    )


def drop_open(tx: Connection, subscription_id: str) -> int:
    """Go on without what was to be sent; return how many messages that were."""
    dropped = update(event_deliveries).where(
        event_deliveries.c.subscription_id == subscription_id, _OPEN
    )
    return int(tx.execute(dropped.values(state=DeliveryState.DROPPED.value)).rowcount)


def note_attempt(
    tx: Connection,
    delivery_id: int,
    now: datetime,
    *,
    status: int | None,
    error: str | None,
) -> None:
    """Note what became of an attempt; without ``error`` the message was taken."""
    values: dict[str, object] = {
        "attempts": event_deliveries.c.attempts + 1,
        "status": status,
        "error": error[:300] if error is not None else None,
        "sent_at": now,
    }
    if error is None:
        values |= {"state": DeliveryState.DELIVERED.value, "delivered_at": now}
    tx.execute(
        update(event_deliveries)
        .where(event_deliveries.c.delivery_id == delivery_id)
        .values(**values)
    )


def forget_of(tx: Connection, subscription_id: str) -> None:
    """Forget all messages of a subscription."""
    of_it = event_deliveries.c.subscription_id == subscription_id
    tx.execute(delete(event_deliveries).where(of_it))


def forget_deliveries(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget messages from before a moment that are over; at most so many, return how many."""
    old = (
        select(event_deliveries.c.delivery_id)
        .where(event_deliveries.c.created_at < before, ~_OPEN)
        .order_by(event_deliveries.c.delivery_id)
        .limit(most)
    )
    gone = delete(event_deliveries).where(event_deliveries.c.delivery_id.in_(old))
    return int(tx.execute(gone).rowcount)


def _delivery(row: AnyRow) -> Delivery:
    return Delivery(
        delivery_id=int(row.delivery_id),
        subscription_id=row.subscription_id,
        message_id=row.message_id,
        created_at=row.created_at,
        events=int(row.events),
        state=DeliveryState(row.state),
        attempts=int(row.attempts),
        status=int(row.status) if row.status is not None else None,
        error=row.error,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
    )
