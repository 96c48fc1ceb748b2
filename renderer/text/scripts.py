"""What a character asks of its typesetter: nothing, or shaping and reordering.

*Simple* characters stand one beside the other, left to right, one glyph each: Latin, Greek,
Cyrillic, Chinese, digits, signs. All others go through `renderer.text.shaping`: marks, joined
and reordering scripts, everything written from right to left.

A *cluster* is what a reader takes for one character: a base with its marks. Text is never broken
inside one, and one font draws all of it.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import uharfbuzz

JOINERS = frozenset("\u200c\u200d")
"""Zero-width non-joiner and joiner: spelling in Arabic and Indic scripts, noise elsewhere."""

BLANKS = frozenset("\u00a0\u2007\u2009\u202f")
"""Drawn as blanks whether the font has them or not: CLDR groups digits with them."""

CHARACTERS_KEPT = 4096
"""Bound of the caches of facts about characters; a shop's texts use some hundreds."""

_SIMPLE_SCRIPTS = frozenset(
    "Latn Grek Cyrl Armn Geor Hani Hira Kana Hang Bopo Ethi Cher Yiii".split()
)
_FROM_THE_RIGHT = frozenset({"R", "AL", "AN"})
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]")  # letters that form syllables
_VIRAMA = 9  # canonical combining class: it joins the consonants beside it (Unicode 4.3)
_LEADING_VOWELS = frozenset("เแโใไເແໂໃໄ")  # Thai, Lao: written before the consonant they belong to
_TRAILING_VOWELS = frozenset("ะาำๅะາຳ")  # written after it


@lru_cache(maxsize=CHARACTERS_KEPT)
def script_of(character: str) -> str | None:
    """Return the ISO 15924 code of a character's script; None if many scripts use it.

    HarfBuzz knows it; Python's own tables do not, and change with its version.
    """
    buffer = uharfbuzz.Buffer()
    buffer.add_str(character)
    buffer.guess_segment_properties()
    script: str | None = buffer.script
    return script


def is_mark(character: str) -> bool:
    """Say whether a character attaches to the one before it."""
    return unicodedata.category(character)[0] == "M"


def runs_from_the_right(character: str) -> bool:
    """Say whether a character makes its text need the bidirectional algorithm."""
    return unicodedata.bidirectional(character) in _FROM_THE_RIGHT


@lru_cache(maxsize=CHARACTERS_KEPT)
def is_simple(character: str) -> bool:
    """Say whether a character is one glyph of its own, beside the one before it."""
    if is_mark(character) or character in JOINERS or runs_from_the_right(character):
        return False
    if _JAMO.match(character):
        return False
    script = script_of(character)
    return script is None or script in _SIMPLE_SCRIPTS


def clusters(text: str) -> Iterator[str]:
    """Split a text into what readers take for single characters.

    Marks and joiners stay with their base, consonants with the one a virama joins them to, and
    Thai and Lao vowels with their consonant.
    """
    start = 0
    for at in range(1, len(text)):
        if not _belongs_together(text[at - 1], text[at]):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _belongs_together(before: str, character: str) -> bool:
    if character.isascii() or character.isspace() or before.isspace():
        return False
    return (
        is_mark(character)
        or character in JOINERS
        or before in JOINERS
        or character in _TRAILING_VOWELS
        or before in _LEADING_VOWELS
        or (unicodedata.combining(before) == _VIRAMA and character.isalpha())
        or bool(_JAMO.match(character) and _JAMO.match(before))
    )
