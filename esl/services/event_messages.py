"""Make messages of what happened: the next stretch of each book, for one subscription.

A message holds events of all kinds that are asked for, by their moments, up to ``batch_most``.
Of one kind they come in the order in which they were written down, each once, however often a
message is sent. Stock is no book: it is looked at, and told when it is on another level than the
other side knows of. What it knows is set in the transaction that keeps the message.
"""

import heapq
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from esl.domain.ids import StoreId
from esl.domain.instants import instant_text
from esl.domain.money import format_minor
from esl.domain.subscription import (
    BOOKS,
    PING,
    SHOWN_EVENTS,
    STOCK_EVENTS,
    VERSION,
    Asked,
    Event,
    EventType,
    Places,
    StockLevel,
    Subscription,
    Told,
)
from esl.services.journal import KINDS
from esl.store import event_books, happenings, journal
from esl.store.journal import PriceLine, Span
from esl.store.offers import Layer

_WORDS: Final = 500
"""Of labels, read at once: most of them complete no product."""

_EVER: Final = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_MARGIN_PART: Final = 5
"""As `esl.domain.stock`: beyond the limit and a fifth of it a product is no longer low."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What is to be told next, how far it goes, and what stock the other side then knows of."""

    events: tuple[Event, ...]
    at: Places
    told: tuple[Told, ...] = ()

    def __bool__(self) -> bool:
        """Say whether there is anything to write down."""
        return bool(self.events or self.told)


_Numbered = tuple[datetime, int, int, Event]
"""Moment, which book, number in it, and the event."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The next events of one book; ``end`` is how far it reaches once all are told."""

    events: Sequence[tuple[int, Event]]
    end: int


def gather(
    tx: Connection,
    seen: Subscription,
    whole: Places,
    now: datetime,
    *,
    message_id: str,
    with_stock: bool,
) -> Gathered:
    """Load what a subscription is to be told next, of books that are whole up to ``whole``.

    Stock, if it is looked at, is that of ``now``.
    """
    most = seen.batch_most
    listed, at = gather_books(tx, Asked(seen.store_id, seen.events, most, seen.places), whole)
    events = [event for event, _ in listed]
    told: list[Told] = []
    if with_stock and len(events) < most and seen.hears(*STOCK_EVENTS):
        room = most - len(events)
        told, stock = _stock(tx, seen, now, message_id=message_id, most=room)
        events += stock
    return Gathered(events=tuple(events), at=at, told=tuple(told))


def gather_books(
    tx: Connection, asked: Asked, whole: Places
) -> tuple[list[tuple[Event, Places]], Places]:
    """Load what comes next in books that are whole up to ``whole``, stock apart.

    Each event comes with the places from which on one goes on after it; then how far all is.
    """
    books: list[_Stretch] = []
    readers: Sequence[Callable[..., _Stretch]] = (
        _prices,
        _promotions,
        _problems,
        partial(_shown, events=asked.events),
        partial(_happenings, events=asked.events),
    )
    for kinds, read, after, last in zip(BOOKS, readers, asked.places, whole, strict=True):
        if last <= after:
            books.append(_Stretch((), after))
        elif asked.hears(*kinds):
            books.append(read(tx, asked.store_id, after=after, last=last, most=asked.most))
        else:
            books.append(_Stretch((), last))
    return _merge(books, asked.places, asked.most)


def write_message(subscription_id: str, events: Sequence[Event], now: datetime) -> bytes:
    """Write a message as it is signed and sent."""
    content = {
        "type": "esl.events" if events else PING,
        "timestamp": instant_text(now),
        "data": {
            "subscription": subscription_id,
            "events": [event_view(event) for event in events],
        },
    }
    return msgspec.json.encode(content)


def event_view(event: Event) -> dict[str, Any]:
    """Write an event as everybody gets it."""
    return {
        "id": event.event_id,
        "type": event.type,
        "version": VERSION,
        "at": instant_text(event.at),
        "store": event.store_id,
        "data": event.data,
    }


