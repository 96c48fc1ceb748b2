"""The template language beside its editor: every element with its fields and an example.

All of it is made from the JSON Schema of templates, which is made from the types that read them;
only the examples are written here. They stand in English, as the language itself does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from renderer.template.fields import FIELDS
from renderer.template.reference import type_words
from renderer.template.schema import schema_text

_EXAMPLES: Final[Mapping[str, str]] = {
    "text": '- {type: text, value: "{name}", box: ["3%", "4%", "60%", "30%"], '
    "min_size: 2.6mm, max_lines: 2}",
    "price": '- {type: price, box: ["3%", "44%", "60%", "52%"]}',
    "rect": '- {type: rect, box: ["3%", "44%", "60%", "52%"], border: black}',
    "line": '- {type: line, box: ["3%", "40%", "94%", 2]}',
    "image": '- {type: image, name: logo, box: ["70%", "4%", "27%", "30%"]}',
    "icon": '- {type: icon, name: leaf, box: ["85%", "4%", "12%", "20%"]}',
    "qr": '- {type: qr, box: ["62%", "10%", "36%", "80%"]}',
    "barcode": '- {type: barcode, staff: true, box: ["3%", "80%", "60%", "20%"]}',
    "row": '- type: row\n  box: ["3%", "70%", "94%", "26%"]\n  gap: 1mm\n  children:\n'
    "    - {type: price, grow: 2}\n"
    '    - {type: text, value: "{name}", grow: 1, size: 3mm, min_size: 2mm, fit: ellipsis}',
    "column": '- type: column\n  box: ["3%", "4%", "94%", "92%"]\n  gap: 1mm\n  children:\n'
    '    - {type: text, value: "{name}", height: "40%", min_size: 2.6mm, max_lines: 2}\n'
    "    - {type: price}",
    "stack": '- type: stack\n  box: ["3%", "44%", "60%", "52%"]\n  children:\n'
    "    - {type: rect, fill: highlight}\n"
    '    - {type: price, box: ["4%", "4%", "92%", "92%"]}',
    "grid": '- type: grid\n  box: [0, 0, "100%", "100%"]\n  columns: 2\n  rows: 1\n'
    "  rule: black\n  each:\n"
    '    - {type: text, value: "{name}", box: ["4%", "4%", "92%", "30%"], min_size: 2.6mm}\n'
    '    - {type: price, box: ["4%", "40%", "92%", "56%"]}',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldHelp:
    """One field of an element."""

    name: str
    takes: str
    usual: str  # what holds where it is left out; "" for nothing
    is_needed: bool
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementHelp:
    """One kind of element: what it is, its own fields, and an example to insert."""

    kind: str
    about: str
    fields: Sequence[FieldHelp]
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageHelp:
    """Everything that stands beside the editor."""

    elements: Sequence[ElementHelp]
    common: Sequence[FieldHelp]  # what every element has
    values: Sequence[tuple[str, str]]  # fields of the face that a text may print: name, what it is


@cache
def language_help() -> LanguageHelp:
    """Return the help; made once."""
    definitions: Mapping[str, Any] = json.loads(schema_text())["$defs"]
    kinds = {
        one["properties"]["type"]["const"]: one
        for one in definitions.values()
        if "type" in one.get("properties", {})
    }
    shared = set.intersection(*(set(one["properties"]) for one in kinds.values())) - {"type"}
    return LanguageHelp(
        elements=[
            ElementHelp(
                kind=kind,
                about=kinds[kind]["description"],
                fields=[
                    _field(kinds[kind], name)
                    for name in kinds[kind]["properties"]
                    if name not in shared | {"type"}
                ],
                example=example,
            )
            for kind, example in _EXAMPLES.items()
        ],
        common=[
            _field(kinds["rect"], name) for name in kinds["rect"]["properties"] if name in shared
        ],
        values=[(one.name, one.about) for one in FIELDS.values()],
    )


def _field(definition: Mapping[str, Any], name: str) -> FieldHelp:
    schema = definition["properties"][name]
    usual = schema.get("default")
    return FieldHelp(
        name=name,
        takes=type_words(schema).replace("`", ""),
        usual="" if usual in (None, []) else json.dumps(usual).strip('"'),
        is_needed=name in definition.get("required", ()),
        about=schema.get("description", ""),
    )
