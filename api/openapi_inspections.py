"""The API's description of inspections."""

from api.openapi import NOTHING, ONCE, Schema, body_of, object_of
from esl.domain.inspection import NOTE_LONGEST, Seen
from esl.intake.inspection_json import SIZES
from esl.intake.strict_json import MAX_INTEGER

_MONEY: Schema = {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$"}

BEGIN = ONCE | body_of(
    object_of(
        (),
        {
            "size": {"type": ["integer", "null"], "enum": [*SIZES, None]},
            "seed": {
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": MAX_INTEGER,
                "description": "The same one draws the same sample; left out: any.",
            },
        },
    ),
    {"size": 50, "seed": 7},
)
LOOK = body_of(
    object_of(
        ("seen",),
        {
            "seen": {"type": ["string", "null"], "enum": [*Seen, None]},
            "price": _MONEY
            | {"type": ["string", "null"], "description": "On the shelf, where it is wrong."},
            "note": {"type": ["string", "null"], "minLength": 1, "maxLength": NOTE_LONGEST},
        },
    ),
    {"seen": "wrong", "price": "1.25", "note": "the label of the shelf above"},
)
END = ONCE | NOTHING