def _merge(
    books: Sequence[_Stretch], places: Places, most: int
) -> tuple[list[tuple[Event, Places]], Places]:
    """Take the earliest of all books, and whole rows of each; say how far each book was taken."""
    numbered: list[list[_Numbered]] = [
        [(event.at, book, number, event) for number, event in stretch.events]
        for book, stretch in enumerate(books)
    ]
    events: list[tuple[Event, Places]] = []
    taken = [0] * len(books)
    reached = list(places)
    last: tuple[int, int] | None = None
    for _, book, number, event in heapq.merge(*numbered, key=lambda one: one[0]):
        if len(events) >= most and last != (book, number):
            break
        taken[book] += 1
        following = books[book].events[taken[book] : taken[book] + 1]
        more_of_it = any(one == number for one, _ in following)
        reached[book] = number - 1 if more_of_it else number
        events.append((event, Places(*reached)))
        last = book, number
    ends = [
        stretch.end
        if count == len(stretch.events)
        else stretch.events[count - 1][0]
        if count
        else before
        for stretch, count, before in zip(books, taken, places, strict=True)
    ]
    return events, Places(*ends)


def _prices(tx: Connection, store: StoreId | None, *, after: int, last: int, most: int) -> _Stretch:
    rows = event_books.price_rows(tx, store, after=after, last=last, most=most)
    end = rows[-1].number if len(rows) == most else last
    if not rows:
        return _Stretch((), end)
    span = Span(*_EVER, (after, rows[-1].number), (0, 0))
    lines: list[tuple[int, Event]] = []
    for store_id in sorted({row.store_id for row in rows}):
        found = journal.price_lines(tx, store_id, span, after=after, most=most)
        lines += [(line.event_id, _price_event(store_id, line)) for line in found]
    return _Stretch(sorted(lines, key=lambda one: one[0]), end)


def _price_event(store_id: StoreId, line: PriceLine) -> Event:
    why: dict[str, Any] = msgspec.json.decode(line.why) if line.why is not None else {}
    is_gone = line.decision == "withdrawn"
    return Event(
        event_id=f"price-{line.event_id}",
        type=EventType.PRICE_CHANGED,
        at=line.at,
        store_id=store_id,
        data={
            "sku": line.sku,
            "name": line.name,
            "kind": KINDS[Layer(line.layer)].value,
            "price": None if is_gone else format_minor(line.price_minor, line.currency),
            "before": format_minor(line.old_minor, line.currency)
            if line.old_minor is not None
            else None,
            "currency": line.currency,
            "rev": line.rev,
            "source": line.source,
            "reason": line.reason or line.batch or line.badge,
            "promotions": [str(one["promotion"]) for one in why.get("applied", ())],
        },
    )


def _promotions(
    tx: Connection, store: StoreId | None, *, after: int, last: int, most: int
) -> _Stretch:
    rows = event_books.promotion_rows(tx, store, after=after, last=last, most=most)
    stores = event_books.stores_of(tx, [row.promotion for row in rows]) if store is None else {}
    events: list[tuple[int, Event]] = []
    for row in rows:
        detail: dict[str, Any] = msgspec.json.decode(row.detail) if row.detail else {}
        if "to" not in detail:
            continue
        of_it = [store] if store is not None else stores.get(row.promotion, [])
        event = Event(
            event_id=f"promotion-{row.number}",
            type=EventType.PROMOTION_CHANGED,
            at=row.at,
            store_id=store,
            data={
                "promotion": row.promotion,
                "action": row.action.removeprefix("promotion_"),
                "from": detail.get("from"),
                "to": detail["to"],
                "version": detail.get("version"),
                "reason": row.reason,
                "stores": of_it,
            },
        )
        events.append((row.number, event))
    return _Stretch(events, rows[-1].number if len(rows) == most else last)


