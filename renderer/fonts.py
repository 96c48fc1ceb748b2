"""Text as masks of pixels, from the fonts this package carries.

Pillow rasterises every glyph anew at each call (230-550 us for 25 characters). Here each glyph of
a font and size is rasterised once, by Pillow in mode "1", and kept as one integer: the bits of its
columns, left to right, each column `Font.height_px` bits from the top down. A run of text is then
the OR of its glyphs' integers, each shifted by ``pen x height`` bits, and glyphs may overhang
their neighbours for free: 5-14 us for the same 25 characters (field notes, performance 1).

Layout is one glyph per character at whole-pixel advances, without kerning: right for Latin,
Greek and Cyrillic. Scripts that need shaping are not in these fonts, so they are refused.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from esl.domain.errors import MissingGlyph
from renderer.coverage import read_facts

BLANKS = frozenset("\u00a0\u2007\u2009\u202f")
"""Drawn as blanks whether the font has them or not: CLDR groups digits with them."""

RUNS_KEPT = 128
"""Bound of the run cache of one font and size; currency signs, units, cents and badges repeat."""

_RULER = "H   "
"""Drawn before each glyph that is rasterised, and cut away. Pillow places a line by the outlines
of its glyphs but fills it by their bitmaps, so that a line of "r" alone comes out one pixel too
high at some sizes, and one that begins with an overhang too far right. An H stands on the base
line, so it says where that is; the blanks are wider than any overhang."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text as pixels, to be placed with its pen on a baseline."""

    mask: NDArray[np.bool_]  # (height, width), True where there is ink
    left_px: int  # column of the mask relative to the pen's start; <= 0
    ascent_px: int  # row of the mask the baseline stands on
    width_px: int  # how far the pen moved


@dataclass(frozen=True, slots=True)
class _Glyph:
    columns: int  # bit ``x * height + y`` is pixel (x, y) of the ink's own columns
    left_px: int  # first ink column relative to the pen
    advance_px: int
    drop_px: int  # ink below the baseline


