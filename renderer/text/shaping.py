"""A line of any script as placed glyphs: order, font by font, joined and stacked.

::

    "Coca-Cola كوكا ٣٣٠ مل"
    levels          0 0 0 …  1 1 1   2 2   1 1      bidi.py
    pieces          [Coca-Cola ][كوكا][ ][٣٣٠][ ][مل]   one level, one font, one script each
    glyphs          simple ones as they are, the others through HarfBuzz
    line            pieces in visual order, each starting on a whole pixel

A piece ends at every blank, because the first font has blanks, so that words are the unit that
is remembered.
"""

from dataclasses import dataclass
from functools import lru_cache

import uharfbuzz
from bidi.mirror import MIRRORED

from renderer.text.bidi import order_visually, resolve_levels, starts_from_the_right
from renderer.text.faces import Chain, Glyph
from renderer.text.scripts import (
    BLANKS,
    CHARACTERS_KEPT,
    clusters,
    is_simple,
    runs_from_the_right,
    script_of,
)

WORDS_KEPT = 512
"""Bound of the shaped words kept for one font and size."""

_FRACTION = 64
_WITHOUT_KERNING = {"kern": False, "liga": False, "clig": False}
"""Of the first font: the same spacing as its simple characters have."""

_LANGUAGE = "en"
"""Said always: else HarfBuzz takes the machine's own, and fonts draw some letters by it."""


@dataclass(frozen=True, slots=True)
class PlacedGlyph:
    """A glyph and where its pen stands, from the start of its piece or line."""

    glyph: Glyph
    x_px: int
    y_px: int  # upwards from the base line


@dataclass(frozen=True, slots=True)
class Shaped:
    """Glyphs in place, left to right."""

    glyphs: tuple[PlacedGlyph, ...]
    width_px: int


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    level: int
    font: int  # place in the chain
    simple: bool
    script: str | None


class Shaper:
    """Shapes lines in one chain of fonts at one size.

    Caches: the last `WORDS_KEPT` pieces of text, by text, font, script and direction; as many
    widths of words; the font and script of the last `CHARACTERS_KEPT` clusters.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._shape_word = lru_cache(maxsize=WORDS_KEPT)(self._shape_afresh)
        self._word_width = lru_cache(maxsize=WORDS_KEPT)(self._measure_word)
        self._traits = lru_cache(maxsize=CHARACTERS_KEPT)(self._find_traits)

    def shape(self, text: str, *, rtl: bool | None) -> Shaped:
        """Place the glyphs of a line; ``rtl`` None takes the direction of its first letter.

        Raises:
            MissingGlyph: No font has a character.
        """
        pieces = self._split(text, rtl=rtl)
        placed: list[PlacedGlyph] = []
        pen = 0
        for piece in order_visually(pieces, [piece.level for piece in pieces]):
            shaped = self._shape_piece(piece)
            placed += [PlacedGlyph(g.glyph, pen + g.x_px, g.y_px) for g in shaped.glyphs]
            pen += shaped.width_px
        return Shaped(tuple(placed), pen)

    def width_px(self, text: str) -> int:
        """Measure a line word by word, which comes to the same: pieces end at blanks.

        Raises:
            MissingGlyph: No font has a character.
        """
        words = text.split(" ")
        blanks = (len(words) - 1) * self._chain.glyph_of(" ").advance_px
        return sum(map(self._word_width, words)) + blanks

    def _measure_word(self, word: str) -> int:
        return self.shape(word, rtl=None).width_px

    def _find_traits(self, cluster: str) -> tuple[int, str | None, bool]:
        simple = len(cluster) == 1 and is_simple(cluster)
        return self._chain.find(cluster), None if simple else script_of(cluster[0]), simple

    def _split(self, text: str, *, rtl: bool | None) -> list[_Piece]:
        """Cut a line into pieces of one level, font and script."""
        mixed = bool(rtl) or any(map(runs_from_the_right, text))
        if mixed:
            rtl = starts_from_the_right(text) if rtl is None else rtl
            levels = resolve_levels(text, rtl=rtl)
        else:
            levels = [0] * len(text)
        pieces: list[_Piece] = []
        start = at = 0
        key: tuple[int, int, bool] | None = None
        script: str | None = None
        for cluster in clusters(text):
            font, own_script, simple = self._traits(cluster)
            new_key = levels[at], font, simple
            if key is not None and (
                new_key != key or (script and own_script not in {None, script})
            ):
                pieces.append(_Piece(text[start:at], *key, script))
                start, script = at, None
            key, script = new_key, script or own_script
            at += len(cluster)
        if key is not None:
            pieces.append(_Piece(text[start:], *key, script))
        return pieces

    def _shape_piece(self, piece: _Piece) -> Shaped:
        rtl = piece.level % 2 == 1
        if piece.simple:
            text = "".join(MIRRORED.get(c, c) for c in reversed(piece.text)) if rtl else piece.text
            return self._set_simply(text)
        return self._shape_word(piece.text, piece.font, piece.script, rtl)

    def _set_simply(self, text: str) -> Shaped:
        placed = []
        pen = 0
        for character in text:
            glyph = self._chain.glyph_of(character)
            placed.append(PlacedGlyph(glyph, pen, 0))
            pen += glyph.advance_px
        return Shaped(tuple(placed), pen)

    def _shape_afresh(self, text: str, font: int, script: str | None, rtl: bool) -> Shaped:  # noqa: FBT001 a cache key
        face = self._chain.faces[font]
        buffer = uharfbuzz.Buffer()
        buffer.add_str("".join(" " if c in BLANKS else c for c in text))
        buffer.direction = "rtl" if rtl else "ltr"
        buffer.language = _LANGUAGE
        if script is not None:
            buffer.script = script
        buffer.flags = uharfbuzz.BufferFlags.DO_NOT_INSERT_DOTTED_CIRCLE
        buffer.guess_segment_properties()
        uharfbuzz.shape(face.shaping_font, buffer, _WITHOUT_KERNING if font == 0 else {})
        placed = []
        pen = 0
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            glyph = face.glyph(info.codepoint)
            x = _to_px(pen + position.x_offset)
            placed.append(PlacedGlyph(glyph, x, _to_px(position.y_offset)))
            pen += position.x_advance
        return Shaped(tuple(placed), _to_px(pen))


def _to_px(fraction: int) -> int:
    return (fraction + _FRACTION // 2) // _FRACTION
