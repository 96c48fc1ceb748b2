"""A frame for a label that may not show its price: the first neutral face that can be drawn."""

from collections.abc import Callable

import structlog

from esl.domain.errors import EslError
from esl.services.deliveries import DueLabel
from esl.services.neutral import NeutralBook
from renderer.frame import Frame

log = structlog.get_logger()


def draw_neutral(
    label: DueLabel, book: NeutralBook, draw: Callable[[DueLabel], Frame]
) -> tuple[DueLabel, Frame] | None:
    """Draw a label's neutral face; return the label as it was drawn, and the proven frame.

    None where a person must take the label off the shelf: its store wants that, or not even
    the store's name can be drawn.
    """
    for way in book.ways(label):
        try:
            return way, draw(way)
        except EslError as exc:
            log.warning("neutral face refused", label=label.label_id, reason=str(exc))
        except Exception:
            log.exception("neutral face failed", label=label.label_id)
    return None
