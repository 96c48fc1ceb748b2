"""Prices as sources send them, and what became of each.

A field of a change is *absent* (keep what we have), None (clear it) or a value.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from operator import attrgetter
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
    valid_from: datetime | None = None  # the price holds from then; None, or past: at once
    valid_to: datetime | None = None  # and no longer from then; None: it has no end
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
    multibuy_pay_for: int | None = None  # "3 for 2": the 2; None: it is a total
    member_condition: str | None = None  # whose price it is, such as the name of a card


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
    multibuy_pay_for: int | None = None
    member_condition: str | None = None


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
    path: str = ""  # the field that is wrong, as a JSON pointer; "" where it is not one alone


_said_of = attrgetter(*Says._fields)


def says_after(old: Says | None, change: PriceChange) -> Says:
    """Compute what holds if a change is accepted.

    A unit price that came with an earlier price is never kept beside a new one: it would be
    wrong. It is computed from the net content then, or left out. Nor is a till's promotion
    kept beside another price than its own.
    """
    price, was = change.price_minor, change.was_minor
    unit, badge = change.unit_price_minor, change.badge
    if old is None:
        return Says(
            price,
            None if isinstance(was, Keep) else was,
            None if isinstance(unit, Keep) else unit,
            None if isinstance(badge, Keep) else badge,
        )
    if isinstance(was, Keep):
        was = old.was_minor
    if isinstance(badge, Keep):
        badge = old.badge
    if old.price_minor != price:
        return Says(price, was, None if isinstance(unit, Keep) else unit, badge)
    return Says(
        price, was, old.unit_price_minor if isinstance(unit, Keep) else unit, badge, *old[4:]
    )


def says_of(price: CurrentPrice) -> Says:
    """Return what a price says, whenever it came to hold."""
    return Says._make(_said_of(price))


def price_after(old: CurrentPrice | None, change: PriceChange, rev: int) -> CurrentPrice:
    """Compute the price that holds if a change is accepted, as `says_after` does."""
    says = says_after(says_of(old) if old is not None else None, change)
    return CurrentPrice(
        store_id=change.store_id,
        sku=change.sku,
        currency=change.currency,
        rev=rev,
        **says._asdict(),
    )
