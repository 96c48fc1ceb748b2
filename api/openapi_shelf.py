"""The API's description of pairings put right, places, and short links."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.ids import SKU_MAX_CHARACTERS
from esl.domain.place import PRODUCTS_MOST
from esl.domain.shelf_place import FIRST_MOST, PART_LONGEST, PARTS, PLACE_LONGEST
from esl.domain.short_link import BASE_LONGEST, HOSTS_MOST, TARGET_LONGEST
from esl.intake.price_json import MAX_CHANGES
from esl.intake.shelf_json import CODE_LONGEST, ROWS_MOST

_LABEL: Schema = {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}
_SKU: Schema = {"type": "string", "minLength": 1, "maxLength": SKU_MAX_CHARACTERS}
_FLAG: Schema = {"type": ["boolean", "null"], "default": False}


def _text(longest: int, about: str) -> Schema:
    return {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": longest,
        "description": about,
    }


_PLACE: Schema = {
    "place": _text(PLACE_LONGEST, "aisle/bay/shelf/position, as many as are known."),
    **{name: _text(PART_LONGEST, "In place of place: its parts.") for name in PARTS},
}
_PAIRING = object_of(
    ("label",),
    {
        "label": _LABEL,
        "sku": _SKU,
        "skus": {
            "type": "array",
            "items": _SKU,
            "minItems": 1,
            "maxItems": PRODUCTS_MOST,
            "description": "In place of sku: several products on one label, in their order.",
        },
        **_PLACE,
    },
)
PAIRINGS = ONCE | body_of(
    {
        "oneOf": [
            _PAIRING,
            {"type": "array", "items": _PAIRING, "minItems": 1, "maxItems": MAX_CHANGES},
        ]
    },
    [{"label": "a1-0001", "sku": "4711"}],
)
REPLACEMENT = ONCE | body_of(
    object_of(("broken", "new"), {"broken": _LABEL, "new": _LABEL}),
    {"broken": "a1-0001", "new": "a1-0077"},
)
UNDO = ONCE | body_of(object_of((), {}), {}, required=False)
_ROW = object_of(
    (),
    {
        "row": {"type": ["integer", "null"], "minimum": 1, "description": "Of the file."},
        "label": _LABEL | {"type": ["string", "null"]},
        "sku": _SKU | {"type": ["string", "null"], "description": "The label that speaks for it."},
        **_PLACE,
        "code": _text(CODE_LONGEST, "What a scanner reads off the shelf at this place."),
    },
)
PLACES = ONCE | body_of(
    object_of(
        ("rows",),
        {
            "rows": {"type": "array", "minItems": 1, "maxItems": ROWS_MOST, "items": _ROW},
            "dry_run": _FLAG | {"description": "Store nothing; say what."},
        },
    ),
    {
        "rows": [
            {"row": 2, "label": "a1-0001", "aisle": "3", "bay": "2", "shelf": "4"},
            {"row": 3, "place": "3/2", "code": "SHELF-3-2"},
        ],
        "dry_run": True,
    },
)
_PLANOGRAM_ROW: Schema = {
    "type": "object",
    "properties": {
        name: {"type": ["string", "integer", "null"]}
        for name in ("label", "sku", "place", "aisle", "bay", "shelf", "position", "code")
    },
    "additionalProperties": {"type": ["string", "integer", "null"]},
}
PLANOGRAM = ONCE | {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": _PLANOGRAM_ROW},
                "example": [{"label": "a1-0001", "aisle": "3", "bay": "2", "shelf": "4"}],
            },
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
                "schema": {"type": "string", "format": "binary"}
            },
        },
    }
}
WALK = ONCE | body_of(
    object_of(
        (),
        {
            "serpentine": _FLAG | {"description": "Every second aisle from its end."},
            "first": {
                "type": ["array", "null"],
                "maxItems": FIRST_MOST,
                "items": {"type": "string", "minLength": 1, "maxLength": PLACE_LONGEST},
                "description": "Places that come first, in this order.",
            },
        },
    ),
    {"serpentine": True, "first": ["entrance", "12"]},
)
CURRENT_PLACE = ONCE | body_of(
    object_of((), {**_PLACE, "code": _text(CODE_LONGEST, "A shelf's code, as scanned.")}),
    {"place": "3/2"},
)
SETTING = ONCE | body_of(
    object_of(
        ("base", "hosts", "rule"),
        {
            "base": {"type": "string", "maxLength": BASE_LONGEST, "pattern": "^https://"},
            "hosts": {
                "type": "array",
                "minItems": 1,
                "maxItems": HOSTS_MOST,
                "items": {"type": "string"},
                "description": "Where links may lead; nowhere else.",
            },
            "rule": {
                "type": "string",
                "maxLength": TARGET_LONGEST,
                "description": "Where a product's link leads that has no target of its own: a "
                "pattern with {store}, {sku} and {gtin}.",
            },
            "in_faces": _FLAG | {"description": "Labels show short links in place of long ones."},
        },
    ),
    {
        "base": "https://go.shop.example",
        "hosts": ["www.shop.example"],
        "rule": "https://www.shop.example/p/{sku}",
        "in_faces": True,
    },
)
TARGET = ONCE | body_of(
    object_of(
        ("target",),
        {"target": {"type": ["string", "null"], "maxLength": TARGET_LONGEST}},
    ),
    {"target": "https://www.shop.example/summer"},
)
