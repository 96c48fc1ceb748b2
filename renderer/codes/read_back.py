"""Codes are read back from the bytes that will be sent, not from what we meant to draw.

============== ========================================================================= =======
check_codes    every pixel of modules, bars and quiet zone, on every frame                µs
decode_codes   what a scanner's red light sees, decoded: when a template is saved, in     ms
               the tests on every frame, and on the share of frames the store asks for
============== ========================================================================= =======

The comparison shares no code with the drawing: it repeats the modules and nothing else.
The decoder sees black as dark and white, yellow and red as light, because scanners look at
660 nm, where red ink reflects (field notes, standards D.6).
"""

from collections.abc import Sequence

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from esl.domain.element_string import message_of, parse_element_string
from esl.domain.errors import CodeUnreadable
from esl.domain.panel import Ink, Panel
from renderer.canvas import Box
from renderer.codes.place import PlacedCode
from renderer.codes.symbols import holds_elements
from renderer.packing import Canvas, unpack

_SCALES = (1, 2, 3)
"""How much the frame is enlarged for the decoder, until it has found every code: like a camera it
may want several pixels to a module, and the first try, which nearly always does, costs least."""

_GLASS_PX = 4
"""White around the frame: the label's bezel is light."""

_LIGHT = 255

_SAMPLE_DIGITS, _SAMPLE_SPACE = 8, 1 << 32
"""Hexadecimal digits of a digest that decide whether it is in the sample."""

_FORMAT_OF = {
    "qr": zxingcpp.BarcodeFormat.QRCode,
    "data-matrix": zxingcpp.BarcodeFormat.DataMatrix,
    "code-128": zxingcpp.BarcodeFormat.Code128,
    "gs1-128": zxingcpp.BarcodeFormat.Code128,
    "itf-14": zxingcpp.BarcodeFormat.ITF,
}
_EAN_OR_UPC = frozenset({"ean-13", "ean-8", "upc-a", "upc-e"})
_READS_AS_EAN = frozenset(
    {
        zxingcpp.BarcodeFormat.EAN13,
        zxingcpp.BarcodeFormat.EAN8,
        zxingcpp.BarcodeFormat.UPCA,
        zxingcpp.BarcodeFormat.UPCE,
    }
)
_GTIN_14 = 14


def check_codes(pixels: bytes, panel: Panel, codes: Sequence[PlacedCode]) -> None:
    """Compare every code on a finished frame with the symbol that was meant, pixel by pixel.

    Raises:
        CodeUnreadable: A pixel of its modules or quiet zone is another; says where and how many.
    """
    if codes:
        canvas = _unpacked(pixels, panel)
        for code in codes:
            _check_code(canvas, code)


def decode_codes(pixels: bytes, panel: Panel, codes: Sequence[PlacedCode]) -> None:
    """Decode every code on a finished frame the way a scanner sees it.

    The whole frame is looked at first; a code not found among the others is then aimed at, as
    a person with a scanner would.

    Raises:
        CodeUnreadable: A code is not found, or says something else.
    """
    if not codes:
        return
    canvas = _unpacked(pixels, panel)
    missing = list(codes)
    formats = _formats_of(codes)
    for scale in _SCALES:
        found = _scan(canvas, scale, formats)
        missing = [code for code in missing if not any(_says(result, code) for result in found)]
        if not missing:
            return
    for code in missing:
        _check_inside(canvas, code)
        found = _scan(_cut_out(canvas, code.quiet_box), _SCALES[-1], formats)
        if not any(_says(result, code) for result in found):
            raise CodeUnreadable(
                f"a scanner does not read the {code.symbology} code at "
                f"{code.left},{code.top} px as what it should say"
            )


def must_decode(digest: str, share_percent: float) -> bool:
    """Say whether a frame belongs to the sample that is decoded before it is sent.

    The digest decides, so that the same frame is always treated alike and no dice are thrown.
    """
    return int(digest[:_SAMPLE_DIGITS], 16) * 100 < share_percent * _SAMPLE_SPACE


def _unpacked(pixels: bytes, panel: Panel) -> Canvas:
    try:
        return unpack(pixels, panel)
    except ValueError as exc:
        raise CodeUnreadable(f"the frame is no frame of this panel: {exc}") from exc


def _check_inside(canvas: Canvas, code: PlacedCode) -> None:
    box = code.quiet_box
    height, width = canvas.shape
    if box.left < 0 or box.top < 0 or box.right > width or box.bottom > height:
        raise CodeUnreadable(
            f"the {code.symbology} code with its quiet zone reaches over the frame's edge"
        )


