"""Touches of labels: which of them are believed. They are kept, and told to whoever watches."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.touch import Touch
from esl.store import labels
from esl.store.touches import add_touches


def take_touches(tx: Connection, touches: Sequence[Touch], now: datetime) -> tuple[Touch, ...]:
    """Keep and return the touches of labels that their gateway's store has, each once, in order.

    A message of the broker may come twice: equal touches are one.
    """
    if not touches:
        return ()
    known = labels.stores_of_labels(tx, {t.label_id for t in touches})
    believed = tuple(
        touch for touch in dict.fromkeys(touches) if known.get(touch.label_id) == touch.store_id
    )
    add_touches(tx, believed, now)
    return believed
