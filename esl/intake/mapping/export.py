"""A mapping written as a document: reading it gives the same mapping."""

import json

from esl.intake.mapping.model import Format, Mapping, OnError, Records, Value

Member = tuple[str, str]


def export_mapping(mapping: Mapping) -> str:
    """Write a mapping as YAML, with every member that is not as it would be anyway."""
    is_tabular = mapping.format in (Format.CSV, Format.XLSX)
    members: list[Member | None] = [
        ("name", _quote(mapping.name)),
        ("version", str(mapping.version)),
        ("format", mapping.format.value),
        ("encoding", _quote(mapping.encoding)) if mapping.encoding else None,
        ("delimiter", _quote(mapping.delimiter)) if mapping.format is Format.CSV else None,
        ("quote", _quote(mapping.quote)) if mapping.quote != '"' else None,
        ("decimal", _quote(mapping.decimal)),
        ("thousands", _quote(mapping.thousands)),
        ("items", _quote(mapping.items)) if mapping.items else None,
        ("sheet", _quote(mapping.sheet)) if mapping.sheet else None,
        ("header_row", str(mapping.header_row or "null")) if is_tabular else None,
        ("short_rows", "true") if mapping.short_rows else None,
        ("currency", _quote(mapping.currency)) if mapping.currency else None,
        ("minor_units", "true") if mapping.minor_units else None,
        ("records", _write_records(mapping.records)) if mapping.records else None,
        ("store_from", _write([("file", _quote(mapping.store_from))]))
        if mapping.store_from
        else None,
    ]
    lines = [f"{name}: {text}" for name, text in filter(None, members)]
    lines.append("fields:")
    lines += [f"  {target}: {_write_value(value)}" for target, value in mapping.fields.items()]
    return "\n".join(lines) + "\n"


def _quote(text: str | None) -> str:
    """Quote a text as JSON does, which YAML reads alike."""
    return json.dumps(text, ensure_ascii=False)


def _write(members: list[Member]) -> str:
    return "{" + ", ".join(f"{name}: {text}" for name, text in members) + "}"


def _place_of(value: Value) -> list[Member]:
    if value.name is not None:
        return [("from", _quote(value.name))]
    if value.number is not None:
        return [("number", str(value.number))]
    if value.start is not None:
        return [("start", str(value.start)), ("length", str(value.length))]
    return []


def _write_value(value: Value) -> str:
    members = _place_of(value)
    if value.strip is not None:
        members.append(("strip", _quote(value.strip)))
    if value.default is not None:
        members.append(("default", _quote(value.default)))
    if value.map:
        words = [(_quote(word), _quote(meaning)) for word, meaning in value.map.items()]
        members.append(("map", _write(words)))
    if value.on_error is not None:
        members.append(("on_error", "null" if value.on_error is OnError.NULL else "reject"))
    if value.clears:
        members.append(("clears", "true"))
    if value.format is not None:
        members.append(("format", _quote(value.format)))
    if len(members) == 1 and value.name is not None:
        return _quote(value.name)
    return _write(members)


def _write_records(records: Records) -> str:
    members = [("type", _write(_place_of(records.type))), ("item", _quote(records.item))]
    if records.header is not None:
        members.append(("header", _quote(records.header)))
    if records.trailer is not None:
        members.append(("trailer", _quote(records.trailer)))
    if records.count is not None:
        members.append(("count", _write(_place_of(records.count))))
    if records.total is not None:
        own = [*_place_of(records.total.value), ("of", _quote(records.total.of))]
        members.append(("total", _write(own)))
    return _write(members)
