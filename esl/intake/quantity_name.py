"""The content that a product's name states: "ŠNICLE 400 g", "VODA 1 L BOCA", "PIVO 6x0,33l".

Names are written for people and cut at a fixed width. A number with a unit is often something
else, and then the content is unknown rather than wrong:

    dimensions           "LAVOR 42 cm", "50MX29cm"      skipped
    strength, doses      "5% 0,5 L", "VIT.C 250 MG 76 G"   skipped
    capacities           "VREĆA ZA SMEĆE 60 L"          unknown
    net and drained      "TUNA 160/104 G"               unknown
    about so much        "SIR CCA 2,5 KG"               unknown
    pieces and a mass    "KEKS 4 KOM 160 G"             unknown: each, or together?
    packs of a size      "PIVO 0.5L 4 PACK"             unknown, for the same reason
    gifts                "12 G 5+1 GRATIS"              unknown
    metres at the end    "GEL 700 M"                    unknown: "ML", cut off

`possible_contents` names what such a text may mean; a unit price can decide between them
(`esl.intake.quantity_evidence`).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from esl.domain.face import Unit
from esl.domain.product import NetContent
from esl.intake.quantity import (
    TEXT_MOST,
    WORD,
    UnknownQuantity,
    content_of,
    normal,
    says_about,
)
from esl.intake.units import IMPERIAL, Measure, measure_of

_NUMBER = r"(?:[0-9]+(?:[.,][0-9]+)*|(?<![^\s(])[.,][0-9]+)"  # "GORGONZ.150 g" is no fraction
_AMOUNT = re.compile(
    rf"(?:(?P<count>[0-9]+)\s*x\s*)?(?P<number>{_NUMBER})\s?(?P<word>{WORD})\.?"
    rf"(?:\s*x\s*(?P<after>[0-9]{{1,3}})(?![\d.,]|\s*[^\W\d]))?"
)
_SUN = re.compile(r"(?<!\w)(?:spf|lsf|fps|f|uv)\s*[0-9]+(?![0-9.,]|\s*(?:m?l|k?g)(?!\w))\s*\+?")
_SIZES = re.compile(
    r"(?:(?<=[^\W\d_])|(?<=[^\W\d_]-))[0-9]+(?:x[0-9]+)+(?![\d.,])"  # "T26X6", "T-1X30": cartons
    r"|[0-9.,]+\s*(?:m|cm|mm)?\s*x\s*[0-9.,]+(?:\s*x\s*[0-9.,]+)?\s*(?:cm|mm)(?!\w)"
    r"|(?<![\d.,x])[0-9]+x[0-9]+(?!\s*[^\W\d]|[\d.,]|\s*x)"  # "33X33", nothing behind it
)
_PACKED = re.compile(
    r"(?<!\w)(?P<count>[0-9]{1,2})\s*-?\s*(?:pack|pak|pk|pck|packs|er|er-?pack|paket|pakovanje)(?!\w)"
    r"|(?<!\w)(?:[^\W\d_]+)?(?P<count_glued>[0-9]{1,2})\s?pack(?!\w)"
    r"|(?<!\w)(?:dupack|duopack|duo-pack|triopack|twinpack|twin pack|multipack|multipak)(?!\w)"
)
_OF_ONE = re.compile(r"(?<![\d.,])(?P<count>[0-9]{1,3})\s*/\s*1(?![\d.,])")
_SLASHED = re.compile(r"[0-9]\s*(?P<word>[^\W\d_]+)?\.?\s*/\s*[0-9]")
_GIFT = re.compile(r"(?<![\d.,+])(?P<a>[0-9]{1,2})\s*\+\s*(?P<b>[0-9]{1,2})(?![\d.,%])(?!\s*\+)")
_SUMMED = re.compile(
    r"(?<![\w,+x/-])(?<![0-9]\.)(?P<a>[0-9]{1,4})(?P<first>\s?[^\W\d]+)?\+(?P<b>[0-9]{1,4})\s?(?P<word>"
    r"(?(first)[^\W\d]+|(?:kom|komada|kos|szt|stk|stück|pcs|pz|ud|uds|ks|db|бр|шт)))(?!\w)(?!\s*\+)"
)
_STEP = re.compile(r"(?<!\w)[0-9]\s?\+(?!\s*[0-9]+\s*\+)")  # "MAXI 4+": a nappy's size
_EXTRA = re.compile(
    r"[0-9]\s*%\s*(?:gratis|vi[sš]e|free|extra|ekstra|mehr|gratuit|más)|\+\s*[0-9]+\s*%"
)
_RANGE = re.compile(
    r"[0-9]\s*(?P<first>[^\W\d_]+\.?)?\s*-\s*[0-9]+(?:[.,][0-9]+)?\s*(?P<word>[^\W\d_]+)(?!\w)"
)
_SHEETS = re.compile(r"[0-9]\s?(?:list|sheet|blatt|blätter|feuill|hoj|folh|fogli|lap)\w*")
_PAPER = re.compile(
    r"[0-9]\s?(?:sl|sloj\w*|slojni|ply|lagig|plis|veli|vrstv\w*|warstw\w*|réteg\w*|capas)(?!\w)"
    r"|(?<!\w)(?:papir\w*|ru[cč]nic\w*|ru[cč]nik\w*|salvet\w*|maramic\w*|paper|papier|rola|roll\w*)"
)
_BODY = re.compile(  # of the child that a nappy fits
    r"(?<!\w)(?:pelen|pamper|huggie|pants|swim|diaper|napp|windel|couche|pañal|fralda|pannolin|"
    r"pielu|plenk|plien|pelenk|scutec|bez)\w*"
)
_WEIGHT = re.compile(
    r"[0-9]+(?:[.,][0-9]+)?\s*(?:kg)?\s*(?:-\s*[0-9]+|\+)\s*kg(?!\w)|[0-9]+\s*kg\s*\+"
)
_HOLDS = re.compile(  # things whose litres are what fits in
    r"(?<!\w)(?:vre[cć]|sme[cć]|kant[aeiu](?!\w)|kof[aeu](?!\w)|lon[ac]c|posud[aeu](?!\w)|zdjel|tav[aeu]"
    r"(?!\w)|bidon|termos|ruksak|torb|kutij[aeu] za|bin(?!\w)|bags?(?!\w)|bucket|müll|beutel|eimer"
    r"|topf|sacs?(?!\w)|poubelle|seau|bolsa|cubo|sacchett|secchi|work[ió]|worek|wiadr|garn(?:ek|k)|"
    r"pytl|kbel|zsák|vödör|pungi|găleat|çöp|poşet|kova(?!\w)|zak(?:ken)?(?!\w)|emmer|tegl[ai](?!\w)|"
    r"kuhal|kettle|boiler|bazen|pool|čaš[aeu]|[cč]as[ae](?!\w)|bokal|kljuc)"
)
_NEAR = re.compile(
    r"(?:^|(?<!\w))(?P<word>za|für|for|pour|per|para|do|od|max|min|bis|ab|po|à|á|"
    r"br|nr|no|vel|size|gr|kl|tip|typ|type|model)\.?\s*-?$"
)
_DIGIT = re.compile("[0-9]")
_PACK_SIGN = re.compile("pa[ck]|pk|pck|er")
_THREE_DIGITS = 3
_GAP = " ; "
"""What stands for a part that was taken out: no number and unit may meet across it."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a name's amounts are: ``reason`` is why together they are no certain content."""

    amounts: tuple[NetContent, ...]
    pieces: tuple[NetContent, ...]
    packs: tuple[int, ...]
    reason: str | None


