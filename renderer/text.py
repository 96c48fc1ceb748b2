"""Names made fit for a box: cleaned once, wrapped well, shortened only when nothing else helps."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from esl.domain.errors import NameDoesNotFit
from renderer.fonts import Font

ELLIPSIS = "…"
LINE_HEIGHT = 1.13
"""Baseline to baseline over size: Roboto's own 1.17, less the accents no two lines both have."""

LEAST_LETTERS = 2
"""A name of which fewer letters can be shown says nothing."""

_BREAKING_BLANKS = re.compile(r"[^\S\u00a0\u2007\u202f]+")  # no-break blanks keep words together
_UNPRINTED = {"Cc", "Cf", "Cs"}  # control, formatting (bidi overrides, zero-width), surrogates

SizedFont = Callable[[int], Font]


@dataclass(frozen=True, slots=True)
class FittedText:
    """Lines of text and the size at which they fit their box."""

    font: Font
    lines: tuple[str, ...]
    line_px: int  # baseline to baseline


def clean(text: str) -> str:
    """Make a text from outside printable: composed (NFC), single blanks, nothing invisible.

    Bidi overrides and zero-width characters can make a name read as another one.
    """
    composed = unicodedata.normalize("NFC", text)
    if composed.isprintable():  # neither no-break blanks nor anything to strip
        return " ".join(composed.split())
    composed = _BREAKING_BLANKS.sub(" ", composed)
    return "".join(c for c in composed if unicodedata.category(c) not in _UNPRINTED).strip(" ")


def fit_lines(
    text: str, font: SizedFont, *, width_px: int, height_px: int, max_px: int, min_px: int
) -> FittedText:
    """Set a cleaned text as large as its box allows, on one line or two.

    Two lines are broken where they come out most even. Two lines at ``min_px`` must fit the
    height; a text that is too long for them is cut with an ellipsis.

    Raises:
        NameDoesNotFit: Not even the first letters of the first word fit, or there is no text.
        MissingGlyph: The font lacks a character.
    """
    if not text:
        raise NameDoesNotFit("there is no text to print")
    words = text.split(" ")
    for size in range(max_px, min_px - 1, -1):
        sized = font(size)
        total = sized.width_px(text)
        if total <= width_px:
            return FittedText(sized, (text,), _line_px(size))
        if total <= 2 * width_px and 2 * _line_px(size) <= height_px:
            lines = _halve(words, sized, width_px, total)
            if lines is not None:
                return FittedText(sized, lines, _line_px(size))
    sized = font(min_px)
    return FittedText(sized, _cut(words, sized, width_px), _line_px(min_px))


def shorten(text: str, font: Font, width_px: int) -> str:
    """Cut a text with an ellipsis if it is wider than ``width_px``.

    Raises:
        NameDoesNotFit: Not even its first letters fit.
        MissingGlyph: The font lacks a character.
    """
    if font.width_px(text) <= width_px:
        return text
    start = _longest_start(text, font, width_px - font.width_px(ELLIPSIS))
    return start.rstrip(" ,.-") + ELLIPSIS


def _line_px(size_px: int) -> int:
    return round(LINE_HEIGHT * size_px)


def _halve(
    words: Sequence[str], font: Font, width_px: int, total_px: int
) -> tuple[str, str] | None:
    """Break into two lines as even as possible; None if no break fits."""
    blank = font.width_px(" ")
    left, right = -blank, total_px
    best, best_px = 0, width_px + 1
    for taken, word in enumerate(words[:-1], start=1):
        width = font.width_px(word) + blank
        left += width
        right -= width
        if max(left, right) < best_px:
            best, best_px = taken, max(left, right)
    return (" ".join(words[:best]), " ".join(words[best:])) if best else None


def _cut(words: Sequence[str], font: Font, width_px: int) -> tuple[str, ...]:
    """Fill a first line with whole words, and a second one as far as it goes."""
    first = words[0]
    taken = 1
    while taken < len(words):
        longer = f"{first} {words[taken]}"
        if font.width_px(longer) > width_px:
            break
        first, taken = longer, taken + 1
    if font.width_px(first) > width_px:  # one word longer than a line
        head = _longest_start(first, font, width_px - font.width_px("-"))
        return head + "-", shorten(" ".join([first[len(head) :], *words[1:]]), font, width_px)
    return first, shorten(" ".join(words[taken:]), font, width_px)


def _longest_start(text: str, font: Font, width_px: int) -> str:
    used = 0
    for i, character in enumerate(text):
        used += font.width_px(character)
        if used > width_px:
            if i < LEAST_LETTERS:
                raise NameDoesNotFit(
                    f"not even the first letters of a {len(text)}-character word fit "
                    f"{width_px} px at {font.size_px} px"
                )
            return text[:i]
    return text
