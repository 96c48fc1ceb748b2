"""What people say beside a promotion: which panels to look at, and why they stop it."""

from dataclasses import dataclass, replace
from typing import Any

from esl.domain.errors import FieldProblem, InvalidInput, UnknownPanel
from esl.domain.ids import PanelId
from esl.domain.panel import Panels
from esl.domain.promotion.promotion import Promotion
from esl.intake.field_parts import texts_through
from esl.intake.fields import Fields
from esl.intake.promotion_json import parse_promotion
from esl.intake.strict_json import parse_strict_json

PANELS_MOST = 20
REASON_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewOrder:
    """A promotion to look at, and the panel models of which examples are wanted."""

    promotion: Promotion
    panels: list[PanelId]


def parse_preview_order(value: Any, panels: Panels) -> PreviewOrder:
    """Read ``{"promotion": {…}, "panels": ["bwry-296x128"]}``; without panels, all there are.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    if not fields.has("promotion"):
        fields.problem("promotion", "missing")

    def panel(text: str, at: str) -> PanelId:
        try:
            return panels.named(PanelId(text)).panel_id
        except UnknownPanel as exc:
            raise InvalidInput.at(at, str(exc), fix="All of them: esl panels list.") from None

    wanted = fields.take("promotion")
    chosen = texts_through(fields, "panels", panel, PANELS_MOST)
    fields.finish()
    try:
        promotion = parse_promotion(wanted)
    except InvalidInput as exc:
        raise InvalidInput([_below(problem) for problem in exc.problems]) from None
    return PreviewOrder(promotion=promotion, panels=chosen)


def parse_reason(body: bytes) -> str | None:
    """Read ``{"reason": "…"}``; nothing at all is no reason.

    Raises:
        InvalidInput: It says something else.
    """
    if not body:
        return None
    fields = Fields(parse_strict_json(body))
    reason = fields.text("reason", longest=REASON_LONGEST)
    fields.finish()
    return reason if isinstance(reason, str) else None


def _below(problem: FieldProblem) -> FieldProblem:
    return replace(problem, path=f"/promotion{problem.path}")