def _problems(
    tx: Connection, store: StoreId | None, *, after: int, last: int, most: int
) -> _Stretch:
    rows = event_books.problem_rows(tx, store, after=after, last=last, most=most)
    events = [
        (
            row.number,
            Event(
                event_id=f"problem-{row.number}",
                type=EventType.PROBLEM_OPENED,
                at=row.at,
                store_id=row.store_id,
                data={
                    "problem": row.number,
                    "kind": row.kind,
                    "subject": row.subject,
                    "reason": row.reason,
                    "what_to_do": row.what_to_do,
                },
            ),
        )
        for row in rows
    ]
    return _Stretch(events, rows[-1].number if len(rows) == most else last)


def _shown(
    tx: Connection,
    store: StoreId | None,
    *,
    after: int,
    last: int,
    most: int,
    events: AbstractSet[EventType],
) -> _Stretch:
    page = max(most, _WORDS)
    rows = event_books.shown_rows(tx, store, after=after, last=last, most=page)
    moments = {row.number: row.at for row in rows}
    told = [
        (one.number, _shown_event(one, kind, moments[one.number]))
        for one in event_books.shown_prices(tx, rows)
        for kind in sorted(SHOWN_EVENTS & events)
    ]
    return _Stretch(told, rows[-1].number if len(rows) == page else last)


def _shown_event(one: event_books.ShownPrice, kind: EventType, at: datetime) -> Event:
    data: dict[str, Any] = {
        "sku": one.sku,
        "price": format_minor(one.price_minor, one.currency),
        "currency": one.currency,
        "rev": one.rev,
        "labels": one.labels,
    }
    name = "shown"
    if kind is EventType.PRICE_CONFIRMED:
        name = "confirmed"
        data["change"] = f"price-{one.change}"
    return Event(
        event_id=f"{name}-{one.store_id}-{one.rev}-{one.sku}",
        type=kind,
        at=at,
        store_id=one.store_id,
        data=data,
    )


def _happenings(
    tx: Connection,
    store: StoreId | None,
    *,
    after: int,
    last: int,
    most: int,
    events: AbstractSet[EventType],
) -> _Stretch:
    rows = happenings.happening_rows(tx, store, after=after, last=last, most=most)
    told = [
        (
            row.number,
            Event(
                event_id=f"happening-{row.number}",
                type=row.type,
                at=row.at,
                store_id=row.store_id,
                data=msgspec.json.decode(row.data),
            ),
        )
        for row in rows
        if row.type in events
    ]
    return _Stretch(told, rows[-1].number if len(rows) == most else last)


def _stock(
    tx: Connection, seen: Subscription, now: datetime, *, message_id: str, most: int
) -> tuple[list[Told], list[Event]]:
    low = seen.low_stock or 0 if seen.hears(EventType.STOCK_LOW) else 0
    left_beyond = low + (max(1, low // _MARGIN_PART) if low else 0)
    rows = event_books.stock_rows(
        tx, seen.store_id, seen.subscription_id, low=low, left_beyond=left_beyond, most=most
    )
    told: list[Told] = []
    events: list[Event] = []
    for row in rows:
        level = _level(row.stock, low if row.level is None else left_beyond)
        told.append(Told(store_id=row.store_id, sku=row.sku, level=level))
        kind = _STOCK_WORDS[level]
        if seen.hears(kind):
            events.append(
                Event(
                    event_id=f"{message_id}.{len(events)}",
                    type=kind,
                    at=now,
                    store_id=row.store_id,
                    data={"sku": row.sku, "name": row.name, "stock": row.stock, "low_stock": low},
                )
            )
    return told, events


_STOCK_WORDS: Final = {
    StockLevel.OUT: EventType.STOCK_OUT,
    StockLevel.LOW: EventType.STOCK_LOW,
    None: EventType.STOCK_BACK,
}


def _level(stock: int, low: int) -> StockLevel | None:
    if stock <= 0:
        return StockLevel.OUT
    return StockLevel.LOW if stock <= low else None
