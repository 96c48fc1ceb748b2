"""The API's description of groups and zones: bodies with an example each."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.ids import SKU_MAX_CHARACTERS
from esl.intake.price_json import BADGE_LONGEST
from esl.intake.strict_json import MAX_INTEGER
from esl.intake.zone_json import CHANGES_MOST, STORES_MOST

_SLUG: Schema = {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 120}
_SKU: Schema = {"type": "string", "minLength": 1, "maxLength": SKU_MAX_CHARACTERS}
_MONEY: Schema = {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$"}
_MAYBE_MONEY: Schema = _MONEY | {"type": ["string", "null"]}
_STORES: Schema = {"type": "array", "items": _SLUG, "maxItems": STORES_MOST}

GROUP = body_of(
    object_of(("name", "stores"), {"name": _NAME, "stores": _STORES}),
    {"name": "North", "stores": ["main"]},
)
ZONE = body_of(
    object_of(
        ("name", "currency", "stores"),
        {"name": _NAME, "currency": {"type": "string"}, "stores": _STORES},
    ),
    {"name": "Coast", "currency": "EUR", "stores": []},
)
STORE_ZONE = body_of(
    object_of(("zone",), {"zone": _SLUG | {"type": ["string", "null"]}}), {"zone": "coast"}
)
_CHANGE: Schema = object_of(
    ("sku", "price"),
    {
        "sku": _SKU,
        "price": _MONEY,
        "was": _MAYBE_MONEY,
        "unit_price": _MAYBE_MONEY,
        "badge": {"type": ["string", "null"], "maxLength": BADGE_LONGEST},
        "currency": {"type": "string"},
        "source": _SLUG | {"type": ["string", "null"]},
        "source_seq": {"type": ["integer", "null"], "minimum": 0, "maximum": MAX_INTEGER},
    },
)
CHANGES = ONCE | body_of(
    object_of(
        ("changes",),
        {
            "currency": {
                "type": "string",
                "description": "Of the chain, where its stores have several.",
            },
            "changes": {
                "type": "array",
                "items": _CHANGE,
                "minItems": 1,
                "maxItems": CHANGES_MOST,
            },
        },
    ),
    {"changes": [{"sku": "4711", "price": "1.29", "source": "erp", "source_seq": 812}]},
)
SKUS = ONCE | body_of(
    object_of(
        ("skus",),
        {"skus": {"type": "array", "items": _SKU, "minItems": 1, "maxItems": CHANGES_MOST}},
    ),
    {"skus": ["4711"]},
)
