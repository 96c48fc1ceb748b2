"""What pydantic finds wrong with a template file, in words for the person who writes it.

pydantic names the branches of a union in its locations and reports each of them; here a place has
one problem, with a JSON pointer into the file as it was written.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from esl.domain.errors import FieldProblem
from esl.intake.strict_json import pointer
from renderer.template.models import Element, TemplateFile
from renderer.template.spelling import advise_on

PROBLEMS_MOST = 50

LENGTH_FIX = 'Write whole pixels (12), a part of the box around ("25%") or millimetres ("2.4mm").'
_LENGTHS = frozenset(
    "width height pad size min_size old_size old_min_size border_width radius thickness gap "
    "digits_size".split()
)
_BY_TYPE: dict[str, type[BaseModel]] = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in get_args(get_args(Element)[0])
}
ELEMENT_TYPES = tuple(_BY_TYPE)


_PLACEHOLDER = re.compile(r" *\{ *([a-z][a-z0-9_]{0,39}) *\} *")

_NO_BOX = frozenset({"too_long", "tuple_type", "missing"})
_NAMES = frozenset({"extra_forbidden", "union_tag_invalid", "union_tag_not_found"})
_BOUNDS = frozenset(
    {"literal_error", "greater_than_equal", "less_than_equal", "too_long", "string_too_long"}
)
_PLAIN = {
    "missing": ("missing", "Add it."),
    "model_type": ("not an object", "Write 'key: value' lines, or {key: value, …}."),
    "model_attributes_type": ("not an object", "Write 'key: value' lines, or {key: value, …}."),
    "dict_type": ("not an object", "Write 'key: value' lines, or {key: value, …}."),
    "too_short": ("empty", "Add at least one."),
    "string_too_short": ("empty", "Write something, or leave the field out."),
    "bool_type": ("neither true nor false", "Write true or false, without quotes."),
}
_PLAIN_UNLESS_LENGTH = {
    "string_pattern_mismatch": (
        "not a name",
        "Use small letters, digits and '-' (in the names of fields '_').",
    ),
    "string_type": ("not a text", "Put it in quotes."),
    "int_type": ("not a whole number", "Write it without point and quotes."),
    "tuple_type": ("not a list", "Write '- …' lines, or […]."),
}


def explain_errors(errors: Sequence[ErrorDetails], data: Any) -> list[FieldProblem]:
    """Turn pydantic's errors into problems, one a place, in the order of the file."""
    problems: dict[str, FieldProblem] = {}
    for error in errors:
        path, names, value = _place(error, data)
        if error["type"] == "too_short" and value:
            continue  # not empty as written: its items are wrong, and have problems of their own
        problems.setdefault(path, _explain(error, path, names, value, data))
        if len(problems) == PROBLEMS_MOST:
            break
    return list(problems.values())


def _place(error: ErrorDetails, data: Any) -> tuple[str, list[str | int], Any]:
    """Follow a location through the data, past the names of branches; say what stands there."""
    names: list[str | int] = []
    path, here = "", data
    for step in error["loc"]:
        if _has(here, step):
            here = here[step]
        elif error["type"] == "missing" and step == error["loc"][-1]:
            here = None
        else:
            continue
        names.append(step)
        path = pointer(path, step)
    return path, names, here


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, Mapping):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _explain(
    error: ErrorDetails, path: str, names: Sequence[str | int], value: Any, data: Any
) -> FieldProblem:
    kind = error["type"]
    last = next((name for name in reversed(names) if isinstance(name, str)), "")
    if last == "box" and kind in _NO_BOX:
        detail, fix = "not a box", "Write [left, top, width, height]."
    elif kind in _NAMES:
        detail, fix = _explain_name(error, names, data)
    elif kind in _PLAIN:
        detail, fix = _PLAIN[kind]
    elif last == "box" or last in _LENGTHS:
        detail, fix = "not a length", LENGTH_FIX
    elif kind == "string_pattern_mismatch" and (bare := _PLACEHOLDER.fullmatch(str(value))):
        detail, fix = (
            "a placeholder, and a plain name is wanted",
            f"Write {bare[1]}, without braces.",
        )
    elif kind in _BOUNDS:
        detail, fix = _explain_bound(error)
    else:
        detail, fix = _PLAIN_UNLESS_LENGTH.get(kind, (error["msg"].lower(), ""))
    return FieldProblem(path=path, detail=detail, fix=fix or None)


def _explain_name(error: ErrorDetails, names: Sequence[str | int], data: Any) -> tuple[str, str]:
    match error["type"]:
        case "extra_forbidden":
            return "unknown field", advise_on(str(names[-1]), _known_fields(names, data))
        case "union_tag_invalid":
            return "an unknown type of element", advise_on(_tag(error), ELEMENT_TYPES)
        case _:
            return "an element without a type", f"Known are {', '.join(ELEMENT_TYPES)}."


def _explain_bound(error: ErrorDetails) -> tuple[str, str]:
    context = error.get("ctx", {})
    match error["type"]:
        case "literal_error":
            return "not one of the values it can have", f"Write {context.get('expected')}."
        case "greater_than_equal":
            return "out of bounds", f"Write at least {context.get('ge')}."
        case "less_than_equal":
            return "out of bounds", f"Write at most {context.get('le')}."
        case _:
            return f"longer than {context.get('max_length')}", "Shorten it."


def _tag(error: ErrorDetails) -> str:
    return str(error.get("ctx", {}).get("tag", ""))


def _known_fields(names: Sequence[str | int], data: Any) -> Sequence[str]:
    """Find which fields an object may have: an element's by its type, else those beside it."""
    here: Any = data
    for name in names[:-1]:
        here = here[name]
    if isinstance(here, Mapping) and here.get("type") in _BY_TYPE:
        return list(_BY_TYPE[here["type"]].model_fields)
    if len(names) == 1:
        return list(TemplateFile.model_fields)
    return ("panels", "when", "elements")
