"""From a cell to a value: strip, words, defaults, and what empty means. Compiled once a mapping.

=====================  =========================================================================
a text                 blanks and ``strip`` off both ends, then ``map``, then read
empty, or not there    ``default``; else clears where the mapping says so; else keeps
an explicit null       clears; a price, a name and a SKU cannot be cleared and are kept
=====================  =========================================================================
"""

from collections.abc import Callable
from typing import Any, Final

from esl.domain.errors import InvalidInput
from esl.domain.pricing import KEEP
from esl.intake.mapping.bad_value import BadValue
from esl.intake.mapping.model import Value
from esl.intake.mapping.opened import Cell, Null, Unreadable
from esl.intake.strict_json import pointer

_CACHED_MOST = 16_384
_CACHED_LONGEST = 64
_NEVER_CLEARED: Final = frozenset({"sku", "price", "name", "store"})
_MISSING: Final = object()

Convert = Callable[[Cell], Any]


def compile_cell(
    target: str,
    value: Value,
    parse: Callable[[str], Any],
    *,
    parse_list: Callable[[tuple[Any, ...]], Any] | None = None,
    cached: bool,
) -> Convert:
    """Make the function from a cell to a target's value, None (clear) or `KEEP`.

    Raises:
        InvalidInput: The mapping's own default cannot be read.
        BadValue: From the function: the cell cannot be read.
    """
    cleared = KEEP if target in _NEVER_CLEARED else None
    empty = cleared if value.clears else KEEP
    if value.default is not None:
        empty = _parse_default(target, value.default, parse)
    edges = f"{value.strip} \t\r\n\u00a0" if value.strip else None
    words = dict(value.map)
    other = words.pop("*", _MISSING)

    def convert(cell: Cell) -> Any:
        if not isinstance(cell, str):
            return _convert_other(cell, empty, cleared, parse_list)
        text = cell.strip()
        return parse(text) if text else empty

    def convert_with_words(cell: Cell) -> Any:
        if not isinstance(cell, str):
            return _convert_other(cell, empty, cleared, parse_list)
        text = cell.strip(edges)
        known = words.get(text, _MISSING)
        if known is _MISSING and text:
            known = other
        if known is not _MISSING:
            text = known or ""  # type: ignore[assignment]  # a word stands for a text or nothing
        return parse(text) if text else empty

    plain = convert_with_words if edges or value.map else convert
    return _remember(plain) if cached else plain


def _convert_other(
    cell: Cell, empty: Any, cleared: Any, parse_list: Callable[[tuple[Any, ...]], Any] | None
) -> Any:
    """Take a cell that is no text."""
    match cell:
        case None | ():
            return empty
        case Null():
            return cleared
        case Unreadable(what):
            raise BadValue(f"{what}, and a single value is wanted")
        case tuple() if parse_list is not None:
            return parse_list(cell)
        case _:
            raise BadValue("a list, and a single value is wanted")


def _parse_default(target: str, default: str, parse: Callable[[str], Any]) -> Any:
    if not default.strip():
        return KEEP
    try:
        return parse(default.strip())
    except BadValue as exc:
        raise InvalidInput.at(
            f"{pointer('/fields', target)}/default", exc.reason, fix=exc.fix
        ) from None


def _remember(convert: Convert) -> Convert:
    """Keep the values of short cells: most columns of a list hold a few hundred of them."""
    known: dict[Cell, Any] = {}

    def look_up(cell: Cell) -> Any:
        found = known.get(cell, _MISSING)
        if found is not _MISSING:
            return found
        value = convert(cell)
        if isinstance(cell, str) and len(cell) <= _CACHED_LONGEST:
            if len(known) >= _CACHED_MOST:
                known.clear()
            known[cell] = value
        return value

    return look_up
