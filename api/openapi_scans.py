"""The API's description of scans."""

from api.openapi import ONCE, PICTURE, Schema, body_of, object_of
from esl.domain.scan import LONGEST
from esl.intake.scan_json import TEXTS_MOST

PAIR = ONCE | body_of(
    object_of(
        ("scans",),
        {
            "scans": {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "items": {"type": "string", "minLength": 1, "maxLength": LONGEST},
                "description": "A label's code and a product's, in either order, as read.",
            }
        },
    ),
    {"scans": ["a1-0001", "3850104087301"]},
)
LOOK_UP = body_of(
    object_of(
        ("texts",),
        {
            "texts": {
                "type": "array",
                "minItems": 1,
                "maxItems": TEXTS_MOST,
                "items": {"type": "string", "minLength": 1, "maxLength": LONGEST},
                "description": "As they were scanned, typed or pasted.",
            }
        },
    ),
    {"texts": ["4711", "3850104087301"]},
)
PHOTO: Schema = {"requestBody": PICTURE["requestBody"]}
