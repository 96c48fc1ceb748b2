"""Who hears of events, how far each has heard, and whose turn it is to speak: rows in and out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update

from esl.domain.errors import EditConflict, UnknownSubscription
from esl.domain.ids import StoreId
from esl.domain.subscription import EventType, Places, Subscription, SubscriptionPut, Told
from esl.store.columns import AnyRow
from esl.store.tables import stock_told, subscriptions
from esl.store.upsert import insert_if_new, insert_or_update

_ROW = subscriptions.c
_ALL = tuple(column for column in _ROW if column.name not in {"sealed", "old_sealed", "old_until"})


def subscription_named(
    tx: Connection, subscription_id: str, *, to_change: bool = False
) -> Subscription:
    """Load a subscription; ``to_change`` keeps others from changing it till the commit.

    Raises:
        UnknownSubscription: There is none of this id.
    """
    found = find_subscription(tx, subscription_id, to_change=to_change)
    if found is None:
        raise UnknownSubscription(f"no subscription {subscription_id!r}")
    return found


def find_subscription(
    tx: Connection, subscription_id: str, *, to_change: bool = False
) -> Subscription | None:
    """Load a subscription, or None; ``to_change`` as above."""
    query = select(*_ALL).where(_ROW.subscription_id == subscription_id)
    row = tx.execute(query.with_for_update() if to_change else query).one_or_none()
    return _subscription(row) if row is not None else None


def list_subscriptions(tx: Connection, store_id: StoreId | None = None) -> list[Subscription]:
    """List subscriptions by id: all, or a store's own."""
    query = select(*_ALL).order_by(_ROW.subscription_id)
    if store_id is not None:
        query = query.where(_ROW.store_id == store_id)
    return [_subscription(row) for row in tx.execute(query)]


def list_running(tx: Connection) -> list[Subscription]:
    """List the subscriptions whose messages are sent."""
    query = select(*_ALL).where(_ROW.is_enabled.is_(True), _ROW.stopped_at.is_(None))
    return [_subscription(row) for row in tx.execute(query.order_by(_ROW.subscription_id))]


def list_failing(tx: Connection, store_id: StoreId, *, before: datetime) -> list[Subscription]:
    """List those of a store, and of all stores, that fail since before a moment, or gave up."""
    query = select(*_ALL).where(
        or_(_ROW.store_id == store_id, _ROW.store_id.is_(None)),
        _ROW.is_enabled.is_(True),
        or_(_ROW.stopped_at.is_not(None), _ROW.failing_since <= before),
    )
    return [_subscription(row) for row in tx.execute(query.order_by(_ROW.subscription_id))]


def count_subscriptions(tx: Connection) -> int:
    """Count all subscriptions."""
    return int(tx.execute(select(func.count()).select_from(subscriptions)).scalar_one())


def insert_subscription(
    tx: Connection, put: SubscriptionPut, now: datetime, *, actor: str, sealed: bytes, at: Places
) -> None:
    """Write a new subscription down, which hears of what comes after ``at``.

    Raises:
        EditConflict: Another process has written one of this id at the same moment.
    """
    row = {
        **_said(put),
        "subscription_id": put.subscription_id,
        "store_id": put.store_id,
        "sealed": sealed,
        "created_at": now,
        "created_by": actor[:80],
        **_places(at),
    }
    insert_if_new(tx, subscriptions, [row])
    if sealed_of(tx, put.subscription_id, now) != [sealed]:
        raise EditConflict("a subscription of this id was made at the same moment")


def update_subscription(tx: Connection, put: SubscriptionPut, *, at: Places) -> None:
    """Replace what is known of a subscription; its messages are tried at once again."""
    values = _said(put) | {
        "attempts": 0,
        "next_at": None,
        "failing_since": None,
        "stopped_at": None,
        "error": None,
        "turn": _ROW.turn + 1,
        **_places(at),
    }
    of_it = _ROW.subscription_id == put.subscription_id
    tx.execute(update(subscriptions).where(of_it).values(**values))


def delete_subscription(tx: Connection, subscription_id: str) -> None:
    """Forget a subscription; its messages are forgotten before."""
    tx.execute(delete(stock_told).where(stock_told.c.subscription_id == subscription_id))
    tx.execute(delete(subscriptions).where(_ROW.subscription_id == subscription_id))


def sealed_of(tx: Connection, subscription_id: str, now: datetime) -> list[bytes]:
    """Load what messages are signed with: the secret, and for a while the one before."""
    query = select(_ROW.sealed, _ROW.old_sealed, _ROW.old_until).where(
        _ROW.subscription_id == subscription_id
    )
    row = tx.execute(query).one_or_none()
    if row is None:
        return []
    is_both = row.old_sealed is not None and row.old_until is not None and row.old_until > now
    return [row.sealed, row.old_sealed] if is_both else [row.sealed]


