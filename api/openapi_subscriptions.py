"""The API's description of subscriptions: bodies with an example each."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.subscription import (
    BATCH_MOST,
    DESCRIPTION_LONGEST,
    LOW_STOCK_MOST,
    URL_LONGEST,
    EventType,
)
from esl.intake.subscription_json import OVERLAP_MOST_H

_FIELDS: Schema = {
    "store": {
        "type": ["string", "null"],
        "pattern": "^[a-z0-9-]{1,64}$",
        "description": "Left out: all stores.",
    },
    "url": {"type": "string", "minLength": 1, "maxLength": URL_LONGEST},
    "events": {
        "type": "array",
        "minItems": 1,
        "maxItems": len(EventType),
        "items": {"type": "string", "enum": [*EventType]},
    },
    "description": {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": DESCRIPTION_LONGEST,
    },
    "enabled": {"type": "boolean"},
    "allow_private": {
        "type": "boolean",
        "description": "It stands in the shop's own network; opens plain http, too.",
    },
    "batch": {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": BATCH_MOST,
        "description": "Events of one message at most; 100 if left out.",
    },
    "low_stock": {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": LOW_STOCK_MOST,
        "description": "Pieces; with so many or fewer a product is low.",
    },
    "from_now": {
        "type": "boolean",
        "description": "What was not told by now is left out.",
    },
}
SUBSCRIPTION = body_of(
    object_of(("url", "events"), _FIELDS),
    {
        "store": "main",
        "url": "https://erp.example/esl-events",
        "events": ["price.changed", "stock.low", "stock.out"],
        "low_stock": 5,
        "enabled": False,
    },
)
ROTATION = body_of(
    object_of(
        (),
        {"overlap_h": {"type": ["integer", "null"], "minimum": 0, "maximum": OVERLAP_MOST_H}},
    ),
    {"overlap_h": 24},
)
NOTHING = ONCE | body_of(object_of((), {}), {}, required=False)
