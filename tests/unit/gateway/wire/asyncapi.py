"""`docs/asyncapi.yaml`: the protocol for programs, made from the code and the words of the page.

Types and ranges come from the structs of `gateway.wire.messages`, as their decoder checks them;
what a field means comes from the tables of `docs/protocol.md`. MessagePack is described by JSON
Schema (draft 7, as AsyncAPI 3 has it): a ``bin`` is a string of format ``binary``, its lengths are
bytes.
"""

from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct, inspect

from gateway.wire import messages, topics
from gateway.wire.failures import POLICIES, FailureCode
from gateway.wire.messages import CancelEntry, Event, GatewayState, Header, ShowEntry
from gateway.wire.signing import SIGNATURE_BYTES
from tests.unit.gateway.wire.protocol_text import section, tables
from tests.unit.gateway.wire.wire_vectors import VECTORS

PATH = Path(__file__).parents[4] / "docs" / "asyncapi.yaml"
CONTENT_TYPE = "application/vnd.msgpack"

COMMANDS: tuple[type[Struct], ...] = messages.Command.__args__
EVENTS: tuple[type[Struct], ...] = messages.AnyEvent.__args__

_HEAD = """\
# The gateway protocol, version 1, for programs. Made from the code and docs/protocol.md by
#     ESL_UPDATE_GOLDEN=1 pytest tests/unit/gateway/wire/test_asyncapi.py
# and held against both by that test. Prose, rules and bytes: docs/protocol.md.
"""


def name_of(message: type[Struct]) -> str:
    """The ``type`` of a message; the plain name of what has none."""
    tag = message.__struct_config__.tag
    return str(tag) if tag else message.__name__[0].lower() + message.__name__[1:]


def meanings(title: str, position: int = 0) -> dict[str, str]:
    """What each field of a table of the page means."""
    return {row[0].strip("`"): row[4].replace("`", "") for row in tables(section(title))[position]}


# -- schemas ----------------------------------------------------------------------------------


def schema_of(kind: inspect.Type) -> dict[str, Any]:  # noqa: PLR0911  one for each kind
    """The JSON Schema of one field."""
    match kind:
        case inspect.UnionType(types=types):
            (only,) = (one for one in types if not isinstance(one, inspect.NoneType))
            return schema_of(only)
        case inspect.IntType(ge=least, le=most, lt=behind):
            highest = most if most is not None else behind - 1
            return {"type": "integer", "minimum": least, "maximum": highest}
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.StrType(pattern=str(pattern)):
            return {"type": "string", "pattern": pattern.replace(r"\A", "^").replace(r"\Z", "$")}
        case inspect.BytesType(min_length=least, max_length=most):
            lengths = {"minLength": least, "maxLength": most}
            known = {name: length for name, length in lengths.items() if length is not None}
            return {"type": "string", "format": "binary"} | known
        case inspect.ListType(item_type=item, max_length=most):
            return {"type": "array", "maxItems": most, "items": schema_of(item)}
        case inspect.TupleType(item_types=items):
            return _tuple([schema_of(item) for item in items])
        case inspect.DictType(key_type=key, value_type=value, max_length=most):
            return {
                "type": "object",
                "maxProperties": most,
                "propertyNames": schema_of(key),
                "additionalProperties": schema_of(value),
            }
        case inspect.StructType(cls=cls):
            return {"$ref": f"#/components/schemas/{name_of(cls)}"}
    raise TypeError(kind)


def _tuple(items: list[dict[str, Any]]) -> dict[str, Any]:
    count = len(items)
    return {"type": "array", "minItems": count, "maxItems": count, "items": items}


def _fields(message: type[Struct], told: dict[str, str]) -> dict[str, dict[str, Any]]:
    kind = inspect.type_info(message)
    assert isinstance(kind, inspect.StructType)
    return {
        field.encode_name: schema_of(field.type) | {"description": told[field.encode_name]}
        for field in kind.fields
    }


def map_schema(message: type[Struct], told: dict[str, str]) -> dict[str, Any]:
    """A message: a map with its name under ``type``; unknown fields are allowed."""
    kind = inspect.type_info(message)
    assert isinstance(kind, inspect.StructType)
    tag = message.__struct_config__.tag
    typed = {"type": {"const": tag}} if tag else {}
    required = [field.encode_name for field in kind.fields if field.required]
    return {
        "type": "object",
        "required": [*typed, *required],
        "properties": typed | _fields(message, told),
    }


def array_schema(message: type[Struct], told: dict[str, str]) -> dict[str, Any]:
    """A struct that travels as an array: its fields in their order, by title."""
    items = [{"title": name} | field for name, field in _fields(message, told).items()]
    return _tuple(items)


