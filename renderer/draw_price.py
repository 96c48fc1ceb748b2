"""The big price, and the old price struck through beside or above it.

A price is never cut: it shrinks, and below its smallest size the face is refused.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from esl.domain.errors import PriceDoesNotFit
from esl.domain.panel import Ink
from renderer.canvas import Box, stamp
from renderer.fonts import Font, Fonts
from renderer.money_text import PriceParts
from renderer.packing import Canvas
from renderer.price_block import PriceBlock, arrange
from renderer.standard import Layout

OLD_WEIGHT = 1.5
"""A pixel of the old price's size, against one of the price's, when both share a box."""

PLACEMENTS_KEPT = 1024
"""Bound of `PriceDrawer`'s cache."""

_TO_ZEROS = str.maketrans("123456789", "000000000")


@dataclass(frozen=True, slots=True)
class _Placement:
    """Where a price and an old price go; equal for all prices with the same number of digits."""

    price_px: int  # size
    price_left: int
    price_baseline: int
    old_font: Font | None = None
    old_left: int = 0
    old_baseline: int = 0


class PriceDrawer:
    """Places and draws prices.

    Cache: the last `PLACEMENTS_KEPT` placements, by layout and by both prices with every digit
    replaced by 0, because digits are equally wide. So 1.29 and 1.49 are fitted once.
    """

    def __init__(self, fonts: Fonts) -> None:
        self._fonts = fonts
        self._place = lru_cache(maxsize=PLACEMENTS_KEPT)(self._find_place)

    def draw(
        self, canvas: Canvas, layout: Layout, parts: PriceParts, *, unit: str, old: str, ink: Ink
    ) -> None:
        """Draw a price, ``unit`` beside it ("" for none), and ``old`` struck through ("" for none).

        Raises:
            PriceDoesNotFit: Too wide at the smallest size.
            MissingGlyph: The font lacks a character.
        """
        shape = replace(
            parts,
            whole=parts.whole.translate(_TO_ZEROS),
            fraction=parts.fraction.translate(_TO_ZEROS),
        )
        place = self._place(layout, shape, unit, old.translate(_TO_ZEROS))
        block = arrange(self._fonts, parts, unit, place.price_px)
        for piece in block.pieces:
            stamp(
                canvas,
                piece.font.short_run(piece.text),
                left=place.price_left - block.lead_px + piece.left_px,
                baseline=place.price_baseline - piece.rise_px,
                ink=ink,
            )
        if place.old_font is not None:
            _draw_struck(
                canvas, place.old_font, old, left=place.old_left, baseline=place.old_baseline
            )

    def _find_place(self, layout: Layout, parts: PriceParts, unit: str, old: str) -> _Placement:
        found = None
        if not old:
            found = self._alone(layout, parts, unit)
        elif layout.old is not None:
            found = self._apart(layout, layout.old, parts, unit, old)
        found = found or (self._together(layout, parts, unit, old) if old else None)
        if found is None:
            smallest = layout.sizes.price_min
            needed = arrange(self._fonts, parts, unit, smallest).width_px
            raise PriceDoesNotFit(
                f"the price needs {needed} px at its smallest size, {smallest} px, and "
                f"{layout.panel.panel_id} has {layout.price.width} px for it and any old price"
            )
        return found

    def _alone(self, layout: Layout, parts: PriceParts, unit: str) -> _Placement | None:
        box = layout.price
        block = self._largest(layout, parts, unit, box.width, box.height)
        if block is None:
            return None
        return _Placement(block.size_px, box.left, _middle(box, block))

    def _apart(
        self, layout: Layout, box: Box, parts: PriceParts, unit: str, old: str
    ) -> _Placement | None:
        """Give the old price its own box, against the right edge."""
        place = self._alone(layout, parts, unit)
        for size in _descending(layout.sizes.old_max, layout.sizes.old_min):
            font = self._fonts.regular(size)
            if place and font.width_px(old) <= box.width and font.cap_px <= box.height:
                return replace(
                    place,
                    old_font=font,
                    old_left=box.right - font.width_px(old),
                    old_baseline=box.top + (box.height + font.cap_px) // 2,
                )
        return None

    def _together(
        self, layout: Layout, parts: PriceParts, unit: str, old: str
    ) -> _Placement | None:
        """Put the old price beside or above in the same box, as best serves both their sizes."""
        box, gap = layout.price, layout.sizes.gap
        best, best_score = None, 0.0
        for size in _descending(layout.sizes.old_max, layout.sizes.old_min):
            font = self._fonts.regular(size)
            old_px = font.width_px(old)
            beside = self._largest(layout, parts, unit, box.width - 3 * gap - old_px, box.height)
            if beside is not None and beside.size_px + OLD_WEIGHT * size > best_score:
                best_score = beside.size_px + OLD_WEIGHT * size
                baseline = _middle(box, beside)
                best = _Placement(
                    beside.size_px,
                    box.left,
                    baseline,
                    font,
                    box.left + beside.width_px + 2 * gap,
                    baseline - beside.cap_px + font.cap_px,
                )
            room = box.height - font.cap_px - font.drop_px(old) - 3 * gap // 2
            above = self._largest(layout, parts, unit, box.width, room)
            if (
                above is not None
                and old_px + gap <= box.width
                and above.size_px + OLD_WEIGHT * size > best_score
            ):
                best_score = above.size_px + OLD_WEIGHT * size
                spare = (room - above.cap_px - above.drop_px) // 3
                best = _Placement(
                    above.size_px,
                    box.left,
                    box.bottom - above.drop_px - spare,
                    font,
                    box.left + gap // 2,
                    box.top + spare + font.cap_px,
                )
        return best

    def _largest(
        self, layout: Layout, parts: PriceParts, unit: str, width_px: int, height_px: int
    ) -> PriceBlock | None:
        """Set the price as large as it fits, found by bisection."""
        low, high = layout.sizes.price_min, layout.sizes.price_max
        fitting = None
        while low <= high:
            middle = (low + high) // 2
            block = arrange(self._fonts, parts, unit, middle)
            if block.width_px <= width_px and block.cap_px + block.drop_px <= height_px:
                fitting, low = block, middle + 1
            else:
                high = middle - 1
        return fitting


def _draw_struck(canvas: Canvas, font: Font, text: str, *, left: int, baseline: int) -> None:
    """Draw an old price with a rising line through it, which leaves its digits legible."""
    run = font.run(text)
    stamp(canvas, run, left=left, baseline=baseline, ink=Ink.BLACK)
    thickness = max(font.size_px // 10, 1)
    columns = np.arange(max(left - 2, 0), min(left + run.width_px + 2, canvas.shape[1]))
    rise = (columns - columns[0]) * (font.cap_px - thickness) // len(columns)
    for row in range(thickness):
        canvas[baseline - 1 - row - rise, columns] = Ink.RED


def _middle(box: Box, block: PriceBlock) -> int:
    """Return the base line that puts a price in the middle of a box's height."""
    return box.top + (box.height - block.drop_px + block.cap_px) // 2


def _descending(largest: int, smallest: int) -> range:
    return range(largest, smallest - 1, -1)