class FontFile:
    """One TrueType file of this package, read and checked once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.data = (resources.files("renderer") / "fonts" / name).read_bytes()
        self.facts = read_facts(self.data)


class Font:
    """One font file at one size.

    Caches, owned by this object: a glyph per character (bound: the font's own characters), and
    the last `RUNS_KEPT` short runs by text. Safe to use from several threads: both only ever
    gain equal values.
    """

    def __init__(self, file: FontFile, size_px: int) -> None:
        self.size_px = size_px
        self.ascent_px = math.ceil(file.facts.ascent_em * size_px) + 1
        self.height_px = self.ascent_px + math.ceil(file.facts.descent_em * size_px) + 1
        self.cap_px = 0  # height of a capital and of a digit
        self._file = file
        self._overhang_px = size_px // 2  # more than any glyph reaches left of the pen
        self._pillow = ImageFont.truetype(
            BytesIO(file.data), size_px, layout_engine=ImageFont.Layout.BASIC
        )
        self._ruler_px = round(self._pillow.getlength(_RULER, mode="1"))
        self._glyphs: dict[str, _Glyph] = {}
        self._advances: dict[str, int] = {}
        self.short_run = lru_cache(maxsize=RUNS_KEPT)(self._trimmed_run)
        """As `run`, remembered: for short texts that many labels share."""
        self.cap_px = self._ink_height_px("H")

    def width_px(self, text: str) -> int:
        """Measure how far the pen moves.

        Raises:
            MissingGlyph: The font lacks a character.
        """
        try:
            return sum(map(self._advances.__getitem__, text))
        except KeyError:
            for character in text:
                self._glyph(character)
            return sum(map(self._advances.__getitem__, text))

    def lead_px(self, text: str) -> int:
        """Measure the white between the pen's start and the first ink: for flush left edges."""
        return self._glyph(text[0]).left_px

    def drop_px(self, text: str) -> int:
        """Measure how far a text reaches below its baseline."""
        return max(self._glyph(character).drop_px for character in text)

    def run(self, text: str) -> Run:
        """Draw a text as a mask.

        Raises:
            MissingGlyph: The font lacks a character.
        """
        height = self.height_px
        pen = self._overhang_px
        bits = 0
        for character in text:
            glyph = self._glyphs.get(character) or self._glyph(character)
            bits |= glyph.columns << (pen + glyph.left_px) * height
            pen += glyph.advance_px
        width = -(-bits.bit_length() // height)  # up to the last column with ink
        size = width * height
        packed = np.frombuffer(bits.to_bytes(-(-size // 8), "little"), np.uint8)
        columns = np.unpackbits(packed, count=size, bitorder="little").reshape(width, height)
        return Run(
            mask=columns.T.view(np.bool_),
            left_px=-self._overhang_px,
            ascent_px=self.ascent_px,
            width_px=pen - self._overhang_px,
        )

    def _trimmed_run(self, text: str) -> Run:
        """Draw a run, cut down to its ink: smaller to keep and faster to stamp."""
        run = self.run(text)
        inked = np.flatnonzero(run.mask.any(axis=1))
        if inked.size == 0:
            return run
        top, bottom = int(inked[0]), int(inked[-1]) + 1
        left = int(run.mask.any(axis=0).argmax())
        return Run(
            mask=np.ascontiguousarray(run.mask[top:bottom, left:]),
            left_px=run.left_px + left,
            ascent_px=run.ascent_px - top,
            width_px=run.width_px,
        )

    def _glyph(self, character: str) -> _Glyph:
        """Rasterise one character and remember it."""
        glyph = self._glyphs.get(character)
        if glyph is None:
            glyph = self._rasterise(" " if character in BLANKS else character)
            self._advances[character] = glyph.advance_px  # before the glyph: `width_px` trusts it
            self._glyphs[character] = glyph
        return glyph

    def _rasterise(self, character: str) -> _Glyph:
        if ord(character) not in self._file.facts.characters:
            raise MissingGlyph(f"{self._file.name} has no glyph for U+{ord(character):04X}")
        advance = round(self._pillow.getlength(character, mode="1"))
        left = self._overhang_px
        image = Image.new("1", (self._ruler_px + advance + left, self.height_px + 2))
        ImageDraw.Draw(image).text(
            (0, self.ascent_px + 1), _RULER + character, font=self._pillow, fill=1, anchor="ls"
        )
        pixels = np.asarray(image)
        ruler, columns = np.split(pixels, [self._ruler_px - left], axis=1)
        foot = int(np.flatnonzero(ruler.any(axis=1))[-1])
        columns = columns[foot + 1 - self.ascent_px :][: self.height_px].T
        inked = np.flatnonzero(columns.any(axis=1))
        if inked.size == 0:
            return _Glyph(columns=0, left_px=0, advance_px=advance, drop_px=0)
        first, last = int(inked[0]), int(inked[-1])
        lowest = int(np.flatnonzero(columns.any(axis=0))[-1])
        bits = np.packbits(columns[first : last + 1].ravel(), bitorder="little")
        return _Glyph(
            columns=int.from_bytes(bits.tobytes(), "little"),
            left_px=first - left,
            advance_px=advance,
            drop_px=max(lowest + 1 - self.ascent_px, 0),
        )

    def _ink_height_px(self, character: str) -> int:
        return int(self.run(character).mask.any(axis=1).sum())


class Fonts:
    """The two weights of the house at any size; owned by a renderer.

    Keeps one `Font` per weight and size asked for. Layouts name some tens of sizes, which is
    the bound.
    """

    def __init__(self) -> None:
        regular, bold = (
            FontFile(f"RobotoCondensed-{weight}.ttf") for weight in ("Regular", "Bold")
        )
        self._characters = regular.facts.characters & bold.facts.characters
        self.regular = lru_cache(maxsize=None)(lambda size_px: Font(regular, size_px))
        self.bold = lru_cache(maxsize=None)(lambda size_px: Font(bold, size_px))

    def can_draw(self, text: str) -> bool:
        """Say whether both weights have every character of a text."""
        return all(c in BLANKS or ord(c) in self._characters for c in text)
