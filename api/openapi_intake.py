"""The API's description of sources, guards and batches: bodies with an example each."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.guards import HIGHEST_MINOR
from esl.domain.money import PRICE_MAX_MINOR
from esl.domain.source import FIELDS, PRIORITY_MOST, SourceKind
from esl.intake.source_json import (
    EVERY_LEAST_S,
    EVERY_MOST_S,
    KEEP_OLD_MOST_S,
    PASSWORD_LEAST,
    REASON_LONGEST,
    RULED_MOST,
    SECRET_KINDS,
    SECRET_LONGEST,
)

_REASON: Schema = {"type": "string", "minLength": 1, "maxLength": REASON_LONGEST}
_SLUG: Schema = {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}
_FLAG: Schema = {"type": "boolean"}


def _number(least: int, most: int, *, may_be_off: bool = True) -> Schema:
    kind = ["integer", "null"] if may_be_off else "integer"
    return {"type": kind, "minimum": least, "maximum": most}


_LIMITS = object_of(
    (),
    {
        "highest_minor": _number(1, PRICE_MAX_MINOR, may_be_off=False)
        | {"description": f"In minor units; {HIGHEST_MINOR} if left out. Above it is rejected."},
        "lowest_minor": _number(1, PRICE_MAX_MINOR, may_be_off=False),
        "rise_percent": _number(0, 100_000),
        "fall_percent": _number(0, 100),
        "shift_percent": _number(0, 20)
        | {"description": "How near 10, 100 or 1000 times counts as a moved decimal point."},
        "promotion_below": _FLAG,
        "promotion_fall_percent": _number(0, 100),
        "unit_price_percent": _number(0, 1000),
        "lowest_30d": _FLAG,
        "changes_a_day": _number(1, 10_000),
        "big_percent": _number(1, 1000, may_be_off=False),
        "bulk_permille": _number(0, 1000)
        | {"description": "Of a store's products, so many may change far within ten minutes."},
        "bulk_least": _number(0, 1_000_000, may_be_off=False),
    },
)
_GUARDS: dict[str, Schema] = {
    "on": _FLAG,
    "limits": _LIMITS,
    "categories": {"type": "object", "additionalProperties": _LIMITS},
}
GUARDS = ONCE | body_of(
    object_of((), _GUARDS | {"reason": _REASON}),
    {"on": True, "limits": {"rise_percent": 60, "fall_percent": 50}, "reason": "sales week"},
)
REASON = ONCE | body_of(object_of(("reason",), {"reason": _REASON}), {"reason": "wrong file"})
MAYBE_REASON = ONCE | body_of(
    object_of((), {"reason": _REASON}), {"reason": "wrong file"}, required=False
)
RULING = ONCE | body_of(
    object_of(
        (),
        {
            "batch": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
            "prices": {
                "type": "array",
                "items": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
                "minItems": 1,
                "maxItems": RULED_MOST,
            },
            "note": {"type": ["string", "null"], "minLength": 1, "maxLength": REASON_LONGEST},
        },
    ),
    {"prices": [1], "note": "asked the buyer"},
)
HOOK_EVENTS = ONCE | body_of(
    object_of(
        ("events",),
        {
            "events": {
                "type": "array",
                "items": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
                "minItems": 1,
                "maxItems": RULED_MOST,
            },
        },
    ),
    {"events": [1]},
)
MESSAGES = ONCE | body_of(
    object_of(
        ("messages",),
        {
            "messages": {
                "type": "array",
                "items": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
                "minItems": 1,
                "maxItems": RULED_MOST,
            },
        },
    ),
    {"messages": [1]},
)
SOURCE = ONCE | body_of(
    object_of(
        ("name",),
        {
            "name": {"type": "string", "minLength": 1, "maxLength": 120},
            "store": _SLUG | {"type": ["string", "null"]},
            "kind": {"type": "string", "enum": [kind.value for kind in SourceKind]},
            "mapping": _SLUG | {"type": ["string", "null"]},
            "priority": _number(0, PRIORITY_MOST),
            "priorities": {
                "type": ["object", "null"],
                "properties": {
                    name: _number(0, PRIORITY_MOST, may_be_off=False) for name in FIELDS
                },
                "additionalProperties": False,
            },
            "guards": object_of((), _GUARDS) | {"type": ["object", "null"]},
            "expected": object_of(
                (),
                {
                    "by": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
                    "every_s": _number(EVERY_LEAST_S, EVERY_MOST_S, may_be_off=False),
                },
            )
            | {"type": ["object", "null"], "minProperties": 1, "maxProperties": 1},
            "accepts_full": _FLAG,
            "disabled": _FLAG,
            "settings": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
        },
    ),
    {"name": "Till", "store": "main", "priority": 60, "expected": {"by": "05:30"}},
)
SECRET = body_of(
    object_of(
        ("kind",),
        {
            "kind": {"type": "string", "enum": list(SECRET_KINDS)},
            "secret": {
                "type": ["string", "null"],
                "minLength": PASSWORD_LEAST,
                "maxLength": SECRET_LONGEST,
            },
            "keep_old_s": _number(0, KEEP_OLD_MOST_S),
        },
    ),
    {"kind": "webhook", "keep_old_s": 86400},
)
MAPPING_DOCUMENT: Schema = {
    "responses": {
        "200": {
            "description": "The document as it was saved: YAML, or JSON, which is YAML too.",
            "content": {"application/yaml": {"schema": {"type": "object"}}},
        }
    }
}
MAPPING = ONCE | body_of(
    {
        "type": "object",
        "description": "A mapping as JSON, or the same as YAML: docs/mapping.md.",
        "required": ["name", "format", "fields"],
        "properties": {
            "name": _SLUG,
            "format": {"type": "string", "enum": ["csv", "json", "xml", "xlsx", "fixed"]},
            "decimal": {"type": "string"},
            "fields": {
                "type": "object",
                "required": ["sku"],
                "properties": {"sku": {"type": "string"}, "price": {"type": "string"}},
            },
        },
    },
    {
        "name": "till",
        "format": "csv",
        "decimal": ".",
        "fields": {"sku": "SKU", "price": "PRICE"},
    },
)
