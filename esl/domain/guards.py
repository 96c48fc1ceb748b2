"""Guards: whether a price may reach a shelf, or a second person must look at it first.

::

    what is said, what holds, limits ──▶ PASS
                                     ├──▶ QUARANTINE (reasons)   kept, and only sent if approved
                                     └──▶ REJECT (reasons)       no price at all

Pure: no clock, no database. Two properties hold whatever the numbers: a price whose point moved
by one to three places is never passed while ``shift_percent`` is on, and tighter limits never
pass more.

Measured from what holds: a fall from the selling price; a rise from the regular price where the
selling price is a promotion's, because a promotion ends. A price that returns to the very old
price on the shelf has not jumped at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Final

from esl.domain.money import MINOR_DIGITS
from esl.domain.product import NetContent

HIGHEST_MINOR: Final = 9_999_999
"""99,999.99 of a currency with two decimals: reliability notes, 5.1. In minor units everywhere,
so 9,999,999 JPY and 9,999.999 KWD."""

_SHIFTS: Final = (10, 100, 1000)

_WHOLE: Final = 1000
"""Thousandths in one unit of a net content."""


class Reason(StrEnum):
    """Why a price was not simply taken."""

    NOT_POSITIVE = "not_positive"
    TOO_HIGH = "too_high"
    TOO_LOW = "too_low"
    CURRENCY = "currency"
    DECIMAL_SHIFT = "decimal_shift"
    RISE = "rise"
    FALL = "fall"
    PROMOTION_NOT_BELOW = "promotion_not_below"
    PROMOTION_FALL = "promotion_fall"
    UNIT_PRICE = "unit_price"
    LOWEST_30D = "lowest_30d"
    TOO_OFTEN = "too_often"
    BULK = "bulk"
    YIELDS = "yields"  #: no doubt: a source of higher priority owns the price
    LATE = "late"  #: no doubt: its source has said something newer
    OVERTAKEN = "overtaken"  #: no doubt: somebody said a price while the list waited
    UNKNOWN_SKU = "unknown_sku"
    NUMBER_USED = "number_used"
    OVER = "over"
    TOO_MANY_PLANS = "too_many_plans"


WORDS: Final[Mapping[Reason, str]] = {
    Reason.NOT_POSITIVE: "the price is not above zero",
    Reason.TOO_HIGH: "the price is above the highest that the limits allow",
    Reason.TOO_LOW: "the price is below the lowest that the limits allow",
    Reason.CURRENCY: "the currency is not the store's",
    Reason.DECIMAL_SHIFT: "the price looks as if its decimal point had moved",
    Reason.RISE: "the price rises by more than the limits allow",
    Reason.FALL: "the price falls by more than the limits allow",
    Reason.PROMOTION_NOT_BELOW: "the promotion's price is not below the regular price",
    Reason.PROMOTION_FALL: "the promotion takes off more than the limits allow",
    Reason.UNIT_PRICE: "the unit price does not follow from price and content",
    Reason.LOWEST_30D: "the lowest price of 30 days is above a price that held in them",
    Reason.TOO_OFTEN: "the product's price has changed too often today",
    Reason.BULK: "too many prices of the store changed too far at once",
    Reason.YIELDS: "another source of higher priority says this product's price",
    Reason.LATE: "its source has said something newer of this product before",
    Reason.OVERTAKEN: "a newer price of the product was said while the list waited",
    Reason.UNKNOWN_SKU: "the store has no product with this SKU",
    Reason.NUMBER_USED: "its sequence number was used before with another price",
    Reason.OVER: "the moment until which it holds has passed",
    Reason.TOO_MANY_PLANS: "too many prices of the product have a begin or an end",
}

_LOOK = "If it is right, have another person approve it; if not, send the right price."
_LIMITS = "Send a price within the limits: GET /api/v1/stores/{store}/guards."

FIXES: Final[Mapping[Reason, str]] = {
    Reason.NOT_POSITIVE: "Send a price above zero.",
    **dict.fromkeys((Reason.TOO_HIGH, Reason.TOO_LOW), _LIMITS),
    Reason.CURRENCY: "Send the price in the store's currency.",
    Reason.DECIMAL_SHIFT: _LOOK,
    Reason.RISE: _LOOK,
    Reason.FALL: _LOOK,
    Reason.PROMOTION_NOT_BELOW: _LOOK,
    Reason.PROMOTION_FALL: _LOOK,
    Reason.UNIT_PRICE: _LOOK,
    Reason.LOWEST_30D: _LOOK,
    Reason.TOO_OFTEN: "Have another person approve it, or widen changes_a_day in the guards.",
    Reason.BULK: "Look at the whole batch; if it is right, have another person approve it.",
    Reason.YIELDS: "Send it from the source that owns the price, or give yours a higher priority.",
    Reason.LATE: "Nothing, if it is old; else send it with a higher number or a later time.",
    Reason.OVERTAKEN: "Nothing, if the newer price is right; else send the list again.",
    Reason.UNKNOWN_SKU: "Add the product first: PUT /api/v1/stores/{store}/products/{sku}.",
    Reason.NUMBER_USED: "Give every change of a product a higher sequence number.",
    Reason.OVER: "Send a later valid_to, or none.",
    Reason.TOO_MANY_PLANS: "Send what is far off once some of the others are over.",
}
"""What its sender can do about each."""


class Verdict(StrEnum):
    """What a guard says."""

    PASS = "pass"  # noqa: S105  no password
    QUARANTINE = "quarantine"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a price may go by itself. None switches a limit off."""

    highest_minor: int = HIGHEST_MINOR
    lowest_minor: int = 1
    rise_percent: int | None = 50
    fall_percent: int | None = 40
    shift_percent: int | None = 2  # how near 10, 100, 1000 times counts as a moved point
    promotion_below: bool = True  # a promotion's price must be below the regular one
    promotion_fall_percent: int | None = 70
    unit_price_percent: int | None = 10  # how far a unit price may be from what follows
    lowest_30d: bool = True  # a stated 30-day low is held against the price that holds
    changes_a_day: int | None = 4
    big_percent: int = 20  # a change above this counts for the circuit breaker
    bulk_permille: int | None = 50  # of a store's products, so many may change far …
    bulk_least: int = 20  # … and so many in any case, within `BULK_WITHIN`