@lru_cache(maxsize=1 << 15)
def extract_quantity(name: str) -> NetContent | UnknownQuantity:
    """Read the one content that a product's name states, or say why it states none for certain."""
    found = _look(name)
    if found.reason is not None:
        return UnknownQuantity(found.reason)
    return (found.amounts or found.pieces)[0]


def possible_contents(name: str) -> tuple[NetContent, ...]:
    """List what a name may mean, where a unit price can decide; one that is certain is alone."""
    found = _look(name)
    if found.reason is None:
        return ((found.amounts or found.pieces)[0],)
    options = set(found.amounts) | set(found.pieces)
    for amount in found.amounts:
        options |= {
            NetContent(milli=amount.milli * times, unit=amount.unit)
            for times in (*found.packs, *(piece.milli // 1000 for piece in found.pieces))
        }
    return tuple(sorted(options, key=lambda content: (content.unit, content.milli)))


def _look(name: str) -> _Found:
    """Find all amounts of a name, and the first thing that makes them uncertain."""
    text = normal(name[:TEXT_MOST])
    if not _DIGIT.search(text):
        return _Found((), (), (), "no content in it")
    reason = _doubt(text)
    plain = _take_out(text)
    packs, unnumbered = _packs(plain)
    plain = _OF_ONE.sub(_GAP, plain) if "/" in plain else plain
    amounts: list[NetContent] = []
    pieces: list[NetContent] = []
    counts: list[int] = []
    imperial = False
    for match in _AMOUNT.finditer(plain):
        word = match["word"]
        measure = measure_of(word)
        if measure is None:
            imperial = imperial or word.rstrip(".") in IMPERIAL
            continue
        if _is_size_or_dose(word, measure):
            continue
        doubt = _doubt_of_amount(plain, match, measure)
        number = match["number"]
        if doubt is None and plain[match.start() - 1 : match.start()] == "." and match.start():
            doubt = None if len(number) > 1 else "a number after a stop"
        content = content_of(number, measure, count=match["count"] or match["after"], decimal=None)
        if isinstance(content, UnknownQuantity):
            reason = reason or content.reason
            continue
        reason = reason or doubt
        if match["count"] or match["after"]:
            counts.append(int(match["count"] or match["after"]))
        (pieces if content.unit is Unit.PIECE else amounts).append(content)
    packed = any(pack not in counts for pack in packs) or (unnumbered and not counts)
    reason = reason or _doubt_together(amounts, pieces, text, packed=packed)
    if reason is None and not amounts and not pieces:
        reason = "only imperial units in it" if imperial else "no content in it"
    return _Found(tuple(dict.fromkeys(amounts)), tuple(dict.fromkeys(pieces)), packs, reason)


def _take_out(text: str) -> str:
    """Take out numbers that are no contents, and add up what is meant to be added.

    Each is looked for only where its sign stands: names come by the million.
    """
    plain = _SUN.sub(_GAP, text) if "f" in text or "uv" in text else text
    if ("+" in plain or "-" in plain) and _BODY.search(text):
        plain = _WEIGHT.sub(_GAP, plain)
        plain = _STEP.sub(_GAP, plain)
    if "x" in plain:
        plain = _SIZES.sub(_GAP, plain)
    return _SUMMED.sub(_sum_of, plain) if "+" in plain else plain


def _is_size_or_dose(word: str, measure: Measure) -> bool:
    """Say whether a unit in a name tells a thing's size or a dose, never a content."""
    small = measure.unit is Unit.METRE and measure.milli < 1000  # noqa: PLR2004
    return small or word.rstrip(".") in ("mg", "мг", "cm2")


def _doubt(text: str) -> str | None:
    """Say what of a name as a whole makes every amount in it uncertain."""
    if says_about(text):
        return "about so much, not exactly"
    if "%" in text and _EXTRA.search(text):
        return "with a part for free: is it counted?"
    slashed = _SLASHED.finditer(_OF_ONE.sub(" ", text)) if "/" in text else ()
    for match in slashed:
        measure = measure_of(match["word"] or "")
        if match["word"] is None or (measure and not _is_size_or_dose(match["word"], measure)):
            return "two numbers with a slash: net and drained, or sizes"
    for match in _RANGE.finditer(text) if "-" in text else ():
        measure = measure_of(match["word"])
        if measure and measure.unit in (Unit.KILOGRAM, Unit.LITRE) and not _BODY.search(text):
            return "from one number to another"
    return None


def _doubt_of_amount(  # noqa: PLR0911  one return a reason
    text: str, match: re.Match[str], measure: Measure
) -> str | None:
    """Say what stands around an amount and makes it uncertain."""
    before, after = text[: match.start()], text[match.end() :]
    number, glued = match["number"], before[-1:]
    if glued.isalpha():
        letters = re.search(r"[^\W\d_]+$", before)
        single = letters is not None and len(letters[0]) == 1
        whole_number = number.isdecimal() and len(number) > 1 and match["count"] is None
        if not whole_number or (single and glued != "e"):
            return "a number that belongs to a word"
    near = before.rstrip()
    if _NEAR.search(near):
        return "a word before the number makes it something else"
    if near[-1:].isdecimal() and number.isdecimal() and len(number) == _THREE_DIGITS:
        return "two numbers side by side: thousands?"
    if re.search(r"[+#]$|(?<![^\W\d])x$|[0-9]\s*[/-]$", near):
        return f"a {near[-1]!r} before the number"
    if glued in (",", "-") and before[-2:-1].isdecimal():
        return "two numbers run together"
    if glued == "," and before[-2:-1].isalpha():
        return "a comma before the number"
    following = after.lstrip()
    if following[:1] == "+":
        return "something is added to it"
    if following[:1] == "/" and measure.unit is Unit.PIECE:
        return "pieces of what?"
    if re.match(r"x\s*[0-9]|-\s*[0-9]", following):
        return "another number follows"
    if (
        number in ("2", "3", "4", "5")
        and match["word"] == "g"
        and not text[match.start("number") + 1].isspace()
    ):
        return "a generation of mobile networks"
    return None


def _packs(text: str) -> tuple[tuple[int, ...], bool]:
    """List the pack sizes a name speaks of, and whether it speaks of one without its number."""
    packs: list[int] = []
    unnumbered = False
    for match in _PACKED.finditer(text) if _PACK_SIGN.search(text) else ():
        count = match["count"] or match["count_glued"]
        if count is None:
            unnumbered = True
        else:
            packs.append(int(count))
    if "/" in text:
        packs += [int(match["count"]) for match in _OF_ONE.finditer(text) if match["count"] != "1"]
    if "+" in text:
        packs += [int(match["a"]) + int(match["b"]) for match in _GIFT.finditer(text)]
    return tuple(dict.fromkeys(packs)), unnumbered


def _sum_of(match: re.Match[str]) -> str:
    """Write "6+2 kom" as "8 kom", and "250 g+50 g" as "300 g"."""
    return f"{int(match['a']) + int(match['b'])} {match['word']}"


def _doubt_together(  # noqa: PLR0911  one return a reason
    amounts: list[NetContent], pieces: list[NetContent], text: str, *, packed: bool
) -> str | None:
    """Say what makes amounts uncertain that are each clear."""
    if packed:
        return "a number of packs beside it: each, or together?"
    if len(set(amounts)) > 1:
        return "several contents"
    if any(a.unit in (Unit.METRE, Unit.SQUARE_METRE) for a in amounts):
        return "a length: of the thing, or what is in the pack?"
    if amounts and any(piece.milli != 1000 for piece in pieces):  # noqa: PLR2004
        return "pieces and an amount: each, or together?"
    if pieces and _SHEETS.search(text):
        return "pieces and sheets: which does a unit price count?"
    if len(set(pieces)) > 1:
        return "several numbers of pieces"
    if amounts and amounts[0].unit is Unit.LITRE and _PAPER.search(text):
        return "layers of paper beside it: then L are sheets"
    if amounts and amounts[0].unit is Unit.LITRE and _HOLDS.search(text):
        return "perhaps what fits in, not what is in it"
    return None
