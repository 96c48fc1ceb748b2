"""The API's description of what is asked of labels and gateways: bodies with an example each."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.ids import SKU_MAX_CHARACTERS
from esl.domain.place import Neutral, UnknownLabels
from esl.intake.order_json import (
    GATEWAY_ORDERS,
    LABELS_MOST,
    LIGHT_COLOURS,
    LIGHT_MOST_S,
    SECONDS_MOST,
    VERDICT_LEAST_S,
    VERDICT_MOST_S,
    VERSION_LONGEST,
    Withdrawn,
)
from esl.intake.price_json import MAX_CHANGES

_SLUG: Schema = {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}
_SKU: Schema = {"type": "string", "minLength": 1, "maxLength": SKU_MAX_CHARACTERS}
_INSTANT: Schema = {"type": ["string", "null"], "format": "date-time"}


def _choice(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _seconds(least: int, most: int) -> Schema:
    return {"type": ["integer", "null"], "minimum": least, "maximum": most}


def _list(item: Schema, most: int) -> Schema:
    return {"type": "array", "items": item, "minItems": 1, "maxItems": most}


POLICY = ONCE | body_of(
    object_of(
        (),
        {
            "neutral": _choice(*Neutral)
            | {
                "description": "A label without a price: “face” shows the neutral face, “task” has "
                "it taken off the shelf."
            },
            "unknown_labels": _choice(*UnknownLabels)
            | {"description": "Labels that nobody registered: “adopt” takes them in, unpaired."},
            "adopt_until": _INSTANT,
            "verdict_within_s": _seconds(VERDICT_LEAST_S, VERDICT_MOST_S)
            | {"description": "How long an update may be without a verdict; 900 if left out."},
        },
    ),
    {"neutral": "face", "unknown_labels": "ignore", "verdict_within_s": 900},
)
TASK_DONE = ONCE | body_of(object_of((), {}), {}, required=False)
WITHDRAWAL = ONCE | body_of(
    object_of(("what", "skus"), {"what": _choice(*Withdrawn), "skus": _list(_SKU, MAX_CHANGES)}),
    {"what": "price", "skus": ["4711"]},
)
FLIP = ONCE | body_of(
    object_of(
        ("at", "changes"),
        {
            "at": {"type": "string", "format": "date-time"},
            "changes": _list(
                object_of(
                    ("sku", "price"),
                    {
                        "sku": _SKU,
                        "price": {"type": "string"},
                        "was": {"type": ["string", "null"]},
                        "unit_price": {"type": ["string", "null"]},
                        "badge": {"type": ["string", "null"]},
                        "currency": {"type": "string"},
                        "source": {"type": ["string", "null"]},
                    },
                ),
                MAX_CHANGES,
            )
            | {"description": "As in a price change; source_seq and source_time have no place."},
        },
    ),
    {"at": "2099-03-01T06:00:00Z", "changes": [{"sku": "4711", "price": "1.49"}]},
)
LIGHTS = ONCE | body_of(
    object_of(
        ("labels",),
        {
            "labels": _list(_SLUG, LABELS_MOST),
            "colour": _choice(*LIGHT_COLOURS),
            "seconds": _seconds(0, LIGHT_MOST_S) | {"description": "0 switches the light off."},
        },
    ),
    {"labels": ["a1-0001"], "colour": "green", "seconds": 30},
)
GATEWAY_COMMAND = ONCE | body_of(
    object_of(
        ("kind",),
        {
            "kind": _choice(*GATEWAY_ORDERS),
            "beacon_s": _seconds(1, SECONDS_MOST),
            "heartbeat_s": _seconds(1, SECONDS_MOST),
            "window": {"type": ["integer", "null"], "minimum": 1, "maximum": 4096},
        },
    ),
    {"kind": "config", "heartbeat_s": 15},
)
FIRMWARE = ONCE | body_of(
    object_of(
        ("target", "version", "image"),
        {
            "target": _SLUG | {"description": "“gateway”, or a panel model of its labels."},
            "version": {"type": "string", "minLength": 1, "maxLength": VERSION_LONGEST},
            "image": {"type": "string", "contentEncoding": "base64"},
            "at": _INSTANT | {"description": "When to use it; left out: as soon as it is whole."},
        },
    ),
    {"target": "gateway", "version": "1.4.0", "image": "bmV3IGZpcm13YXJl"},
)