LIMIT_FIELDS: Final = tuple(f.name for f in fields(Limits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The limits of a store or a source, and those of single categories."""

    on: bool = True
    limits: Limits = field(default_factory=Limits)
    categories: Mapping[str, Limits] = field(default_factory=dict)

    def for_category(self, category: str | None) -> Limits:
        """Return the limits of a product's category."""
        if category is None or not self.categories:
            return self.limits
        return self.categories.get(category, self.limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the guards say, and why. ``big`` changes count for the circuit breaker."""

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    big: bool = False


PASSED: Final = Judgement(verdict=Verdict.PASS)
PASSED_BIG: Final = Judgement(verdict=Verdict.PASS, big=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What holds of a product's price now, as far as guards ask."""

    price_minor: int
    regular_minor: int | None = None  # above the price: while a promotion runs
    changes_today: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a source says of a price. ``regular_minor`` is apart from promotions."""

    currency: str
    store_currency: str
    regular_minor: int | None
    promotion_minor: int | None = None  # of one piece, or of ``promotion_quantity`` together
    promotion_quantity: int = 1
    unit_price_minor: int | None = None
    content: NetContent | None = None
    lowest_30d_minor: int | None = None


def judge(said: Said, held: Held | None, limits: Limits) -> Judgement:
    """Say whether what a source says of a price may hold."""
    refused = _refuse(said, limits)
    if refused:
        return Judgement(verdict=Verdict.REJECT, reasons=tuple(refused))
    reasons = doubts_of(
        said.regular_minor,
        held.price_minor if held is not None else None,
        held.regular_minor if held is not None else None,
        held.changes_today if held is not None else 0,
        limits,
    )
    if said.promotion_minor is not None:
        reasons += _doubt_promotion(said, held, limits)
    if said.unit_price_minor is not None and said.content is not None:
        prices = [p for p in (said.regular_minor, said.promotion_minor) if p is not None]
        reasons += doubt_unit_price(prices, said.unit_price_minor, said.content, limits)
    if said.lowest_30d_minor is not None and limits.lowest_30d and held is not None:
        base = held.regular_minor if held.regular_minor is not None else held.price_minor
        if said.lowest_30d_minor > base:
            reasons += (Reason.LOWEST_30D,)
    big = False
    if held is not None and said.regular_minor is not None:
        base = held.regular_minor if held.regular_minor is not None else held.price_minor
        big = is_big(said.regular_minor, base, limits)
    if reasons:
        return Judgement(verdict=Verdict.QUARANTINE, reasons=reasons, big=big)
    return PASSED_BIG if big else PASSED


def doubts_of(
    price_minor: int | None,
    held_minor: int | None,
    held_regular_minor: int | None,
    changes_today: int,
    limits: Limits,
    *,
    is_promotion: bool = False,
) -> tuple[Reason, ...]:
    """Compare a price with what holds: the hot part of `judge`, without objects.

    ``is_promotion`` says that the sender named what holds as the old price: it may fall as far
    as promotions may.
    """
    if price_minor is None or held_minor is None or price_minor == held_minor:
        return ()
    often = limits.changes_a_day
    reasons: tuple[Reason, ...] = ()
    if often is not None and changes_today >= often:
        reasons = (Reason.TOO_OFTEN,)
    if price_minor == held_regular_minor:
        return reasons  # a promotion ends: back to the price that was struck through
    base = held_regular_minor if held_regular_minor is not None else held_minor
    shift = limits.shift_percent
    if shift is not None and (
        is_shifted(price_minor, held_minor, shift)
        or (base != held_minor and is_shifted(price_minor, base, shift))
    ):
        reasons += (Reason.DECIMAL_SHIFT,)
    rise, fall = limits.rise_percent, limits.fall_percent
    if rise is not None and price_minor * 100 > max(base, held_minor) * (100 + rise):
        reasons += (Reason.RISE,)
    if is_promotion:
        most = limits.promotion_fall_percent
        if most is not None and price_minor * 100 < base * (100 - most):
            reasons += (Reason.PROMOTION_FALL,)
    elif fall is not None and price_minor * 100 < held_minor * (100 - fall):
        reasons += (Reason.FALL,)
    return reasons


def is_shifted(new_minor: int, old_minor: int, tolerance_percent: int) -> bool:
    """Say whether one price is about 10, 100 or 1000 times the other.

    Minor units are whole: 1.05 moved by three places is 0.00105 and arrives as 0.01 at best. So
    the smaller price may be a minor unit off whatever the tolerance.
    """
    low, high = (new_minor, old_minor) if new_minor < old_minor else (old_minor, new_minor)
    if high < low * 5:  # 0.15 moved by one place is 0.015, which arrives as 0.02
        return False
    for factor in _SHIFTS:
        moved = low * factor
        off = abs(high - moved)
        if off * 100 <= moved * tolerance_percent or off < factor:
            return True
    return False


def is_big(new_minor: int, old_minor: int, limits: Limits) -> bool:
    """Say whether a change counts for the circuit breaker."""
    return abs(new_minor - old_minor) * 100 > old_minor * limits.big_percent


def breaks_bulk(big_changes: int, products: int, limits: Limits) -> bool:
    """Say whether so many big changes among so many products are too many."""
    if limits.bulk_permille is None or big_changes <= limits.bulk_least:
        return False
    return big_changes * 1000 > products * limits.bulk_permille


def _refuse(said: Said, limits: Limits) -> list[Reason]:
    if said.currency != said.store_currency or said.currency not in MINOR_DIGITS:
        return [Reason.CURRENCY]
    amounts = [
        amount
        for amount in (said.regular_minor, said.promotion_minor, said.unit_price_minor)
        if amount is not None
    ]
    if any(amount <= 0 for amount in amounts):
        return [Reason.NOT_POSITIVE]
    refused: list[Reason] = []
    prices = [p for p in (said.regular_minor, said.promotion_minor) if p is not None]
    if any(price > limits.highest_minor for price in prices):
        refused.append(Reason.TOO_HIGH)
    if any(price < limits.lowest_minor for price in prices):
        refused.append(Reason.TOO_LOW)
    return refused


def _doubt_promotion(said: Said, held: Held | None, limits: Limits) -> tuple[Reason, ...]:
    """Hold a promotion against the regular price that comes with it, else the one that holds."""
    promotion = said.promotion_minor
    regular = said.regular_minor
    if regular is None and held is not None:
        regular = held.regular_minor if held.regular_minor is not None else held.price_minor
    if promotion is None or regular is None:
        return ()
    whole = regular * said.promotion_quantity
    reasons: tuple[Reason, ...] = ()
    if limits.promotion_below and promotion >= whole:
        reasons += (Reason.PROMOTION_NOT_BELOW,)
    shift = limits.shift_percent
    if shift is not None and is_shifted(promotion, whole, shift):
        reasons += (Reason.DECIMAL_SHIFT,)
    most = limits.promotion_fall_percent
    if most is not None and promotion * 100 < whole * (100 - most):
        reasons += (Reason.PROMOTION_FALL,)
    return reasons


def doubt_unit_price(
    prices: Sequence[int], unit: int, content: NetContent, limits: Limits
) -> tuple[Reason, ...]:
    """A unit price is right if it follows from the price or from the promotion's.

    A minor unit of rounding is no contradiction, nor half a thousandth of the content: 4.5 g of
    lip balm is 0.005 kg to its list, which works the unit price out from 4.5 g.
    """
    percent = limits.unit_price_percent
    if percent is None or not prices:
        return ()
    for price in prices:
        off = abs(unit * content.milli - price * _WHOLE)
        if off * 100 <= price * _WHOLE * percent + content.milli * 100 + unit * 50:
            return ()
    return (Reason.UNIT_PRICE,)
