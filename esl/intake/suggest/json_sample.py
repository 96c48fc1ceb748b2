"""The first items of a JSON document: the list of objects that looks most like products."""

import json
import re
from collections.abc import Iterator
from typing import Any

from esl.domain.errors import InvalidInput
from esl.intake.mapping.model import Format
from esl.intake.suggest.csv_sample import ROWS_MOST
from esl.intake.suggest.suggestion import Column, Sample, Setting, header_of
from esl.intake.suggest.words import target_of_header

_DEEPEST = 6
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MEMBERS_MOST = 400


class _Number(str):
    """A JSON number, as it was written."""

    __slots__ = ()


def sample_json(data: bytes) -> Sample:
    """Read a JSON document, all of it.

    Raises:
        InvalidInput: Not JSON (perhaps cut off), or without a list of objects.
    """
    try:
        document = json.loads(data, parse_float=_Number, parse_int=_Number)
    except (ValueError, RecursionError) as exc:
        raise InvalidInput.at(
            "",
            f"not JSON: {exc}",
            fix="Send the whole document: one that is cut off cannot be read.",
        ) from None
    best: tuple[int, int, str, list[Any]] | None = None
    for path, items in _lists(document, "", 0):
        rows = [dict(_leaves(item, "")) for item in items[:50] if isinstance(item, dict)]
        names = {name for row in rows for name in row}
        known = len({target_of_header(name) for name in names} - {None})
        if names and (best is None or (known, len(items)) > best[:2]):
            best = (known, len(items), path, items)
    if best is None:
        raise InvalidInput.at(
            "", "no list of objects in it", fix="Send a list of products, or write it by hand."
        )
    _, count, path, items = best
    rows = [dict(_leaves(item, "")) for item in items[:ROWS_MOST] if isinstance(item, dict)]
    members = list(dict.fromkeys(name for row in rows for name in row))[:_MEMBERS_MOST]
    columns = tuple(
        Column(
            header=name,
            path="item." + ".".join(_quoted(part) for part in name.split("\0")),
            values=[row.get(name, "") for row in rows],
        )
        for name in members
    )
    columns = tuple(
        Column(header=header_of(each.header.split("\0")), path=each.path, values=each.values)
        for each in columns
    )
    settings = []
    if path:
        settings.append(Setting(key="items", value=path, why=f"a list of {count} objects"))
    return Sample(format=Format.JSON, columns=columns, rows=len(rows), settings=tuple(settings))


def _lists(value: Any, path: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    """Find lists of objects, with the JMESPath to each."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        yield path, value
    elif isinstance(value, dict):
        for name, member in value.items():
            inner = f"{path}.{_quoted(name)}" if path else _quoted(name)
            yield from _lists(member, inner, depth + 1)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the texts and numbers of an item, by their members' names."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, f"{path}\0{name}" if path else str(name))
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    elif value is None:
        yield path, ""
    elif isinstance(value, str):
        yield path, value.strip()


def _quoted(name: str) -> str:
    """Write a member's name as JMESPath wants it."""
    return name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False)