def _codes() -> dict[str, Any]:
    (rows,) = tables(section("Failure codes"))
    said = {row[0].strip("`"): row[2].replace("`", "") for row in rows}
    lines = [f"{code.value} ({POLICIES[code].value}): {said[code.value]}" for code in FailureCode]
    return {
        "type": "string",
        "description": "Known codes and what the controller does; others are retried.\n"
        + "\n".join(lines),
        "examples": [code.value for code in FailureCode],
    }


# -- the document -----------------------------------------------------------------------------


def document() -> dict[str, Any]:
    """The whole of it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ESL gateway protocol",
            "version": f"{messages.VERSION}.0.0",
            "description": "How a controller and the gateways of a shop talk about electronic "
            "shelf labels. Written from the gateway's side: it receives commands and sends events. "
            "MessagePack in MQTT payloads; everything sent down is signed. Prose, rules and byte "
            "examples stand in protocol.md beside this file.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "broker": {
                "host": "broker.shop.example:8883",
                "protocol": "secure-mqtt",
                "protocolVersion": "5",
                "description": "Host, port and login stand in the gateway's enrolment file; "
                "client id and user name are the gateway's id.",
                "security": [{"$ref": "#/components/securitySchemes/login"}],
            }
        },
        "channels": {
            "state": _channel(topics.Kind.STATE, ["state"], "Retained; also the will."),
            "down": _channel(topics.Kind.DOWN, ["commands"], "Signed commands; never retained."),
            "up": _channel(topics.Kind.UP, ["events"], "Events; never retained."),
        },
        "operations": {
            "sendState": _operation("send", "state", retain=True),
            "receiveCommands": _operation("receive", "down", retain=False),
            "sendEvents": _operation("send", "up", retain=False),
        },
        "components": {
            "messages": _messages(),
            "schemas": _schemas(),
            "securitySchemes": {"login": {"type": "userPassword"}},
        },
    }


def _channel(kind: topics.Kind, names: list[str], about: str) -> dict[str, Any]:
    return {
        "address": f"{topics.ROOT}/{{gateway}}/{kind.value}",
        "description": about,
        "parameters": {"gateway": {"description": "The gateway's id: [a-z0-9-]{1,64}"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _operation(action: str, channel: str, *, retain: bool) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "bindings": {"mqtt": {"qos": 1, "retain": retain}},
    }


def _messages() -> dict[str, Any]:
    return {
        "state": _message("A gateway's presence", {"$ref": "#/components/schemas/gatewayState"}),
        "commands": _message(
            "A signed array of commands",
            _tuple(
                [
                    {"$ref": "#/components/schemas/header"},
                    {
                        "title": "body",
                        "type": "string",
                        "format": "binary",
                        "description": "The bytes of one MessagePack array of commands: see the "
                        "schema `body`.",
                    },
                    {
                        "title": "signature",
                        "type": "string",
                        "format": "binary",
                        "minLength": SIGNATURE_BYTES,
                        "maxLength": SIGNATURE_BYTES,
                        "description": "Ed25519 over the bytes of header and body.",
                    },
                ]
            ),
        ),
        "events": _message("An array of events", {"$ref": "#/components/schemas/events"}),
    }


def _message(title: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "contentType": CONTENT_TYPE, "payload": payload}


def _schemas() -> dict[str, Any]:
    schemas = {
        "body": _one_of(COMMANDS),
        "events": _one_of(EVENTS),
        "header": array_schema(Header, meanings("Signatures")),
        "gatewayState": map_schema(GatewayState, meanings("`state`")),
    }
    for message in (*COMMANDS, *EVENTS):
        name = name_of(message)
        about = section(f"`{name}`").strip().split("\n\n", 1)[0].replace("\n", " ")
        schemas[name] = (
            {"description": about.replace("`", "")}
            | map_schema(message, meanings(f"`{name}`"))
            | {"x-vectors": [v.name for v in VECTORS if type(v.message) is message]}
        )
        assert issubclass(message, Event) == (message in EVENTS)
    schemas["showEntry"] = array_schema(ShowEntry, meanings("`show`", 1))
    schemas["cancelEntry"] = array_schema(CancelEntry, meanings("`cancel`", 1))
    code = schemas["failed"]["properties"]["code"]
    schemas["failed"]["properties"]["code"] = code | _codes()
    return schemas


def _one_of(union: tuple[type[Struct], ...]) -> dict[str, Any]:
    return {
        "type": "array",
        "items": {
            "oneOf": [{"$ref": f"#/components/schemas/{name_of(message)}"} for message in union]
        },
    }


def text() -> str:
    """The file."""
    written = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=100)
    return _HEAD + written
