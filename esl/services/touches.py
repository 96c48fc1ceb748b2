"""Touches of labels: which of them are believed. They are told to whoever watches, not kept."""

from collections.abc import Sequence

from sqlalchemy import Connection

from esl.domain.touch import Touch
from esl.store import labels


def believe_touches(tx: Connection, touches: Sequence[Touch]) -> tuple[Touch, ...]:
    """Return the touches of labels that their gateway's store has, each once, in their order.

    A message of the broker may come twice: equal touches are one.
    """
    if not touches:
        return ()
    known = labels.stores_of_labels(tx, {t.label_id for t in touches})
    return tuple(
        touch for touch in dict.fromkeys(touches) if known.get(touch.label_id) == touch.store_id
    )
