"""How much is in a pack, read from the words of a price list, or not at all.

A wrong content puts a wrong unit price on the shelf, so whatever can be read in two ways is
left unknown, with the reason in words:

    "1,5l"        1500 thousandths of l     "cca 1.6kg"    unknown: about so much
    "6×0,33 L"    1980 of l                 "750/500 g"    unknown: net or drained?
    "10kom"       10 pieces                 "2/1"          unknown: pieces, or parts?
    "100 g + 20 g" 120 of kg                "48.01 ko"     unknown: not whole pieces

Nothing is rounded: what is not a whole thousandth of its unit is unknown too.
`esl.intake.quantity_name` reads the same from a product's name,
`esl.intake.quantity_evidence` weighs it against the list's own unit price.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from esl.domain.face import Unit
from esl.domain.product import NetContent
from esl.intake.units import IMPERIAL, PARTS, Measure, measure_of

TEXT_MOST = 200
"""Longest text that is looked at, in characters."""

COUNT_MOST = 1000
"""Most packs in a pack."""

_MILLI_MOST = 100_000_000
"""Largest content, in thousandths: 100 tonnes. Above it two numbers have run together."""

_NORMAL = str.maketrans(
    {
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\t": " ",
        "×": "x",
        "✕": "x",
        "*": "x",
        "х": "x",  # Cyrillic: the sign that Cyrillic keyboards have
        "²": "2",
        "ℓ": "l",
        "℮": " ",  # the EU's mark for contents by average, 76/211/EEC
        "–": "-",
        "—": "-",
        "−": "-",
        "’": "'",
        "״": '"',
        "׳": "'",
    }
)

NUMBER = r"(?:[0-9]+(?:[.,][0-9]+)*|[.,][0-9]+)"
WORD = r"[^\W\d_]+(?:[\"'][^\W\d_]*)?2?(?!\w)"

_AMOUNT = re.compile(
    rf"(?:(?P<count>[0-9]+)\s*x\s*)?(?P<number>{NUMBER})\s*(?P<word>{WORD})\.?"
    rf"(?:\s*x\s*(?P<after>[0-9]+)(?:\s*(?P<pieces>{WORD})\.?)?)?"
)
_SIMPLE = re.compile(rf"({NUMBER})\s*({WORD})\.?")
_BARE = re.compile(NUMBER)
_LABEL = re.compile(r"^(?:neto|netto|net|нето|nettó)\.?\s*:?\s*(?=[0-9.,])")
_ESTIMATED = re.compile(r"\s+e$")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*(?:(?!\1)[.,][0-9]+)?")
_RANGE = re.compile(r"[0-9]\s*(?:[^\W\d_]+\s*)?-\s*[0-9]")
_SLASH = re.compile(r"[0-9]\s*(?:[^\W\d_]+\.?\s*)?/\s*[0-9]")

_ABOUT_WORDS = frozenset(
    "cca ca circa zirka oko about environ env około okolo kb körülbelül около ок yaklaşık ongeveer "
    "min max do od bis ab".split()
)
_ABOUT_BEGINS = ("pribl", "approx", "aprox")
_ABOUT_SIGNS = re.compile(r"(?:[~≈±]|\+/-|\bup to)\s*[0-9.,]")
_BEFORE_NUMBER = re.compile(r"([^\W\d_]+)\.?\s*[0-9.,]")

_REFUSALS = (
    (re.compile(r"^$"), "empty"),
    (re.compile(r"^[^0-9]*$"), "no number in it"),
    (re.compile("%"), "a percentage is in it"),
    (_SLASH, "two numbers with a slash: net and drained, or pieces a pack"),
    (re.compile(r"^-"), "below zero"),
    (_RANGE, "from one number to another"),
)


@dataclass(frozen=True, slots=True)
class UnknownQuantity:
    """A text that gives no certain content, and why, as a person would say it."""

    reason: str


def normal(text: str) -> str:
    """Fold what only looks different: case, dashes, signs for "times", blanks that do not break."""
    return text.replace("dB", "decibel").translate(_NORMAL).casefold().strip()


@lru_cache(maxsize=1 << 15)
def parse_quantity(
    text: str, *, decimal: str = ".", unit_hint: str | None = None
) -> NetContent | UnknownQuantity:
    """Read a net content cell.

    Args:
        text: As the source wrote it: "1,5l", "6x330ml", "0.40 kg", "10kom".
        decimal: The source's decimal sign, "." or ",". The other sign is taken as the decimal
            sign only where it can be nothing else ("1,5l" has no thousands).
        unit_hint: The unit of another column, used only where the text has none.
    """
    if len(text) > TEXT_MOST:
        return UnknownQuantity(f"longer than {TEXT_MOST} characters")
    plain = normal(text)
    simple = _SIMPLE.fullmatch(plain)
    if simple is not None and (measure := measure_of(simple[2])) is not None:
        return content_of(simple[1], measure, count=None, decimal=decimal)
    plain = _LABEL.sub("", _ESTIMATED.sub("", plain))
    refused = _refuse(plain)
    if refused is not None:
        return refused
    if _BARE.fullmatch(plain):
        if not unit_hint:
            return UnknownQuantity("a number without a unit")
        plain = f"{plain} {normal(unit_hint)}"
    parts = [part.strip() for part in plain.split("+")]
    if len(parts) > 1:
        return _parse_sum(parts, decimal)
    return _parse_amount(plain, decimal)


def says_about(plain: str) -> bool:
    """Say whether a word before a number makes it one that is only about right: "cca 500 g"."""
    if any(
        word in _ABOUT_WORDS or word.startswith(_ABOUT_BEGINS)
        for word in _BEFORE_NUMBER.findall(plain)
    ):
        return True
    return _ABOUT_SIGNS.search(plain) is not None


def _refuse(plain: str) -> UnknownQuantity | None:
    """Say why a text is not even tried, or None."""
    for pattern, reason in _REFUSALS:
        if pattern.search(plain):
            return UnknownQuantity(reason)
    return UnknownQuantity("about so much, not exactly") if says_about(plain) else None


def _parse_sum(parts: list[str], decimal: str) -> NetContent | UnknownQuantity:
    """Add what a bonus pack holds: "100 g + 20 g", "100+20 g"."""
    last = parts[-1]
    unit = last.lstrip("0123456789.,x ")
    contents = []
    for part in parts:
        whole = part if not part.isdecimal() else f"{part} {unit}"
        content = _parse_amount(whole, decimal)
        if isinstance(content, UnknownQuantity):
            return UnknownQuantity(f"a sum, and of {part!r}: {content.reason}")
        contents.append(content)
    if len({content.unit for content in contents}) > 1:
        return UnknownQuantity("a sum of different units")
    return NetContent(milli=sum(c.milli for c in contents), unit=contents[0].unit)


def _parse_amount(plain: str, decimal: str) -> NetContent | UnknownQuantity:
    """Read "6 x 330 ml", "330 ml" or "330 ml x 6", and nothing beside it."""
    match = _AMOUNT.fullmatch(plain)
    if match is None:
        return UnknownQuantity("not a number with a unit")
    word = match["word"]
    measure = measure_of(word)
    if measure is None:
        return UnknownQuantity(why_no_unit(word))
    after = match["after"]
    if after is not None and match["pieces"] is not None:
        pieces = measure_of(match["pieces"])
        if pieces is None or pieces.unit is not Unit.PIECE:
            return UnknownQuantity("two measures: the size of the thing, not its content")
    if after is not None and match["count"] is not None:
        return UnknownQuantity("three numbers multiplied")
    return content_of(match["number"], measure, count=match["count"] or after, decimal=decimal)


def why_no_unit(word: str) -> str:
    """Say why a word after a number is no unit of ours."""
    bare = word.rstrip(".")
    if bare in IMPERIAL:
        return f"{bare!r} is no metric unit"
    if bare in PARTS:
        return f"{bare!r} are parts or uses of a piece, which no unit price counts"
    return f"{bare!r} is not a known unit"


def content_of(  # noqa: PLR0911  one return a reason
    number: str, measure: Measure, *, count: str | None, decimal: str | None
) -> NetContent | UnknownQuantity:
    """Work out ``count`` times ``number`` of a measure, exactly.

    ``decimal`` None is a text whose decimal sign nobody declared.
    """
    value = read_number(number, measure, decimal)
    if value is None:
        return UnknownQuantity(f"{number!r} may be thousands or decimals")
    times = int(count) if count and len(count) <= len(str(COUNT_MOST)) else 0 if count else 1
    if count and not 1 <= times <= COUNT_MOST:
        return UnknownQuantity(f"{count} packs in a pack")
    if count and measure.unit in (Unit.METRE, Unit.SQUARE_METRE):
        return UnknownQuantity("two measures: the size of the thing, not its content")
    milli = value * measure.milli * times
    if milli <= 0:
        return UnknownQuantity("nothing is in it")
    if milli > _MILLI_MOST:
        return UnknownQuantity("more than any pack holds")
    if measure.unit is Unit.PIECE and milli % 1000:
        return UnknownQuantity("not whole pieces")
    if milli.denominator != 1:
        return UnknownQuantity("not a whole thousandth of its unit")
    return NetContent(milli=int(milli), unit=measure.unit)


def read_number(  # noqa: PLR0911  one return a rule
    text: str, measure: Measure, decimal: str | None
) -> Fraction | None:
    """Read a number's digits; None where a sign may part thousands as well as decimals.

    With the declared decimal sign "0.500" is a half. With the other one, or where none was
    declared, a sign parts decimals for certain if not three digits follow it, if a zero or
    nothing stands before it, or if the unit is so large that thousands of it are no pack.
    """
    if text.isdecimal():
        return Fraction(int(text))
    if len(re.findall(r"[.,]", text)) > 1:
        grouped = _GROUPED.fullmatch(text)
        if grouped is None:
            return None
        sign = next((c for c in reversed(text) if c in ".,"), "")
        if sign != grouped[1]:  # "1.234,5": one sign parts thousands, the other decimals
            whole, _, fraction = text.rpartition(sign)
            if decimal not in (None, sign):
                return None
            return Fraction(f"{whole.replace(grouped[1], '')}.{fraction}")
        return None if grouped[1] == decimal else Fraction(int(text.replace(sign, "")))
    sign = "," if "," in text else "."
    whole, _, fraction = text.partition(sign)
    large = measure.unit is not Unit.PIECE and measure.milli >= 1000  # noqa: PLR2004
    certain = len(fraction) != 3 or whole in ("", "0") or large  # noqa: PLR2004
    if sign != decimal and not certain:
        return None
    return Fraction(f"{whole or '0'}.{fraction}")
