"""Prices as sources send them, and what became of each.

A field of a change is *absent* (keep what we have), None (clear it) or a value.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import NamedTuple

from esl.domain.guards import Reason
from esl.domain.ids import Sku, SourceId, StoreId


class Keep(Enum):
    """The type of `KEEP`, the mark of a field the sender left out."""

    KEEP = "keep"


KEEP = Keep.KEEP

DEFAULT_SOURCE = SourceId("api")
"""Source of changes that name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """One new shelf price, as a source sent it; money in minor units of ``currency``."""

    store_id: StoreId
    sku: Sku
    price_minor: int
    currency: str
    was_minor: int | Keep | None = KEEP
    unit_price_minor: int | Keep | None = KEEP
    badge: str | Keep | None = KEEP
    source: SourceId = DEFAULT_SOURCE
    source_seq: int | None = None  # strictly increases per source and product
    source_time: datetime | None = None  # when the source made the change; UTC
    path: str = ""  # where it stood in what was sent, as a JSON pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentPrice:
    """The price that holds for a product in a store, as last accepted."""

    store_id: StoreId
    sku: Sku
    price_minor: int
    currency: str
    was_minor: int | None
    unit_price_minor: int | None
    badge: str | None
    rev: int
    regular_minor: int | None = None  # apart from the till's promotion; None: it is the price
    member_minor: int | None = None
    multibuy_quantity: int | None = None
    multibuy_minor: int | None = None  # so many together cost this


class Says(NamedTuple):
    """What a price says, whenever it came to hold; money in the store's currency."""

    price_minor: int
    was_minor: int | None
    unit_price_minor: int | None
    badge: str | None
    regular_minor: int | None = None
    member_minor: int | None = None
    multibuy_quantity: int | None = None
    multibuy_minor: int | None = None


class Decision(StrEnum):
    """What became of one change."""

    ACCEPTED = "accepted"  #: it holds now, and the product's labels want a new revision
    UNCHANGED = "unchanged"  #: it says what holds already; nothing is sent
    SUPERSEDED = "superseded"  #: a later change of the same source was accepted before it
    QUARANTINED = "quarantined"  #: kept for another person to look at; nothing is sent
    WITHDRAWN = "withdrawn"  #: the price that held was taken away, and no other holds
    REJECTED = "rejected"  #: no price that this store could ever show


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeResult:
    """The answer to one change: its decision, and how many labels will change."""

    sku: Sku
    decision: Decision
    rev: int | None  # the revision the change made; None where it made none
    labels: int
    reasons: tuple[Reason, ...] = ()  # why it was quarantined, rejected, or yields
    quarantine_id: int | None = None