def _check_code(canvas: Canvas, code: PlacedCode) -> None:
    _check_inside(canvas, code)
    box = code.quiet_box
    shown = _cut_out(canvas, box)
    meant = _meant(code, box)
    differs = shown != meant
    if differs.any():
        _refuse_difference(code, box, differs)


def _cut_out(canvas: Canvas, box: Box) -> Canvas:
    return canvas[box.top : box.bottom, box.left : box.right]


def _meant(code: PlacedCode, box: Box) -> Canvas:
    """Return the inks that modules and quiet zone must show."""
    meant = np.full((box.height, box.width), Ink.WHITE, np.uint8)
    symbol = _cut_out(meant, _inside(code, box))
    rows, columns = code.modules.shape
    tall = code.height_px if rows == 1 else code.module_px
    wide = code.height_px if columns == 1 else code.module_px
    dark = code.modules.dark()
    lines = np.where(dark, np.uint8(Ink.BLACK), np.uint8(Ink.WHITE)).repeat(wide, axis=1)
    symbol.reshape(rows, tall, -1)[:] = lines[:, np.newaxis]
    if code.bearer_px:
        ends = symbol if rows == 1 else symbol.T
        ends[: code.bearer_px] = ends[-code.bearer_px :] = Ink.BLACK
    return meant


def _inside(code: PlacedCode, box: Box) -> Box:
    symbol = code.symbol_box
    return Box(symbol.left - box.left, symbol.top - box.top, symbol.width, symbol.height)


def _refuse_difference(code: PlacedCode, box: Box, differs: NDArray[np.bool_]) -> None:
    """Say how much differs, split into modules and quiet zone, and where it begins."""
    symbol = _inside(code, box)
    inside = differs[symbol.top : symbol.bottom, symbol.left : symbol.right]
    rows, columns = np.nonzero(inside)
    along = {
        (0 if code.modules.rows == 1 else row, 0 if code.modules.columns == 1 else column)
        for row, column in zip(rows // code.module_px, columns // code.module_px, strict=True)
    }
    in_quiet_zone = int(differs.sum()) - len(rows)
    y, x = np.argwhere(differs)[0]
    raise CodeUnreadable(
        f"the {code.symbology} code on the frame is not the one that was meant: "
        f"{len(along)} of {code.modules.rows * code.modules.columns} modules and "
        f"{in_quiet_zone} pixels of its quiet zone "
        f"differ, first at {box.left + x},{box.top + y} px"
    )


def _formats_of(codes: Sequence[PlacedCode]) -> zxingcpp.BarcodeFormats:
    """Say what the decoder is to look for.

    To look for every kind there is takes three times as long and finds the same of these.
    """
    formats: set[zxingcpp.BarcodeFormat] = set()
    for code in codes:
        formats |= _READS_AS_EAN if code.symbology in _EAN_OR_UPC else {_FORMAT_OF[code.symbology]}
    return zxingcpp.BarcodeFormats(list(formats))


def _scan(canvas: Canvas, scale: int, formats: zxingcpp.BarcodeFormats) -> list[zxingcpp.Barcode]:
    """Decode all codes of these kinds on a canvas, in red light."""
    seen = np.where(canvas == Ink.BLACK, np.uint8(0), np.uint8(_LIGHT))
    seen = np.pad(seen, _GLASS_PX, constant_values=_LIGHT)
    enlarged = seen.repeat(scale, axis=0).repeat(scale, axis=1)
    return list(
        zxingcpp.read_barcodes(enlarged, formats=formats, try_invert=False, try_downscale=False)
    )


def _says(result: zxingcpp.Barcode, code: PlacedCode) -> bool:
    """Say whether a decoded symbol is this code: its kind and its content."""
    if code.symbology in _EAN_OR_UPC:
        return result.format in _READS_AS_EAN and result.text.zfill(_GTIN_14) == code.content.zfill(
            _GTIN_14
        )
    if result.format != _FORMAT_OF[code.symbology]:
        return False
    is_gs1 = code.symbology == "gs1-128" or (
        code.symbology == "data-matrix" and holds_elements(code.content)
    )
    if is_gs1 != (result.content_type == zxingcpp.ContentType.GS1):
        return False
    meant = message_of(parse_element_string(code.content)) if is_gs1 else code.content
    # Bytes, because the decoder guesses in which encoding a text outside ASCII is.
    return bool(result.bytes == meant.encode())
