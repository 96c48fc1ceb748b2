"""Texts made fit for a box: as large as it allows, wrapped well, shortened only as a last resort.

::

    REFUSE    one line at the size asked for
    SHRINK    … or at a smaller one
    WRAP      … or on several lines, at the largest size at which they fit width and height
    ELLIPSIS  … or, at the smallest size, cut

A line fits if its ink does: overhanging letters, accents on capitals and tails included.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple

from esl.domain.errors import NameDoesNotFit
from renderer.text.bidi import starts_from_the_right
from renderer.text.breaks import Word, break_evenly, join_words, split_closer, split_words
from renderer.text.fonts import Font
from renderer.text.scripts import JOINERS, clusters, is_mark, is_simple

ELLIPSIS = "…"
LINE_HEIGHT = 1.13
"""Baseline to baseline over size: Roboto's own 1.17, less the accents no two lines both have."""

LEAST_LETTERS = 2
"""A text of which fewer letters can be shown says nothing."""

_ENDS_TO_DROP = " ,.-−+"

_GOES_ON = re.compile(r"[.,'’\u00a0\u202f]?\d")
_NUMBER_AT_END = re.compile(r"[\d.,'’\u00a0\u202f]*\d[.,'’\u00a0\u202f]?$")
_STRAY_WIDTHS = 1.12
"""How far widths stray from being in proportion to the size: advances are whole pixels."""

