"""The API's description (OpenAPI 3.1) for whoever writes a client: bodies, examples, errors.

Bodies are parsed by `esl.intake`, strictly and with the path of each bad field, so FastAPI sees
none of them; what it should say about each is written here, one example each, which a test
sends to the real endpoint.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.errors import MEDIA_TYPE
from api.openapi_edits import describe_versions
from esl.domain.access import ALL_STORES, Scope
from esl.domain.face import OfferKind, Unit
from esl.domain.ids import SKU_MAX_CHARACTERS
from esl.domain.product import TAG_LONGEST, TAGS_MOST
from esl.domain.shop_link import ADDRESS_MAX_CHARACTERS
from esl.domain.template_rule import RULES_MOST
from esl.intake.access_json import LINK_USES_MOST, STORES_MOST, TOKEN_NAME_LONGEST
from esl.intake.face_json import CONDITION_LONGEST, CONTENT_LONGEST, UNIT_LABEL_LONGEST
from esl.intake.price_json import BADGE_LONGEST, MAX_CHANGES
from esl.intake.product_json import LINK_LONGEST, NAME_LONGEST, ORIGIN_LONGEST, STOCK_MOST
from esl.intake.render_json import SCALE_MOST
from esl.intake.strict_json import MAX_INTEGER
from esl.intake.template_json import (
    BRAND_LONGEST,
    CATEGORY_LONGEST,
    NOTE_LONGEST,
    PRODUCTS_MOST,
    TEMPLATE_TEXT_LONGEST,
)

Schema = dict[str, Any]

_SLUG: Schema = {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}
_SKU: Schema = {"type": "string", "minLength": 1, "maxLength": SKU_MAX_CHARACTERS}
_MONEY: Schema = {
    "type": "string",
    "pattern": r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$",
    "description": "Decimal string with a point, in the store's currency and its decimals.",
}


def _text(longest: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": longest}


def _or_null(schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"]}


def object_of(required: tuple[str, ...], fields: Schema) -> Schema:
    """Describe an object without other fields than these."""
    return {
        "type": "object",
        "required": list(required),
        "properties": fields,
        "additionalProperties": False,
    }


def _many(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1, "maxItems": MAX_CHANGES}


def body_of(schema: Schema, example: Any, *, required: bool = True) -> Schema:
    """Describe a request's body; the example must be one that is accepted."""
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": required, "content": content}}


_INSTANT: Schema = {"type": ["string", "null"], "format": "date-time"}
_PRICE_FIELDS: Schema = {
    "price": _MONEY,
    "was": _or_null(_MONEY),
    "unit_price": _or_null(_MONEY),
    "badge": _or_null(_text(BADGE_LONGEST)),
    "currency": {"type": "string", "description": "The store's own, as a check."},
    "source": _or_null(_SLUG),
    "source_seq": {
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": MAX_INTEGER,
        "description": "Strictly increases per source and product; late ones are superseded.",
    },
    "source_time": {"type": ["string", "null"], "format": "date-time"},
    "valid_from": _INSTANT | {"description": "It holds from then; past or left out: at once."},
    "valid_to": _INSTANT | {"description": "It holds no longer from then: what lies beneath does."},
}
_PRODUCT_FIELDS: Schema = {
    "name": _text(NAME_LONGEST),
    "brand": _or_null(_text(80)),
    "category": _or_null(_text(120)),
    "gtin": {"type": ["string", "null"], "pattern": "^([0-9]{8}|[0-9]{12,14})$"},
    "net_content": _or_null(_text(20)) | {"description": "“400 g”, “1.5 l”, “6 piece”."},
    "priced_per": {"type": ["string", "null"], "enum": [*(u.value for u in Unit), None]},
    "link": _or_null(_text(LINK_LONGEST)) | {"description": "https address for the QR code."},
    "origin": _or_null(_text(ORIGIN_LONGEST)) | {"description": "As printed: “Croatia”."},
    "stock": {
        "type": ["integer", "null"],
        "minimum": -STOCK_MOST,
        "maximum": STOCK_MOST,
        "description": "Pieces; a till may count below zero.",
    },
    "deposit": _or_null(_MONEY) | {"description": "Returnable, and not part of the price."},
    "tags": {"type": ["array", "null"], "items": _text(TAG_LONGEST), "maxItems": TAGS_MOST},
    **_PRICE_FIELDS,
}
_NEW_LABEL = object_of(
    ("label", "panel"),
    {
        "label": _SLUG,
        "panel": _SLUG | {"description": "A display model; all of them: esl panels."},
        "gateway": _or_null(_SLUG),
    },
)
_SKUS = {"type": "array", "minItems": 1, "maxItems": PRODUCTS_MOST, "items": _SKU}
_PAIRING = {
    "oneOf": [
        object_of(("label", "sku"), {"label": _SLUG, "sku": _SKU}),
        object_of(("label", "skus"), {"label": _SLUG, "skus": _SKUS}),
    ]
}
_CHANGE = object_of(("sku", "price"), {"sku": _SKU, **_PRICE_FIELDS})

ONCE: Schema = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": _text(200),
            "description": "The same key and request again get the same answer and no effect.",
        }
    ]
}

