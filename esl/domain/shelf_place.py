"""Where a label hangs: aisle, bay, shelf and position; and in which order one walks past.

    aisle/bay/shelf/position        "3/2/4/11", "cheese/left": the parts behind may be missing

A label's place is this text, in one column; what another system said in other words ("Aisle 3,
low") is a place as well, with an aisle of that name. A promotion's area is the beginning of it:
``3/2`` is all that hangs in that bay.

The walk goes by aisle, bay, shelf and position, each in natural order (2 before 10); in
serpentines every second aisle is walked from its last bay to its first. Places that a store names
itself come first, in its own order.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from esl.domain.errors import InvalidInput

BELOW = "/"
PLACE_LONGEST = 80
PART_LONGEST = 40
FIRST_MOST = 1_000
_ORDERS_KEPT = 16
PARTS = ("aisle", "bay", "shelf", "position")

_NUMBERS = re.compile(r"([0-9]{1,15})")
_Key = tuple[tuple[int, int, str], ...]


class ShelfPlace(NamedTuple):
    """A place in its parts; one that is missing is empty, and so are those behind it."""

    aisle: str
    bay: str = ""
    shelf: str = ""
    position: str = ""

    @property
    def text(self) -> str:
        """Return it as labels keep it."""
        return BELOW.join(part for part in self if part)


def read_place(text: str) -> ShelfPlace:
    """Take a label's place apart; what is behind a fourth part belongs to that."""
    parts = [part.strip() for part in text.split(BELOW, 3)]
    return ShelfPlace(*parts)


def check_place(text: str, path: str) -> str:
    """Return a place as labels keep it: without blanks around its parts.

    Raises:
        InvalidInput: Empty, too long, an empty part before another, or more than four.
    """
    parts = [part.strip() for part in text.split(BELOW)]
    while parts and not parts[-1]:
        parts.pop()
    if not parts or not all(parts) or len(parts) > len(PARTS):
        raise InvalidInput.at(
            path, "not a place", fix='Send aisle/bay/shelf/position, such as "3/2/4/11" or "3/2".'
        )
    place = BELOW.join(parts)
    if len(place) > PLACE_LONGEST:
        raise InvalidInput.at(path, f"longer than {PLACE_LONGEST} characters", fix="Shorten it.")
    return place


def hangs_in(place: str | None, area: str) -> bool:
    """Say whether a place lies in an area: is it, or is below it."""
    return place is not None and (place == area or place.startswith(area + BELOW))


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How a store is walked: ``first`` are places (an aisle, a bay …) in the store's own order."""

    is_serpentine: bool = False
    first: tuple[str, ...] = ()


def walk_order(places: Iterable[str], walk: Walk) -> Mapping[str, int]:
    """Number places in the order of a walk; equal ones have one number.

    A shop's places seldom change, so the last few orders are remembered.
    """
    return _walk_order(frozenset(places), walk)


@lru_cache(maxsize=_ORDERS_KEPT)
def _walk_order(known: frozenset[str], walk: Walk) -> Mapping[str, int]:
    split = {place: read_place(place) for place in known}
    ranks = {place: _rank(place, walk.first) for place in known}
    aisles = sorted(
        {(ranks[place], natural(split[place].aisle)) for place in known},
    )
    turned = {key for number, key in enumerate(aisles) if walk.is_serpentine and number % 2}

    def key_of(place: str) -> tuple[int, _Key, tuple[_Turned | _Straight, ...], str]:
        parts = split[place]
        aisle = (ranks[place], natural(parts.aisle))
        way = _Turned if aisle in turned else _Straight
        return (
            *aisle,
            (
                way(natural(parts.bay)),
                _Straight(natural(parts.shelf)),
                way(natural(parts.position)),
            ),
            place,
        )

    return {place: number for number, place in enumerate(sorted(known, key=key_of))}


def natural(text: str) -> _Key:
    """Make a key by which 2 stands before 10, and capitals beside small letters."""
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold())
        for part in _NUMBERS.split(text)
        if part
    )


@dataclass(frozen=True, slots=True)
class _Straight:
    key: _Key

    def __lt__(self, other: "_Straight | _Turned") -> bool:
        return self.key < other.key


@dataclass(frozen=True, slots=True)
class _Turned:
    key: _Key

    def __lt__(self, other: "_Straight | _Turned") -> bool:
        return self.key > other.key


def _rank(place: str, first: Sequence[str]) -> int:
    """Return the number of the named place that this one is in, the deepest; behind: no such."""
    best, depth = len(first), -1
    for number, area in enumerate(first):
        if hangs_in(place, area) and len(area) > depth:
            best, depth = number, len(area)
    return best
