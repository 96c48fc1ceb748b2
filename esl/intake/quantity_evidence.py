"""A list's own unit price as a witness: what a cell and a name say of a content, judged by it.

Selling price divided by content is the unit price. Where a list states all three, a content that
does not fit was read wrongly or typed wrongly, and both make a wrong label. Seen in real lists:
"0.08 kg" beside a name with 75 g, "0,700 KG" for 100 g of sardines, "800 L" of shower gel.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from esl.domain.face import Unit
from esl.domain.product import NetContent
from esl.intake.quantity import UnknownQuantity, content_of, normal, parse_quantity
from esl.intake.quantity_name import extract_quantity, possible_contents
from esl.intake.units import PARTS, measure_of

_WHOLE = 1000
"""Thousandths in one unit."""

_COARSE = 20
"""A unit price that rounding may have changed by more than one in so many says nothing."""

_MILLI_DECIMALS = 3
_SLIPS = (10, 100, 1000)
_ONE_PIECE = NetContent(milli=_WHOLE, unit=Unit.PIECE)
_NUMBER = re.compile(r"[0-9]*[.,][0-9]+")
_SLASH_IN_NAME = re.compile(
    r"([0-9]+(?:[.,][0-9]+)?)\s?([^\W\d_]*)\.?\s?/\s?([0-9]+(?:[.,][0-9]+)?)\s?([^\W\d_]*)"
)
_PARTS_IN_NAME = re.compile(r"(?<![0-9.,])([0-9]{1,4})\s?([^\W\d_]+)")


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
    if content.milli != _WHOLE and unit_price in prices:
        return Agreement.SAYS_NOTHING  # tills copy the price where they know no content
    half = evidence.step / 2
    # Multiplied out: prices times thousandths have 20 digits, and decimals are exact to 28.
    stated, spare = unit_price * content.milli, half * content.milli
    if not any(abs(price * _WHOLE - stated) <= spare for price in prices):
        return Agreement.DISAGREES
    return Agreement.SAYS_NOTHING if half * _COARSE > unit_price else Agreement.AGREES


def read_content(
    stated: str | None,
    *,
    name: str | None = None,
    evidence: PriceEvidence = _NONE,
    decimal: str = ".",
    unit_hint: str | None = None,
) -> NetContent | UnknownQuantity:
    """Read a row's content from all that the row says: cell, name and unit price.

    The unit price chooses where cell and name differ, or where neither is certain. A cell that
    it contradicts is unknown if it may be rounded ("0.01 kg" for 12 g), or if the unit price
    counts something else (washes, or kilograms where the cell says "1 piece"). Otherwise the cell
    stands and the unit price is the mistake, which guards hold back: so it is, too, where cell
    and name say the same. An empty cell is filled from the name only if the unit price agrees.
    """
    cell: NetContent | UnknownQuantity = (
        parse_quantity(stated, decimal=decimal, unit_hint=unit_hint)
        if stated and stated.strip()
        else UnknownQuantity("empty")
    )
    named = extract_quantity(name) if name else UnknownQuantity("empty")
    if isinstance(cell, NetContent) and isinstance(named, NetContent):
        return _settle(cell, named, name or "", evidence, decimals=_decimals(stated or "", cell))
    if isinstance(cell, NetContent):
        return _hold_against(cell, name or "", evidence, decimals=_decimals(stated or "", cell))
    if isinstance(named, NetContent) and judge(named, evidence) is Agreement.AGREES:
        return named
    fitting = _fitting(possible_contents(name) if name else (), evidence)
    if len(fitting) == 1:
        return fitting[0]
    return cell


def stands_in(content: NetContent, name: str) -> bool:
    """Say whether a name has this very amount in it, by itself.

    Reading a name for good takes 40 µs; this takes one.
    """
    return _pattern(content).search(name) is not None


@lru_cache(maxsize=1 << 12)
def _pattern(content: NetContent) -> re.Pattern[str]:
    """Find "400 g", "0,4kg" and the like, by themselves: no "6x400 g", "400/240 g", "100+400 g"."""
    small, large = {
        Unit.KILOGRAM: ("gr?", "kg"),
        Unit.LITRE: ("ml", "l"),
        Unit.PIECE: (None, "kom"),
        Unit.METRE: (None, "m"),
        Unit.SQUARE_METRE: (None, "m2"),
    }[content.unit]
    whole, rest = divmod(content.milli, _WHOLE)
    tail = f"[.,]{f'{rest:03d}'.rstrip('0')}0*" if rest else "(?:[.,]0+)?"
    forms = [f"{whole or '0?'}{tail} ?{large}"]
    if small is not None:
        forms.append(f"{content.milli} ?{small}")
    return re.compile(
        rf"(?<![0-9.,/+x×*-])(?<![/+x×*-] )(?:{'|'.join(forms)})(?![^\W_])(?!\.?\s*[/+x×*-])",
        re.IGNORECASE,
    )


def _settle(  # noqa: PLR0911  one return a reason
    cell: NetContent, named: NetContent, name: str, evidence: PriceEvidence, *, decimals: int
) -> NetContent | UnknownQuantity:
    """Decide between what the column and the name say."""
    if cell == named:
        return cell
    if cell.unit is named.unit and cell.unit is not Unit.PIECE:
        verdict = judge(named, evidence)
        if verdict is Agreement.AGREES:
            return named
        if cell.milli == _rounded(named.milli, decimals):
            if verdict is Agreement.DISAGREES and _may_be_rounded(cell, evidence, decimals):
                return UnknownQuantity("rounded, and the list's unit price says otherwise")
            return named
        if judge(cell, evidence) is Agreement.DISAGREES:
            return _hold_against(cell, name, evidence, decimals=decimals)
        less, more = sorted((cell.milli, named.milli))
        if verdict is Agreement.DISAGREES and more in [less * times for times in _SLIPS]:
            return named  # 57 g of coffee in a column as 0.570 kg, and a tenth of the unit price
        return UnknownQuantity(f"the column says {cell.as_text()}, the name {named.as_text()}")
    fitting = _fitting((cell, named), evidence)
    if len(fitting) == 1:
        return fitting[0]
    return UnknownQuantity(f"the column says {cell.as_text()}, the name {named.as_text()}")


def _hold_against(
    cell: NetContent, name: str, evidence: PriceEvidence, *, decimals: int
) -> NetContent | UnknownQuantity:
    """Take a cell's content, unless the unit price shows that it is not what the unit price counts.

    A unit price that fits nothing at all does not make a content doubtful: guards hold it back.
    """
    if judge(cell, evidence) is not Agreement.DISAGREES:
        return cell
    fitting = _fitting({*possible_contents(name), *_slashed(name)}, evidence)
    if len(fitting) == 1:
        return fitting[0]
    if _may_be_rounded(cell, evidence, decimals):
        return UnknownQuantity("rounded, says the list's unit price")
    if cell == _ONE_PIECE or _counts_parts(name, evidence):
        return UnknownQuantity("the list's unit price counts something else")
    return cell


def _may_be_rounded(cell: NetContent, evidence: PriceEvidence, decimals: int) -> bool:
    """Say whether the unit price follows from a content that a list rounds to this cell.

    Only of numbers with decimals; one that is a single step may have been anything below.
    """
    if cell.unit not in (Unit.KILOGRAM, Unit.LITRE) or not 1 <= decimals <= _MILLI_DECIMALS:
        return False
    step = 10 ** (_MILLI_DECIMALS - decimals)
    least = 0 if cell.milli == step else 2 * cell.milli - step  # of all, the double
    most = 2 * cell.milli + step
    stated, half = evidence.unit_price or 0, evidence.step / 2
    return any(
        (stated - half) * least <= price * 2 * _WHOLE <= (stated + half) * most
        for price in evidence.prices
    )


def _slashed(name: str) -> Iterable[NetContent]:
    """List what "350 g/200" may mean: net, or drained."""
    for one, first, other, last in _SLASH_IN_NAME.findall(normal(name)):
        measure = measure_of(last or first)
        if measure is None:
            continue
        for number in (one, other):
            content = content_of(number, measure, count=None, decimal=None)
            if isinstance(content, NetContent):
                yield content


def _counts_parts(name: str, evidence: PriceEvidence) -> bool:
    """Say whether the unit price is that of one wash or sheet, of which the name has a number."""
    for number, word in _PARTS_IN_NAME.findall(normal(name)):
        if word in PARTS and int(number):
            each = NetContent(milli=int(number) * _WHOLE, unit=Unit.PIECE)
            if judge(each, evidence) is not Agreement.DISAGREES:
                return True
    return False


def _fitting(contents: Iterable[NetContent], evidence: PriceEvidence) -> list[NetContent]:
    """Keep the contents that the unit price speaks for."""
    return [each for each in contents if judge(each, evidence) is Agreement.AGREES]


def _decimals(text: str, content: NetContent) -> int:
    """Count a cell's decimals of its unit: "0.08 kg" has 2, and "80 g" has 3."""
    number = _NUMBER.search(text)
    if number is None:
        return _MILLI_DECIMALS
    whole, _, decimals = number[0].replace(",", ".").partition(".")
    if Decimal(f"{whole or 0}.{decimals}") * _WHOLE != content.milli:
        return _MILLI_DECIMALS  # of grams, or one of several numbers
    return len(decimals)


def _rounded(milli: int, decimals: int) -> int:
    """Round thousandths to fewer decimals of the unit, half up: 75 to 2 decimals is 80."""
    step = int(10 ** max(0, 3 - decimals))
    return (milli + step // 2) // step * step
