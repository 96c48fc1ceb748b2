"""Where a code stands and how large it is: whole pixels a module, quiet zone inside its box.

    box ┌───────────────────────────┐
        │ ┌ quiet zone, white ────┐ │      module = the most whole pixels that fit the box
        │ │  ┌ modules ────────┐  │ │               and lie within the standard's limits
        │ │  │ █ █▌▐█ ▌█ ██▌▐█ │  │ │
        │ │  └─────────────────┘  │ │
        │ └───── 4 006381 33393 ──┘ │ <- rows left for digits, under bars only
        └───────────────────────────┘

Black on white and nothing else: scanners see red light, in which red ink is white (field notes,
standards D.6). A code that does not fit is refused, never resampled.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from esl.domain.errors import CodeDoesNotFit
from esl.domain.panel import Ink, Panel
from renderer.canvas import Box
from renderer.codes.modules import Modules
from renderer.codes.qr import QrWriter
from renderer.codes.symbology import QR, Symbology
from renderer.codes.symbols import symbol_of
from renderer.packing import Canvas

SYMBOLS_KEPT = 256
"""Bound of `CodeWriter`'s cache of bars and DataMatrix symbols, by content and symbology."""

_WHITE = np.uint8(Ink.WHITE)

BARS_MIN_MM = 2.0
"""Lower bars cannot be aimed at by hand (a judgement; a till wants more than any label has)."""


