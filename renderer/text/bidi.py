"""The order of a line that mixes directions, by the Unicode Bidirectional Algorithm (UAX #9).

    logical  A B C _ ש ק ל _ 1 2      as stored and read
    level    0 0 0 0 1 1 1 1 2 2      even: left to right, odd: right to left
    visual   A B C _ 1 2 _ ל ק ש      every stretch at a level or above it turned round

python-bidi resolves the levels, in plain Python; which of its characters is which of ours is
remembered here, because it drops joiners on the way (rule X9). Overrides, embeddings and isolates
never come here: `renderer.text.fit.clean` strips them.
"""

from collections.abc import Sequence
from typing import TypeVar

from bidi import algorithm

FIRST_FROM_THE_RIGHT = "\u0590"
"""Where Hebrew begins; no script below it runs from right to left."""

_Item = TypeVar("_Item")


def starts_from_the_right(text: str) -> bool:
    """Say whether the first letter with a direction runs from right to left (rules P2, P3)."""
    if text.isascii() or max(text) < FIRST_FROM_THE_RIGHT:
        return False
    return bool(algorithm.get_base_level(text))


def resolve_levels(text: str, *, rtl: bool) -> list[int]:
    """Return the level of each character of one line whose paragraph runs ``rtl`` or not."""
    base = int(rtl)
    storage = algorithm.get_empty_storage()
    storage["base_level"] = base
    storage["base_dir"] = "LR"[base]
    algorithm.get_embedding_levels(text, storage)
    for index, character in enumerate(storage["chars"]):
        character["index"] = index
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage)
    algorithm.resolve_neutral_types(storage, debug=False)
    algorithm.resolve_implicit_levels(storage, debug=False)
    found = {character["index"]: character["level"] for character in storage["chars"]}
    levels: list[int] = []
    for index in range(len(text)):
        levels.append(found.get(index, levels[-1] if levels else base))
    for index in range(len(text) - 1, -1, -1):  # L1: blanks at the end stay at the end
        if not text[index].isspace():
            break
        levels[index] = base
    return levels


def order_visually(items: Sequence[_Item], levels: Sequence[int]) -> list[_Item]:
    """Put stretches of one level each into the order they are drawn in (rule L2)."""
    order = list(range(len(items)))
    for level in range(max(levels, default=0), 0, -1):
        start = 0
        while start < len(order):
            if levels[order[start]] < level:
                start += 1
                continue
            end = start
            while end < len(order) and levels[order[end]] >= level:
                end += 1
            order[start:end] = order[start:end][::-1]
            start = end
    return [items[index] for index in order]
