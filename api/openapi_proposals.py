"""The API's description of what engines propose: bodies with an example each."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.proposal import Approval
from esl.intake.promotion_json import WEEKDAYS
from esl.intake.proposal_json import (
    COSTS_MOST,
    ENGINES_MOST,
    HOURS_MOST,
    MOVES_MOST,
    PERCENT_MOST,
    PROPOSALS_MOST,
    REASON_LONGEST,
)

_SLUG: Schema = {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}
_SKU: Schema = {"type": "string", "minLength": 1, "maxLength": 64}
_MONEY: Schema = {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$"}
_MAYBE_MONEY: Schema = _MONEY | {"type": ["string", "null"]}
_REASON: Schema = {"type": "string", "minLength": 1, "maxLength": REASON_LONGEST}
_CLOCK: Schema = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_HOURS: Schema = {
    "type": "array",
    "items": object_of(("begins", "ends"), {"begins": _CLOCK, "ends": _CLOCK}),
    "maxItems": HOURS_MOST,
}


def _percent(low: int, high: int) -> Schema:
    return {"type": ["integer", "null"], "minimum": low, "maximum": high}


PROPOSALS = ONCE | body_of(
    object_of(
        ("source", "proposals"),
        {
            "source": _SLUG,
            "proposals": {
                "type": "array",
                "minItems": 1,
                "maxItems": PROPOSALS_MOST,
                "items": object_of(
                    ("sku", "price", "reason"),
                    {
                        "sku": _SKU,
                        "price": _MONEY,
                        "currency": {"type": "string"},
                        "reason": _REASON,
                    },
                ),
            },
        },
    ),
    {
        "source": "footfall",
        "proposals": [{"sku": "4711", "price": "1.19", "reason": "few customers this morning"}],
    },
)
RULING = ONCE | body_of(
    object_of(
        ("proposals",),
        {
            "proposals": {
                "type": "array",
                "minItems": 1,
                "maxItems": PROPOSALS_MOST,
                "items": {"type": "integer", "minimum": 1},
            },
            "note": {"type": ["string", "null"], "maxLength": REASON_LONGEST},
        },
    ),
    {"proposals": [7], "note": "Agreed with the store."},
)
RULES = body_of(
    object_of(
        ("engines",),
        {
            "engines": {"type": "array", "items": _SLUG, "maxItems": ENGINES_MOST},
            "lowest": _MAYBE_MONEY,
            "highest": _MAYBE_MONEY,
            "least_percent": _percent(0, 100),
            "most_percent": _percent(100, PERCENT_MOST),
            "margin_percent": _percent(0, PERCENT_MOST),
            "moves_a_day": _percent(1, MOVES_MOST),
            "quiet": _HOURS,
            "opening": object_of((), dict.fromkeys(WEEKDAYS, _HOURS)),
            "freeze_while_open": {"type": "boolean"},
            "approval": {"type": "string", "enum": list(Approval)},
        },
    ),
    {
        "engines": ["footfall"],
        "lowest": "0.20",
        "least_percent": 80,
        "most_percent": 120,
        "margin_percent": 5,
        "moves_a_day": 2,
        "quiet": [{"begins": "22:00", "ends": "06:00"}],
        "opening": {"mon": [{"begins": "08:00", "ends": "20:00"}]},
        "freeze_while_open": True,
        "approval": "rises",
    },
)
COSTS = ONCE | body_of(
    {
        "type": "array",
        "minItems": 1,
        "maxItems": COSTS_MOST,
        "items": object_of(("sku", "cost"), {"sku": _SKU, "cost": _MAYBE_MONEY}),
    },
    [{"sku": "4711", "cost": "0.80"}],
)
