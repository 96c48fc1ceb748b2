"""The API's description of what is taken over from another system."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.place import PRODUCTS_MOST
from esl.intake.migration_json import PLACE_LONGEST, ROWS_MOST

_ID: Schema = {"type": ["string", "null"], "pattern": "^[a-z0-9-]{1,64}$"}
_ROW = object_of(
    ("label",),
    {
        "row": {"type": ["integer", "null"], "minimum": 1, "description": "Of the file."},
        "label": {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"},
        "sku": {"type": ["string", "null"], "maxLength": 64},
        "skus": {
            "type": ["array", "null"],
            "items": {"type": "string", "maxLength": 64},
            "minItems": 1,
            "maxItems": PRODUCTS_MOST,
            "description": "In place of sku: several products on one label, in their order.",
        },
        "panel": _ID | {"description": "Its model; a label that is new needs one."},
        "gateway": _ID | {"description": "Taken for a label that has none yet."},
        "place": {"type": ["string", "null"], "minLength": 1, "maxLength": PLACE_LONGEST},
    },
)
_FLAG: Schema = {"type": ["boolean", "null"], "default": False}
PAIRINGS = ONCE | body_of(
    object_of(
        ("rows",),
        {
            "rows": {"type": "array", "minItems": 1, "maxItems": ROWS_MOST, "items": _ROW},
            "move": _FLAG | {"description": "Pair labels anew that are paired otherwise here."},
            "panel": _ID | {"description": "Model of new labels whose rows name none."},
            "dry_run": _FLAG | {"description": "Store nothing; say what."},
        },
    ),
    {
        "rows": [
            {"row": 2, "label": "a1-0001", "sku": "4711", "place": "Aisle 3"},
            {"row": 3, "label": "a1-0077", "panel": "bwry-296x128"},
        ],
        "dry_run": True,
    },
)
