"""Pictures for authors: a drawing in ink colours, with the boxes of its elements and a grid.

Marks are one pixel of the screen wide, in colours no panel has:

====== =======================================================
boxes  blue round each element's box, magenta round its ink
grid   a line every 10 px of the label, a stronger one at 50
====== =======================================================
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from esl.domain.panel import Ink
from renderer.canvas import Box, enlarge
from renderer.drawing import Drawing
from renderer.preview import screen_rgb

GRID_PX = 10
STRONG_PX = 50

_MARKS = {
    "box": (30, 110, 255),
    "ink": (225, 0, 200),
    "thin": (205, 222, 214),
    "strong": (120, 170, 150),
}
_FIRST = len(Ink)
_INDEX = {name: _FIRST + place for place, name in enumerate(_MARKS)}

Pixels = NDArray[np.uint8]


def picture_of(
    drawing: Drawing, *, scale: int = 1, boxes: bool = False, grid: bool = False
) -> bytes:
    """Make a palette PNG of a drawing, each pixel of the label as ``scale`` x ``scale``.

    Raises:
        ValueError: The scale is below 1.
    """
    if scale < 1:
        raise ValueError(f"scale {scale} is below 1")
    pixels: Pixels = enlarge(drawing.canvas, scale).copy()
    if grid:
        _mark_grid(pixels, drawing, scale)
    if boxes:
        for part in drawing.parts:
            _mark_box(pixels, part.box, scale, _INDEX["box"])
        for part in drawing.parts:
            if part.ink_box is not None:
                _mark_box(pixels, part.ink_box, scale, _INDEX["ink"])
    image = Image.fromarray(pixels)
    palette = [*screen_rgb(drawing.panel), *_MARKS.values()]
    image.putpalette([channel for rgb in palette for channel in rgb])
    out = BytesIO()
    image.save(out, "PNG", bits=4)
    return out.getvalue()


def _mark_grid(pixels: Pixels, drawing: Drawing, scale: int) -> None:
    """Draw the lines on white only: what is printed stays as it is."""
    white = pixels == Ink.WHITE
    height, width = drawing.canvas.shape
    for name, step in (("thin", GRID_PX), ("strong", STRONG_PX)):
        lines = np.zeros_like(white)
        lines[np.arange(step, height, step) * scale, :] = True
        lines[:, np.arange(step, width, step) * scale] = True
        pixels[lines & white] = _INDEX[name]


def _mark_box(pixels: Pixels, box: Box, scale: int, colour: int) -> None:
    if box.width < 1 or box.height < 1:
        return
    top, bottom = box.top * scale, box.bottom * scale - 1
    left, right = box.left * scale, box.right * scale - 1
    pixels[[top, bottom], left : right + 1] = colour
    pixels[top : bottom + 1, [left, right]] = colour