STORE = ONCE | body_of(
    object_of(
        ("name", "currency", "locale", "timezone"),
        {
            "name": _text(120),
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "locale": {"type": "string"},
            "timezone": {"type": "string"},
            "link_base": {"type": ["string", "null"]},
            "shop_link": _or_null(_text(ADDRESS_MAX_CHARACTERS))
            | {
                "description": "Where QR codes lead: “https://shop.example/p/{gtin}?l={label}”; "
                "{store}, {label}, {sku} and {gtin} are filled in."
            },
            "read_back_percent": {
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": 100,
                "description": "Of a hundred pictures, how many have their codes read back by a "
                "second decoder before they are sent; 1 if left out.",
            },
            "law": _or_null(_text(32))
            | {
                "description": "Name of the law profile that its labels follow (docs/law.md): eu, "
                "hr, de, fr, us, none, or a shop's own; left out, that of the locale's country."
            },
            "law_goods": {
                "type": ["object", "null"],
                "additionalProperties": {"type": "array", "items": _text(120)},
                "description": "Which of the store's categories are goods that its law names: "
                "“{food: [HRANA]}”. Their codes: esl law show.",
            },
            "guards": {
                "type": "object",
                "description": "As in PUT …/guards; left out, the store's limits stay.",
            },
        },
    ),
    {
        "name": "Konzum Vrsar",
        "currency": "EUR",
        "locale": "hr_HR",
        "timezone": "Europe/Zagreb",
        "law_goods": {"food": ["HRANA"], "drinks": ["PIĆE"]},
    },
)
NOTHING = body_of(object_of((), {}), {}, required=False)
PRODUCT = ONCE | body_of(
    object_of(("name",), _PRODUCT_FIELDS),
    {"name": "Vegeta", "net_content": "250 g", "gtin": "3850104008306", "price": "3.49"},
)
PRODUCTS = ONCE | body_of(
    _many(object_of(("sku", "name"), {"sku": _SKU, **_PRODUCT_FIELDS})),
    [{"sku": "4711", "name": "Kiseli krastavci", "net_content": "670 g", "price": "2.29"}],
)
PRICE_CHANGES = ONCE | body_of(
    {"oneOf": [_CHANGE, _many(_CHANGE)]},
    {"sku": "4711", "price": "1.79", "was": "2.29", "badge": "AKCIJA", "source_seq": 812},
)
LABELS = ONCE | body_of(
    {"oneOf": [_NEW_LABEL, _many(_NEW_LABEL)]}, [{"label": "a1-0001", "panel": "bwry-296x128"}]
)
PAIRINGS = ONCE | body_of(
    {"oneOf": [_PAIRING, _many(_PAIRING)]}, [{"label": "a1-0001", "sku": "4711"}]
)
TOKEN = body_of(
    object_of(
        ("name", "scopes", "stores"),
        {
            "name": _text(TOKEN_NAME_LONGEST),
            "scopes": {"type": "array", "minItems": 1, "items": {"enum": [s.value for s in Scope]}},
            "stores": {
                "type": "array",
                "minItems": 1,
                "maxItems": STORES_MOST,
                "items": {"type": "string", "description": f"A store's id, or “{ALL_STORES}”."},
            },
        },
    ),
    {"name": "till 3", "scopes": ["price:write", "price:read"], "stores": [ALL_STORES]},
)
SIGN_IN_LINK = body_of(
    object_of((), {"uses": {"type": ["integer", "null"], "minimum": 1, "maximum": LINK_USES_MOST}}),
    {"uses": 1},
    required=False,
)

