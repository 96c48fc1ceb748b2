"""The API's description of drafts of templates."""

from api.openapi import Schema, body_of, object_of
from esl.intake.draft_json import DRAFT_PANELS_MOST, DRAFT_SCALE_MOST
from esl.intake.render_json import PANEL_LONGEST
from esl.intake.template_json import TEMPLATE_TEXT_LONGEST

_PANELS: Schema = {
    "type": ["array", "null"],
    "items": {"type": "string", "maxLength": PANEL_LONGEST},
    "minItems": 1,
    "maxItems": DRAFT_PANELS_MOST,
    "description": "Display models; those that the store has if left out.",
}
_EXAMPLE = """\
name: own
title: Name and price
sample: {name: Jogurt, price: "0.79", currency: EUR}
worst_case: {name: Jogurt od borovnice, price: "129.99", currency: EUR}
variants:
  - elements:
      - {type: text, value: "{title}", box: [0, 0, "100%", "40%"], min_size: 12, max_lines: 2}
      - {type: price, box: [0, "40%", "100%", "60%"]}
"""
DRAFT = body_of(
    object_of(
        ("text",),
        {
            "text": {"type": "string", "maxLength": TEMPLATE_TEXT_LONGEST},
            "panels": _PANELS,
            "scale": {"type": ["integer", "null"], "minimum": 1, "maximum": DRAFT_SCALE_MOST},
            "labels": {
                "type": "boolean",
                "description": "Say how many labels a save would redraw, too.",
            },
        },
    ),
    {"text": _EXAMPLE, "panels": ["bwry-296x128"], "labels": True},
)
