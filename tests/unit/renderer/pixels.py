"""Reading frames the way a phone or a scanner would."""

import numpy as np
import zxingcpp

from esl.domain.panel import Ink, Panel
from renderer.packing import Canvas, unpack

SCALE = 3


def scanned(canvas: Canvas) -> dict[str, str]:
    """Decode every code on a canvas: format name -> text. Red and yellow count as light."""
    grey = np.where(canvas == Ink.BLACK, 0, 255).astype(np.uint8)
    enlarged = grey.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
    # The bezel around a label is light too.
    framed = np.pad(enlarged, 4 * SCALE, constant_values=255)
    return {code.format.name: code.text for code in zxingcpp.read_barcodes(framed)}


def scanned_frame(pixels: bytes, panel: Panel) -> dict[str, str]:
    """Decode every code on a packed frame."""
    return scanned(unpack(pixels, panel))
