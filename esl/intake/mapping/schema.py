"""Mappings as JSON Schema, for editors that complete and check while one types.

What only fits together, such as a letter of a column in XML, `document.parse_mapping` checks.
"""

import json
from typing import Any

from esl.domain.money import MINOR_DIGITS
from esl.intake.mapping.model import TARGETS, Format, OnError
from esl.intake.mapping.value_document import COLUMN_LAST

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_PLACE = {
    "from": {"type": "string", "description": "header, element path, or JMESPath"},
    "column": {"type": "string", "pattern": "^[A-Za-z]{1,3}$", "description": "letter: B"},
    "number": {"type": "integer", "minimum": 1, "maximum": COLUMN_LAST},
    "start": {"type": "integer", "minimum": 1, "description": "first character, from 1"},
    "length": {"type": "integer", "minimum": 1},
}
_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_TREATMENT = {
    "strip": {"type": "string", "description": "characters taken off both ends, beside blanks"},
    "default": {**_SCALAR, "description": "for an absent or empty value"},
    "map": {
        "type": "object",
        "additionalProperties": _SCALAR,
        "description": 'words and what they stand for; null is empty; "*" is every other word',
    },
    "on_error": {
        "enum": [*OnError, None],
        "description": "reject refuses the row, null takes it without this field",
    },
    "clears": {"type": "boolean", "description": "empty clears; else empty keeps what is known"},
    "format": {"type": "string", "description": 'of dates: "%d.%m.%Y %H:%M"'},
}


def schema_text() -> str:
    """Write the JSON Schema of a mapping, as published in ``docs/mapping.schema.json``."""
    schema = {
        "$schema": DIALECT,
        "title": "Mapping",
        "description": "What a source's columns, elements or members mean.",
        "type": "object",
        "required": ["name", "format", "fields"],
        "additionalProperties": False,
        "properties": _properties(),
        "$defs": {
            "Value": {
                "anyOf": [
                    {"type": "string"},
                    {"type": "integer", "minimum": 1, "maximum": COLUMN_LAST},
                    _object(_PLACE | _TREATMENT),
                ]
            },
            "Place": {
                "anyOf": [
                    {"type": "string"},
                    {"type": "integer", "minimum": 1, "maximum": COLUMN_LAST},
                    _object(_PLACE),
                ]
            },
        },
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _object(properties: dict[str, Any], *, required: tuple[str, ...] = ()) -> dict[str, Any]:
    own: dict[str, Any] = {"type": "object", "additionalProperties": False}
    if required:
        own["required"] = list(required)
    return own | {"properties": properties}


def _properties() -> dict[str, Any]:
    value, place = {"$ref": "#/$defs/Value"}, {"$ref": "#/$defs/Place"}
    return {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"},
        "version": {"const": 1, "description": "of the form of mappings"},
        "format": {"enum": list(Format)},
        "encoding": {"type": "string", "examples": ["utf-8", "cp1250", "cp1252", "utf-16"]},
        "delimiter": {"type": "string", "minLength": 1, "maxLength": 1, "default": ","},
        "quote": {"type": ["string", "null"], "maxLength": 1, "default": '"'},
        "decimal": {"enum": [".", ","], "default": "."},
        "thousands": {"type": ["string", "null"], "maxLength": 1, "default": None},
        "items": {"type": "string", "description": "xml: element path; json: JMESPath"},
        "sheet": {"type": "string", "description": "xlsx: its name; the first if not said"},
        "header_row": {
            "type": ["integer", "null"],
            "minimum": 0,
            "default": 1,
            "description": "csv, xlsx: row of the names; null is none",
        },
        "short_rows": {
            "type": "boolean",
            "default": False,
            "description": "csv, fixed: empty cells at the end of a line may be left out",
        },
        "currency": {"enum": sorted(MINOR_DIGITS)},
        "minor_units": {
            "type": "boolean",
            "default": False,
            "description": "prices are whole numbers of cents",
        },
        "records": _object(
            {
                "type": place,
                "item": {"type": "string"},
                "header": {"type": "string"},
                "trailer": {"type": "string"},
                "count": place,
                "total": _object(
                    _PLACE | {"of": {"enum": ["price", "promotion_price", "deposit"]}},
                    required=("of",),
                ),
            },
            required=("type", "item"),
        ),
        "store_from": _object(
            {"file": {"type": "string", "description": "pattern with a group named store"}},
            required=("file",),
        ),
        "fields": _object(
            {name: {**value, "description": target.about} for name, target in TARGETS.items()},
            required=("sku",),
        ),
    }