def rotate_secret(
    tx: Connection, subscription_id: str, sealed: bytes, *, old_until: datetime
) -> None:
    """Sign with a new secret, and with the one before until a moment."""
    tx.execute(
        update(subscriptions)
        .where(_ROW.subscription_id == subscription_id)
        .values(old_sealed=_ROW.sealed, old_until=old_until, sealed=sealed)
    )


def hurry(tx: Connection, subscription_id: str) -> None:
    """Let its messages be tried at once."""
    tx.execute(
        update(subscriptions).where(_ROW.subscription_id == subscription_id).values(next_at=None)
    )


def claim_turn(
    tx: Connection, seen: Subscription, *, until: datetime, at: Places | None = None
) -> bool:
    """Take the next turn to speak, for a while; False: another took it, or it was changed.

    With ``at`` the subscription has heard of all up to there, by the message that is kept in the
    same transaction.
    """
    values: dict[str, Any] = {"turn": seen.turn + 1, "next_at": until}
    if at is not None:
        values |= _places(at)
    return _update_seen(tx, seen.subscription_id, seen.turn, values)


def note_taken(tx: Connection, subscription_id: str, turn: int) -> bool:
    """Note that a message was taken; False: another has had its turn since."""
    values = {"attempts": 0, "next_at": None, "failing_since": None, "error": None}
    return _update_seen(tx, subscription_id, turn, values)


def note_failed(
    tx: Connection,
    seen: Subscription,
    turn: int,
    now: datetime,
    *,
    error: str,
    again: datetime | None,
) -> bool:
    """Note that a message was not taken, and when it is tried again; None: never, by itself."""
    values = {
        "attempts": seen.attempts + 1,
        "next_at": again,
        "failing_since": seen.failing_since or now,
        "stopped_at": now if again is None else None,
        "error": error[:300],
    }
    return _update_seen(tx, seen.subscription_id, turn, values)


def put_told(tx: Connection, subscription_id: str, told: Sequence[Told]) -> None:
    """Keep what stock the other side is told of."""
    rows = [
        {
            "subscription_id": subscription_id,
            "store_id": one.store_id,
            "sku": one.sku,
            "level": one.level.value,
        }
        for one in told
        if one.level is not None
    ]
    insert_or_update(tx, stock_told, rows)
    for one in told:
        if one.level is None:
            tx.execute(
                delete(stock_told).where(
                    stock_told.c.subscription_id == subscription_id,
                    stock_told.c.store_id == one.store_id,
                    stock_told.c.sku == one.sku,
                )
            )


def forget_told(tx: Connection, subscription_id: str) -> None:
    """Forget what stock the other side was told of: it is told anew."""
    tx.execute(delete(stock_told).where(stock_told.c.subscription_id == subscription_id))


def _update_seen(tx: Connection, subscription_id: str, turn: int, values: dict[str, Any]) -> bool:
    done = tx.execute(
        update(subscriptions)
        .where(
            _ROW.subscription_id == subscription_id,
            _ROW.turn == turn,
            _ROW.is_enabled.is_(True),
            _ROW.stopped_at.is_(None),
        )
        .values(**values)
    )
    return done.rowcount == 1


def _said(put: SubscriptionPut) -> dict[str, Any]:
    return {
        "url": put.url,
        "events": " ".join(sorted(put.events)),
        "description": put.description,
        "is_enabled": put.is_enabled,
        "allow_private": put.allow_private,
        "batch_most": put.batch_most,
        "low_stock": put.low_stock,
    }


def _places(at: Places) -> dict[str, int]:
    return {
        "prices_after": at.prices,
        "promotions_after": at.promotions,
        "problems_after": at.problems,
        "shown_after": at.shown,
        "happenings_after": at.happenings,
    }


def _subscription(row: AnyRow) -> Subscription:
    return Subscription(
        subscription_id=row.subscription_id,
        store_id=StoreId(row.store_id) if row.store_id is not None else None,
        url=row.url,
        events=frozenset(EventType(name) for name in row.events.split()),
        description=row.description,
        is_enabled=bool(row.is_enabled),
        allow_private=bool(row.allow_private),
        batch_most=int(row.batch_most),
        low_stock=row.low_stock,
        places=Places(
            int(row.prices_after),
            int(row.promotions_after),
            int(row.problems_after),
            int(row.shown_after),
            int(row.happenings_after),
        ),
        turn=int(row.turn),
        attempts=int(row.attempts),
        next_at=row.next_at,
        failing_since=row.failing_since,
        stopped_at=row.stopped_at,
        error=row.error,
        created_at=row.created_at,
        created_by=row.created_by,
    )
