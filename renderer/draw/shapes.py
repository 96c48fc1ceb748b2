"""Rectangles, lines, icons and pictures: what no face changes."""

import numpy as np
from numpy.typing import NDArray

from esl.domain.face import Face
from esl.domain.panel import Ink
from renderer.draw.painter import Note, Notes, Reader
from renderer.packing import Canvas


class FixedPainter:
    """Paints the same pixels for every face: ``inks`` where ``opaque``."""

    stable = True
    reads: tuple[Reader, ...] = ()

    def __init__(self, inks: Canvas, opaque: NDArray[np.bool_], *, ink: Ink | None = None) -> None:
        self._inks = inks
        self._opaque = opaque
        self._ink = ink

    def paint(self, view: Canvas, _face: Face, notes: Notes = None) -> None:
        """Paint the pixels."""
        np.copyto(view, self._inks, where=self._opaque)
        if notes is not None:
            notes.append(Note(ink=self._ink))


def draw_rectangle(
    width: int,
    height: int,
    *,
    fill: Ink | None,
    border: Ink | None,
    border_px: int,
    radius_px: int,
) -> FixedPainter:
    """Make a rectangle's painter; corners are quarters of a circle."""
    shape = _rounded(width, height, radius_px)
    inks = np.full((height, width), Ink.WHITE if fill is None else fill, np.uint8)
    opaque = shape.copy() if fill is not None else np.zeros_like(shape)
    if border is not None and border_px > 0:
        inner = np.zeros_like(shape)
        if 2 * border_px < min(width, height):
            inner[border_px:-border_px, border_px:-border_px] = _rounded(
                width - 2 * border_px, height - 2 * border_px, max(radius_px - border_px, 0)
            )
        edge = shape & ~inner
        inks[edge] = border
        opaque |= edge
    return FixedPainter(inks, opaque, ink=fill if fill is not None else border)


def draw_line(
    width: int, height: int, *, ink: Ink, thickness_px: int, direction: str
) -> FixedPainter:
    """Make a line's painter: along the longer side, or from corner to corner."""
    opaque = np.zeros((height, width), np.bool_)
    if direction == "along":
        if width >= height:
            top = max((height - thickness_px) // 2, 0)
            opaque[top : top + thickness_px] = True
        else:
            left = max((width - thickness_px) // 2, 0)
            opaque[:, left : left + thickness_px] = True
    else:
        rows, columns = np.mgrid[:height, :width]
        # Distance from the diagonal, in pixels of its normal, of each pixel's middle.
        across = columns + 0.5 if direction == "falling" else width - columns - 0.5
        length = float(np.hypot(width, height))
        distance = np.abs(across * height - (rows + 0.5) * width) / length
        opaque = distance <= max(thickness_px, 1) / 2
    return FixedPainter(np.full((height, width), ink, np.uint8), opaque, ink=ink)


def _rounded(width: int, height: int, radius_px: int) -> NDArray[np.bool_]:
    shape = np.ones((height, width), np.bool_)
    radius = min(radius_px, width // 2, height // 2)
    if radius > 0:
        away = radius - 0.5 - np.arange(radius)
        outside = away[:, None] ** 2 + away[None, :] ** 2 > radius**2
        shape[:radius, :radius] &= ~outside
        shape[:radius, width - radius :] &= ~outside[:, ::-1]
        shape[height - radius :, :radius] &= ~outside[::-1]
        shape[height - radius :, width - radius :] &= ~outside[::-1, ::-1]
    return shape
