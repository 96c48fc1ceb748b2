"""What is said about subscriptions, as JSON: whom to tell of what, a new secret's terms."""

from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from esl.domain.errors import InvalidInput
from esl.domain.ids import StoreId, check_slug
from esl.domain.instants import instant_or_none
from esl.domain.subscription import (
    BATCH_MOST,
    BATCH_USUAL,
    DESCRIPTION_LONGEST,
    LOW_STOCK_MOST,
    OVERLAP_LONGEST,
    OVERLAP_USUAL,
    Delivery,
    EventType,
    Subscription,
    SubscriptionPut,
)
from esl.intake.fields import Fields
from esl.intake.guard_json import read_flag
from esl.intake.till_json import parse_url

OVERLAP_MOST_H: Final = int(OVERLAP_LONGEST.total_seconds()) // 3600
_OVERLAP_USUAL_H: Final = int(OVERLAP_USUAL.total_seconds()) // 3600
_ALL: Final = ", ".join(EventType)


def parse_subscription(value: Any, *, subscription_id: str) -> SubscriptionPut:
    """Read a subscription; without a store, or with null, it is for all.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    store = fields.parsed("store", lambda text, at: check_slug(text, path=at, what="store"))
    url = fields.parsed("url", parse_url, required=True)
    events = _events(fields)
    description = fields.text("description", longest=DESCRIPTION_LONGEST)
    is_enabled = read_flag(fields, "enabled", usual=True)
    allow_private = read_flag(fields, "allow_private", usual=False)
    batch = fields.integer("batch", low=1, high=BATCH_MOST)
    low_stock = fields.integer("low_stock", low=1, high=LOW_STOCK_MOST)
    from_now = read_flag(fields, "from_now", usual=False)
    if isinstance(url, str) and urlsplit(url).scheme == "http" and not allow_private:
        fields.problem(
            "url",
            "plain http",
            fix='Send an https address; for one in the shop\'s own network, "allow_private": true.',
        )
    if EventType.STOCK_LOW in events and low_stock is None and not fields.problems:
        fields.problem(
            "low_stock", "missing", fix="Send from how many pieces on a product is low: 5."
        )
    fields.finish()
    return SubscriptionPut(
        subscription_id=subscription_id,
        store_id=StoreId(store) if isinstance(store, str) else None,
        url=str(url),
        events=events,
        description=description if isinstance(description, str) else None,
        is_enabled=is_enabled,
        allow_private=allow_private,
        batch_most=batch or BATCH_USUAL,
        low_stock=low_stock,
        from_now=from_now,
    )


def parse_overlap(value: Any) -> timedelta:
    """Read how long a secret goes on signing beside the new one.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    hours = fields.integer("overlap_h", low=0, high=OVERLAP_MOST_H)
    fields.finish()
    return timedelta(hours=_OVERLAP_USUAL_H if hours is None else hours)


def subscription_view(one: Subscription) -> dict[str, Any]:
    """Write a subscription as it is read; never a secret."""
    return said_view(one) | {
        "state": _state(one),
        "attempts": one.attempts,
        "failing_since": instant_or_none(one.failing_since),
        "stopped_at": instant_or_none(one.stopped_at),
        "error": one.error,
        "created_at": instant_or_none(one.created_at),
        "created_by": one.created_by,
    }


def said_view(one: Subscription) -> dict[str, Any]:
    """Write what people say of a subscription, and nothing of how it fares."""
    return {
        "subscription": one.subscription_id,
        "store": one.store_id,
        "url": one.url,
        "events": sorted(one.events),
        "description": one.description,
        "enabled": one.is_enabled,
        "allow_private": one.allow_private,
        "batch": one.batch_most,
        "low_stock": one.low_stock,
    }


def delivery_view(one: Delivery) -> dict[str, Any]:
    """Write a message, and what became of it."""
    return {
        "delivery": one.delivery_id,
        "message": one.message_id,
        "created_at": instant_or_none(one.created_at),
        "events": one.events,
        "state": one.state.value,
        "attempts": one.attempts,
        "status": one.status,
        "error": one.error,
        "sent_at": instant_or_none(one.sent_at),
        "delivered_at": instant_or_none(one.delivered_at),
    }


def _events(fields: Fields) -> frozenset[EventType]:
    listed = fields.take("events")
    if not isinstance(listed, list) or not 1 <= len(listed) <= len(EventType):
        fields.problem("events", "not a list of one or more", fix=f"Send some of: {_ALL}.")
        return frozenset()
    found: set[EventType] = set()
    for place, name in enumerate(listed):
        try:
            found.add(EventType(name))
        except ValueError:
            problem = InvalidInput.at(
                f"/events/{place}", "no event of this name", fix=f"Send one of: {_ALL}."
            )
            fields.problems.extend(problem.problems)
    return frozenset(found)


def _state(one: Subscription) -> str:
    if not one.is_enabled:
        return "off"
    if one.stopped_at is not None:
        return "stopped"
    return "failing" if one.failing_since is not None else "running"
