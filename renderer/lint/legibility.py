"""Can it be read: contrast of the measured inks, heights in millimetres on the glass.

What lies behind a text is what was drawn there, not what the template says: inks that a panel
lacks are replaced, and boxes move when something is not shown.
"""

from collections.abc import Iterator

from esl.domain.face import Face
from esl.domain.panel import Ink, Panel
from renderer.drawing import Drawing, DrawnPart
from renderer.inks import contrast
from renderer.lint.finding import Remark, Severity
from renderer.lint.naming import name_inks, point_at
from renderer.lint.printing import fields_named, fields_printed
from renderer.pictures.icons import SMALLEST_PX
from renderer.template.fields import FIELDS, FieldKind
from renderer.template.models import Icon, Price, Text
from renderer.template.values import Words

PRICE_CONTRAST_MIN = 4.5
"""WCAG 2, 1.4.3, for text of any size; below it a price is an error (standards C.6)."""

TEXT_CONTRAST_MIN = 3.0
"""WCAG 2, 1.4.3 for large text and 1.4.11 for icons: below it nothing can be read."""

NEVER_FOR_PRICES = frozenset({frozenset({Ink.YELLOW, Ink.WHITE}), frozenset({Ink.RED, Ink.BLACK})})
"""Whatever colours a panel's file claims: measured, they have 1.7 and 1.5 (standards C.3)."""

PRICE_DIGITS_MIN_MM = 3.0
"""The price's digits at least. No law names a figure ("clearly legible", Directive 98/6/EC,
Art. 4); this is two and a half times the height that food law asks of small print."""

SELLING = frozenset({"price", "member_price"})
"""What customers pay: as small print it is an error, in whatever element it stands."""

X_HEIGHT_MIN_MM = 1.2
"""Height of small letters at least (Regulation 1169/2011, Art. 13(2); standards C.4)."""

_X_PER_CAP = 0.743
"""Height of Roboto Condensed's small letters over its capitals: 1082 of 1456 units."""


def check_contrast(drawing: Drawing, words: Words) -> Iterator[Remark]:
    """Find texts and icons that do not stand out from what lies behind them."""
    for part in drawing.parts:
        if part.ink is None or not part.grounds:
            continue
        ink = part.ink
        if isinstance(part.element, Text | Price):
            ground = min(part.grounds, key=lambda g: contrast(ink, g, drawing.panel))
            yield from _judge_text(part, ink, ground, drawing.panel, words)
        elif isinstance(part.element, Icon):
            ground = min(part.grounds, key=lambda g: contrast(ink, g, drawing.panel))
            ratio = contrast(ink, ground, drawing.panel)
            if ratio < TEXT_CONTRAST_MIN:
                yield _low_contrast(part, ink, ground, ratio, Severity.WARNING)


def _judge_text(
    part: DrawnPart, ink: Ink, ground: Ink, panel: Panel, words: Words
) -> Iterator[Remark]:
    ratio = contrast(ink, ground, panel)
    for_price = _prints_money(part, words)
    forbidden = for_price and frozenset({ink, ground}) in NEVER_FOR_PRICES
    if forbidden or ratio < TEXT_CONTRAST_MIN or (for_price and ratio < PRICE_CONTRAST_MIN):
        yield _low_contrast(part, ink, ground, ratio, Severity.ERROR)
    elif ratio < PRICE_CONTRAST_MIN:
        yield _low_contrast(part, ink, ground, ratio, Severity.WARNING)


def _prints_money(part: DrawnPart, words: Words) -> bool:
    names = fields_named(part.element, words)
    return any(FIELDS[name].kind is FieldKind.MONEY for name in names)


def _low_contrast(
    part: DrawnPart, ink: Ink, ground: Ink, ratio: float, severity: Severity
) -> Remark:
    what = f"{name_inks(ink)} on {name_inks(ground)}"
    return Remark(
        path=point_at(part, "ink"),
        severity=severity,
        code="contrast",
        message=f"{what} has a contrast of {_told(ratio, PRICE_CONTRAST_MIN)} on the glass; "
        f"{PRICE_CONTRAST_MIN} is needed for prices and good for all text",
        fix="Use black or red on white, white on black or red, or black on yellow; "
        "`emphasis` and `on_accent` choose for each panel.",
    )


def check_sizes(drawing: Drawing, words: Words, face: Face) -> Iterator[Remark]:
    """Find prices, texts and icons that are too small for an eye at the shelf."""
    px_mm = drawing.panel.px_mm
    for part in drawing.parts:
        if isinstance(part.element, Icon):
            yield from _check_icon(part)
        if not isinstance(part.element, Text | Price):
            continue
        if part.cap_px is not None and _is_selling_price(part, words, face):
            yield from _check_digits(part, part.cap_px * px_mm)
        if part.small_cap_px is not None:
            yield from _check_letters(part, part.small_cap_px, px_mm)


def _is_selling_price(part: DrawnPart, words: Words, face: Face) -> bool:
    """Say whether a price element, or a text that prints what customers pay."""
    return isinstance(part.element, Price) or not SELLING.isdisjoint(
        fields_printed(part, words, face)
    )


def _check_icon(part: DrawnPart) -> Iterator[Remark]:
    side = min(part.box.width, part.box.height)
    if side < SMALLEST_PX:
        yield Remark(
            path=point_at(part),
            severity=Severity.WARNING,
            code="icon_size",
            message=f"the icon is {side} px high; below {SMALLEST_PX} px it is a blot",
            fix="Make its box larger.",
        )


def _check_digits(part: DrawnPart, digits_mm: float) -> Iterator[Remark]:
    if digits_mm < PRICE_DIGITS_MIN_MM:
        yield Remark(
            path=point_at(part),
            severity=Severity.ERROR,
            code="price_size",
            message=f"the price's digits are {_told(digits_mm, PRICE_DIGITS_MIN_MM)} mm high; "
            f"at least {PRICE_DIGITS_MIN_MM} mm are needed",
            fix=f'Make its box larger, or raise min_size to "{PRICE_DIGITS_MIN_MM}mm" or more, so '
            "that such a face is refused.",
        )


def _check_letters(part: DrawnPart, cap_px: int, px_mm: float) -> Iterator[Remark]:
    small = any(character.islower() for text in part.texts for character in text)
    height_mm = cap_px * px_mm * (_X_PER_CAP if small else 1)
    if height_mm < X_HEIGHT_MIN_MM:
        yield Remark(
            path=point_at(part),
            severity=Severity.WARNING,
            code="text_size",
            message=f"{'small letters' if small else 'digits and capitals'} are "
            f"{_told(height_mm, X_HEIGHT_MIN_MM)} mm high; "
            f"below {X_HEIGHT_MIN_MM} mm they are hard to read",
            fix='Raise min_size (about "2.4mm" of font size gives letters of 1.2 mm), or give '
            "the text more space.",
        )


def _told(number: float, least: float) -> str:
    """Write a number with as few decimals as show on which side of ``least`` it is."""
    decimals = 1
    while number < least <= float(f"{number:.{decimals}f}"):
        decimals += 1
    return f"{number:.{decimals}f}"
