"""The line through a price that holds no more: rising, so that its digits stay legible."""

from functools import lru_cache

import numpy as np

from esl.domain.panel import Ink
from renderer.canvas import stamp
from renderer.packing import Canvas
from renderer.text.fonts import Run, in_red

OVERHANG_PX = 2

STROKES_KEPT = 128
"""Bound of the cache of `_draw_stroke`: as many as there are widths of old prices."""


def strike_through(
    view: Canvas, *, left: int, width: int, baseline: int, cap_px: int, ink: Ink
) -> None:
    """Draw the line over a text that stands on ``baseline``; what lies outside is left out."""
    start = max(left - OVERHANG_PX, 0)
    end = min(left + width + OVERHANG_PX, view.shape[1])
    top = baseline - cap_px
    if end <= start or top < 0 or baseline > view.shape[0]:
        return
    stroke = _draw_stroke(end - start, cap_px)
    stamp(view, stroke, left=start, baseline=baseline, ink=ink)


@lru_cache(maxsize=STROKES_KEPT)
def _draw_stroke(width: int, height: int) -> Run:
    """Draw the line from the lower left corner to the upper right one of a box."""
    thickness = max(height // 7, 1)
    paper = np.ones((height, width), np.uint8)
    columns = np.arange(width)
    rise = columns * max(height - thickness, 0) // width
    for row in range(min(thickness, height)):
        paper[height - 1 - row - rise, columns] = 0
    return Run(paper, 0, height, width, in_red(paper))
