"""Glyphs as pixels: one font at one size, and the chain of fonts that stand in for each other.

Pillow rasterises in mode "1", FreeType's own hinted black and white, which keeps strokes that a
threshold on grey loses (field notes, ux 0.3). It places a line by the outlines of its glyphs but
fills it from the top of their bitmaps, which may differ by a pixel, and does not tell. So each
glyph is drawn after a tall *ruler* glyph whose height is known::

    ┌──────────────────────────┐
    │ blanks  █  blanks  glyph │ first row of the ruler = its height above the base line
    └──────────────────────────┘

The ruler's height itself is measured against a *plumb*, a glyph that hangs below the base line
(an underscore, a vowel sign): a line of it alone starts at the base line.
"""

import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import uharfbuzz
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from esl.domain.errors import MissingGlyph
from renderer.text.files import GLYPH_PLANE, FontFile
from renderer.text.scripts import BLANKS

LARGEST_GLYPH_EM = 24
"""No letter is larger: the longest, the Arabic U+FDFD, is some 10 times as wide as its size."""

_FRACTION = 64  # HarfBuzz counts in 64ths of a pixel here


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyph:
    """The ink of one glyph and how far it moves the pen."""

    mask: NDArray[np.bool_]  # (height, width) of the ink alone; no rows for a blank
    left_px: int  # first ink column relative to the pen
    rise_px: int  # ink above the base line; negative if it starts below
    advance_px: int

    @property
    def drop_px(self) -> int:
        """Ink below the base line; negative if it ends above."""
        return len(self.mask) - self.rise_px

    @property
    def tail_px(self) -> int:
        """White between the ink and the pen's end; negative for an overhang."""
        return self.advance_px - self.left_px - int(self.mask.shape[1])


