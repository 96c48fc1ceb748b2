"""The big price, and an old price struck through beside or above it.

A price is never cut: it shrinks, and below its smallest size the face is refused. The lower bound
counts in the height of the digits, which is what a shopper and the law see.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from esl.domain.errors import PriceDoesNotFit
from esl.domain.face import Face
from esl.domain.panel import Ink
from renderer.canvas import stamp
from renderer.draw.painter import Note, Notes, Reader
from renderer.draw.price_block import (
    Cents,
    Piece,
    PriceBlock,
    PriceTexts,
    arrange_price,
    texts_of,
)
from renderer.draw.strike import strike_through
from renderer.money_text import MoneyStyle, MoneyWriter
from renderer.packing import Canvas
from renderer.text.fonts import Font, Fonts

OLD_WEIGHT = 1.5
"""A pixel of the old price's size, against one of the price's, when both share a box."""

OLD_MOST = 0.7
"""Height of the old price's digits over that of the price's, at most: which one holds must be
plain at a glance."""

PLACEMENTS_KEPT = 256
"""Bound of the placements one price element keeps."""

CAP_PER_EM = 0.711
"""Height of Roboto Condensed's digits over its size: 1456 of 2048 units."""

BlockOf = Callable[[int], PriceBlock]
"""A price at any size."""

