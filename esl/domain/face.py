"""What a label should say, before anyone decides how it looks.

A face holds meaning only: no pixels, no fonts, no label id. Two labels of one product in one
store have equal faces, unless the store's link pattern names the label (`esl.domain.shop_link`);
and equal faces on one panel with one template give equal frames.

A label with several products has one face: that of the first, with the ``others`` inside it.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from esl.domain.money import percent_off


class Unit(StrEnum):
    """What a unit price counts (Directive 98/6/EC, Art. 2(b), and pieces)."""

    KILOGRAM = "kg"
    LITRE = "l"
    METRE = "m"
    SQUARE_METRE = "m2"
    PIECE = "piece"


class OfferKind(StrEnum):
    """What is special about an offer; the first that holds, in this order."""

    MEMBER = "member"  # a lower price for members stands beside the public one
    MULTIBUY = "multibuy"  # several pieces together cost less
    PROMOTION = "promotion"  # a badge or an old price
    REGULAR = "regular"
    NONE = "none"  # no price may be shown


class ReferenceKind(StrEnum):
    """What a reference price refers to."""

    LOWEST_30D = "lowest_30d"  # Directive 98/6/EC, Art. 6a: lowest of the 30 days before
    ANCHOR = "anchor"  # a date the law names (Croatia: 2 May 2025)
    RRP = "rrp"  # recommended by the maker


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePrice:
    """A price the selling price is compared with, as the law or the maker words it."""

    kind: ReferenceKind
    minor: int
    wording: str | None = None  # printed before the amount; None takes the template's words


@dataclass(frozen=True, slots=True, kw_only=True)
class Multibuy:
    """``quantity`` pieces together cost ``total_minor``: 2 for 3.50; 3 for 2 is 3 for 2 prices."""

    quantity: int  # at least 2
    total_minor: int
    pay_for: int | None = None  # "3 for 2": how many are paid; None for a total price
    unit_price_minor: int | None = None  # of them together, for the same unit as the face's own
    unit_price_tenths: int | None = None  # in tenths of a minor unit, where the law wants them


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Everything a template may print for one product. Money is in minor units of ``currency``."""

    name: str
    brand: str | None = None
    price_minor: int | None  # None: no price may be shown, only a neutral template fits
    currency: str
    locale: str  # decides how money is written: "hr_HR", "de_DE", …
    priced_per: Unit | None = None  # set for goods sold by weight: the price *is* the unit price
    was_minor: int | None = None  # the old price, struck through; only set if above the price
    unit_price_minor: int | None = None
    unit_price_tenths: int | None = None  # in tenths of a minor unit, where the law wants them
    unit: Unit | None = None  # of the unit price
    unit_label: str | None = None  # as printed, where it counts not one whole unit: "100 g", "lb"
    net_content: str | None = None  # as printed: "0.4 kg"
    badge: str | None = None  # text of the promotion band; None is no band
    valid_to: date | None = None  # last day of the offer, in the store's zone
    member_price_minor: int | None = None  # only set if below the price
    member_condition: str | None = None  # whose price that is, such as the name of a card
    multibuy: Multibuy | None = None
    deposit_minor: int | None = None  # returnable, not part of the price (C-543/21)
    reference_prices: tuple[ReferencePrice, ...] = ()
    category: str | None = None
    origin: str | None = None  # as printed: "Croatia"
    stock: int | None = None  # pieces; None is unknown, 0 or less is out of stock
    sku: str | None = None
    gtin: str | None = None  # 8, 12, 13 or 14 digits with a right check digit
    link: str | None = None  # address in the QR code; None draws none
    link_may_be_left_out: bool = False  # made by us, so no reason to refuse the whole label
    others: tuple["Face", ...] = ()  # further products of the same label, without others

    @property
    def kind(self) -> OfferKind:
        """Say what is special about the offer."""
        if self.price_minor is None:
            return OfferKind.NONE
        if self.member_price_minor is not None:
            return OfferKind.MEMBER
        if self.multibuy is not None:
            return OfferKind.MULTIBUY
        if self.badge is not None or self.was_minor is not None:
            return OfferKind.PROMOTION
        return OfferKind.REGULAR

    @property
    def percent_off(self) -> int | None:
        """Return the reduction from the old price in whole percent, floored; None below 1 %."""
        if self.was_minor is None or self.price_minor is None:
            return None
        return percent_off(self.was_minor, self.price_minor) or None
