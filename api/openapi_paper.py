"""The API's description of paper tickets."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.paper import TICKETS_MOST

_LABEL: Schema = {"type": "string", "pattern": r"^[a-z0-9-]{1,64}$"}

PRINT = ONCE | body_of(
    object_of(
        ("labels",),
        {
            "labels": {
                "type": "array",
                "items": _LABEL,
                "minItems": 1,
                "maxItems": TICKETS_MOST,
                "description": "In the order in which they shall be printed.",
            }
        },
    ),
    {"labels": ["l-1"]},
)
HANGS = body_of(object_of(("hangs",), {"hangs": {"type": "boolean"}}), {"hangs": False})
