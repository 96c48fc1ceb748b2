"""Law profiles as JSON Schema, for editors that complete and check TOML while one types.

What only fits together (a source that is named must be listed, every rule is known or unknown)
`profile_file.parse_profile` checks.
"""

import json
from typing import Any, Final

from esl.domain.face import Unit
from esl.domain.law.keys import SECTIONS, TEXT_LONGEST, Key, Kind
from esl.domain.law.profile import Checked
from esl.domain.law.profile_file import SAYS_ENOUGH, SOURCE_FORM, VERSION_HIGHEST
from esl.domain.law.values import CODE_FORM, LANGUAGE_FORM, SIZE_FORM

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": TEXT_LONGEST}


def schema_text() -> str:
    """Write the JSON Schema of a law profile, as published in ``docs/law.schema.json``."""
    schema = {
        "$schema": DIALECT,
        "title": "Law profile",
        "description": "What the law of one country asks of a price label, with its sources.",
        **_object(
            {
                "title": _TEXT,
                "version": {"type": "integer", "minimum": 1, "maximum": VERSION_HIGHEST},
                "in_force_since": {"type": "string", "format": "date"},
                "sources": {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": {"pattern": f"^{SOURCE_FORM}$"},
                    "additionalProperties": {"$ref": "#/$defs/Source"},
                },
                **{section: _section(section, keys) for section, keys in SECTIONS.items()},
            },
            required=("title", "version", "in_force_since", "sources"),
        ),
        "$defs": {
            "Cite": {**_TEXT, "description": "name of a source, then the clause: pangv § 11(2)"},
            "Words": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": f"^{LANGUAGE_FORM}$"},
                "additionalProperties": _TEXT,
            },
            "Source": _object(
                {
                    "title": _TEXT,
                    "checked": {"enum": [each.value for each in Checked]},
                    "address": {**_TEXT, "pattern": "^https://"},
                },
                required=("title", "checked"),
            ),
            "Basis": _object(
                {
                    "unit": {"enum": [unit.value for unit in Unit]},
                    "size": {
                        "type": "string",
                        "pattern": f"^{SIZE_FORM}$",
                        "description": "thousandths of the unit: 100 of kg are 100 g",
                    },
                    "text": {**_TEXT, "description": "as printed: kg, 100 g"},
                    "loose": {"type": "boolean"},
                    "source": {"$ref": "#/$defs/Cite"},
                },
                required=("unit", "size", "text", "source"),
            ),
            "Goods": _object(
                {
                    "code": {"type": "string", "pattern": f"^{CODE_FORM}$"},
                    "words": _TEXT,
                    "source": {"$ref": "#/$defs/Cite"},
                },
                required=("code", "words", "source"),
            ),
        },
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _section(section: str, keys: tuple[Key, ...]) -> dict[str, Any]:
    names = [key.name for key in keys]
    cites = {name: {"$ref": "#/$defs/Cite"} for name in names}
    properties = {key.name: {**_value(key), "description": key.about} for key in keys}
    properties["source"] = _object(cites)
    properties["unknown"] = _object(dict.fromkeys(names, _TEXT))
    schema = _object(properties)
    if section in SAYS_ENOUGH:
        schema["description"] = f"{SAYS_ENOUGH[section]} = false or 0 says enough."
    return schema


def _value(key: Key) -> dict[str, Any]:
    choices = [each.value for each in key.enum] if key.enum is not None else []
    days = {"type": "integer", "minimum": 1, "maximum": key.highest}
    values: dict[Kind, dict[str, Any]] = {
        Kind.BOOL: {"type": "boolean"},
        Kind.INT: {"type": "integer", "minimum": 0, "maximum": key.highest},
        Kind.TEXT: {"type": "string", "maxLength": TEXT_LONGEST},
        Kind.CHOICE: {"enum": choices},
        Kind.DATE: {"type": "string", "format": "date"},
        Kind.PROGRESSIVE: {"anyOf": [{"enum": ["never", "always"]}, days]},
        Kind.WORDS: {"$ref": "#/$defs/Words"},
        Kind.BASES: {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Basis"}},
        Kind.EXEMPTIONS: {"type": "array", "items": {"$ref": "#/$defs/Goods"}},
    }
    return values[key.kind]


def _object(properties: dict[str, Any], *, required: tuple[str, ...] = ()) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "additionalProperties": False}
    if required:
        made["required"] = list(required)
    return {**made, "properties": properties}
