"""Other systems that hear of what happens here: who hears of what, and how far each has heard.

Events are not copied anywhere: prices, promotions, pictures shown and problems are written down
with what they are about, in one transaction, and are numbered. A subscription is a place in each
of these books, and a message is a stretch of them::

    price history     … 814 815 816 817        ``prices``     816: heard up to here
    audit             … 92 93                  ``promotions`` 93
    problems          … 17                     ``problems``   16
    display log       … 5501 5502              ``shown``      5500
    happenings        … 8 9                    ``happenings`` 9

What none of these holds in one row, such as that 500 labels came to be late, or that a gateway is
back, is written down as a *happening*, in the transaction that notes what it is about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from esl.domain.ids import Sku, StoreId

BATCH_USUAL: Final = 100
BATCH_MOST: Final = 500
"""Events of one message; at some 400 bytes each it stays below what servers take unasked."""

URL_LONGEST: Final = 400
DESCRIPTION_LONGEST: Final = 200
LOW_STOCK_MOST: Final = 1_000_000

GIVEN_UP_AFTER: Final = timedelta(days=3)
"""`guarantees.md`: messages are tried for three days."""

OVERLAP_USUAL: Final = timedelta(hours=24)
OVERLAP_LONGEST: Final = timedelta(days=7)
"""How long messages are signed with the secret before as well."""


class EventType(StrEnum):
    """What can be heard of."""

    PRICE_CHANGED = "price.changed"
    PRICE_SHOWN = "price.shown"  #: every label of the product has said so
    PROMOTION_CHANGED = "promotion.state_changed"
    STOCK_LOW = "stock.low"
    STOCK_OUT = "stock.out"
    STOCK_BACK = "stock.back"
    PROBLEM_OPENED = "problem.opened"
    PRICE_CONFIRMED = "price.confirmed"  #: the same moment as `PRICE_SHOWN`, with the change's id
    PRICE_FAILED = "price.failed"  #: labels do not show their prices: given up, or too late
    LABEL_PROBLEM = "label.problem"
    LABEL_PROBLEM_CLOSED = "label.problem.closed"
    GATEWAY_OFFLINE = "gateway.offline"
    GATEWAY_ONLINE = "gateway.online"
    PROMOTION_FINISHED = "promotion.finished"  #: it is over, and off the shelf or nearly so
    QUARANTINE_OPENED = "quarantine.opened"


STOCK_EVENTS: Final = frozenset({EventType.STOCK_LOW, EventType.STOCK_OUT, EventType.STOCK_BACK})
SHOWN_EVENTS: Final = frozenset({EventType.PRICE_SHOWN, EventType.PRICE_CONFIRMED})
HAPPENINGS: Final = frozenset(
    {
        EventType.PRICE_FAILED,
        EventType.LABEL_PROBLEM,
        EventType.LABEL_PROBLEM_CLOSED,
        EventType.GATEWAY_OFFLINE,
        EventType.GATEWAY_ONLINE,
        EventType.PROMOTION_FINISHED,
        EventType.QUARANTINE_OPENED,
    }
)
BOOKS: Final[Sequence[frozenset[EventType]]] = (
    frozenset({EventType.PRICE_CHANGED}),
    frozenset({EventType.PROMOTION_CHANGED}),
    frozenset({EventType.PROBLEM_OPENED}),
    SHOWN_EVENTS,
    HAPPENINGS,
)
"""What each book of `Places` tells of."""

NAMED_MOST: Final = 100
"""Labels, prices or promotions that one event names; it counts all of them."""

VERSION: Final = 1
"""Of every event's ``data``: fields are added within it, and never taken away or changed."""

PING: Final = "ping"
"""The one event of a message that only tries the way."""


class DeliveryState(StrEnum):
    """What became of a message."""

    OPEN = "open"  #: it is to be sent, or to be sent again
    DELIVERED = "delivered"
    DROPPED = "dropped"  #: a person went on without it


class Places(NamedTuple):
    """A number in each book."""

    prices: int = 0
    promotions: int = 0
    problems: int = 0
    shown: int = 0
    happenings: int = 0

    def up_to(self, other: "Places") -> "Places":
        """Return the further place in each book."""
        return Places(*map(max, self, other))


class StockLevel(StrEnum):
    """How a product's stock was told last; a product that was never low or out has none."""

    LOW = "low"
    OUT = "out"


class Asked(NamedTuple):
    """What somebody wants to hear next: of which store or all, of what, how much, from where."""

    store_id: StoreId | None
    events: frozenset[EventType]
    most: int
    places: Places

    def hears(self, *events: EventType) -> bool:
        """Say whether one of these is asked for."""
        return not self.events.isdisjoint(events)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPut:
    """A subscription as a person wants it."""

    subscription_id: str
    store_id: StoreId | None  # None: all stores
    url: str
    events: frozenset[EventType]
    description: str | None = None
    is_enabled: bool = True
    allow_private: bool = False  # it stands in the shop's own network; opens plain http, too
    batch_most: int = BATCH_USUAL
    low_stock: int | None = None  # pieces; at this and below a product is low
    from_now: bool = False  # what was not told by now is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription as it stands. ``turn`` counts who spoke last, for the fence."""

    subscription_id: str
    store_id: StoreId | None
    url: str
    events: frozenset[EventType]
    description: str | None
    is_enabled: bool
    allow_private: bool
    batch_most: int
    low_stock: int | None
    places: Places
    turn: int
    attempts: int
    next_at: datetime | None
    failing_since: datetime | None
    stopped_at: datetime | None  # given up, or told to: until a person puts it anew
    error: str | None
    created_at: datetime
    created_by: str

    @property
    def is_running(self) -> bool:
        """Say whether messages are sent."""
        return self.is_enabled and self.stopped_at is None

    def hears(self, *events: EventType) -> bool:
        """Say whether it asks for one of these."""
        return not self.events.isdisjoint(events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened; ``data`` is as it is sent."""

    event_id: str  # the same whenever it is told, to whomever
    type: str
    at: datetime
    store_id: StoreId | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something to be written down as a happening; of two with the same ``once`` one is kept."""

    type: EventType
    store_id: StoreId | None
    at: datetime
    data: Mapping[str, Any]
    once: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What stock the other side knows of: set with the message that says so."""

    store_id: StoreId
    sku: Sku
    level: StockLevel | None  # None: in stock again


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message, and what became of it."""

    delivery_id: int
    subscription_id: str
    message_id: str  # the same with each attempt
    created_at: datetime
    events: int
    state: DeliveryState
    attempts: int
    status: int | None  # of the last answer
    error: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
