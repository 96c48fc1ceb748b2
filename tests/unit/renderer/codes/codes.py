"""Placing and drawing codes on a panel of their own, for tests."""

import numpy as np

from esl.domain.panel import Ink, Panel
from renderer.canvas import Box, blank
from renderer.codes.place import CodeWriter, PlacedCode, draw_code
from renderer.packing import Canvas, pack

WRITER = CodeWriter()

GTIN_14 = "09520123456788"

CONTENTS = {
    "ean-13": "9520123456788",
    "ean-8": "96385074",
    "upc-a": "036000291452",
    "upc-e": "012345000065",
    "code-128": "SHELF-07/b 3",
    "gs1-128": "(01)09520123456788(10)AB(1)+",
    "itf-14": "13850139171584",
    "data-matrix": "https://shop.example/p/1",
}


def whole_box(panel: Panel) -> Box:
    return Box(0, 0, panel.width_px, panel.height_px)


def place_bars(
    content: str,
    symbology: str,
    box: Box,
    panel: Panel,
    *,
    align: str = "center",
    valign: str = "middle",
    staff: bool = True,
    digits_px: int = 0,
) -> PlacedCode:
    placed = WRITER.place_barcode(
        content,
        symbology,
        box,
        panel,
        align=align,
        valign=valign,
        staff=staff,
        digits_px=digits_px,
    )
    assert placed is not None
    return placed


def place_qr(
    *contents: str, box: Box, panel: Panel, align: str = "center", valign: str = "middle"
) -> PlacedCode:
    return WRITER.place_qr(contents, box, panel, align=align, valign=valign)


def draw_on(panel: Panel, *codes: PlacedCode) -> Canvas:
    """Draw on a canvas that is not white, so that a quiet zone must be drawn too."""
    canvas = blank(panel)
    canvas[:] = Ink.BLACK
    for code in codes:
        draw_code(canvas, code)
    return canvas


def frame_of(panel: Panel, *codes: PlacedCode) -> bytes:
    """Pack codes on white, as templates do."""
    canvas = blank(panel)
    for code in codes:
        draw_code(canvas, code)
    return pack(canvas, panel)


def dark_share(canvas: Canvas, box: Box) -> float:
    area = canvas[box.top : box.bottom, box.left : box.right]
    return float(np.mean(area == Ink.BLACK))
