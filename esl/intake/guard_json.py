"""Guards as JSON, for the API and for how they are kept.

    {"on": true,
     "limits": {"rise_percent": 50, "fall_percent": null, …},   null switches a limit off
     "categories": {"Voće": {"rise_percent": 200}}}             the rest as in "limits"

What is left out is as usual.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from functools import lru_cache
from typing import Any

from esl.domain.errors import InvalidInput
from esl.domain.guards import Guards, Limits
from esl.domain.money import PRICE_MAX_MINOR
from esl.domain.pricing import KEEP
from esl.intake.fields import Fields
from esl.intake.strict_json import parse_strict_json, pointer

CATEGORIES_MOST = 500
CATEGORY_LONGEST = 120

_BOUNDS: Mapping[str, tuple[int, int]] = {
    "highest_minor": (1, PRICE_MAX_MINOR),
    "lowest_minor": (1, PRICE_MAX_MINOR),
    "rise_percent": (0, 100_000),
    "fall_percent": (0, 100),
    "shift_percent": (0, 20),
    "promotion_fall_percent": (0, 100),
    "unit_price_percent": (0, 1000),
    "changes_a_day": (1, 10_000),
    "big_percent": (1, 1000),
    "bulk_permille": (0, 1000),
    "bulk_least": (0, 1_000_000),
}
_NEVER_OFF = frozenset({"highest_minor", "lowest_minor", "big_percent", "bulk_least"})


def parse_guards(value: Any, path: str = "") -> Guards:
    """Read guards.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    read = Fields(value, path=path)
    on = read_flag(read, "on", usual=True)
    limits = _read_limits(read, read.take("limits"), pointer(path, "limits"), Limits())
    categories: dict[str, Limits] = {}
    named = read.take("categories")
    if isinstance(named, dict) and len(named) <= CATEGORIES_MOST:
        at = pointer(path, "categories")
        for name, some in named.items():
            if not 1 <= len(name) <= CATEGORY_LONGEST:
                read.problem("categories", "the name of a category is empty or too long")
                continue
            categories[name] = _read_limits(read, some, pointer(at, name), limits)
    elif named is not KEEP and named is not None:
        read.problem("categories", f"not an object of at most {CATEGORIES_MOST} categories")
    read.finish()
    return Guards(on=on, limits=limits, categories=categories)


def read_flag(read: Fields, name: str, *, usual: bool) -> bool:
    """Read true or false; ``usual`` where it was left out."""
    value = read.take(name)
    if value is KEEP:
        return usual
    if isinstance(value, bool):
        return value
    read.problem(name, "neither true nor false")
    return usual


def guards_view(guards: Guards) -> dict[str, Any]:
    """Write guards as `parse_guards` reads them, with every limit."""
    return {
        "on": guards.on,
        "limits": asdict(guards.limits),
        "categories": {name: asdict(some) for name, some in guards.categories.items()},
    }


def guards_text(guards: Guards) -> str:
    """Write guards as they are kept."""
    return json.dumps(guards_view(guards), ensure_ascii=False)


@lru_cache(maxsize=256)
def guards_from(text: str | None) -> Guards:
    """Read guards as they are kept; None are the usual ones."""
    return Guards() if text is None else parse_guards(parse_strict_json(text.encode()))


def _read_limits(read: Fields, value: Any, path: str, usual: Limits) -> Limits:
    if value is KEEP or value is None:
        return usual
    given = Fields(value, path=path)
    changed: dict[str, Any] = {}
    for limit in fields(Limits):
        name = limit.name
        if not given.has(name):
            continue
        if name not in _BOUNDS:
            changed[name] = read_flag(given, name, usual=True)
            continue
        found = given.take(name)
        low, high = _BOUNDS[name]
        if found is None and name not in _NEVER_OFF:
            changed[name] = None
        elif isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
            may = "" if name in _NEVER_OFF else ", or null to switch it off"
            given.problem(name, f"not an integer within {low} to {high}", fix=f"Send one{may}.")
        else:
            changed[name] = found
    try:
        given.finish()
    except InvalidInput as exc:
        read.problems.extend(exc.problems)
        return usual
    limits = replace(usual, **changed)
    if limits.lowest_minor > limits.highest_minor:
        given.problem("lowest_minor", "above highest_minor")
        read.problems.extend(given.problems)
    return limits
