"""The tables of ``docs/templates.md``, made from what the code itself goes by."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from renderer.template.fields import FIELDS
from renderer.template.formatters import FORMATTERS, usual_formatter
from renderer.template.schema import schema_text

_NO_DEFAULT = object()
_GROUPS = ("Row", "Column", "Stack", "Grid")
_PLAIN = {"boolean": "`true`, `false`"}
_COMMON = ("id", "box", "width", "height", "grow", "when", "fill", "pad", "rotate")


def reference_tables() -> Mapping[str, str]:
    """Write every table, by the name that marks its place in the page."""
    schema: dict[str, Any] = json.loads(schema_text())
    return {
        "fields": _fields(),
        "formatters": _formatters(),
        "common": _properties(schema["$defs"]["Rect"], only=_COMMON),
        "elements": _elements(schema["$defs"]),
    }


def _fields() -> str:
    rows = [
        (
            f"`{field.name}`",
            field.kind.value,
            f"`{usual_formatter(field)}`",
            field.about,
        )
        for field in FIELDS.values()
    ]
    return _table(("field", "kind", "printed by", "what it is"), rows)


def _formatters() -> str:
    rows = []
    for formatter in FORMATTERS.values():
        takes = sorted(formatter.fields or ()) or sorted(kind.value for kind in formatter.kinds)
        rows.append((f"`{formatter.name}`", ", ".join(takes), formatter.about, formatter.example))
    return _table(("formatter", "takes", "prints", "example"), rows)


def _elements(definitions: Mapping[str, Any]) -> str:
    parts = []
    for name, definition in definitions.items():
        if "type" not in definition.get("properties", {}):
            continue
        kind = definition["properties"]["type"]["const"]
        own = [key for key in definition["properties"] if key not in (*_COMMON, "type")]
        text = f"### {kind}\n\n{definition['description']}"
        if own:
            text += f"\n\n{_properties(definition, only=own)}"
        parts.append((name in _GROUPS, text))
    return "\n\n".join(text for _, text in sorted(parts, key=lambda part: part[0]))


def _properties(definition: Mapping[str, Any], *, only: Iterable[str]) -> str:
    rows = []
    required = definition.get("required", ())
    for name in only:
        schema = definition["properties"][name]
        default = schema.get("default", _NO_DEFAULT)
        needed = "needed" if name in required else ""
        said = needed or ("" if default in (None, _NO_DEFAULT, []) else f"`{_literal(default)}`")
        rows.append((f"`{name}`", type_words(schema), said, schema.get("description", "")))
    return _table(("field", "value", "if not said", ""), rows)


def _literal(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool | list) else str(value)


def type_words(schema: Mapping[str, Any]) -> str:
    """Say in a few words what a field takes."""
    match schema:
        case {"enum": list(choices)}:
            if "on_accent" in choices:
                return "ink"
            return ", ".join(f"`{choice}`" for choice in choices)
        case {"anyOf": list(options)}:
            words = [type_words(o) for o in options if o.get("type") != "null"]
            return " or ".join(dict.fromkeys(words))
        case {"type": "array"}:
            return _list_words(schema)
        case {"type": "integer", "minimum": low, "maximum": high}:
            return f"{low} to {high}"
        case _:
            is_length = schema.get("$ref") == "#/$defs/Length"
            return "length" if is_length else _PLAIN.get(schema.get("type", ""), "text")


def _list_words(schema: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"{len(schema['prefixItems'])} lengths"
    if "oneOf" in schema["items"]:
        return "elements"
    words = type_words(schema["items"])
    return "1 to 4 lengths" if words == "length" else f"{words}s"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
