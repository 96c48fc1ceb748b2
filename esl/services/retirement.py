"""Labels that leave the shop, after they have been unpaired.

::

    retired ──▶ neutral face shown ──▶ `forget` to its gateway, epoch raised ──▶ unassociated
       │                                        ▲
       └── given up, or out of time: a task is open ──┘

The epoch is raised in the transaction that writes `forget` down: whatever of the old pairing
still travels is refused by a label that is bound anew.

A label that has left and is heard again hangs below the gateway that hears it. If it left without
its neutral face, that is sent to it now; an hour after it left it is forgotten once more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from esl.domain.label import LabelState
from esl.services import signals
from esl.services.signals import Order
from esl.store import places, retired

FORGOTTEN_AGAIN_AFTER: Final = timedelta(hours=1)
"""A label that has left and beacons on is forgotten, and its epoch raised, no sooner."""


def find_leaving(tx: Connection, now: datetime) -> list[LabelState]:
    """List labels that are to leave and show no price any more, or have a task open for it."""
    policies = places.store_policies(tx)
    ready: list[LabelState] = []
    for label, wanted_at in retired.labels_leaving(tx, left_before=now - FORGOTTEN_AGAIN_AFTER):
        settled = label.settled_rev >= label.wanted_rev and label.due_at is None
        within = policies[label.store_id].verdict_within
        is_late = wanted_at is not None and now - wanted_at >= within
        if settled or label.problem is not None or is_late:
            ready.append(label)
    return ready


def let_go(tx: Connection, leaving: Sequence[tuple[LabelState, Order]], now: datetime) -> None:
    """End labels' binding to the shop, and have their gateways forget them."""
    for label, order in leaving:
        signals.order(tx, label.store_id, [order], now)
    retired.let_go(tx, [label.label_id for label, _ in leaving], now)
