"""The draft of a template to look at and not to save, as JSON.

    {"text": "name: own …", "panels": ["bwry-296x128"], "scale": 2, "labels": true}

Without ``panels`` it is drawn on those that the store has.
"""

from dataclasses import dataclass
from typing import Any, Final

from esl.domain.pricing import KEEP
from esl.intake.fields import Fields
from esl.intake.guard_json import read_flag
from esl.intake.render_json import PANEL_LONGEST
from esl.intake.template_json import TEMPLATE_TEXT_LONGEST

DRAFT_PANELS_MOST: Final = 8
"""What a person looks at side by side; each is drawn twice, in about a tenth of a second."""

DRAFT_SCALE_MOST: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text, on what to draw it, and what else to say."""

    text: str
    panels: tuple[str, ...] | None  # None: those that the store has
    scale: int
    labels: bool  # count those that saving it would change


def parse_draft(value: Any) -> Draft:
    """Read the body.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    text, panels = fields.take("text"), fields.take("panels")
    if not isinstance(text, str):
        fields.problem("text", "missing" if text is KEEP else "not a string")
    elif len(text) > TEMPLATE_TEXT_LONGEST:
        fields.problem("text", f"longer than {TEMPLATE_TEXT_LONGEST} characters")
    if panels is KEEP:
        panels = None
    elif panels is not None and not isinstance(panels, list):
        fields.problem("panels", "not an array")
    elif panels is not None and not 1 <= len(panels) <= DRAFT_PANELS_MOST:
        fields.problem("panels", f"{len(panels)} panels", fix=f"Send 1 to {DRAFT_PANELS_MOST}.")
    elif panels is not None and not all(
        isinstance(one, str) and len(one) <= PANEL_LONGEST for one in panels
    ):
        fields.problem("panels", "not ids of display models", fix="All of them: GET /panels.")
    scale = fields.integer("scale", low=1, high=DRAFT_SCALE_MOST) or 1
    labels = read_flag(fields, "labels", usual=False)
    fields.finish()
    return Draft(
        text=str(text),
        panels=None if panels is None else tuple(dict.fromkeys(panels)),
        scale=scale,
        labels=labels,
    )