class PlacedCode(NamedTuple):
    """One symbol at its place on a canvas.

    Lengths are in pixels.
    """

    symbology: str
    content: str  # what a scanner says; of element strings the form in brackets
    modules: Modules
    left: int  # of the first module
    top: int
    module_px: int
    height_px: int  # how long the bars are; of squares their side
    quiet: tuple[int, int, int, int]  # white around it: left, top, right, bottom
    digits: str = ""  # as printed below the bars; "" for squares
    bearer_px: int = 0  # black along both ends of the bars (ITF-14)

    @property
    def symbol_box(self) -> Box:
        """The modules alone."""
        rows, columns, _ = self.modules
        width = self.height_px if columns == 1 else columns * self.module_px
        height = self.height_px if rows == 1 else rows * self.module_px
        return Box(self.left, self.top, width, height)

    @property
    def quiet_box(self) -> Box:
        """Modules and quiet zone: what must show nothing else."""
        left, top, right, bottom = self.quiet
        symbol = self.symbol_box
        return Box(
            symbol.left - left,
            symbol.top - top,
            symbol.width + left + right,
            symbol.height + top + bottom,
        )

    def moved(self, *, right_px: int, down_px: int) -> "PlacedCode":
        """Return it at another place."""
        return self._replace(left=self.left + right_px, top=self.top + down_px)

    def turned(self, degrees: int, *, width_px: int, height_px: int) -> "PlacedCode":
        """Return it as it stands after a canvas of that size is turned clockwise.

        The size is that before the turn; ``degrees`` is 0, 90, 180 or 270.
        """
        code = self
        for _ in range(degrees // 90 % 4):
            symbol = code.symbol_box
            left, top, right, bottom = code.quiet
            code = code._replace(
                modules=code.modules.turned(),
                left=height_px - symbol.bottom,
                top=symbol.left,
                quiet=(bottom, left, top, right),
            )
            width_px, height_px = height_px, width_px
        return code


class CodeWriter:
    """Writes and places codes; owns the QR tables.

    Caches: QR tables and the last QR symbols (see `QrWriter`), and the last `SYMBOLS_KEPT` other
    symbols by content and symbology. May be used from several threads.
    """

    def __init__(self) -> None:
        self._qr = QrWriter()
        self._symbol = lru_cache(maxsize=SYMBOLS_KEPT)(symbol_of)

    def place_qr(
        self, contents: Sequence[str], box: Box, panel: Panel, *, align: str, valign: str
    ) -> PlacedCode:
        """Place the first content whose modules come out large enough, as large as they may be.

        ``align`` is start, left, center or right (start is left), ``valign`` top, middle or
        bottom.

        Raises:
            CodeDoesNotFit: None of them fits; says for each what it would need.
        """
        least, most = QR.module_range_px(panel, staff=False)
        space = min(box.width, box.height)
        quiet = QR.quiet[0]
        reasons = []
        for content in contents:
            try:
                modules = self._qr.draw(content)
            except CodeDoesNotFit as exc:
                reasons.append(str(exc))
                continue
            side = modules.rows
            module_px = min(space // (side + 2 * quiet), most)
            if module_px < least:
                wide = side + 2 * quiet
                reasons.append(
                    _too_fine(QR, wide, box, panel, characters=len(content), staff=False)
                )
                continue
            side_px, quiet_px = side * module_px, quiet * module_px
            outer = side_px + 2 * quiet_px
            return PlacedCode(
                QR.name,
                content,
                modules,
                _along(box.left, box.width - outer, align) + quiet_px,
                _along(box.top, box.height - outer, valign) + quiet_px,
                module_px,
                side_px,
                (quiet_px, quiet_px, quiet_px, quiet_px),
            )
        raise CodeDoesNotFit("; ".join(reasons) or "the QR code has no content")

    def place_barcode(
        self,
        content: str,
        symbology: str,
        box: Box,
        panel: Panel,
        *,
        align: str,
        valign: str,
        staff: bool,
        digits_px: int,
    ) -> PlacedCode | None:
        """Place bars as high as their box, or a DataMatrix, with the largest modules allowed.

        ``symbology`` is auto or a name of `renderer.codes.symbology`; auto goes by the GTIN and
        gives None for that of a carton. ``digits_px`` rows below bars are left free for their
        digits. ``staff`` allows modules finer than a till can read.

        Raises:
            CodeDoesNotFit: Wrong content, or modules too fine or bars too low; with numbers.
        """
        symbol = self._symbol(content, symbology)
        if symbol is None:
            return None
        limits, modules = symbol.symbology, symbol.modules
        rows, columns, _ = modules
        left, top, right, bottom = limits.quiet
        wide = columns + left + right
        space = box.width // wide
        if rows > 1:
            space = min(space, box.height // (rows + top + bottom))
        least, most = limits.module_range_px(panel, staff=staff)
        module_px = min(space, most)
        if module_px < least:
            characters = len(symbol.content)
            raise CodeDoesNotFit(
                _too_fine(limits, wide, box, panel, characters=characters, staff=staff)
            )
        height_px = rows * module_px if rows > 1 else box.height - digits_px
        bearer_px = limits.bearer * module_px
        if (height_px - 2 * bearer_px) * panel.px_mm < BARS_MIN_MM:
            _refuse_low_bars(limits, height_px - 2 * bearer_px, panel)
        spare_rows = box.height - height_px - (top + bottom) * module_px
        return PlacedCode(
            limits.name,
            symbol.content,
            modules,
            _along(box.left, box.width - wide * module_px, align) + left * module_px,
            box.top if rows == 1 else _along(box.top, spare_rows, valign) + top * module_px,
            module_px,
            height_px,
            (left * module_px, top * module_px, right * module_px, bottom * module_px),
            symbol.digits,
            bearer_px,
        )


def draw_code(canvas: Canvas, placed: PlacedCode) -> None:
    """Draw a code: modules black, everything else of it white, quiet zone too.

    Raises:
        CodeDoesNotFit: It reaches over the canvas.
    """
    if placed.modules.columns == 1:  # bars on their side stand upright on the mirrored canvas
        canvas, placed = canvas.T, _mirrored(placed)
    _, _, modules, left, top, module_px, height_px, (before, above, behind, below), *_ = placed
    rows, columns, _ = modules
    right, bottom = left + columns * module_px, top + height_px
    height, width = canvas.shape
    if left < before or top < above or right + behind > width or bottom + below > height:
        raise CodeDoesNotFit(
            f"the {placed.symbology} code with its quiet zone covers {left - before},{top - above} "
            f"to {right + behind},{bottom + below} px, and the canvas has {width}x{height} px"
        )
    canvas[top - above : bottom + below, left - before : right + behind] = _WHITE
    symbol = canvas[top:bottom, left:right]
    lines = _widen(modules, module_px)
    if rows > 1:
        # Splitting an axis of a view makes no copy: each line lands on its rows of pixels.
        symbol.reshape(rows, module_px, -1)[:] = lines[:, np.newaxis]
    else:
        symbol[:] = lines
        if placed.bearer_px:
            symbol[: placed.bearer_px] = symbol[-placed.bearer_px :] = Ink.BLACK


def _mirrored(code: PlacedCode) -> PlacedCode:
    """Exchange across and down."""
    left, top, right, bottom = code.quiet
    return code._replace(
        modules=code.modules.mirrored(),
        left=code.top,
        top=code.left,
        quiet=(top, left, bottom, right),
    )


def _widen(modules: Modules, module_px: int) -> NDArray[np.uint8]:
    """Return the inks of each row of modules, every module ``module_px`` pixels wide."""
    lines = _inks_of_bytes(module_px).take(modules.packed(), axis=0, mode="clip")
    return lines.reshape(modules.rows, -1)[:, : modules.columns * module_px]


@lru_cache(maxsize=16)
def _inks_of_bytes(module_px: int) -> NDArray[np.uint8]:
    """Return (256, 8 modules): the inks of each byte of modules, by module size; 2 KB a pixel."""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1)
    return np.where(bits, np.uint8(Ink.BLACK), np.uint8(Ink.WHITE)).repeat(module_px, axis=1)


def _along(start: int, spare: int, align: str) -> int:
    """Return where something begins that leaves ``spare`` pixels free."""
    match align:
        case "center" | "middle":
            return start + spare // 2
        case "right" | "bottom":
            return start + spare
        case _:
            return start


def _too_fine(
    symbology: Symbology, modules: int, box: Box, panel: Panel, *, characters: int, staff: bool
) -> str:
    """Say what a code would need, in modules, pixels and millimetres.

    ``modules`` is its width with the quiet zones. The content is not repeated: it may be long.
    """
    least, most = symbology.module_range_px(panel, staff=staff)
    least_mm = symbology.staff_min_mm if staff else symbology.module_min_mm
    about = (
        f"a {symbology.name} code of {characters} characters is {modules} modules wide with its "
        f"quiet zone, and the box has {box.width}x{box.height} px of {panel.px_mm:.3f} mm; "
    )
    limits = f"a module must have {least_mm} to {symbology.module_max_mm} mm"
    if least > most:
        return f"{about}{limits}, and no whole number of pixels lies between"
    return f"{about}{limits}: {least} px, so {modules * least} px are needed"


def _refuse_low_bars(limits: Symbology, height_px: int, panel: Panel) -> NoReturn:
    raise CodeDoesNotFit(
        f"the bars of the {limits.name} code would be {max(height_px, 0)} px high, "
        f"{max(height_px, 0) * panel.px_mm:.1f} mm; they need {BARS_MIN_MM} mm"
    )
