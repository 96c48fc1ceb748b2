"""A list's own unit price as a witness: what a cell and a name say of a content, judged by it.

Selling price divided by content is the unit price. Where a list states all three, a content that
does not fit was read wrongly or typed wrongly, and both make a wrong label. Seen in real lists:
"0.08 kg" beside a name with 75 g, "0,700 KG" for 100 g of sardines, "800 L" of shower gel.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from esl.domain.face import Unit
from esl.domain.product import NetContent
from esl.intake.quantity import UnknownQuantity, parse_quantity
from esl.intake.quantity_name import extract_quantity, possible_contents

_WHOLE = 1000
"""Thousandths in one unit."""

_COARSE = Fraction(1, 20)
"""A unit price that rounding may have changed by more than this part of it says nothing."""

_NEAR = Fraction(1, 100)
"""How far a unit price may be off where two other witnesses agree: lists round prices, too."""


class Agreement(StrEnum):
    """What a unit price says of a content."""

    AGREES = "agrees"  # within the rounding of the unit price
    DISAGREES = "disagrees"
    SAYS_NOTHING = "says nothing"  # missing, zero, a copy of the price, or too small to tell


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEvidence:
    """A row's own prices, in one currency.

    ``prices`` are those the unit price may have been worked out from: the regular price and, while
    one runs, the promotion's. ``step`` is the smallest step of ``unit_price``.
    """

    prices: tuple[Decimal, ...] = ()
    unit_price: Decimal | None = None
    step: Decimal = Decimal("0.01")


_NONE = PriceEvidence()


def consistent(price: Decimal, unit_price: Decimal, content: NetContent) -> Agreement:
    """Say whether a unit price to two decimals follows from a price and a content."""
    return judge(content, PriceEvidence(prices=(price,), unit_price=unit_price))


def judge(content: NetContent, evidence: PriceEvidence) -> Agreement:
    """Weigh a content against the unit price of the same row."""
    unit_price, prices = evidence.unit_price, [p for p in evidence.prices if p > 0]
    if unit_price is None or unit_price <= 0 or not prices:
        return Agreement.SAYS_NOTHING
    stated, half = Fraction(unit_price), Fraction(evidence.step) / 2
    worked_out = [Fraction(price) * _WHOLE / content.milli for price in prices]
    if content.milli != _WHOLE and unit_price in prices:
        return Agreement.SAYS_NOTHING  # tills copy the price where they know no content
    if not any(abs(each - stated) <= half for each in worked_out):
        return Agreement.DISAGREES
    return Agreement.SAYS_NOTHING if half / stated > _COARSE else Agreement.AGREES


def read_content(
    stated: str | None,
    *,
    name: str | None = None,
    evidence: PriceEvidence = _NONE,
    decimal: str = ".",
    unit_hint: str | None = None,
) -> NetContent | UnknownQuantity:
    """Read a row's content from all that the row says: cell, name and unit price.

    One that the unit price contradicts is unknown, and so is one where cell and name differ; a
    cell that is the name's content rounded to fewer decimals is not a difference. Where neither
    is certain alone, the unit price decides if it fits exactly one of the name's readings.
    """
    cell: NetContent | UnknownQuantity = (
        parse_quantity(stated, decimal=decimal, unit_hint=unit_hint)
        if stated and stated.strip()
        else UnknownQuantity("empty")
    )
    named = extract_quantity(name) if name else UnknownQuantity("empty")
    if isinstance(cell, NetContent) and isinstance(named, NetContent):
        return _settle(cell, named, evidence, decimals=_decimals(stated or ""))
    if isinstance(cell, NetContent):
        return _alone(cell, evidence, reason="the column")
    if isinstance(named, NetContent):
        return _alone(named, evidence, reason="the name")
    fitting = _fitting(possible_contents(name) if name else (), evidence)
    if len(fitting) == 1:
        return fitting[0]
    return cell if cell.reason != "empty" else named


def _settle(
    cell: NetContent, named: NetContent, evidence: PriceEvidence, *, decimals: int
) -> NetContent | UnknownQuantity:
    """Decide between what the column and the name say."""
    if cell == named:
        verdict = judge(cell, evidence)
        if verdict is Agreement.DISAGREES and not _nearly(cell, evidence):
            return UnknownQuantity("the list's unit price says otherwise")
        return cell
    if cell.unit is named.unit:
        if cell.unit is not Unit.PIECE and cell.milli == _rounded(named.milli, decimals):
            return _alone(named, evidence, reason="the name")
        return UnknownQuantity(f"the column says {cell.as_text()}, the name {named.as_text()}")
    fitting = _fitting((cell, named), evidence)
    if len(fitting) == 1:
        return fitting[0]
    return UnknownQuantity(f"the column says {cell.as_text()}, the name {named.as_text()}")


def _alone(
    content: NetContent, evidence: PriceEvidence, *, reason: str
) -> NetContent | UnknownQuantity:
    """Take a content with one witness, unless the unit price speaks against it."""
    if judge(content, evidence) is Agreement.DISAGREES:
        return UnknownQuantity(
            f"{reason} says {content.as_text()}, the list's unit price something else"
        )
    return content


def _fitting(contents: Iterable[NetContent], evidence: PriceEvidence) -> list[NetContent]:
    """Keep the contents that the unit price speaks for."""
    return [each for each in contents if judge(each, evidence) is Agreement.AGREES]


def _nearly(content: NetContent, evidence: PriceEvidence) -> bool:
    """Say whether a unit price is off by no more than lists round prices."""
    stated = Fraction(evidence.unit_price or 0)
    return any(
        abs(Fraction(price) * _WHOLE / content.milli - stated) <= stated * _NEAR
        for price in evidence.prices
    )


def _decimals(text: str) -> int:
    """Count the digits behind the last point or comma: "0.08 kg" has 2."""
    digits = 0
    for c in reversed(text):
        if c in ".,":
            return digits
        digits = digits + 1 if c.isdecimal() else 0
    return 3


def _rounded(milli: int, decimals: int) -> int:
    """Round thousandths to fewer decimals of the unit, half up: 75 to 2 decimals is 80."""
    step = int(10 ** max(0, 3 - decimals))
    return (milli + step // 2) // step * step