_TO_ZEROS = str.maketrans("123456789", "000000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceStyle:
    """How a price element looks, all lengths in pixels."""

    width: int
    height: int
    gap: int  # least white beside and above an old price
    digits_max: int  # heights of digits
    digits_min: int
    old_max: int
    old_min: int
    cents: Cents
    symbol: bool
    ink: Ink
    old_ink: Ink
    strike_ink: Ink
    align: str
    valign: str
    strike: bool


@dataclass(frozen=True, slots=True)
class _Placement:
    """Where a price and an old price go; equal for all prices with the same number of digits."""

    pieces: tuple[Piece, ...]
    left: int
    baseline: int
    width: int
    cap_px: int
    old_font: Font | None = None
    old_left: int = 0
    old_baseline: int = 0


class PricePainter:
    """Places and paints an amount.

    Cache: the last `PLACEMENTS_KEPT` placements, by the texts of both prices with every digit
    replaced by 0, because digits are equally wide (but see `_shape_of`). So 1.29 and 1.49 are
    fitted once.
    """

    stable = False
    reads: tuple[Reader, ...] = ()

    def __init__(
        self,
        style: PriceStyle,
        *,
        amount: Callable[[Face], int | None],
        tenths: Callable[[Face], int | None] | None = None,
        old: Callable[[Face], int | None] | None,
        unit: Callable[[Face], str | None] | None,
        fonts: Fonts,
        money: MoneyWriter,
    ) -> None:
        self._style = style
        self._amount = amount
        self._tenths = tenths
        self._old = old
        self._unit = unit
        self._fonts = fonts
        self._money = money
        self._place = lru_cache(maxsize=PLACEMENTS_KEPT)(self._find_place)

    def paint(self, view: Canvas, face: Face, notes: Notes = None) -> None:
        """Paint the amount, and the old price if there is one.

        Raises:
            PriceDoesNotFit: Too wide at the smallest size.
            MissingGlyph: The fonts lack a character.
        """
        minor = self._amount(face)
        if minor is None:
            return
        style = self._style
        currency = self._money.style(face.locale, face.currency)
        texts = self._texts(currency, minor, face)
        old_minor = self._old(face) if self._old is not None else None
        # Struck through, a lower price would look like the one that holds no more.
        old = currency.text(old_minor) if old_minor is not None and old_minor > minor else ""
        place = self._place(
            texts.before,
            _shape_of(texts.whole),
            texts.raised.translate(_TO_ZEROS),
            texts.tail,
            old.translate(_TO_ZEROS),
        )
        left, baseline, ink = place.left, place.baseline, style.ink
        flush = style.align in {"start", "left"}
        for slot, font, from_left, rise_px in place.pieces:
            run = font.short_run(texts[slot])
            if flush:
                left -= run.left_px  # short runs begin at their ink
                flush = False
            stamp(view, run, left=left + from_left, baseline=baseline - rise_px, ink=ink)
        if style.strike:
            strike_through(
                view,
                left=left,
                width=place.width,
                baseline=baseline,
                cap_px=place.cap_px,
                ink=style.strike_ink,
            )
        if place.old_font is not None:
            self._paint_old(view, place, place.old_font, old)
        if notes is not None:
            self._note(notes, place, texts, old)

    def _texts(self, currency: MoneyStyle, minor: int, face: Face) -> PriceTexts:
        style = self._style
        unit = (self._unit(face) if self._unit is not None else None) or ""
        tenths = self._tenths(face) if self._tenths is not None else None
        parts = currency.parts(minor) if tenths is None else currency.tenths_parts(tenths)
        return texts_of(parts, cents=style.cents, unit=unit, symbol=style.symbol)

    def _paint_old(self, view: Canvas, place: _Placement, font: Font, old: str) -> None:
        run = font.run(old)
        stamp(view, run, left=place.old_left, baseline=place.old_baseline, ink=self._style.old_ink)
        strike_through(
            view,
            left=place.old_left,
            width=run.width_px,
            baseline=place.old_baseline,
            cap_px=font.cap_px,
            ink=self._style.strike_ink,
        )

    def _note(self, notes: list[Note], place: _Placement, texts: PriceTexts, old: str) -> None:
        size = max(piece.font.size_px for piece in place.pieces)
        shown = tuple(texts[piece.slot] for piece in place.pieces)
        notes.append(Note(texts=shown, font_px=size, cap_px=place.cap_px, ink=self._style.ink))
        if place.old_font is not None:
            font = place.old_font
            notes.append(
                Note(
                    texts=(old,),
                    font_px=font.size_px,
                    cap_px=font.cap_px,
                    ink=self._style.old_ink,
                )
            )

    def _find_place(self, before: str, whole: str, raised: str, tail: str, old: str) -> _Placement:
        texts = PriceTexts(before, whole, raised, tail)
        place = self._together(texts, old) if old else self._alone(texts)
        if place is None:
            style = self._style
            smallest = arrange_price(self._fonts, texts, _size_for(style.digits_min))
            height = max(smallest.rise_px + smallest.drop_px, style.digits_min)
            raise PriceDoesNotFit(
                f"it needs {smallest.width_px}x{height} px "
                f"with digits of {style.digits_min} px, its smallest, and has "
                f"{style.width}x{style.height} px" + (" for it and the old price" if old else "")
            )
        return place

    def _alone(self, texts: PriceTexts) -> _Placement | None:
        style = self._style
        block = self._largest(self._blocks(texts), style.width, style.height)
        if block is None:
            return None
        return _Placement(
            block.pieces,
            _start(style.align, style.width, block.width_px),
            self._baseline(block),
            block.width_px,
            block.cap_px,
        )

    def _together(self, texts: PriceTexts, old: str) -> _Placement | None:
        """Put the old price beside or above, as best serves both their sizes.

        An old price nearly as tall as the price is taken only where there is no other way.
        """
        best, best_score = None, (False, 0.0)
        block_of = self._blocks(texts)
        for digits in range(self._style.old_max, self._style.old_min - 1, -1):
            font = self._fonts.regular(_size_for(digits))
            for find in (self._beside, self._above):
                found = find(block_of, old, font)
                if found is None:
                    continue
                modest = font.cap_px <= OLD_MOST * found.cap_px
                score = (modest, found.cap_px / CAP_PER_EM + OLD_WEIGHT * font.size_px)
                if score > best_score:
                    best, best_score = found, score
        return best

    def _beside(self, block_of: BlockOf, old: str, font: Font) -> _Placement | None:
        style = self._style
        old_px, (rise, drop) = font.width_px(old), _reach_px(font, old)
        block = self._largest(block_of, style.width - 3 * style.gap - old_px, style.height)
        if block is None:
            return None
        baseline = self._baseline(block)
        old_baseline = baseline - block.cap_px + font.cap_px
        old_baseline = max(old_baseline, rise)
        if font.cap_px > block.cap_px or old_baseline + drop > style.height:
            return None
        behind = style.gap // 2  # for the end of the stroke
        used = block.width_px + 2 * style.gap + old_px + behind
        left = _start(style.align, style.width, used)
        return _Placement(
            block.pieces,
            left,
            baseline,
            block.width_px,
            block.cap_px,
            font,
            left + block.width_px + 2 * style.gap,
            old_baseline,
        )

    def _above(self, block_of: BlockOf, old: str, font: Font) -> _Placement | None:
        style = self._style
        old_px, (rise, drop) = font.width_px(old), _reach_px(font, old)
        room = style.height - rise - drop - 3 * style.gap // 2
        block = self._largest(block_of, style.width, room)
        if block is None or font.cap_px > block.cap_px or old_px + style.gap > style.width:
            return None
        spare = (room - block.rise_px - block.drop_px) // 3
        right_most = style.width - old_px - style.gap // 2
        return _Placement(
            block.pieces,
            _start(style.align, style.width, block.width_px),
            style.height - block.drop_px - spare,
            block.width_px,
            block.cap_px,
            font,
            max(min(_start(style.align, style.width, old_px), right_most), style.gap // 2),
            spare + rise,
        )

    def _baseline(self, block: PriceBlock) -> int:
        height = self._style.height
        match self._style.valign:
            case "top":
                return block.rise_px
            case "bottom":
                return height - block.drop_px
            case _:
                return (height - block.drop_px + block.rise_px) // 2

    def _blocks(self, texts: PriceTexts) -> BlockOf:
        """Set a price at sizes asked for again and again while one place is looked for."""
        return cache(lambda size_px: arrange_price(self._fonts, texts, size_px))

    def _largest(self, block_of: BlockOf, width_px: int, height_px: int) -> PriceBlock | None:
        """Set the price as large as it fits, found by bisection."""
        low, high = _size_for(self._style.digits_min), _size_for(self._style.digits_max)
        fitting = None
        while low <= high:
            middle = (low + high) // 2
            block = block_of(middle)
            if block.width_px <= width_px and block.rise_px + block.drop_px <= height_px:
                fitting, low = block, middle + 1
            else:
                high = middle - 1
        return fitting


def _shape_of(whole: str) -> str:
    """Replace digits by 0, but keep a last 1: raised decimals stand closer to it."""
    shape = whole.translate(_TO_ZEROS)
    return f"{shape[:-1]}1" if whole.endswith("1") else shape


def _reach_px(font: Font, text: str) -> tuple[int, int]:
    """Measure how far a price reaches above and below its base line, whatever its digits."""
    rise, drop = font.digits_reach_px
    return max(rise, font.ink_ascent_px(text)), max(drop, font.drop_px(text))


def _size_for(digits_px: int) -> int:
    """Find the font size whose digits are that tall."""
    return max(round(digits_px / CAP_PER_EM), 1)


def _start(align: str, whole_px: int, used_px: int) -> int:
    match align:
        case "center":
            return max((whole_px - used_px) // 2, 0)
        case "right":
            return max(whole_px - used_px, 0)
        case _:
            return 0
