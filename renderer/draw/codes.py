"""QR and bar codes: placed on the panel itself, so that they can be read back from its frame."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from esl.domain.errors import CodeDoesNotFit
from esl.domain.face import Face
from esl.domain.panel import Ink, Panel
from renderer.canvas import Box, stamp
from renderer.codes.place import CodeWriter, PlacedCode, draw_code
from renderer.draw.painter import Note, Notes, Reader
from renderer.layout.arrange import HALF, QUARTER
from renderer.packing import Canvas
from renderer.text.fonts import Font

Value = Callable[[Face], str | None]

DIGITS_GAP_PX = 2
"""White between bars and the digits below them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QrPainter:
    """Places and paints a QR code: its value, or the first shorter one that can be scanned."""

    box: Box  # on the panel
    panel: Panel
    values: tuple[Value, ...]
    reads: tuple[Reader, ...]
    stable: bool
    align: str
    valign: str
    writer: CodeWriter

    def paint(self, canvas: Canvas, face: Face, notes: Notes = None) -> PlacedCode | None:
        """Paint on the panel's canvas; return the code, None if there is nothing to say.

        Raises:
            CodeDoesNotFit: No value fits within the module limits.
        """
        placed = self._place(face)
        if placed is None:
            return None
        draw_code(canvas, placed)
        if notes is not None:
            notes.append(Note(texts=(placed.content,), ink=Ink.BLACK))
        return placed

    def _place(self, face: Face) -> PlacedCode | None:
        """Place the first value that fits; the shorter ones are made only when they are needed."""
        first = self.values[0](face)
        try:
            if first:
                return self._place_one_of([first])
        except CodeDoesNotFit:
            if len(self.values) == 1:
                raise
        contents = [text for value in self.values if (text := value(face))]
        return self._place_one_of(contents) if contents else None

    def _place_one_of(self, contents: list[str]) -> PlacedCode:
        return self.writer.place_qr(
            contents, self.box, self.panel, align=self.align, valign=self.valign
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BarcodePainter:
    """Places and paints a bar code, upright or on its side, with its digits below if asked."""

    box: Box  # on the panel
    turn: int  # degrees clockwise
    panel: Panel
    value: Value
    symbology: str
    reads: tuple[Reader, ...]
    stable: bool
    align: str
    valign: str
    staff: bool
    digits: Font | None
    writer: CodeWriter

    def paint(self, canvas: Canvas, face: Face, notes: Notes = None) -> PlacedCode | None:
        """Paint on the panel's canvas; return the code, None if the value has no symbol.

        Raises:
            CodeDoesNotFit: It does not fit within the module limits, its digits are wider than
                the box, or it has wrong content.
            MissingGlyph: The font lacks one of its digits.
        """
        content = self.value(face)
        if not content:
            return None
        box = self.box if self.turn == 0 else self._upright()
        placed = self.writer.place_barcode(
            content,
            self.symbology,
            box,
            self.panel,
            align=self.align,
            valign=self.valign,
            staff=self.staff,
            digits_px=0
            if self.digits is None
            else DIGITS_GAP_PX + sum(self.digits.digits_reach_px),
        )
        if placed is None:
            return None
        on_panel = placed
        if self.turn:
            on_panel = placed.turned(self.turn, width_px=box.width, height_px=box.height).moved(
                right_px=self.box.left, down_px=self.box.top
            )
        draw_code(canvas, on_panel)
        if self.digits is not None and placed.digits:
            if not self.turn:
                placed = placed.moved(right_px=-box.left, down_px=-box.top)
            self._write_digits(canvas, placed, self.digits)
        if notes is not None:
            notes.append(Note(texts=(placed.content,), ink=Ink.BLACK))
        return on_panel

    def _upright(self) -> Box:
        """Return the box as the turned bars see it."""
        width, height = self.box.width, self.box.height
        return Box(0, 0, height, width) if self.turn % HALF else Box(0, 0, width, height)

    def _write_digits(self, canvas: Canvas, placed: PlacedCode, font: Font) -> None:
        """Write the digits below the middle of the bars, where the box has room for them."""
        box = self.box
        view = canvas[box.top : box.bottom, box.left : box.right]
        if self.turn:
            view = np.rot90(view, self.turn // QUARTER)
        width = font.width_px(placed.digits)
        if width > view.shape[1]:
            raise CodeDoesNotFit(
                f"the digits below the bars need {width} px and the box has {view.shape[1]} px"
            )
        middle = placed.left + placed.symbol_box.width // 2
        stamp(
            view,
            font.run(placed.digits),
            left=max(min(middle - width // 2, view.shape[1] - width), 0),
            baseline=placed.top + placed.height_px + DIGITS_GAP_PX + font.digits_reach_px[0],
            ink=Ink.BLACK,
        )
