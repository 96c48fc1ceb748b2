"""What must hold of every label, checked on its finished frame and on its layout.

========== ======================================================================================
same       the fast road, the slow road, a warm and another renderer give the same bytes
price      an amount on the layout reads as the amount of the face, digit by digit, never cut
inside     what an element inks lies in its box, and nothing of it was lost at the box's edge
codes      every code is there pixel by pixel, and a scanner reads what it should say
refused    a face that cannot be shown whole is refused in words with numbers
========== ======================================================================================
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from esl.domain.errors import CodeUnreadable, PriceDoesNotFit, RenderRefused
from esl.domain.face import Face
from esl.domain.money import format_minor
from esl.domain.panel import Ink, Panel
from renderer.canvas import Box
from renderer.codes.read_back import check_codes, decode_codes
from renderer.draw import codes as draw_codes
from renderer.draw import price as draw_price
from renderer.draw import text as draw_text
from renderer.drawing import Drawing, DrawnPart
from renderer.frame import Frame
from renderer.money_text import MoneyStyle, MoneyWriter
from renderer.packing import Canvas, unpack
from renderer.render import Renderer
from renderer.template.fields import FIELDS, FieldKind
from renderer.template.models import Barcode, Price, Qr, Text
from renderer.template.template import Template
from renderer.text.fonts import Fonts, Run

_STAMPING = (draw_codes, draw_price, draw_text)
_MONEY_FIELDS = {f.name for f in FIELDS.values() if f.kind is FieldKind.MONEY}
_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)(\|[a-z_:]+)?\}")
_NEEDS = re.compile(r"needs (\d+)x(\d+) px .*has (\d+)x(\d+) px$")
_GTIN_14 = 14

_WITHOUT_COINS = {"HUF"}
"""Of the currencies in `tests.proof.faces`: whole amounts are written without decimals."""

T = TypeVar("T")


class Broken(AssertionError):
    """A promise was not kept."""


@dataclass(slots=True)
class Watch:
    """What was lost at edges while `watched_stamps` was on."""

    lost: list[str] = field(default_factory=list)


@contextmanager
def watched_stamps() -> Iterator[Watch]:
    """Watch every run of text that is painted, and note where its ink passes the edge.

    A painter has a view of its box only, so what is cut there leaves no trace in the picture.
    """
    watch = Watch()
    paint = draw_text.stamp

    def stamp(canvas: Canvas, run: Run, *, left: int, baseline: int, ink: Ink) -> None:
        rows = np.flatnonzero(run.mask.any(axis=1))
        if rows.size:
            columns = np.flatnonzero(run.mask.any(axis=0))
            x, y = left + run.left_px, baseline - run.ascent_px
            edges = (x + columns[0], y + rows[0], x + columns[-1] + 1, y + rows[-1] + 1)
            height, width = canvas.shape
            if edges[0] < 0 or edges[1] < 0 or edges[2] > width or edges[3] > height:
                places = ", ".join(str(int(edge)) for edge in edges)
                watch.lost.append(f"ink from {places} in a box of {width}x{height} px")
        paint(canvas, run, left=left, baseline=baseline, ink=ink)

    for module in _STAMPING:
        module.stamp = stamp  # type: ignore[attr-defined]
    try:
        yield watch
    finally:
        for module in _STAMPING:
            module.stamp = paint  # type: ignore[attr-defined]


class Prover:
    """Draws labels in two renderers and checks all that must hold of them."""

    def __init__(self) -> None:
        fonts = Fonts()
        self._money = MoneyWriter(fonts.can_draw)
        self._renderer = Renderer(fonts=fonts)
        self._other = Renderer(fonts=fonts, products_kept=1)

    def prove(self, face: Face, panel: Panel, template: Template) -> Frame | RenderRefused:
        """Draw a label and check it; return its frame, or why it was refused.

        Raises:
            Broken: Something does not hold.
        """
        with watched_stamps() as watch:
            drawn = _try(lambda: self._renderer.draw(face, panel, template))
        frame = _try(lambda: self._renderer.render(face, panel, template))
        other = _try(lambda: self._other.render(face, panel, template))
        if isinstance(frame, RenderRefused):
            _check_refusals(frame, other, drawn)
            return frame
        if isinstance(other, RenderRefused) or isinstance(drawn, RenderRefused):
            raise Broken(f"one road draws it, another refuses: {other}, {drawn}")
        if watch.lost:
            raise Broken(f"cut at an edge: {'; '.join(watch.lost)}")
        self._check_same(frame, other, drawn, face, template)
        for part in drawn.parts:
            said = (face, *face.others)[part.product]
            _check_inside(part)
            self._check_amounts(part, said)
            _check_content(part, said)
        _check_readable(frame, panel)
        return frame

    def _check_same(
        self, frame: Frame, other: Frame, drawn: Drawing, face: Face, template: Template
    ) -> None:
        warm = self._renderer.render(face, drawn.panel, template)
        if not frame.pixels == warm.pixels == other.pixels:
            raise Broken("two renderings of one face differ")
        if (unpack(frame.pixels, drawn.panel) != drawn.canvas).any():
            raise Broken("layers differ from what is drawn in order")
        if sorted(map(_placed, frame.codes)) != sorted(map(_placed, drawn.codes)):
            raise Broken("the roads disagree on the codes")

    def _check_amounts(self, part: DrawnPart, face: Face) -> None:
        style = self._money.style(face.locale, face.currency)
        match part.element:
            case Price():
                _check_price(part, part.element, face, style)
            case Text():
                _check_money_in_text(part, part.element, face, style)
            case _:
                pass


def _try(draw: Callable[[], T]) -> T | RenderRefused:
    try:
        return draw()
    except CodeUnreadable:
        raise
    except RenderRefused as exc:
        return exc


def _check_refusals(
    frame: RenderRefused, other: Frame | RenderRefused, drawn: Drawing | RenderRefused
) -> None:
    if not (type(frame) is type(other) is type(drawn)):
        raise Broken(f"refused on one road only: {frame!r}, {other!r}, {drawn!r}")
    if isinstance(frame, PriceDoesNotFit):
        found = _NEEDS.search(str(frame))
        if found is not None:
            width, height, has_width, has_height = map(int, found.groups())
            if width <= has_width and height <= has_height:
                raise Broken(f"refused, and it fits: {frame}")
        elif not re.search(r"\d+ px", str(frame)):
            raise Broken(f"a refusal without numbers: {frame}")


def _check_inside(part: DrawnPart) -> None:
    if part.ink_box is not None and not _holds(part.box, part.ink_box):
        raise Broken(f"{part.path}: ink at {part.ink_box} outside {part.box}")
    if part.code is not None and not _holds(part.box, part.code.quiet_box):
        raise Broken(f"{part.path}: the quiet zone leaves its box {part.box}")


def _holds(outer: Box, inner: Box) -> bool:
    return (
        outer.left <= inner.left
        and outer.top <= inner.top
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )


def _check_price(part: DrawnPart, price: Price, face: Face, style: MoneyStyle) -> None:
    """Read a big price: its pieces are the whole part, the mark, the decimals, sign and unit."""
    minor = FIELDS[price.value].read(face)
    if not isinstance(minor, int):
        if part.texts:
            raise Broken(f"{part.path}: prints {part.texts} for no amount")
        return
    old_minor = FIELDS[price.old].read(face) if price.old is not None else None
    texts = list(part.texts)
    if isinstance(old_minor, int):
        _equal(part, texts.pop(), style.text(old_minor))
    _equal(part, _digits("".join(texts)), _shown_digits(price, minor, face))
    parts = style.parts(minor)
    dash = price.cents == "dash" and not parts.fraction.strip("0")
    amounts = [
        parts.whole,
        style.amount(minor),
        f"{parts.whole}{parts.mark}–",
    ]
    whole = next((text for text in texts if text in amounts), None)
    if whole is None:
        raise Broken(f"{part.path}: {texts} shows none of {amounts}")
    decimals = format_minor(minor, face.currency).partition(".")[2]
    spared = face.currency in _WITHOUT_COINS and not decimals.strip("0")
    if whole == parts.whole and decimals and not spared and decimals not in texts:
        raise Broken(f"{part.path}: {texts} without the decimals of {style.text(minor)}")
    if style.digits and whole.endswith("–") and not dash:
        raise Broken(f"{part.path}: {texts} for {style.text(minor)}")
    if price.symbol and not any(style.symbol in text for text in texts):
        raise Broken(f"{part.path}: {texts} without {style.symbol}")


def _shown_digits(price: Price, minor: int, face: Face) -> str:
    """Return a price's digits by arithmetic alone."""
    whole, _, fraction = format_minor(minor, face.currency).partition(".")
    may_leave_out = price.cents == "dash" or face.currency in _WITHOUT_COINS
    left_out = may_leave_out and not fraction.strip("0")
    return whole if left_out else whole + fraction