_TEMPLATE_EXAMPLE = """\
name: own
title: Name and price
sample: {name: Jogurt, price: "0.79", currency: EUR}
worst_case: {name: Jogurt od borovnice, price: "129.99", currency: EUR}
variants:
  - elements:
      - {type: text, value: "{title}", box: [0, 0, "100%", "40%"], min_size: 12, max_lines: 2}
      - {type: price, box: [0, "40%", "100%", "60%"]}
"""
TEMPLATE = ONCE | body_of(
    object_of(("text",), {"text": _text(TEMPLATE_TEXT_LONGEST)}), {"text": _TEMPLATE_EXAMPLE}
)
TEMPLATE["requestBody"]["content"]["application/yaml"] = {
    "schema": {"type": "string"},
    "example": _TEMPLATE_EXAMPLE,
}
PICTURE = ONCE | {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp")
        },
    }
}
_UNITS = ("unit", "priced_per")
_FACE = object_of(
    ("name", "price", "currency"),
    {
        "name": _text(NAME_LONGEST),
        "price": _or_null(_MONEY),
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "locale": {"type": "string", "description": "“de_DE”; English if left out."},
        **{name: _or_null(_MONEY) for name in ("was", "unit_price", "member_price", "deposit")},
        **{name: {"type": ["string", "null"], "enum": [*Unit, None]} for name in _UNITS},
        "brand": _or_null(_text(BRAND_LONGEST)),
        "net_content": _or_null(_text(CONTENT_LONGEST)),
        "unit_label": _or_null(_text(UNIT_LABEL_LONGEST)),
        "badge": _or_null(_text(BADGE_LONGEST)),
        "valid_to": {"type": ["string", "null"], "format": "date"},
        "category": _or_null(_text(CATEGORY_LONGEST)),
        "origin": _or_null(_text(ORIGIN_LONGEST)),
        "stock": {"type": ["integer", "null"]},
        "sku": _or_null(_SKU),
        "gtin": {"type": ["string", "null"], "pattern": "^([0-9]{8}|[0-9]{12,14})$"},
        "link": _or_null(_text(LINK_LONGEST))
        | {"description": "Left out, the product's Digital Link; null, no QR code."},
        "member_condition": _or_null(_text(CONDITION_LONGEST))
        | {"description": "Whose price member_price is: the name of a card or club."},
        "multibuy": {
            "type": ["object", "null"],
            "description": "quantity, total or pay_for, and unit_price.",
        },
        "reference_prices": {"type": ["array", "null"], "items": {"type": "object"}},
        "products": {"type": ["array", "null"], "items": {"type": "object"}},
    },
) | {"description": "A face (docs/templates.md); the template's sample if left out."}
RENDER = body_of(
    object_of(
        ("panel",),
        {
            "template": _text(TEMPLATE_TEXT_LONGEST)
            | {"description": "A name, of the gallery or of the store, or the YAML; “standard”."},
            "panel": {"type": "string", "description": "A display model: esl panels."},
            "data": _FACE,
            "worst_case": {"type": "boolean", "description": "Its worst case, not its sample."},
            "store": _or_null(_SLUG) | {"description": "Whose templates and pictures to use."},
            "scale": {"type": ["integer", "null"], "minimum": 1, "maximum": SCALE_MOST},
            "boxes": {"type": "boolean", "description": "Show where the elements stand."},
            "grid": {"type": "boolean", "description": "Show a grid of ten pixels."},
            "lint": {"type": "boolean", "description": "Check it, too."},
        },
    ),
    {
        "template": "standard",
        "panel": "bwry-296x128",
        "data": {"name": "Jogurt natur 400 g", "price": "1.29", "currency": "EUR"},
        "lint": True,
    },
)
_RULE = object_of(
    ("template",),
    {
        "match": object_of(
            (),
            {
                "category": _or_null(_text(CATEGORY_LONGEST))
                | {"description": "Without regard to capitals; * at its end is any rest."},
                "brand": _or_null(_text(BRAND_LONGEST)) | {"description": "As category."},
                "panel": _or_null(_text(40)) | {"description": "“*-296x128”; * and ? allowed."},
                "kind": {"type": ["string", "null"], "enum": [*(k.value for k in OfferKind), None]},
                "stock": {"type": ["string", "null"], "pattern": "^(out|in|low:[1-9][0-9]{0,6})$"},
                "weighed": {"type": ["boolean", "null"]},
                "products": {"type": ["integer", "null"], "minimum": 1, "maximum": PRODUCTS_MOST},
            },
        )
        | {"description": "What must hold; a rule that asks for nothing fits every label."},
        "template": {"type": "string", "description": "Of the gallery or of the store."},
        "note": _or_null(_text(NOTE_LONGEST)),
    },
)
_RULES = object_of(("rules",), {"rules": {"type": "array", "items": _RULE, "maxItems": RULES_MOST}})
_RULES_EXAMPLE = {
    "rules": [
        {"match": {"category": "Voće*", "stock": "low:5"}, "template": "promotion"},
        {"match": {"kind": "promotion", "panel": "*-400x300"}, "template": "promotion"},
    ]
}
TEMPLATE_RULES = body_of(_RULES, _RULES_EXAMPLE) | {
    "parameters": [
        *ONCE["parameters"],
        {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "schema": {"type": "string"},
            "example": "*",
            "description": "The ETag of the rules that were read; * replaces whatever holds.",
        },
    ]
}
TEMPLATE_RULES_PREVIEW = body_of(_RULES, _RULES_EXAMPLE)

_PROBLEM = object_of(
    ("type", "title", "status", "detail"),
    {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "request_id")},
        "status": {"type": "integer"},
        "fix": {"type": "string", "description": "What to do about it."},
        "errors": {
            "type": "array",
            "items": object_of(
                ("pointer", "detail"),
                {
                    "pointer": {"type": "string", "description": "JSON pointer (RFC 6901)."},
                    "detail": {"type": "string"},
                    "fix": {"type": "string"},
                },
            ),
        },
    },
)
PROBLEMS: dict[int | str, Schema] = {
    "4XX": {
        "description": "A problem (RFC 9457); the request changed nothing.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""What every endpoint may answer besides success."""


def describe(app: FastAPI) -> Schema:
    """Return the description of an application's endpoints; made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description="Every endpoint but the health check and this one needs a token"
            " or a session.",
            routes=app.routes,
        )
        document["security"] = [{"token": []}, {"session": []}]
        document["components"] = {
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "esl_session"},
                "client": {"type": "http", "scheme": "basic"},
            },
        }
        describe_versions(document)
        app.openapi_schema = document
    return app.openapi_schema
