"""Patterns that a mapping brings along: of file names and of dates. Both are bounded.

Patterns of file names are regular expressions in which nothing that repeats may repeat again, so
that no file name can keep a reader busy for hours.
"""

import re
import warnings
from typing import Any

FILE_NAME_LONGEST = 255
_DATE = re.compile(r"(?:%[dmYyHMSzfj%]|[^%A-Za-z]|T)+")
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_MOST_REPEATS = 6


def check_file_pattern(text: str) -> str | None:
    """Say what is wrong with a pattern of file names; None if nothing is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pattern = re.compile(text)
            parsed = re._parser.parse(text)  # type: ignore[attr-defined]
    except (re.error, RecursionError, OverflowError, Warning) as exc:
        return f"not a regular expression: {' '.join(str(exc).split())[:80]}"
    if "store" not in pattern.groupindex:
        return "no group named store"
    depth, count = _count_repeats(parsed)
    if depth > 1:
        return "repeats something that repeats"
    if count > _MOST_REPEATS:
        return f"more than {_MOST_REPEATS} repeats"
    return None


def find_store(pattern: str, file_name: str) -> str | None:
    """Return the store that a file's name, without its folder, names; None if it does not fit."""
    name = re.split(r"[\\/]", file_name)[-1]
    if len(name) > FILE_NAME_LONGEST:
        return None
    found = re.fullmatch(pattern, name)
    return found["store"] or None if found is not None else None


def check_date_format(text: str) -> str | None:
    """Say what is wrong with a format of dates; None if nothing is."""
    if not _DATE.fullmatch(text):
        return "not made of %d %m %Y %y %H %M %S %z and signs between them"
    has_day = "%d" in text and "%m" in text
    if not (has_day or "%j" in text) or ("%Y" not in text and "%y" not in text):
        return "no day, month and year"
    return None


def _count_repeats(parsed: Any) -> tuple[int, int]:
    """Return how deep repeats lie within repeats, and how many there are."""
    deepest, count = 0, 0
    for operation, argument in parsed:
        repeats = str(operation) in _REPEATS and argument[1] > 1
        inner = [part for part in _parts(argument) if part is not None]
        depths = [_count_repeats(part) for part in inner]
        deepest = max([deepest, repeats + max((depth for depth, _ in depths), default=0)])
        count += repeats + sum(each for _, each in depths)
    return deepest, count


def _parts(argument: Any) -> list[Any]:
    if isinstance(argument, re._parser.SubPattern):  # type: ignore[attr-defined]
        return [argument]
    if isinstance(argument, tuple | list):
        return [part for each in argument for part in _parts(each)]
    return []
