"""The unit price: what it counts, how it is rounded, and where the law lets it be left out.

Exact until the last step, then half up: 1.29 EUR for 80 g is exactly 16.125 EUR/kg and shows as
16.13. Where the law wants tenths below 1.00 (Connecticut, the United Kingdom) the amount has one
decimal more: 25.3 ¢/lb is ``amount`` 253 with 3 ``digits``. Pure; prices are in minor units.
"""

from collections.abc import Collection
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from esl.domain.face import Unit
from esl.domain.law.profile import Profile
from esl.domain.money import MINOR_DIGITS
from esl.domain.product import NetContent

_WHOLE: Final = 1000
_UNIT_TEXT: Final = {Unit.SQUARE_METRE: "m²"}

_NAMED_SIZES: Final = {
    "lb": (Unit.KILOGRAM, 45_359_237, 100_000),
    "oz": (Unit.KILOGRAM, 45_359_237, 1_600_000),
    "us_gal": (Unit.LITRE, 3_785_411_784, 1_000_000),
    "us_qt": (Unit.LITRE, 946_352_946, 1_000_000),
    "us_pt": (Unit.LITRE, 473_176_473, 1_000_000),
    "us_fl_oz": (Unit.LITRE, 3_785_411_784, 128_000_000),
    "ft": (Unit.METRE, 3048, 10),
    "sq_ft": (Unit.SQUARE_METRE, 9_290_304, 100_000),
}
"""Exact sizes in thousandths of our units (NIST Handbook 44, Appendix C)."""


class Measure(NamedTuple):
    """A content without rounding: ``num`` / ``den`` thousandths of ``unit``."""

    unit: Unit
    num: int
    den: int = 1


class UnitPriceCode(StrEnum):
    """Whether a unit price is shown, or why not."""

    SHOWN = "shown"
    SAME_AS_PRICE = "same_as_price"
    BULK = "bulk"  # goods by weight: the price is the unit price already
    NO_CONTENT = "no_content"  # nobody said how much is in it
    TOO_SMALL = "too_small"
    EXEMPT = "exempt"
    NO_BASIS = "no_basis"  # the profile does not know what to count


class UnitPrice(NamedTuple):
    """A unit price. ``amount`` is in 10**-``digits`` of the currency's major unit."""

    code: UnitPriceCode
    per: str = ""  # as printed behind it: "kg", "100 g", "lb"
    amount: int | None = None  # None: none is shown
    digits: int = 0
    minor: int | None = None  # the same in whole minor units


def measure_of(amount: str, size: str) -> Measure:
    """Read a content in a unit of the United States: "1.5", "lb".

    Raises:
        KeyError: No size has this name.
        decimal.InvalidOperation: Not a decimal.
    """
    unit, num, den = _NAMED_SIZES[size]
    times_num, times_den = Decimal(amount).as_integer_ratio()
    return Measure(unit, num * times_num, den * times_den)


def unit_price(
    price_minor: int,
    content: NetContent | Measure | None,
    currency: str,
    profile: Profile,
    *,
    priced_per: Unit | None = None,
    is_loose: bool = False,
    exemptions: Collection[str] = (),
) -> UnitPrice:
    """Compute the unit price of a price without its deposit.

    ``priced_per`` is set for goods whose price is by weight; ``is_loose`` for goods weighed out
    before the customer, which some laws let count otherwise; ``exemptions`` are the codes of the
    profile's exemptions that the shop says this product falls under.
    """
    if priced_per is not None:
        return UnitPrice(UnitPriceCode.BULK, _UNIT_TEXT.get(priced_per, priced_per.value))
    if content is None:
        return UnitPrice(UnitPriceCode.NO_CONTENT)
    measure = content if isinstance(content, Measure) else Measure(content.unit, content.milli)
    found = _price_of_one(price_minor, measure, currency, profile, exemptions, is_loose=is_loose)
    if found.code is UnitPriceCode.SHOWN and profile.unit_price.same_may_be_left_out:
        digits = MINOR_DIGITS[currency]
        if found.amount == price_minor * 10 ** (found.digits - digits):
            return UnitPrice(UnitPriceCode.SAME_AS_PRICE, found.per)
    return found


def multibuy_unit_price(
    total_minor: int,
    quantity: int,
    content: NetContent | Measure | None,
    currency: str,
    profile: Profile,
    *,
    exemptions: Collection[str] = (),
) -> UnitPrice:
    """Compute the unit price of ``quantity`` packs that together cost ``total_minor``."""
    if content is None:
        return UnitPrice(UnitPriceCode.NO_CONTENT)
    if not profile.unit_price.for_multibuy:
        return UnitPrice(UnitPriceCode.EXEMPT)
    unit, num, den = content if isinstance(content, Measure) else (content.unit, content.milli, 1)
    measure = Measure(unit, num * quantity, den)
    return _price_of_one(total_minor, measure, currency, profile, exemptions, is_loose=False)


def _price_of_one(
    price_minor: int,
    measure: Measure,
    currency: str,
    profile: Profile,
    exemptions: Collection[str],
    *,
    is_loose: bool,
) -> UnitPrice:
    rule = profile.unit_price
    unit, num, den = measure
    if num <= 0:
        return UnitPrice(UnitPriceCode.NO_CONTENT)
    if exemptions and any(known.code in exemptions for known in rule.exemptions):
        return UnitPrice(UnitPriceCode.EXEMPT)
    small = rule.too_small_milli
    if small and num < small * den and (unit is Unit.KILOGRAM or unit is Unit.LITRE):
        return UnitPrice(UnitPriceCode.TOO_SMALL)
    basis = rule.basis_for(unit, is_loose=is_loose)
    if basis is None:
        return UnitPrice(UnitPriceCode.NO_BASIS)
    above, below = price_minor * basis.size_num * den, num * basis.size_den
    minor = (2 * above + below) // (2 * below)
    digits = MINOR_DIGITS[currency]
    if rule.tenths_below_one:
        tenths = (20 * above + below) // (2 * below)
        if tenths < 10 ** (digits + 1):
            return UnitPrice(UnitPriceCode.SHOWN, basis.text, tenths, digits + 1, minor)
    return UnitPrice(UnitPriceCode.SHOWN, basis.text, minor, digits, minor)
