"""Reading which paper tickets to print, and whether one hangs."""

from typing import Any, Final

from esl.domain.ids import LabelId, check_slug
from esl.domain.paper import TICKETS_MOST
from esl.intake.field_parts import texts_through
from esl.intake.fields import Fields

_LABELS_FIX: Final = f'Send 1 to {TICKETS_MOST} label ids, such as {{"labels": ["l-00007"]}}.'


def parse_labels(value: Any) -> list[LabelId]:
    """Read ``{"labels": ["l-1", …]}``: each once, in their order.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    read = texts_through(
        fields, "labels", lambda text, at: check_slug(text, path=at, what="label"), TICKETS_MOST
    )
    if not read and not fields.problems:
        fields.problem("labels", "none", fix=_LABELS_FIX)
    fields.finish()
    return [LabelId(one) for one in dict.fromkeys(read)]


def parse_hangs(value: Any) -> bool:
    """Read ``{"hangs": false}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    hangs = fields.take("hangs")
    if not isinstance(hangs, bool):
        fix = "Send true or false: whether the ticket hangs on the shelf."
        fields.problem("hangs", "not true or false", fix=fix)
    fields.finish()
    return hangs is True
