"""Labels that nobody registered: adopted while their store's window is open, or ignored.

    a beacon of an unknown label, through a gateway of a store
        policy ``ignore``, or the window is over ─▶ counted, nothing else
        policy ``adopt``, until `adopt_until`    ─▶ an unpaired row: panel, gateway, epoch 1

The shop next door has labels too, so the window is short and a person opens it. An adopted label
shows what it showed until somebody pairs it. One that several shops hear is adopted by the first.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.ids import LabelId, PanelId
from esl.domain.panel import Panels
from esl.domain.place import NewLabel, UnknownLabels
from esl.domain.report import SeenReport, Sender
from esl.store import gateway_labels, labels, places

LABELS_MOST = 60_000
"""Labels of one store beyond which none is adopted: three times the largest shops. A sender that
makes ids up must not fill the database."""

_PANEL_ID_LONGEST = 40


def adopt_labels(
    tx: Connection,
    beacons: Iterable[tuple[Sender, SeenReport]],
    now: datetime,
    *,
    panels: Panels | None,
) -> tuple[LabelId, ...]:
    """Make rows of unknown labels where their store adopts; return those that are new.

    ``panels`` are the models that we can draw for; a label of another is not adopted. Without
    them every model is taken.
    """
    told = [(sender, r) for sender, r in beacons if _is_drawable(r.panel_id, panels)]
    if not told:
        return ()
    adopts = {
        store_id
        for store_id, policy in places.store_policies(
            tx, sorted({sender.store_id for sender, _ in told})
        ).items()
        if policy.unknown_labels is UnknownLabels.ADOPT
        and policy.adopt_until is not None
        and now < policy.adopt_until
    }
    found: dict[LabelId, NewLabel] = {}  # heard in two shops, it is the first one's
    for sender, report in told:
        if sender.store_id in adopts and report.label_id not in found:
            found[report.label_id] = NewLabel(
                label_id=report.label_id,
                store_id=sender.store_id,
                panel_id=report.panel_id,
                gateway_id=sender.gateway_id,
            )
    adopted: list[LabelId] = []
    for store_id in sorted(adopts):
        mine = [new for _, new in sorted(found.items()) if new.store_id == store_id]
        if mine:
            room = max(0, LABELS_MOST - labels.count_labels(tx, store_id))
            adopted += gateway_labels.add_unregistered(tx, mine[:room])
    return tuple(adopted)


def _is_drawable(panel_id: PanelId, panels: Panels | None) -> bool:
    if panels is None:
        return len(panel_id) <= _PANEL_ID_LONGEST
    return panel_id in panels
