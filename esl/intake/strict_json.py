"""JSON as a controller of prices must read it: strictly.

Python's ``json`` and FastAPI's defaults accept, or answer with a server error, much that no
honest sender writes: NaN, 1e999, duplicate keys, NUL, lone surrogates, UTF-16 (measured;
field notes, reliability E14). Here each of them is a problem with the path of its place.

Numbers with a point or an exponent come out as `JsonFraction`, whose text nobody has rounded;
no field of this project takes one, and each says so by its own name.
"""

import json
from dataclasses import dataclass
from typing import Any

from esl.domain.errors import FieldProblem, InvalidInput

MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1
"""Largest integer every JSON reader agrees on (RFC 8259, 6)."""

_MAX_PROBLEMS = 50
_KEY_LONGEST = 64


@dataclass(frozen=True, slots=True)
class JsonFraction:
    """A number that was not written as an integer."""

    text: str


@dataclass(frozen=True, slots=True)
class _DuplicateKey:
    key: str


def parse_strict_json(body: bytes) -> Any:
    """Read a JSON text: UTF-8, no duplicate keys, no NaN, integers within ±(2^53 - 1).

    Returns dicts, lists, str, int, bool, None and `JsonFraction`.

    Raises:
        InvalidInput: Not such a text; with a JSON pointer to each place, `""` for the whole.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise _broken("not UTF-8") from None
    if text.startswith("\ufeff"):
        raise _broken("begins with a byte order mark")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=JsonFraction,
            parse_int=_integer,
            parse_constant=JsonFraction,
        )
    except RecursionError:
        raise _broken(f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as exc:
        where = (
            f" (line {exc.lineno}, column {exc.colno})"
            if isinstance(exc, json.JSONDecodeError)
            else ""
        )
        raise _broken(f"not valid JSON{where}") from None
    problems: list[FieldProblem] = []
    _inspect(value, "", 0, problems, plain=text.isascii() and "\\u" not in text)
    if problems:
        raise InvalidInput(problems)
    return value


def pointer(path: str, key: str | int) -> str:
    """Extend a JSON pointer by one step (RFC 6901: ``~`` and ``/`` are escaped).

    A key longer than any of ours is left out, and the pointer names the object that holds it:
    50 problems below a key of a megabyte would make an answer of 50.
    """
    step = str(key)
    if len(step) > _KEY_LONGEST:
        return path
    if step.isalnum():
        return f"{path}/{step}"
    return f"{path}/{step.replace('~', '~0').replace('/', '~1')}"


def _broken(detail: str) -> InvalidInput:
    return InvalidInput.at("", detail, fix="Send one JSON text in UTF-8.")


def _integer(text: str) -> int | JsonFraction:
    return int(text) if len(text) <= 17 else JsonFraction(text)  # noqa: PLR2004  2^53 has 16


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _DuplicateKey:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return _DuplicateKey(key)
        seen.add(key)
    raise AssertionError("a shorter dict has a duplicate")


def _inspect(
    value: Any, path: str, depth: int, problems: list[FieldProblem], *, plain: bool
) -> None:
    """Gather what is wrong; ``plain`` says that the text has no character to look at twice."""
    if len(problems) >= _MAX_PROBLEMS:
        return
    if depth > MAX_DEPTH:
        problems.append(FieldProblem(path=path, detail=f"nested deeper than {MAX_DEPTH} levels"))
        return
    match value:
        case str():
            _inspect_text(value, path, problems)
        case bool() | None | JsonFraction():
            pass
        case int():
            if abs(value) > MAX_INTEGER:
                problems.append(FieldProblem(path=path, detail="an integer beyond 2^53"))
        case list():
            for index, item in enumerate(value):
                _inspect(item, f"{path}/{index}", depth + 1, problems, plain=plain)
        case dict():
            for key, item in value.items():
                if plain and depth < MAX_DEPTH and (type(item) is str or _is_small(item)):
                    continue
                step = pointer(path, key) if _is_clean(key) else path
                _inspect_text(key, step, problems)
                _inspect(item, step, depth + 1, problems, plain=plain)
        case _DuplicateKey():
            place = pointer(path, value.key) if _is_clean(value.key) else path
            problems.append(
                FieldProblem(path=place, detail="the same key twice", fix="Send each key once.")
            )


def _is_small(value: Any) -> bool:
    return type(value) is int and -MAX_INTEGER <= value <= MAX_INTEGER


def _is_clean(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _inspect_text(text: str, path: str, problems: list[FieldProblem]) -> None:
    if text.isascii() and "\0" not in text:
        return
    if not _is_clean(text):
        problems.append(
            FieldProblem(
                path=path,
                detail="holds a NUL character or half a surrogate pair",
                fix="Send whole Unicode characters.",
            )
        )
