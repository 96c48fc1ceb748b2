"""Text as masks of pixels.

Pillow rasterises every glyph anew at each call (230-550 us for 25 characters). Here each glyph of
a font and size is rasterised once and kept, and there are two roads from a text to its mask:

*simple*  Each character is a *cell*: all columns the pen passes over, left to right, each column
          `Font.height_px` bytes from the top down, a byte a pixel. A run is its cells one behind
          the other: 1.5 us for 25 characters. Where a glyph passes its own cell, glyphs are
          numbers, a bit a pixel, shifted to their pens and joined by OR: 5-14 us. One glyph per
          character at whole-pixel advances, without kerning.
*shaped*  Texts with a mark, a joined script or one from right to left, or a glyph taller than
          the columns: placed by `renderer.text.shaping`, glyph by glyph on a mask of their own,
          and remembered.

A text takes the shaped road by itself, as soon as one of its characters asks for it.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from esl.domain.panel import Ink
from renderer.text.faces import Chain, Glyph
from renderer.text.files import FontFile, bundled, pick_weight, read_folder
from renderer.text.scripts import clusters, is_simple
from renderer.text.shaping import WORDS_KEPT, Shaper

SIZES_KEPT = 256
"""Bound of the sizes kept of each weight: the gallery on all panels uses some two hundred."""

RUNS_KEPT = 128
"""Bound of each of the two run caches of one font and size: currency signs, units, cents and
badges repeat, and so do the lines of a name that is measured, then drawn."""

DIGITS = "0123456789"

_FAMILIES = (
    "RobotoCondensed",
    "NotoSans",
    "NotoSansArabic",
    "NotoSansHebrew",
    "NotoSansThai",
    "NotoSansDevanagari",
)
_ASCENT_EM, _DESCENT_EM = 1.06, 0.28
"""Bounds of the ink of Roboto Condensed, from its ``head`` table: +2163 and -555 of 2048."""


class Run(NamedTuple):
    """A piece of text as pixels, to be placed with its pen on a baseline."""

    paper: NDArray[np.uint8]  # (height, width), 0 where there is ink, 1 elsewhere
    left_px: int  # first column relative to the pen's start
    ascent_px: int  # row the baseline stands on
    width_px: int  # how far the pen moved
    red: NDArray[np.uint8] | None = None  # of a run that is kept: red where there is ink, else 0

    @property
    def mask(self) -> NDArray[np.bool_]:
        """True where there is ink."""
        mask: NDArray[np.bool_] = self.paper == 0
        return mask


@dataclass(frozen=True, slots=True)
class _Columns:
    bits: int  # bit ``x * 8 * column_bytes + y`` is pixel (x, y) of the ink's own columns
    left_px: int
    advance_px: int


class Font:
    """One weight at one size: a chain of fonts that stand in for each other.

    Caches, owned by this object: facts of each simple character and its cell (bound: the fonts'
    own characters), the widths of the last `WORDS_KEPT` words, the last `RUNS_KEPT` short runs,
    and the last `RUNS_KEPT` shaped runs, by text and direction. Safe to use from several threads:
    all only ever gain equal values.
    """

    def __init__(self, files: tuple[FontFile, ...], size_px: int) -> None:
        self.size_px = size_px
        self.ascent_px = math.ceil(_ASCENT_EM * size_px) + 1
        self.height_px = self.ascent_px + math.ceil(_DESCENT_EM * size_px) + 1
        self._column_bytes = -(-self.height_px // 8)
        self._overhang_px = size_px // 2 + 1  # room left of the pen in a run
        self._chain = Chain(files, size_px)
        self._shaper = Shaper(self._chain)
        self._cells: dict[str, bytes] = {}  # of glyphs that do not pass them
        self._columns: dict[str, _Columns] = {}  # of all that fit the height
        self._advances: dict[str, int] = {}
        self._rises: dict[str, int] = {}
        self._drops: dict[str, int] = {}
        self.short_run = lru_cache(maxsize=RUNS_KEPT)(self._trimmed_run)
        """As `run`, remembered: for short texts that many labels share."""
        self.word_px = lru_cache(maxsize=WORDS_KEPT)(self.width_px)
        """As `width_px`, remembered: for words, which names share."""
        self._shaped_run = lru_cache(maxsize=RUNS_KEPT)(self._shape)
        self.cap_px = self.ink_ascent_px("H")  # height of a capital and of a digit

    @cached_property
    def digits_reach_px(self) -> tuple[int, int]:
        """How far any digit reaches above and below the baseline."""
        return self.ink_ascent_px(DIGITS), self.drop_px(DIGITS)

    @cached_property
    def digits_overhang_px(self) -> int:
        """How far any digit passes its pen's end: at a few sizes a 4 does, by a pixel."""
        return max(0, *(-self.tail_px(digit) for digit in DIGITS))

    def width_px(self, text: str) -> int:
        """Measure how far the pen moves.

        Raises:
            MissingGlyph: No font has a character.
        """
        try:
            return sum(map(self._advances.__getitem__, text))
        except KeyError:
            if self._learn(text):
                return sum(map(self._advances.__getitem__, text))
            return self._shaper.width_px(text)

    def ink_ascent_px(self, text: str) -> int:
        """Measure how far a text reaches above its baseline, accents and all."""
        try:
            return max(map(self._rises.__getitem__, text), default=0)
        except KeyError:
            if self._learn(text):
                return max(map(self._rises.__getitem__, text))
            return self._shaped_run(text).ascent_px

    def drop_px(self, text: str) -> int:
        """Measure how far a text reaches below its baseline."""
        try:
            return max(map(self._drops.__getitem__, text), default=0)
        except KeyError:
            if self._learn(text):
                return max(map(self._drops.__getitem__, text))
            run = self._shaped_run(text)
            return max(len(run.paper) - run.ascent_px, 0)

    def reach_px(self, text: str) -> tuple[int, int]:
        """Measure both, of a text that has a letter: `ink_ascent_px` and `drop_px`."""
        try:
            return max(map(self._rises.__getitem__, text)), max(map(self._drops.__getitem__, text))
        except KeyError:
            return self.ink_ascent_px(text), self.drop_px(text)

    def least_reach_px(self, first: str, last: str) -> tuple[int, int]:
        """Measure how far lines that begin and end with these words reach at least."""
        try:
            return max(map(self._rises.__getitem__, first)), max(map(self._drops.__getitem__, last))
        except (KeyError, ValueError):  # on the shaped road a word looks otherwise inside a line
            return 0, 0

    def lead_px(self, text: str, rtl: bool | None = None) -> int:  # noqa: FBT001 as `run`
        """Measure the white between the pen's start and the first ink: for flush left edges."""
        if not rtl and self._learn(text):
            return self._chain.glyph_of(text[0]).left_px
        return self._shaped_run(text, rtl).left_px

    def tail_px(self, text: str, rtl: bool | None = None) -> int:  # noqa: FBT001 as `run`
        """Measure the white between the last ink and the pen's end; negative for an overhang."""
        if not rtl and self._learn(text):
            return self._chain.glyph_of(text[-1]).tail_px
        run = self._shaped_run(text, rtl)
        return run.width_px - run.left_px - int(run.paper.shape[1])

    def keeps_in_cells(self, text: str) -> bool:
        """Say whether no ink passes the pen's start or end: quick, and never wrongly true."""
        return all(map(self._cells.__contains__, text))

    def run(self, text: str, rtl: bool | None = None) -> Run:  # noqa: FBT001 as `short_run`
        """Draw a text as a mask.

        ``rtl`` is the direction of the paragraph the text is a line of, for texts that mix
        directions; None takes that of the text's own first letter.

        Raises:
            MissingGlyph: No font has a character.
        """
        if rtl:
            return self._shaped_run(text, rtl)
        try:
            cells = b"".join(map(self._cells.__getitem__, text))
        except KeyError:
            if not self._learn(text) or not all(map(self._columns.__contains__, text)):
                return self._shaped_run(text, rtl)
            if not all(map(self._cells.__contains__, text)):
                return self._overlay(text)
            cells = b"".join(map(self._cells.__getitem__, text))
        paper = np.frombuffer(cells, np.uint8).reshape(-1, self.height_px).T
        return Run(paper, 0, self.ascent_px, len(cells) // self.height_px)

    def _overlay(self, text: str) -> Run:
        """Draw a text with glyphs that pass their cells."""
        column_bits = 8 * self._column_bytes
        pen = self._overhang_px
        bits = 0
        for character in text:
            glyph = self._columns[character]
            bits |= glyph.bits << (pen + glyph.left_px) * column_bits
            pen += glyph.advance_px
        width = -(-bits.bit_length() // column_bits)  # up to the last column with ink
        paper = self._paper(bits.to_bytes(width * self._column_bytes, "little"))
        return Run(paper, -self._overhang_px, self.ascent_px, pen - self._overhang_px)

    def _paper(self, columns: bytes) -> NDArray[np.uint8]:
        """Turn bits of ink, column by column, into rows of paper."""
        paper = np.unpackbits(~np.frombuffer(columns, np.uint8), bitorder="little")
        return paper.reshape(-1, 8 * self._column_bytes)[:, : self.height_px].T

    def _trimmed_run(self, text: str, rtl: bool | None = None) -> Run:  # noqa: FBT001 a cache key
        """Draw a run, cut down to its ink: smaller to keep and faster to stamp."""
        run = self.run(text, rtl)
        if not text.strip() or not self.keeps_in_cells(text):
            return run  # a blank, or the shaped road's, which is nothing but ink
        top = run.ascent_px - self.ink_ascent_px(text)
        bottom = run.ascent_px + self.drop_px(text)
        lead, tail = self.lead_px(text), self.tail_px(text)
        paper = np.ascontiguousarray(run.paper[top:bottom, lead : run.width_px - tail])
        return Run(paper, run.left_px + lead, run.ascent_px - top, run.width_px, in_red(paper))

    def _learn(self, text: str) -> bool:
        """Get to know a text's characters; say whether all of them are simple."""
        known = self._advances
        if all(map(known.__contains__, text)):
            return True
        return all(c in known or self._learn_character(c) for c in text)

    def _learn_character(self, character: str) -> bool:
        if not is_simple(character):
            return False
        glyph = self._chain.glyph_of(character)
        if (
            glyph.rise_px <= self.ascent_px
            and glyph.drop_px <= self.height_px - self.ascent_px
            and glyph.left_px >= -self._overhang_px
        ):
            if glyph.left_px >= 0 and glyph.tail_px >= 0:
                self._cells[character] = self._cell_of(glyph)
            self._columns[character] = _Columns(
                self._stand_up(glyph), glyph.left_px, glyph.advance_px
            )
        self._drops[character] = max(glyph.drop_px, 0)
        self._rises[character] = glyph.rise_px
        self._advances[character] = glyph.advance_px  # last: `_learn` trusts it
        return True

    def _cell_of(self, glyph: Glyph) -> bytes:
        """Put a glyph's ink where it stands below its pen, column by column."""
        rows, width = glyph.mask.shape
        cell = np.ones((glyph.advance_px, self.height_px), np.uint8)
        top, left = self.ascent_px - glyph.rise_px, glyph.left_px
        cell[left : left + width, top : top + rows][glyph.mask.T] = 0
        return cell.tobytes()

    def _stand_up(self, glyph: Glyph) -> int:
        """Turn a glyph's ink into bits, column by column."""
        rows, width = glyph.mask.shape
        columns = np.zeros((width, 8 * self._column_bytes), np.bool_)
        top = self.ascent_px - glyph.rise_px
        columns[:, top : top + rows] = glyph.mask.T
        return int.from_bytes(np.packbits(columns, bitorder="little").tobytes(), "little")

    def _shape(self, text: str, rtl: bool | None = None) -> Run:  # noqa: FBT001 a cache key
        """Draw a text on the shaped road; the mask is its ink alone."""
        shaped = self._shaper.shape(text, rtl=rtl)
        inked = [placed for placed in shaped.glyphs if placed.glyph.mask.size]
        if not inked:
            return Run(np.ones((0, 0), np.uint8), 0, 0, shaped.width_px)
        left = min(p.x_px + p.glyph.left_px for p in inked)
        right = max(p.x_px + p.glyph.left_px + p.glyph.mask.shape[1] for p in inked)
        top = max(p.y_px + p.glyph.rise_px for p in inked)
        bottom = max(p.glyph.drop_px - p.y_px for p in inked)
        paper = np.ones((top + bottom, right - left), np.uint8)
        for placed in inked:
            glyph = placed.glyph
            row, column = top - placed.y_px - glyph.rise_px, placed.x_px + glyph.left_px - left
            height, width = glyph.mask.shape
            paper[row : row + height, column : column + width][glyph.mask] = 0
        return Run(paper, left, top, shaped.width_px)


def in_red(paper: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return red, the highest of the inks, where there is ink, and 0 elsewhere."""
    red: NDArray[np.uint8] = (paper ^ np.uint8(1)) * np.uint8(Ink.RED)
    return red


class Fonts:
    """The two weights of the house at any size; owned by a renderer.

    Keeps one `Font` per weight and size asked for. Layouts name some tens of sizes, which is
    the bound.

    Raises:
        SetupError: The user's folder of fonts cannot be used; see `read_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        own = read_folder(folder) if folder is not None else []
        self._regular, self._bold = (
            (
                *(bundled(f"{family}-{weight}.ttf") for family in _FAMILIES),
                *pick_weight(own, bold=weight == "Bold"),
            )
            for weight in ("Regular", "Bold")
        )
        self.regular = lru_cache(maxsize=SIZES_KEPT)(lambda size_px: Font(self._regular, size_px))
        self.bold = lru_cache(maxsize=SIZES_KEPT)(lambda size_px: Font(self._bold, size_px))

    def can_draw(self, text: str) -> bool:
        """Say whether both weights have every character of a text."""
        return all(
            any(file.has_all(cluster) for file in files)
            for cluster in clusters(text)
            for files in (self._regular, self._bold)
        )
