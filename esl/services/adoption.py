"""Labels that nobody registered: adopted while their store's window is open, or ignored.

    a beacon of an unknown label, through a gateway of a store
        policy ``ignore``, or the window is over ─▶ counted, nothing else
        policy ``adopt``, until `adopt_until`    ─▶ an unpaired row: panel, gateway, epoch 1

The shop next door has labels too, so the window is short and a person opens it. An adopted label
shows what it showed until somebody pairs it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.ids import GatewayId, LabelId, PanelId, StoreId
from esl.domain.panel import Panels
from esl.domain.place import NewLabel, UnknownLabels
from esl.domain.report import SeenReport, Sender
from esl.store import labels, places

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
    found: dict[StoreId, dict[LabelId, tuple[GatewayId, PanelId]]] = {}
    for sender, report in beacons:
        if _is_drawable(report.panel_id, panels):
            found.setdefault(sender.store_id, {})[report.label_id] = (
                sender.gateway_id,
                report.panel_id,
            )
    if not found:
        return ()
    adopted: list[LabelId] = []
    for store_id, policy in places.store_policies(tx, sorted(found)).items():
        opened = policy.unknown_labels is UnknownLabels.ADOPT
        if opened and policy.adopt_until is not None and now < policy.adopt_until:
            adopted += _adopt(tx, store_id, found[store_id])
    return tuple(adopted)


def _adopt(
    tx: Connection, store_id: StoreId, found: dict[LabelId, tuple[GatewayId, PanelId]]
) -> Sequence[LabelId]:
    room = LABELS_MOST - labels.count_labels(tx, store_id)
    new = [
        NewLabel(label_id=label_id, store_id=store_id, panel_id=panel_id, gateway_id=gateway_id)
        for label_id, (gateway_id, panel_id) in sorted(found.items())[: max(0, room)]
    ]
    if new:
        labels.register_labels(tx, store_id, new)
    return [n.label_id for n in new]


def _is_drawable(panel_id: PanelId, panels: Panels | None) -> bool:
    if panels is None:
        return len(panel_id) <= _PANEL_ID_LONGEST
    return panel_id in panels
