"""Items of a JSON text: an array, what ``items`` finds in it, or the one object that it is.

A plain path (``data.products``) is streamed, as long as no field looks at ``root``. Anything else
needs the whole text in memory, and so has a bound.

Numbers of JSON are texts here, written with the mapping's decimal sign; null is an explicit null.
An expression that is more than a path cannot tell null from nothing: it finds nothing.
"""

import io
import re
from collections.abc import Iterator
from collections.abc import Mapping as Table
from typing import Any, BinaryIO

import jmespath
from jmespath.exceptions import JMESPathError

from esl.domain.entry import RowProblem
from esl.domain.errors import InvalidInput
from esl.intake.mapping.expressions import ABSENT, compile_expression, needs_root
from esl.intake.mapping.json_stream import JsonText, read_items
from esl.intake.mapping.model import Mapping, Value
from esl.intake.mapping.opened import NULL, Cell, Cells, Dated, Opened, Unreadable
from esl.intake.strict_json import JsonFraction

WHOLE_LONGEST = 16 * 1024 * 1024
"""Bytes of a text that must be read as a whole."""

_PLAIN_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_LIST_MOST = 2_000


def open_json(source: BinaryIO, mapping: Mapping, wanted: Table[str, Value]) -> Opened:
    """Begin a JSON text.

    Raises:
        InvalidInput: The encoding is plainly wrong, or the text must be read as a whole and is too
            large; reading rows raises it for what is not JSON or cut off.
    """
    places = {target: value.name for target, value in wanted.items() if value.name is not None}
    index = {target: at for at, target in enumerate(places)}
    path = mapping.items.removesuffix("[]").removesuffix("[*]") if mapping.items else ""
    is_plain = not path or path == "@" or _PLAIN_PATH.fullmatch(path) is not None
    if is_plain and not any(needs_root(name) for name in places.values()):
        text = JsonText(source, mapping.encoding)
        steps = path.split(".") if path and path != "@" else []
        items: Iterator[tuple[Any, Any]] = ((item, None) for item in read_items(text, steps))
    else:
        items = _find_items(source, mapping)
    return Opened(index=index, found=places, rows=_read_rows(items, places, mapping.decimal))


def _find_items(source: BinaryIO, mapping: Mapping) -> Iterator[tuple[Any, Any]]:
    body = source.read(WHOLE_LONGEST + 1)
    if len(body) > WHOLE_LONGEST:
        raise InvalidInput.at(
            "",
            f"more than {WHOLE_LONGEST // 1_048_576} MiB, and items or a field need all of it",
            fix="Send less at a time, or map plain paths and no root.",
        )
    text = JsonText(io.BytesIO(body), mapping.encoding, longest=WHOLE_LONGEST)
    root = text.value()
    if text.skip_blanks():
        text.refuse("something follows the text")
    found = root
    if mapping.items:
        try:
            found = jmespath.search(mapping.items, root)
        except (JMESPathError, TypeError, ValueError, RecursionError):
            raise InvalidInput.at(
                "/items", "the expression does not fit this text", fix="Correct the expression."
            ) from None
        if found is None:
            raise InvalidInput.at(
                "/items", "finds nothing in this text", fix="Correct the expression."
            )
    for item in found if isinstance(found, list) else [found]:
        yield item, root


def _read_rows(
    items: Iterator[tuple[Any, Any]], places: Table[str, str], decimal: str
) -> Iterator[tuple[int, Cells] | RowProblem]:
    finds = [(target, compile_expression(name)) for target, name in places.items()]
    for row, (item, root) in enumerate(items, start=1):
        if not isinstance(item, dict):
            yield RowProblem(row=row, field="", reason="the item is no object")
            continue
        cells: list[Cell] = []
        for target, find in finds:
            try:
                value = find(item, root)
            except ValueError as exc:
                cells.append(Unreadable(str(exc)))
            else:
                cells.append(_cell(value, decimal, is_history=target == "history"))
        yield row, cells


def _cell(value: Any, decimal: str, *, is_history: bool = False) -> Cell:
    match value:
        case str() | Unreadable():
            cell: Cell = value
        case None:
            cell = NULL
        case bool():
            cell = Unreadable("true or false")
        case int():
            cell = str(value)
        case JsonFraction(text):
            cell = text.replace(".", decimal)
        case list():
            cell = _dated(value, decimal) if is_history else _list(value, decimal)
        case _:
            cell = None if value is ABSENT else Unreadable("an object")
    return cell


def _list(values: list[Any], decimal: str) -> Cell:
    texts = [_cell(value, decimal) for value in values[: _LIST_MOST + 1]]
    found = tuple(text for text in texts if isinstance(text, str))
    return found if len(found) == len(texts) else Unreadable("a list of something else than texts")


def _dated(values: list[Any], decimal: str) -> Cell:
    found: list[Dated] = []
    for value in values[: _LIST_MOST + 1]:
        if not isinstance(value, dict):
            return Unreadable("a list of something else than objects")
        day, price = (_cell(value.get(name), decimal) for name in ("day", "price"))
        if not (isinstance(day, str) and isinstance(price, str)):
            return Unreadable("a list of objects without day and price")
        found.append(Dated(day.strip(), price.strip()))
    return tuple(found)
