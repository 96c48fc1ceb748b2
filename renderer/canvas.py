"""Drawing on a canvas: boxes, fills and stamps at whole pixels.

There is no anti-aliasing anywhere: a pixel is one ink or another (field notes, standards C.4).
"""

from dataclasses import dataclass

import numpy as np

from esl.domain.panel import Ink, Panel
from renderer.packing import Canvas
from renderer.text.fonts import Run, in_red

_PIXELS = tuple(np.uint8(ink) for ink in Ink)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; right and bottom are the first column and row outside."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column right of the box."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below the box."""
        return self.top + self.height


def blank(panel: Panel) -> Canvas:
    """Make an all-white canvas of the panel's size, shape (height, width)."""
    return np.full((panel.height_px, panel.width_px), _PIXELS[Ink.WHITE], np.uint8)


def fill(canvas: Canvas, box: Box, ink: Ink) -> None:
    """Paint a box in one ink; parts outside the canvas are ignored."""
    canvas[area_of(box)] = _PIXELS[ink]


def area_of(box: Box) -> tuple[slice, slice]:
    """Return the rows and columns of a box; what lies left of the canvas or above is left out."""
    return (
        slice(max(box.top, 0), max(box.bottom, 0)),
        slice(max(box.left, 0), max(box.right, 0)),
    )


def stamp(canvas: Canvas, run: Run, *, left: int, baseline: int, ink: Ink) -> None:
    """Paint a run of text, its pen starting at ``left`` on the row ``baseline`` stands on.

    Parts outside the canvas are cut: only a glyph's overhang can be there, because whoever calls
    has measured the run.
    """
    pixels, left_px, ascent_px, _, red = run
    if ink is Ink.RED:
        pixels = in_red(pixels) if red is None else red
    x = left + left_px
    y = baseline - ascent_px
    if x < 0 or y < 0:
        pixels = pixels[max(-y, 0) :, max(-x, 0) :]
        x, y = max(x, 0), max(y, 0)
    rows, columns = pixels.shape
    area = canvas[y : y + rows, x : x + columns]
    if area.shape != pixels.shape:
        pixels = pixels[: area.shape[0], : area.shape[1]]
    # Black is 0 and red has all bits: arithmetic is three times as fast as a mask.
    if ink is Ink.BLACK:
        np.multiply(area, pixels, area)
    elif ink is Ink.RED:
        np.bitwise_or(area, pixels, area)
    else:
        np.putmask(area, pixels == 0, _PIXELS[ink])


def enlarge(modules: Canvas, factor: int) -> Canvas:
    """Draw every module as a square of ``factor`` pixels, without resampling."""
    return modules.repeat(factor, axis=0).repeat(factor, axis=1)
