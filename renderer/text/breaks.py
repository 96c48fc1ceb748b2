"""Where a text may be broken into lines.

A text becomes *words*, each with what stands before it when it does not begin a line: a blank,
or nothing where Chinese and Japanese break between characters. Not broken are words joined by a
no-break blank, a number and its unit ("500 g"), and, in Chinese and Japanese, a mark from what it
closes or opens.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from renderer.text.scripts import clusters

_BLANK = re.compile(
    r" (?!(?<=[0-9] )(?:g|kg|mg|l|ml|cl|dl|m|cm|mm|m²|%|°C|W"
    r"|kom|kos|ks|szt|db|St|Stk|pcs|pc|ct|oz|lb)(?![^\W_]))"
)
"""A blank, but not the one between a number and a unit of the shelf."""

_IDEOGRAPHS = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_CLOSES = "、。，．・：；？！）］｝」』】〉》〕ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々"
_OPENS = "（［｛「『【〈《〔"
_BETWEEN_IDEOGRAPHS = re.compile(
    f"(?<=[{_IDEOGRAPHS}{_CLOSES}])(?<![{_OPENS}])(?=[{_IDEOGRAPHS}{_OPENS}])(?![{_CLOSES}])"
)
_HAS_IDEOGRAPH = re.compile(f"[{_IDEOGRAPHS}]")
_HAS_NO_BLANKS = re.compile("[\u0e00-\u0e3e\u0e40-\u0eff\u1000-\u109f\u1780-\u17da\u17dc-\u17ff]")
"""Thai, Lao, Burmese, Khmer: no blanks between words, and no dictionary here to find them. Their
currency signs, ฿ and ៛, stand by numbers, which are not broken."""


class Word(NamedTuple):
    """A piece of text that stays on one line."""

    text: str
    glue: str  # " " or "" before it, inside a line


def split_words(text: str) -> list[Word]:
    """Split a cleaned text where it may be broken well."""
    if not text.isascii() and _HAS_IDEOGRAPH.search(text):
        return [
            Word(part, "" if i else " ")
            for word in _BLANK.split(text)
            for i, part in enumerate(_BETWEEN_IDEOGRAPHS.split(word))
        ]
    return [Word(word, " ") for word in _BLANK.split(text)]


def split_closer(words: Sequence[Word]) -> list[Word] | None:
    """Split Thai and its like between characters, too; None if there is nothing of them."""
    closer: list[Word] = []
    for word in words:
        if _HAS_NO_BLANKS.search(word.text):
            closer += [
                Word(part, "" if i else word.glue) for i, part in enumerate(clusters(word.text))
            ]
        else:
            closer.append(word)
    return closer if len(closer) > len(words) else None


def join_words(words: Sequence[Word]) -> str:
    """Put words of one line together again."""
    return "".join([glue + text for text, glue in words])[len(words[0].glue) :]


def break_evenly(
    words: Sequence[Word], measure: Callable[[str], int], *, count: int, width_px: int
) -> tuple[str, ...] | None:
    """Break words into ``count`` lines, the longest of them as short as can be.

    A line of a single letter is left only where there is no other way. None if no break fits.
    """
    blank = measure(" ")
    widths = [measure(text) for text, _ in words]
    before = [blank if glue else 0 for _, glue in words]
    if count == 2:  # noqa: PLR2004 most names, and three times as fast
        ends = _halve(words, widths, before, width_px)
    else:
        ends = _part(words, widths, before, count, width_px)
    if ends is None:
        return None
    borders = (0, *ends, len(words))
    return tuple(join_words(words[start:end]) for start, end in pairwise(borders))


def _halve(
    words: Sequence[Word], widths: Sequence[int], before: Sequence[int], width_px: int
) -> tuple[int, ...] | None:
    """Find how many words the first of two lines takes.

    With each word more it grows and the second one shrinks, so the longer of both is shortest just
    before or just behind the place where they meet.
    """
    alone = len(words[0].text) == 1, len(words[-1].text) == 1
    last = len(words) - 1
    first, second = -before[0], sum(widths) + sum(before)
    best: tuple[bool, int] = (True, width_px + 1)
    end = 0
    for taken in range(1, last + 1):
        step = widths[taken - 1] + before[taken - 1]
        first += step
        second -= step
        behind = second - before[taken]
        longest = max(first, behind)
        if longest > width_px:
            if first == longest:
                break  # as it is for all that follow
            continue
        lonely = (taken == 1 and alone[0]) or (taken == last and alone[1])
        if (lonely, longest) < best:
            best, end = (lonely, longest), taken
        elif first == longest and not best[0]:
            break
    return (end,) if end else None


def _part(
    words: Sequence[Word],
    widths: Sequence[int],
    before: Sequence[int],
    count: int,
    width_px: int,
) -> tuple[int, ...] | None:
    """Find the best ends of all lines but the last, trying each for each: some hundred steps."""
    ways: list[tuple[bool, int, tuple[int, ...]] | None] = [(False, 0, ())]
    ways += [None] * len(words)
    for _ in range(count):
        further: list[tuple[bool, int, tuple[int, ...]] | None] = [None] * (len(words) + 1)
        for start, way in enumerate(ways[:-1]):
            if way is None:
                continue
            line = -before[start]
            for end in range(start + 1, len(words) + 1):
                line += before[end - 1] + widths[end - 1]
                if line > width_px:
                    break
                lonely = way[0] or (end == start + 1 and len(words[start].text) == 1)
                longer = (lonely, max(way[1], line), (*way[2], end))
                known = further[end]
                if known is None or longer[:2] < known[:2]:
                    further[end] = longer
        ways = further
    last = ways[-1]
    return last[2][:-1] if last is not None else None
