"""The API's description of promotions: bodies with an example each."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.promotion.check import (
    HOURS_MOST,
    PRIORITY_MOST,
    QUANTITY_MOST,
    SKUS_MOST,
    STEPS_MOST,
    VALUES_MOST,
)
from esl.domain.promotion.promotion import Channel, PercentOf, Stacking
from esl.intake.promotion_json import WEEKDAYS
from esl.intake.promotion_orders import PANELS_MOST, REASON_LONGEST

_SLUG: Schema = {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}
_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 120}
_MONEY: Schema = {"type": "string", "pattern": "^[0-9]{1,9}(\\.[0-9]{1,3})?$"}
_LOCAL: Schema = {
    "type": ["string", "null"],
    "description": "A time of the store's own clock, without a zone: 2026-03-02T08:00.",
}
_CLOCK: Schema = {"type": "string", "description": "22:00"}


def _texts(most: int) -> Schema:
    return {"type": "array", "items": _TEXT, "maxItems": most}


def _words(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


_GIVES = object_of(
    (),
    {
        "price": _MONEY,
        "percent": {"type": ["integer", "string"], "description": '25, or "12.5"'},
        "of": _words(*PercentOf),
        "amount": _MONEY,
        "quantity": {"type": "integer", "minimum": 2, "maximum": QUANTITY_MOST},
        "total": _MONEY,
        "pay_for": {"type": "integer", "minimum": 1, "maximum": QUANTITY_MOST - 1},
    },
) | {"description": "One of price, percent, amount, or quantity with total or pay_for."}
_WHOLE = object_of(
    ("name", "gives", "selection"),
    {
        "id": _SLUG,
        "name": _TEXT,
        "gives": _GIVES,
        "currency": {"type": ["string", "null"]},
        "club": {"type": ["string", "null"], "description": "For its members alone."},
        "is_markdown": {"type": "boolean", "description": "Goods about to spoil."},
        "selection": object_of(
            (),
            {
                "skus": _texts(SKUS_MOST),
                "categories": _texts(VALUES_MOST),
                "brands": _texts(VALUES_MOST),
                "tags": _texts(VALUES_MOST),
                "everything": {"type": "boolean"},
                "except_skus": _texts(SKUS_MOST),
            },
        ),
        "where": object_of(
            (),
            {
                "stores": {"type": "array", "items": _SLUG, "maxItems": VALUES_MOST},
                "groups": _texts(VALUES_MOST),
                "areas": _texts(VALUES_MOST),
            },
        ),
        "channels": {"type": "array", "items": _words(*Channel)},
        "window": object_of(
            (),
            {
                "begins": _LOCAL,
                "ends": _LOCAL,
                "weekdays": {"type": "array", "items": _words(*WEEKDAYS)},
                "hours": {
                    "type": "array",
                    "items": object_of(("begins", "ends"), {"begins": _CLOCK, "ends": _CLOCK}),
                    "maxItems": HOURS_MOST,
                },
            },
        ),
        "priority": {"type": "integer", "minimum": -PRIORITY_MOST, "maximum": PRIORITY_MOST},
        "stacking": _words(*Stacking),
        "template": {"type": ["string", "null"]},
        "badge": {"type": ["string", "null"], "description": "“{percent}” is filled in."},
        "rollout": {
            "type": "array",
            "items": object_of(
                (),
                {
                    "areas": _texts(VALUES_MOST),
                    "percent": {"type": "integer", "minimum": 0, "maximum": 100},
                },
            ),
            "maxItems": STEPS_MOST,
        },
    },
)
_EXAMPLE = {
    "id": "weekend-coffee",
    "name": "Weekend coffee",
    "gives": {"percent": 25},
    "badge": "−{percent} %",
    "selection": {"categories": ["Coffee"]},
    "where": {"stores": ["main"]},
    "window": {"begins": "2099-03-06T08:00", "ends": "2099-03-08T20:00"},
    "priority": 10,
}
PROMOTION = ONCE | body_of(_WHOLE, _EXAMPLE)
PROMOTION_PUT = body_of(_WHOLE, {key: _EXAMPLE[key] for key in _EXAMPLE if key != "id"}) | {
    "parameters": [
        *ONCE["parameters"],
        {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "schema": {"type": "string"},
            "example": "*",
            "description": "The ETag of the promotion that was read; * replaces any version.",
        },
    ]
}
PREVIEW = body_of(
    object_of(
        ("promotion",),
        {
            "promotion": _WHOLE,
            "panels": {"type": "array", "items": {"type": "string"}, "maxItems": PANELS_MOST},
        },
    ),
    {"promotion": _EXAMPLE, "panels": ["bwry-296x128"]},
)
STEP = ONCE | body_of(object_of((), {}), {})
STOP = ONCE | body_of(
    object_of((), {"reason": {"type": ["string", "null"], "maxLength": REASON_LONGEST}}),
    {"reason": "The supplier withdrew it."},
)
