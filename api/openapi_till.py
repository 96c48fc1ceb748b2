"""The API's description of tills: bodies with an example each."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.ids import SKU_MAX_CHARACTERS
from esl.domain.till_channel import (
    SECRET_LONGEST,
    SECRET_SHORTEST,
    URL_LONGEST,
    PriceOwner,
    TillChannel,
)
from esl.intake.till_json import (
    LABELS_MOST,
    REASON_LONGEST,
    REV_MOST,
    WITHIN_LEAST_S,
    WITHIN_MOST_S,
    WORDS_MOST,
)

_SKU: Schema = {"type": "string", "minLength": 1, "maxLength": SKU_MAX_CHARACTERS}
_SLUG: Schema = {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}

SETTING = ONCE | body_of(
    object_of(
        (),
        {
            "price_owner": {"type": ["string", "null"], "enum": [*PriceOwner, None]},
            "channel": {"type": ["string", "null"], "enum": [*TillChannel, None]},
            "increase_safe": {
                "type": "boolean",
                "description": "Dearer prices on labels first, cheaper ones at the till first.",
            },
            "url": {"type": ["string", "null"], "maxLength": URL_LONGEST},
            "allow_private": {"type": "boolean"},
            "secret": {
                "type": ["string", "null"],
                "minLength": SECRET_SHORTEST,
                "maxLength": SECRET_LONGEST,
                "description": "What messages are signed with; left out, the one before stays.",
            },
            "acknowledge_within_s": {
                "type": ["integer", "null"],
                "minimum": WITHIN_LEAST_S,
                "maximum": WITHIN_MOST_S,
                "description": "A till that takes longer is a problem; 300 if left out.",
            },
        },
    ),
    {"channel": "pull", "increase_safe": True},
)
WORDS = ONCE | body_of(
    object_of(
        ("prices",),
        {
            "prices": {
                "type": "array",
                "minItems": 1,
                "maxItems": WORDS_MOST,
                "items": object_of(
                    ("sku", "rev"),
                    {
                        "sku": _SKU,
                        "rev": {"type": "integer", "minimum": 1, "maximum": REV_MOST},
                    },
                ),
            }
        },
    ),
    {"prices": [{"sku": "4711", "rev": 812}]},
)
ABSENT = ONCE | body_of(
    object_of(
        ("labels", "reason"),
        {
            "labels": {"type": "array", "minItems": 1, "maxItems": LABELS_MOST, "items": _SLUG},
            "reason": {"type": "string", "minLength": 1, "maxLength": REASON_LONGEST},
        },
    ),
    {"labels": ["l-00017"], "reason": "broken, thrown away"},
)
