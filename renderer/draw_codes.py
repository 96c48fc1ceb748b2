"""The QR code and the bars: black on white, whole pixels a module, quiet zones left white."""

import numpy as np

from esl.domain.errors import CodeDoesNotFit
from esl.domain.gtin import digital_link
from esl.domain.panel import Ink
from renderer.barcode import EAN_13_QUIET_LEFT, EAN_13_QUIET_RIGHT, Bars
from renderer.canvas import Box, enlarge, stamp
from renderer.fonts import Fonts
from renderer.packing import Canvas
from renderer.qr import QUIET_ZONE_MODULES, QrWriter, module_px
from renderer.qr_table import Modules
from renderer.standard import Layout


def draw_qr(
    canvas: Canvas, layout: Layout, box: Box, writer: QrWriter, *, link: str, gtin: str | None
) -> None:
    """Draw the address as large as its box and the module limits allow.

    It stands in the middle of a column of codes, or else in the lower right corner of its box.

    An address too long for the box gives way to the product's GS1 Digital Link, which is short.

    Raises:
        CodeDoesNotFit: Neither fits within the limits.
    """
    try:
        modules, size_px = _fit_symbol(layout, box, writer, link)
    except CodeDoesNotFit:
        if gtin is None:
            raise
        modules, size_px = _fit_symbol(layout, box, writer, digital_link(gtin))
    quiet_px = QUIET_ZONE_MODULES * size_px
    side = len(modules) * size_px
    share = 1 if layout.sizes.codes_below else 2
    left = box.left + (box.width - side - 2 * quiet_px) // share + quiet_px
    top = box.top + (box.height - side - 2 * quiet_px) // share + quiet_px
    inks = np.where(modules, np.uint8(Ink.BLACK), np.uint8(Ink.WHITE))
    canvas[top : top + side, left : left + side] = enlarge(inks, size_px)


def draw_bars(canvas: Canvas, layout: Layout, box: Box, bars: Bars, fonts: Fonts) -> None:
    """Draw the bars, flush with where EAN-13 would begin or end, and digits if there is room."""
    module = layout.sizes.bar_module
    dark = bars.modules.repeat(module)
    left = (
        box.left + EAN_13_QUIET_LEFT * module
        if layout.bars_flush_left
        else box.right - EAN_13_QUIET_RIGHT * module - len(dark)
    )
    canvas[box.top : box.bottom, left : left + len(dark)][:, dark] = Ink.BLACK
    if layout.sizes.digits:
        font = fonts.regular(layout.sizes.digits)
        run = font.run(bars.digits)
        stamp(
            canvas,
            run,
            left=left + (len(dark) - run.width_px) // 2,
            baseline=box.bottom + 2 + font.cap_px,
            ink=Ink.BLACK,
        )


def _fit_symbol(layout: Layout, box: Box, writer: QrWriter, text: str) -> tuple[Modules, int]:
    modules = writer.draw(text)
    return modules, module_px(layout.panel, len(modules), min(box.width, box.height))
