"""A label to draw and not to send, as JSON: the body of ``POST /api/v1/render``.

    {"template": "standard", "panel": "bwry-296x128", "data": {"name": …}, "lint": true}

``template`` is a name, of the gallery or of ``store``, or the YAML text itself. Without ``data``
the template's own sample is drawn.
"""

from dataclasses import dataclass
from typing import Any

from esl.domain.errors import InvalidInput
from esl.domain.face import Face
from esl.domain.ids import StoreId, check_slug
from esl.domain.pricing import KEEP
from esl.intake.face_json import parse_face
from esl.intake.fields import Fields
from esl.intake.price_json import text_or_none
from esl.intake.strict_json import pointer
from esl.intake.template_json import TEMPLATE_TEXT_LONGEST

SCALE_MOST = 8
PANEL_LONGEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """What to draw and how to show it."""

    template: str  # a name or a text
    store_id: StoreId | None
    panel: str
    face: Face | None
    worst_case: bool
    scale: int
    boxes: bool
    grid: bool
    lint: bool


def parse_render_request(value: Any) -> RenderRequest:
    """Read the body.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    template = fields.take("template")
    if template is KEEP:
        template = "standard"
    if not isinstance(template, str) or not 1 <= len(template) <= TEMPLATE_TEXT_LONGEST:
        fields.problem(
            "template",
            f"not a text of 1 to {TEMPLATE_TEXT_LONGEST} characters",
            fix="Send the name of a template, or its YAML.",
        )
    store = fields.parsed("store", lambda text, at: check_slug(text, path=at, what="store"))
    panel = fields.text("panel", longest=PANEL_LONGEST, required=True)
    if fields.take("face") is not KEEP:
        fields.problem("face", "unknown field", fix="Did you mean “data”? It holds the face.")
    data, face = fields.take("data"), None
    if data is not KEEP and data is not None:
        try:
            face = parse_face(data, path=pointer("", "data"))
        except InvalidInput as exc:
            fields.problems.extend(exc.problems)
    worst_case = _flag(fields, "worst_case")
    if worst_case and data is not KEEP and data is not None:
        fields.problem("worst_case", "sent with data", fix="Send one of them.")
    request = RenderRequest(
        template=str(template),
        store_id=StoreId(store) if isinstance(store, str) else None,
        panel=text_or_none(panel) or "",
        face=face,
        worst_case=worst_case,
        scale=fields.integer("scale", low=1, high=SCALE_MOST) or 1,
        boxes=_flag(fields, "boxes"),
        grid=_flag(fields, "grid"),
        lint=_flag(fields, "lint"),
    )
    fields.finish()
    return request


def _flag(fields: Fields, name: str) -> bool:
    value = fields.take(name)
    if value is KEEP or value is None:
        return False
    if not isinstance(value, bool):
        fields.problem(name, "neither true nor false")
    return value is True