_BREAKING_BLANKS = re.compile(r"[^\S\u00a0\u2007\u202f]+")  # no-break blanks keep words together
_UNPRINTED = {"Cc", "Cf", "Cs"}  # control, formatting (bidi overrides, zero-width), surrogates
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""Letters and marks without ink: fillers, variation selectors, the grapheme joiner."""

SizedFont = Callable[[int], Font]


class Fit(StrEnum):
    """What may be done to a text; each may do what those before it may."""

    REFUSE = "refuse"
    SHRINK = "shrink"
    WRAP = "wrap"
    ELLIPSIS = "ellipsis"


class FittedText(NamedTuple):
    """Lines of text and the size at which they fit their box."""

    font: Font
    lines: tuple[str, ...]
    line_px: int  # baseline to baseline
    rise_px: int  # ink of the first line above its baseline
    drop_px: int  # ink of the last line below its baseline
    cut: bool = False
    rtl: bool = False  # the paragraph runs from right to left
    in_cells: bool = False  # no ink passes the start or the end of its line


class _Box(NamedTuple):
    width_px: int
    height_px: int


def clean(text: str) -> str:
    """Make a text from outside printable: composed (NFC), single blanks, nothing invisible.

    Bidi overrides and zero-width characters can make a name read as another one. Joiner and
    non-joiner stay between letters of scripts that join, where they are spelling.
    """
    composed = text if text.isascii() else unicodedata.normalize("NFC", text)
    if composed.isascii() or not _UNSEEN.search(composed):
        if composed.isprintable():  # neither no-break blanks nor anything to strip
            if "  " in composed or composed[:1] == " " or composed[-1:] == " ":
                return " ".join(composed.split())
            return composed
    else:
        composed = _UNSEEN.sub("", composed)
    composed = _BREAKING_BLANKS.sub(" ", composed)
    kept: list[str] = []
    for at, character in enumerate(composed):
        if character in JOINERS:
            following = composed[at + 1 : at + 2]
            if kept and _joins(kept[-1]) and following and _joins(following):
                kept.append(character)
        elif unicodedata.category(character) not in _UNPRINTED:
            kept.append(character)
    stripped = unicodedata.normalize("NFC", "".join(kept))  # what stood apart may compose now
    return _BREAKING_BLANKS.sub(" ", stripped).strip(" ")


def _joins(character: str) -> bool:
    return not is_simple(character) and (character.isalpha() or is_mark(character))


def fit_text(
    text: str,
    font: SizedFont,
    *,
    width_px: int,
    height_px: int,
    size_px: int,
    min_px: int,
    max_lines: int = 1,
    fit: Fit = Fit.ELLIPSIS,
    path: str = "",
) -> FittedText:
    """Set a cleaned text as large as its box allows.

    Several lines are broken where they come out most even, and only if one line does not fit at
    the same size. ``path`` names the text in errors.

    Raises:
        NameDoesNotFit: It does not fit as far as ``fit`` allows, or there is no text.
        MissingGlyph: No font has a character.
    """
    if not text:
        raise NameDoesNotFit(f"{_prefix(path)}there is no text to print")
    box = _Box(width_px, height_px)
    smallest = size_px if fit is Fit.REFUSE else max(min(min_px, size_px), 1)
    most = max_lines if fit is Fit.WRAP or fit is Fit.ELLIPSIS else 1
    sizes = range(size_px, smallest - 1, -1)
    found = _fit_whole(text, split_words, font, box, sizes, most)
    if found is None and most > 1 and (closer := split_closer(split_words(text))) is not None:
        found = _fit_whole(text, lambda _text: closer, font, box, sizes, most)
    if found is None and fit is Fit.ELLIPSIS:
        found = _cut(text, font(smallest), box, most)
    if found is None:
        raise NameDoesNotFit(_prefix(path) + _explain(text, font(smallest), box, most))
    return found


def _fit_whole(
    text: str,
    split: Callable[[str], Sequence[Word]],
    font: SizedFont,
    box: _Box,
    sizes: range,
    max_lines: int,
) -> FittedText | None:
    """Find the largest size at which the whole text fits; split it only where one line is short."""
    words: Sequence[Word] = ()
    size = sizes.start
    while size > sizes.stop:
        sized = font(size)
        total = sized.width_px(text)
        if total <= box.width_px:
            found = _checked((text,), sized, text, box)
            if found is not None:
                return found
        line_px = box.width_px + size  # blanks at the breaks take no room
        if total > max_lines * line_px:
            room = max_lines * line_px * _STRAY_WIDTHS
            size = min(size - 1, int(size * room / total) + 1)
            continue
        for count in range(2, min(max_lines, _most_lines(sized, box)) + 1):
            if total > count * line_px:
                continue
            words = words or split(text)
            if count > len(words) or _is_too_tall(words, sized, count, box):
                break
            lines = break_evenly(words, sized.word_px, count=count, width_px=box.width_px)
            found = _checked(lines, sized, text, box) if lines is not None else None
            if found is not None:
                return found
        size -= 1
    return None


def _checked(lines: tuple[str, ...], font: Font, text: str, box: _Box) -> FittedText | None:
    """Make the result if the ink of all lines fits the box."""
    rtl = starts_from_the_right(text)
    in_cells = not rtl and all(map(font.keeps_in_cells, lines))
    for line in () if in_cells else lines:
        if rtl:  # a line may look otherwise than alone: it is a part of its paragraph
            run = font.run(line, rtl)
            right = max(run.left_px + run.paper.shape[1], run.width_px)
            if right - min(run.left_px, 0) > box.width_px:
                return None
            continue
        if font.width_px(line) + 2 * font.size_px <= box.width_px:
            continue  # not even a mark without a letter hangs over that far
        overhang = max(-font.lead_px(line), 0) + max(-font.tail_px(line), 0)
        if overhang and font.width_px(line) + overhang > box.width_px:
            return None
    line_px = round(LINE_HEIGHT * font.size_px)
    rise, drop = font.reach_px(lines[0])
    between = 0
    for below in lines[1:]:
        rise_below, drop_below = font.reach_px(below)
        line_px = max(line_px, drop + rise_below)
        between, drop = between + 1, drop_below
    if rise + between * line_px + drop > box.height_px:
        return None
    cut = not text.endswith(lines[-1])
    return FittedText(font, lines, line_px, rise, drop, cut, rtl, in_cells)


def _is_too_tall(words: Sequence[Word], font: Font, count: int, box: _Box) -> bool:
    """Say whether so many lines are too tall wherever they break: quick, never wrongly true."""
    rise, drop = font.least_reach_px(words[0].text, words[-1].text)
    return rise + (count - 1) * round(LINE_HEIGHT * font.size_px) + drop > box.height_px


def _most_lines(font: Font, box: _Box) -> int:
    return (box.height_px - font.cap_px) // round(LINE_HEIGHT * font.size_px) + 1


def _cut(text: str, font: Font, box: _Box, max_lines: int) -> FittedText | None:
    """Fill lines with whole words as far as they go, and end in an ellipsis."""
    words = split_words(text)
    words = split_closer(words) or words
    for count in range(min(max_lines, _most_lines(font, box)), 0, -1):
        for overhang in (0, font.size_px // 6 + 1):
            lines = _fill(words, font, count, box.width_px - overhang)
            if lines is None:
                return None
            found = _checked(lines, font, text, box)
            if found is not None:
                return found
    return None


def _fill(words: Sequence[Word], font: Font, count: int, width_px: int) -> tuple[str, ...] | None:
    """Set words on at most ``count`` lines; None if not even two letters of a word fit."""
    rest = list(words)
    lines: list[str] = []
    while rest and len(lines) < count - 1:
        taken = _take(rest, font, width_px)
        if taken:
            lines.append(join_words(rest[:taken]))
            rest = rest[taken:]
            continue
        head = _longest_start(rest[0].text, font, width_px, "-")
        if head is None:
            return None
        hyphen = "-" if is_simple(head[-1]) else ""  # Arabic and Thai have none
        lines.append(head + hyphen)
        rest[0] = Word(rest[0].text[len(head) :], " ")
    if rest:
        last = _shortened(join_words(rest), font, width_px)
        if last is None:
            return None
        lines.append(last)
    return tuple(lines)


def _take(words: Sequence[Word], font: Font, width_px: int) -> int:
    """Count the words that fit a line."""
    line = words[0].text
    taken = 0
    while font.width_px(line) <= width_px:
        taken += 1
        if taken == len(words):
            break
        line += words[taken].glue + words[taken].text
    return taken


def _shortened(text: str, font: Font, width_px: int) -> str | None:
    if font.width_px(text) <= width_px:
        return text
    start = _longest_start(text, font, width_px, ELLIPSIS)
    if start is None:
        return None
    if _GOES_ON.match(text, len(start)):  # half a number would be another number
        start = _NUMBER_AT_END.sub("", start)
    start = start.rstrip(_ENDS_TO_DROP)
    return start + ELLIPSIS if start else None


def _longest_start(text: str, font: Font, width_px: int, end: str) -> str | None:
    """Find the longest start that fits with ``end`` after it; None below `LEAST_LETTERS`."""
    ends = list(accumulate(map(len, clusters(text))))
    fitting = bisect_right(ends, width_px, key=lambda at: font.width_px(text[:at] + end))
    return text[: ends[fitting - 1]] if fitting >= min(LEAST_LETTERS, len(ends)) else None


def _prefix(path: str) -> str:
    return f"{path}: " if path else ""


def _explain(text: str, font: Font, box: _Box, max_lines: int) -> str:
    height = font.ink_ascent_px(text) + font.drop_px(text)
    lines = f" on up to {max_lines} lines" if max_lines > 1 else ""
    return (
        f"{len(text)} characters at their smallest size, {font.size_px} px, need "
        f"{font.width_px(text)} x {height} px on one line, "
        f"and do not fit {box.width_px} x {box.height_px} px{lines}"
    )
