"""How a file writes prices: decimal sign, thousands, whole cents; by counting, never by habit.

"1.299,90"  "0,69"  ",5"  "12,5"      a comma parts decimals: nothing else fits
"1,299.90"  "0.69"  "12.5"            a point does
"1.299"     "1,299"                   says nothing: a price, or a thousand times it
"129"                                 says nothing: 129, or 1.29 in cents
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from esl.intake.suggest.suggestion import Setting

_CLEAR_ENOUGH = 10
_CLEAR_SHARE = 0.05
"""Clear cells that prove a sign beside many that say nothing: as many, or ten and a twentieth."""

_BLANKS = " \u00a0\u202f'’"
_MARKS = (
    r"[\s'\"=*€$£₪₺₽¥]|(?:eur|euro|hrk|kn|rsd|din|km|bam|pln|zł|czk|kč|huf|ft|ron|lei|bgn|лв|usd|"
    r"gbp|chf|try|tl|ils|nis|sek|nok|dkk|kr)\b\.?"
)
_AFFIX = re.compile(rf"^((?:{_MARKS})*)(.*?)((?:{_MARKS})*)$", re.DOTALL | re.IGNORECASE)
_COMMA = re.compile(r"\d{0,9},(?:\d{1,2}|\d{4,})|0,\d+|\d{1,3}(?:\.\d{3})+,\d+")
_POINT = re.compile(r"\d{0,9}\.(?:\d{1,2}|\d{4,})|0\.\d+|\d{1,3}(?:,\d{3})+\.\d+")
_EITHER = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})")
_WHOLE = re.compile(r"\d{1,9}")
_GROUPS = re.compile(
    rf"\d{{1,3}}(?P<sign>[.,{_BLANKS}])\d{{3}}(?:(?P=sign)\d{{3}})*(?P<rest>[.,]\d+)?"
)
_GROUPS_TWICE = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})+")


@dataclass(slots=True)
class Counts:
    """How many cells speak for which way of writing."""

    comma: int = 0
    point: int = 0
    either_comma: int = 0  # "1,299"
    either_point: int = 0  # "1.299"
    whole: int = 0
    other: int = 0  # no numbers at all
    example: str = ""  # of what speaks for neither
    grouped: Counter[str] | None = None

    @property
    def numbers(self) -> int:
        """Count the cells that are numbers, whichever the decimal sign is."""
        return self.comma + self.point + self.either + self.whole

    @property
    def either(self) -> int:
        """Count the cells whose sign may part thousands as well as decimals."""
        return self.either_comma + self.either_point


def bare_number(cell: str) -> str:
    """Take signs of currencies, quotes and blanks off both ends of a cell."""
    match = _AFFIX.match(cell.strip())
    return match[2].strip() if match else cell


def affixes_of(cells: Iterable[str]) -> str:
    """Collect the signs that stand at either end of numbers, to be stripped by the mapping."""
    found: Counter[str] = Counter()
    for cell in cells:
        match = _AFFIX.match(cell.strip())
        if match is not None and match[2]:
            found.update(match[1] + match[3])
    return "".join(sorted(c for c in found if not c.isspace() and c.isprintable()))


def count_shapes(cells: Iterable[str]) -> Counts:
    """Count how the non-empty cells of a column write numbers."""
    counts = Counts(grouped=Counter())
    for cell in cells:
        if not cell:
            continue
        _count(counts, bare_number(cell))
    return counts


def _count(counts: Counts, number: str) -> None:
    assert counts.grouped is not None  # noqa: S101  made with one
    group = _GROUPS.fullmatch(number)
    if group is not None and (group["sign"] in _BLANKS or group["rest"]):
        counts.grouped[group["sign"]] += 1
        number = number.replace(group["sign"], "")
    elif (twice := _GROUPS_TWICE.fullmatch(number)) is not None:
        counts.grouped[twice[1]] += 1
        number = number.replace(twice[1], "")
    if _COMMA.fullmatch(number):
        counts.comma += 1
    elif _POINT.fullmatch(number):
        counts.point += 1
    elif _EITHER.fullmatch(number):
        counts.either_comma += "," in number
        counts.either_point += "." in number
        counts.example = counts.example or number
    elif _WHOLE.fullmatch(number):
        counts.whole += 1
        counts.example = counts.example or number
    else:
        counts.other += 1


def add_counts(all_counts: Sequence[Counts]) -> Counts:
    """Add up the counts of several columns."""
    total = Counts(grouped=Counter())
    for each in all_counts:
        total.comma += each.comma
        total.point += each.point
        total.either_comma += each.either_comma
        total.either_point += each.either_point
        total.whole += each.whole
        total.other += each.other
        total.example = total.example or each.example
        total.grouped = (total.grouped or Counter()) + (each.grouped or Counter())
    return total


def decide_decimal(counts: Counts) -> tuple[Setting, Setting]:
    """Choose the decimal sign and the sign of thousands from what was counted."""
    why = f"{counts.comma} cells can only have a decimal comma, {counts.point} only a point"
    if counts.either:
        why += f", {counts.either} say nothing (such as {counts.example!r})"
    clear = counts.comma + counts.point
    sign, sure = None, True
    if counts.comma and not counts.point:
        sign = ","
    elif counts.point and not counts.comma:
        sign = "."
    elif not clear and not counts.either and counts.whole:
        sign = "."
        why = "all prices are whole numbers, so no sign parts decimals"
    if clear < min(counts.either, max(_CLEAR_ENOUGH, counts.either * _CLEAR_SHARE)):
        sign = None  # a few odd cells prove nothing about many
    sure = sign is not None
    decimal = Setting(key="decimal", value=sign, why=why, sure=sure, needed=True)
    grouped = Counter(counts.grouped or {})
    grouped.update({",": counts.either_comma if sign == "." else 0})
    grouped.update({".": counts.either_point if sign == "," else 0})
    thousands = [mark for mark, n in grouped.most_common() if mark != sign and n]
    if not thousands or not sure:
        why = "no cell parts thousands" if not thousands else "once the decimal sign is known"
        return decimal, Setting(key="thousands", value=None, why=why, sure=not thousands)
    return decimal, Setting(
        key="thousands",
        value=thousands[0],
        why=f"{grouped[thousands[0]]} cells part thousands by it",
        sure=len(thousands) == 1,
        needed=len(thousands) > 1,
    )


def as_decimal(cell: str, decimal: str | None, thousands: str | None) -> Decimal | None:
    """Read a cell with the chosen signs; None if it is no number."""
    number = bare_number(cell)
    if thousands:
        number = number.replace(thousands, "")
    if decimal == ",":
        number = number.replace(".", "x").replace(",", ".")
    try:
        return Decimal(f"0{number}") if number and number[0] in ".0123456789" else None
    except InvalidOperation:
        return None