def _check_money_in_text(part: DrawnPart, text: Text, face: Face, style: MoneyStyle) -> None:
    """Find every amount that a text prints in what it shows, whole."""
    shown = "".join("".join(part.texts).split())
    for name, formatter in _PLACEHOLDER.findall(text.value):
        minor = FIELDS[name].read(face) if name in _MONEY_FIELDS else None
        if not isinstance(minor, int) or not part.texts:
            continue
        if part.cut:
            raise Broken(f"{part.path}: an amount was cut: {part.texts}")
        wanted = "".join(style.amount(minor).split())
        if formatter.removeprefix("|") in {"", "money", "amount"} and wanted not in shown:
            raise Broken(f"{part.path}: {part.texts} does not show {wanted}")


def _check_content(part: DrawnPart, face: Face) -> None:
    """Check that a code says what the face says."""
    if part.code is None:
        if isinstance(part.element, Qr | Barcode):
            raise Broken(f"{part.path}: shown without a code")
        return
    content = part.code.content
    match part.element:
        case Qr():
            values = (part.element.value, *part.element.fallbacks)
            names = [m[1] for value in values if (m := _PLACEHOLDER.fullmatch(value))]
            if len(names) == len(values) and content not in {FIELDS[n].read(face) for n in names}:
                raise Broken(f"{part.path}: a QR code of {content!r}")
        case Barcode(value="{gtin}"):
            if content.zfill(_GTIN_14) != (face.gtin or "").zfill(_GTIN_14):
                raise Broken(f"{part.path}: bars of {content!r}")
        case _:
            pass


def _check_readable(frame: Frame, panel: Panel) -> None:
    try:
        check_codes(frame.pixels, panel, frame.codes)
        decode_codes(frame.pixels, panel, frame.codes)
    except CodeUnreadable as exc:
        raise Broken(str(exc)) from exc


def _placed(code: object) -> tuple[object, ...]:
    return tuple(getattr(code, name) for name in ("symbology", "content", "left", "top"))


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdecimal())


def _equal(part: DrawnPart, shown: str, meant: str) -> None:
    if shown != meant:
        raise Broken(f"{part.path}: shows {shown!r} for {meant!r}")
