"""What differs between two texts, line by line, for people who read it."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

AROUND: Final = 3
"""Lines that are the same and stand around those that differ."""

_MOST: Final = 4_000_000
"""Pairs of lines that are compared; where there are more, one text takes the other's place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; ``old`` and ``new`` are its numbers in the two texts."""

    sign: str  # "+", "-", " ", or "…" for lines that are left out
    text: str
    old: int | None = None
    new: int | None = None


def changes_between(old: str, new: str) -> list[Line]:
    """Return the lines that differ with some around them; none if the texts are the same."""
    before, after = old.splitlines(), new.splitlines()
    if len(before) * len(after) > _MOST:
        whole = [*_numbered("-", before, 0, len(before)), *_numbered("+", after, 0, len(after))]
        return whole if before != after else []
    matcher = difflib.SequenceMatcher(None, before, after)
    found: list[Line] = []
    for group in matcher.get_grouped_opcodes(AROUND):
        if found:
            found.append(Line(sign="…", text=""))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                found += [
                    Line(sign=" ", text=text, old=i1 + at + 1, new=j1 + at + 1)
                    for at, text in enumerate(before[i1:i2])
                ]
                continue
            found += _numbered("-", before, i1, i2)
            found += _numbered("+", after, j1, j2)
    return found


def _numbered(sign: str, lines: Sequence[str], start: int, end: int) -> Iterator[Line]:
    for at in range(start, end):
        is_old = sign == "-"
        yield Line(
            sign=sign,
            text=lines[at],
            old=at + 1 if is_old else None,
            new=None if is_old else at + 1,
        )
