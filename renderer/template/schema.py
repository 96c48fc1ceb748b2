"""The template language as JSON Schema, for editors that complete and check while one types.

Conditions, values and faces are texts and objects to it: what stands in them only
`template.parse_template` can check.
"""

import json
from typing import Any

from pydantic import TypeAdapter

from renderer.template.models import Length, TemplateFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LENGTH = TypeAdapter(Length).json_schema()["anyOf"]


def schema_text() -> str:
    """Write the JSON Schema of a template file, as published in ``docs/template.schema.json``."""
    schema = _tidy(TemplateFile.model_json_schema())
    schema["$defs"]["Length"] = {
        "description": "Whole pixels, a part of the box around, or millimetres: 12, 25%, 2.4mm.",
        "anyOf": _LENGTH,
    }
    return json.dumps({"$schema": DIALECT, **schema}, indent=2, ensure_ascii=False) + "\n"


def _tidy(schema: Any) -> Any:
    """Name the type that stands everywhere once, and leave out titles that repeat their key."""
    match schema:
        case {"anyOf": list(options)} if (at := _find_length(options)) is not None:
            named = [*options[:at], {"$ref": "#/$defs/Length"}, *options[at + 2 :]]
            kept = {k: _tidy(v) for k, v in schema.items() if k not in ("anyOf", "title")}
            return (named[0] if len(named) == 1 else {"anyOf": _tidy(named)}) | kept
        case dict():
            return {
                key: _tidy(value)
                for key, value in schema.items()
                if not (key == "title" and isinstance(value, str))
            }
        case list():
            return [_tidy(value) for value in schema]
        case _:
            return schema


def _find_length(options: list[Any]) -> int | None:
    """Find where the two forms of a length stand in a union."""
    pairs = (options[at : at + 2] for at in range(len(options) - 1))
    return next((at for at, pair in enumerate(pairs) if pair == _LENGTH), None)
