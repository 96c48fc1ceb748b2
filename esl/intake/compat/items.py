"""Items of a driver, brought into one shape and read through a mapping.

    [Sent] ──same id: folded together──▶ JSON ──mapping──▶ entries, and a problem for each bad one

An item that a driver sends *whole* says also what the product no longer has; one that it sends in
part leaves alone what it does not name.
"""

import json
import re
from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from esl.domain.entry import Entry, RowProblem
from esl.domain.errors import InvalidInput
from esl.intake.mapping.model import Format, Mapping
from esl.intake.mapping.reading import read_entries
from esl.intake.mapping.store_context import Place, StoreContext
from esl.intake.strict_json import JsonFraction

ITEMS_MOST = 10_000
_OWN_MEMBERS = ("data", "properties")
_PLAIN_PATH = re.compile(r"item((?:\.[A-Za-z_][A-Za-z0-9_]*)+)")
_ZERO = re.compile(r"0+(?:[.,]0+)?", re.ASCII)
_ZERO_IS_NONE = ("promotion_price", "was")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One item as it was sent; ``members`` in the maker's present words."""

    key: str  # its id; "" where it has none
    members: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadItems:
    """What items say. ``places`` tells for each item sent which row it became, from 1."""

    entries: tuple[Entry, ...]
    problems: tuple[RowProblem, ...]
    places: tuple[int, ...]


def read_items(sent: Sequence[Sent], mapping: Mapping, place: Place, *, whole: bool) -> ReadItems:
    """Read items for a store.

    Raises:
        InvalidInput: The mapping is not for such items, or for another currency.
    """
    if mapping.format is not Format.JSON:
        raise InvalidInput.at("", "the mapping of this source is not for JSON")
    rows, places = _fold(sent, whole=whole)
    paths = [p for t in _ZERO_IS_NONE if (p := path_of(mapping, t)) is not None]
    for row in rows:
        for path in paths:
            _clear_zero(row, path)
    body = json.dumps([_plain(row, mapping.decimal) for row in rows]).encode()
    entries: list[Entry] = []
    problems: list[RowProblem] = []
    for each in read_entries(body, _fitted(mapping, whole=whole), store=StoreContext(place=place)):
        if isinstance(each, Entry):
            entries.append(each)
        else:
            problems.append(each)
    return ReadItems(entries=tuple(entries), problems=tuple(problems), places=tuple(places))


def path_of(mapping: Mapping, target: str) -> tuple[str, ...] | None:
    """Return where a target stands in an item; None unless it is a plain path."""
    value = mapping.fields.get(target)
    found = _PLAIN_PATH.fullmatch(value.name) if value is not None and value.name else None
    return tuple(found[1][1:].split(".")) if found is not None else None


def _fitted(mapping: Mapping, *, whole: bool) -> Mapping:
    fields = mapping.fields
    if whole:
        fields = {target: replace(value, clears=True) for target, value in fields.items()}
    return replace(mapping, items=None, encoding=None, store_from=None, fields=fields)


def _fold(sent: Sequence[Sent], *, whole: bool) -> tuple[list[dict[str, Any]], list[int]]:
    """Let the last word on each id count; what is sent in part is laid over what came before."""
    rows: list[dict[str, Any]] = []
    places: list[int] = []
    known: dict[str, int] = {}
    for one in sent:
        at = known.get(one.key) if one.key else None
        if at is None:
            at = len(rows)
            rows.append({})
            if one.key:
                known[one.key] = at
        rows[at] = dict(one.members) if whole else _laid_over(rows[at], one.members)
        places.append(at + 1)
    return rows, places


def _laid_over(below: Table[str, Any], above: Table[str, Any]) -> dict[str, Any]:
    both = {**below, **above}
    for name in _OWN_MEMBERS:
        old, new = below.get(name), above.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            both[name] = {**old, **new}
    return both


def _clear_zero(row: dict[str, Any], path: tuple[str, ...]) -> None:
    """Take 0 for "there is none", where it cannot be a price."""
    *outer, last = path
    here: Any = row
    for step in outer:
        here = here.get(step) if isinstance(here, dict) else None
    if not isinstance(here, dict):
        return
    match here.get(last):
        case str(text) | JsonFraction(text) if _ZERO.fullmatch(text.strip()):
            here[last] = None
        case 0:
            here[last] = None
        case _:
            pass


def _plain(value: Any, decimal: str) -> Any:
    """Make JSON of what `parse_strict_json` read; fractions keep their digits."""
    match value:
        case JsonFraction(text):
            return text.replace(".", decimal)
        case dict():
            return {name: _plain(inner, decimal) for name, inner in value.items()}
        case list():
            return [_plain(inner, decimal) for inner in value]
        case _:
            return value
