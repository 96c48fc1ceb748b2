"""The API's description of prices by hand."""

from api.openapi import NOTHING, ONCE, Schema, body_of, object_of
from esl.domain.ids import SKU_MAX_CHARACTERS
from esl.intake.price_json import BADGE_LONGEST, HAND_REASON_LONGEST

_MONEY: Schema = {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$"}
_INSTANT: Schema = {"type": ["string", "null"], "format": "date-time"}

HAND_PRICE = ONCE | body_of(
    object_of(
        ("sku", "price", "reason"),
        {
            "sku": {"type": "string", "minLength": 1, "maxLength": SKU_MAX_CHARACTERS},
            "price": _MONEY,
            "was": _MONEY | {"type": ["string", "null"]},
            "unit_price": _MONEY | {"type": ["string", "null"]},
            "badge": {"type": ["string", "null"], "minLength": 1, "maxLength": BADGE_LONGEST},
            "currency": {"type": "string", "description": "The store's own, as a check."},
            "valid_from": _INSTANT,
            "valid_to": _INSTANT,
            "reason": {"type": "string", "minLength": 1, "maxLength": HAND_REASON_LONGEST},
        },
    ),
    {"sku": "4711", "price": "1.25", "reason": "the sign of the competitor"},
)
UNDO = ONCE | NOTHING
