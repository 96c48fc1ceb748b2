"""Let other systems hear of events: subscribe, change, rotate secrets, try, send again, end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from esl.domain.errors import AlreadyExists, Conflict
from esl.domain.ids import StoreId
from esl.domain.problem import ProblemKind
from esl.domain.subscription import (
    BOOKS,
    Delivery,
    DeliveryState,
    Places,
    Subscription,
    SubscriptionPut,
)
from esl.services.event_messages import write_message
from esl.store import audit, event_books, event_deliveries, places, subscriptions

SUBSCRIPTIONS_MOST: Final = 100
"""Each asks the database a few times a second while something happens."""

OPEN_MOST: Final = 20
"""Messages of one subscription that wait, of those that people ask for."""

FAILS_FOR: Final = timedelta(hours=1)
"""For so long a message may be refused until a person should look at it."""


def put_subscription(
    tx: Connection, put: SubscriptionPut, now: datetime, *, actor: str, sealed: bytes
) -> tuple[Subscription, bool]:
    """Subscribe, or replace a subscription; return it, and whether it is new.

    A new one hears of what happens from now on, and ``sealed`` signs its messages. One that had
    given up goes on where it was, or from now.

    Raises:
        UnknownStore: There is no such store.
        AlreadyExists: The id is that of another store's.
        Conflict: There are too many.
    """
    if put.store_id is not None:
        places.store_named(tx, put.store_id)
    before = subscriptions.find_subscription(tx, put.subscription_id, to_change=True)
    if before is None:
        if subscriptions.count_subscriptions(tx) >= SUBSCRIPTIONS_MOST:
            raise Conflict(f"there are {SUBSCRIPTIONS_MOST} subscriptions, and no more may be")
        at = event_books.ends_of(tx)
        subscriptions.insert_subscription(tx, put, now, actor=actor, sealed=sealed, at=at)
    else:
        if before.store_id != put.store_id:
            raise AlreadyExists(
                "a subscription of this id is for another store, or for all: take another id"
            )
        at = before.places
        if put.from_now:
            event_deliveries.drop_open(tx, put.subscription_id)
            at = event_books.ends_of(tx)
        subscriptions.update_subscription(tx, put, at=_heard(tx, before, put, at))
        if put.low_stock != before.low_stock:
            subscriptions.forget_told(tx, put.subscription_id)
    audit.note(
        tx,
        now,
        actor=actor,
        action="subscription",
        subject=put.subscription_id,
        store_id=put.store_id,
        detail={
            "url": put.url.partition("?")[0],
            "events": sorted(put.events),
            "enabled": put.is_enabled,
            "from_now": put.from_now,
        },
    )
    return subscriptions.subscription_named(tx, put.subscription_id), before is None


def delete_subscription(tx: Connection, known: Subscription, now: datetime, *, actor: str) -> None:
    """End a subscription, and forget its messages."""
    event_deliveries.forget_of(tx, known.subscription_id)
    subscriptions.delete_subscription(tx, known.subscription_id)
    audit.note(
        tx,
        now,
        actor=actor,
        action="subscription_end",
        subject=known.subscription_id,
        store_id=known.store_id,
    )


def rotate_secret(
    tx: Connection,
    known: Subscription,
    sealed: bytes,
    now: datetime,
    *,
    actor: str,
    overlap: timedelta,
) -> datetime:
    """Sign with a new secret, and for a while with the one before; return until when."""
    until = now + overlap
    subscriptions.rotate_secret(tx, known.subscription_id, sealed, old_until=until)
    audit.note(
        tx,
        now,
        actor=actor,
        action="subscription_secret",
        subject=known.subscription_id,
        store_id=known.store_id,
    )
    return until


def send_ping(tx: Connection, known: Subscription, now: datetime, *, message_id: str) -> Delivery:
    """Try the way: a message without events, after those that wait; at once.

    Raises:
        Conflict: The subscription sends nothing, or too many messages wait.
    """
    _require_running(tx, known)
    number = event_deliveries.put_delivery(
        tx,
        known.subscription_id,
        message_id=message_id,
        body=write_message(known.subscription_id, (), now),
        events=0,
        now=now,
    )
    subscriptions.hurry(tx, known.subscription_id)
    return event_deliveries.delivery_named(tx, known.subscription_id, number)[0]


def send_again(
    tx: Connection, known: Subscription, delivery_id: int, now: datetime, *, actor: str
) -> Delivery:
    """Send a message once more, as it was; what waits is tried at once.

    Raises:
        UnknownSubscription: There is no such message, or no longer.
        Conflict: The subscription sends nothing, or too many messages wait.
    """
    delivery, _ = event_deliveries.delivery_named(tx, known.subscription_id, delivery_id)
    if delivery.state is not DeliveryState.OPEN:
        _require_running(tx, known)
        event_deliveries.reopen(tx, delivery_id)
    subscriptions.hurry(tx, known.subscription_id)
    audit.note(
        tx,
        now,
        actor=actor,
        action="event_redelivery",
        subject=f"{known.subscription_id}/{delivery_id}",
        store_id=known.store_id,
    )
    return event_deliveries.delivery_named(tx, known.subscription_id, delivery_id)[0]


def find_event_problems(
    tx: Connection, store_id: StoreId, now: datetime
) -> Iterator[tuple[ProblemKind, str, str]]:
    """Find subscriptions whose messages nobody takes: kind, subject and reason."""
    for one in subscriptions.list_failing(tx, store_id, before=now - FAILS_FOR):
        subject = f"events/{one.subscription_id}/{store_id}"
        if one.stopped_at is not None:
            reason = f"Events are no longer sent to it since {one.stopped_at:%Y-%m-%d %H:%M} UTC"
        else:
            reason = f"It has taken no events since {one.failing_since:%Y-%m-%d %H:%M} UTC"
        yield ProblemKind.EVENTS_FAIL, subject, f"{reason}: {one.error or 'no answer'}"[:300]


def _require_running(tx: Connection, known: Subscription) -> None:
    if not known.is_running:
        raise Conflict(
            "the subscription is switched off, or gave up: put it anew with “enabled”: true"
        )
    if event_deliveries.count_open(tx, known.subscription_id) >= OPEN_MOST:
        raise Conflict(f"{OPEN_MOST} messages wait already; see why the first is not taken")


def _heard(tx: Connection, before: Subscription, put: SubscriptionPut, at: Places) -> Places:
    """Let what is asked for only now be heard from now on, and not from the beginning."""
    ends = event_books.ends_of(tx)
    return Places(
        *(
            end if before.events.isdisjoint(kinds) and not put.events.isdisjoint(kinds) else place
            for kinds, place, end in zip(BOOKS, at, ends, strict=True)
        )
    )
