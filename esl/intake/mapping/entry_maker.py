"""Making an entry in half the time that its own constructor takes.

An `Entry` is frozen, and a frozen dataclass sets each of its thirty fields through a function of
its own: 9 µs, a third of what reading a row takes. Its slots can be set directly.
"""

import dataclasses
from itertools import repeat
from operator import call
from typing import Any, Final

from esl.domain.entry import Entry

_NAMES: Final = tuple(field.name for field in dataclasses.fields(Entry))
_SETTERS: Final = tuple(getattr(Entry, name).__set__ for name in _NAMES)
_DEFAULTS: Final = {
    field.name: None if field.default is dataclasses.MISSING else field.default
    for field in dataclasses.fields(Entry)
}


def make_entry(fields: dict[str, Any]) -> Entry:
    """Return ``Entry(**fields)``; ``store_id``, ``sku`` and ``currency`` must be among them."""
    entry = object.__new__(Entry)
    values = _DEFAULTS | fields
    if len(values) != len(_NAMES):
        raise TypeError(f"an entry has no {sorted(values.keys() - _DEFAULTS.keys())}")
    # All setters are called: each returns None. A loop of our own takes half as long again.
    any(map(call, _SETTERS, repeat(entry), values.values()))
    return entry