class Face:
    """One font at one size.

    Cache: a glyph per number (bound: the font's own glyphs).
    """

    def __init__(self, file: FontFile, size_px: int) -> None:
        self.file = file
        self.size_px = size_px
        self._glyphs: dict[int, Glyph] = {}
        self._unhinted = uharfbuzz.Font(file.face)
        self._unhinted.scale = (size_px * _FRACTION, size_px * _FRACTION)

    def glyph(self, number: int) -> Glyph:
        """Return one glyph.

        Raises:
            MissingGlyph: The font file is damaged at this glyph.
        """
        glyph = self._glyphs.get(number)
        if glyph is None:
            glyph = self._rasterise(number)
            self._glyphs[number] = glyph
        return glyph

    def glyph_of(self, character: str) -> Glyph:
        """Return the glyph of a character the font has."""
        return self.glyph(self._unhinted.get_nominal_glyph(ord(character)))

    @cached_property
    def shaping_font(self) -> uharfbuzz.Font:
        """The font for HarfBuzz, with the whole-pixel advances of the drawn glyphs."""
        font = uharfbuzz.Font(self._unhinted)
        functions = uharfbuzz.FontFuncs()
        functions.set_glyph_h_advance_func(self._tell_advance)
        font.funcs = functions
        return font

    def _tell_advance(self, _font: object, number: int, _data: object) -> int:
        with suppress(MissingGlyph):  # HarfBuzz cannot pass it on; drawing the glyph raises it
            return self.glyph(number).advance_px * _FRACTION
        return 0

    def _rasterise(self, number: int) -> Glyph:
        try:
            self._refuse_monster(number)
            return self._draw_glyph(number)
        except (OSError, ValueError) as exc:
            raise MissingGlyph(
                f"{self.file.name} is damaged at glyph {number} ({exc}); put a sound copy of it "
                f"into the fonts folder"
            ) from exc

    def _draw_glyph(self, number: int) -> Glyph:
        advance = self._length_px(_drawn(number))
        pixels = self._draw(self._lead + _drawn(number))
        cut = self._lead_px - self.size_px
        foot = _first_row(pixels[:, :cut]) + self._ruler_rise_px
        ink = pixels[:, cut:]
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        if rows.size == 0:
            return Glyph(mask=ink[:0, :0], left_px=0, rise_px=0, advance_px=advance)
        top, left = int(rows[0]), int(columns[0])
        return Glyph(
            mask=np.ascontiguousarray(ink[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]),
            left_px=left - self.size_px,
            rise_px=foot - top,
            advance_px=advance,
        )

    def _refuse_monster(self, number: int) -> None:
        """Refuse a glyph so large that drawing it would take all memory."""
        most = LARGEST_GLYPH_EM * self.size_px * _FRACTION
        box = self._unhinted.get_glyph_extents(number)
        lengths = [self._unhinted.get_glyph_h_advance(number)]
        if box is not None:
            lengths += [box.x_bearing, box.y_bearing, box.width, box.height]
        if any(abs(length) > most for length in lengths):
            raise ValueError("larger than any letter")

    def _length_px(self, text: str) -> int:
        return round(self.file.open_at(self.size_px).getlength(text, mode="1"))

    def _draw(self, text: str) -> NDArray[np.bool_]:
        mask, _offset = self.file.open_at(self.size_px).getmask2(text, mode="1", anchor="ls")
        image = Image.new("L", mask.size)
        # As `ImageDraw.text` does it; numpy alone would ask for pixel after pixel.
        ImageDraw.Draw(image).draw.draw_bitmap((0, 0), mask, 1)
        pixels: NDArray[np.bool_] = np.asarray(image) != 0
        return pixels

    @cached_property
    def _blanks(self) -> str:
        """Blanks wider than any overhang: 1.5 times the size."""
        blank = _drawn(self._unhinted.get_nominal_glyph(ord(" ")))
        width = max(self._length_px(blank), 1)
        return blank * (3 * self.size_px // (2 * width) + 1)

    @cached_property
    def _lead(self) -> str:
        """What is drawn before each glyph: the ruler between blanks."""
        return self._blanks + _drawn(self.file.ruler) + self._blanks

    @cached_property
    def _lead_px(self) -> int:
        return self._length_px(self._lead)

    @cached_property
    def _ruler_rise_px(self) -> int:
        """How far the ruler's ink stands above the base line."""
        plumb = self.file.plumb
        if plumb is None:
            box = self._unhinted.get_glyph_extents(self.file.ruler)
            return max(round(float(box.y_bearing) / _FRACTION), 1)
        hanging = _first_row(self._draw(_drawn(plumb)))
        pixels = self._draw(self._lead + _drawn(plumb))
        cut = self._lead_px - self.size_px
        return _first_row(pixels[:, cut:]) - hanging - _first_row(pixels[:, :cut])


class Chain:
    """Fonts at one size, in the order in which they are asked for a character.

    Cache: the glyph of each simple character asked for (bound: the fonts' own characters).
    """

    def __init__(self, files: Sequence[FontFile], size_px: int) -> None:
        self.faces = tuple(Face(file, size_px) for file in files)
        self._glyphs: dict[str, Glyph] = {}

    def find(self, cluster: str) -> int:
        """Return the place in the chain of the first font that has all of a cluster.

        Raises:
            MissingGlyph: No font has them all.
        """
        for place, face in enumerate(self.faces):
            if face.file.has_all(cluster):
                return place
        missing = [c for c in cluster if not any(face.file.has_all(c) for face in self.faces)]
        raise MissingGlyph(_describe_missing(missing[0] if missing else cluster))

    def glyph_of(self, character: str) -> Glyph:
        """Return the glyph of a simple character from the first font that has it.

        Raises:
            MissingGlyph: No font has it.
        """
        glyph = self._glyphs.get(character)
        if glyph is None:
            drawn = " " if character in BLANKS else character
            glyph = self.faces[self.find(drawn)].glyph_of(drawn)
            self._glyphs[character] = glyph
        return glyph


def _describe_missing(cluster: str) -> str:
    names = " and ".join(
        f"U+{ord(c):04X} {unicodedata.name(c, 'without a name')}" for c in cluster[:3]
    )
    shown = f" {cluster[:3]!r}" if cluster.isprintable() else ""
    together = " together" if len(cluster) > 1 else ""
    return (
        f"no font has{shown} ({names}){together}; put a font that has it into the fonts folder "
        f"(setting fonts_folder), or write the text without it"
    )


def _drawn(number: int) -> str:
    """Return the character that draws a glyph by its number."""
    return chr(GLYPH_PLANE + number)


def _first_row(pixels: NDArray[np.bool_]) -> int:
    return int(pixels.any(axis=1).argmax())
