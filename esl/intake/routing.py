"""Which store a file is of, by its name: ``prices_{store}_*.csv``.

::

    prices_{store}_*.csv     prices_0007_20261122.csv   0007
    *_{store}.csv            export_2026_0007.csv       0007
    {store}/prices*.csv      in/0007/prices.csv         0007     with its folder

A pattern is of the characters of the name, ``*`` (any, or none), ``?`` (one) and ``{store}`` once.
What it finds is the source's own name of the store. Capital letters do not count, except in what
is found. ``{store}`` has at least one character, and none that stands beside it in the pattern,
so that ``prices_{store}_*.csv`` never finds ``0007_2026``.
"""

import re
from dataclasses import dataclass

from esl.domain.errors import InvalidInput

STORE_FROM = "store_from"
"""The setting of a source that has such a pattern."""

PATTERN_LONGEST = 200
NAME_LONGEST = 255  # of one part of a path, in characters
STARS_MOST = 3  # more of them would let a long name keep a reader busy
_MARK = "{store}"
_FIX = "Write it such as prices_{store}_*.csv."


@dataclass(frozen=True, slots=True)
class StorePattern:
    """A pattern that was found right; ``text`` is how it was written."""

    text: str
    parts: int  # of a path that it looks at: 1 is the name of the file alone
    _compiled: re.Pattern[str]

    def find(self, path: str) -> str | None:
        r"""Return the store that a file's path names; None if it does not fit.

        Folders before those that the pattern speaks of do not count; ``\`` parts folders, too.
        """
        parts = re.split(r"[\\/]+", path)[-self.parts :]
        if len(parts) < self.parts or any(len(part) > NAME_LONGEST for part in parts):
            return None
        found = self._compiled.fullmatch("/".join(parts))
        return found["store"] if found is not None else None


def parse_store_from(text: str, *, path: str = f"/settings/{STORE_FROM}") -> StorePattern:
    """Read a pattern.

    Raises:
        InvalidInput: It is none; ``path`` is where it stands.
    """
    wrong = _wrong_with(text)
    if wrong is not None:
        raise InvalidInput.at(path, wrong, fix=_FIX)
    before, _, after = text.partition(_MARK)
    apart = {"/"}
    if after:
        apart.add(after[0])
    if "*" in before:
        apart.add(before[-1])
    named = f"(?P<store>[^{''.join(map(re.escape, sorted(apart)))}]+)"
    compiled = re.compile(_expression(before) + named + _expression(after), re.IGNORECASE)
    return StorePattern(text, text.count("/") + 1, compiled)


def _wrong_with(text: str) -> str | None:
    before, _, after = text.partition(_MARK)
    rest = before + after
    wrong = (
        (
            not 0 < len(text) <= PATTERN_LONGEST or not text.isprintable(),
            f"not 1 to {PATTERN_LONGEST} characters that can be printed",
        ),
        (text.count(_MARK) != 1, "does not have {store} once"),
        ("{" in rest or "}" in rest, "has braces that are not those of {store}"),
        (
            "\\" in rest or "//" in text or text.startswith("/") or text.endswith("/"),
            "folders are parted by one / each, and none stands at an end",
        ),
        (rest.count("*") > STARS_MOST, f"more than {STARS_MOST} *"),
        (
            before.endswith(("*", "?")) or after.startswith(("*", "?")),
            "{store} stands beside * or ?, so nobody knows where it ends",
        ),
    )
    return next((words for is_so, words in wrong if is_so), None)


def _expression(text: str) -> str:
    signs = {"*": "[^/]*?", "?": "[^/]"}
    return "".join(signs.get(sign) or re.escape(sign) for sign in text)
