"""Send a label its picture once more, whole, though it reported to show it."""

from datetime import datetime

from sqlalchemy import Connection, update

from esl.domain.errors import Conflict
from esl.domain.ids import LabelId, StoreId
from esl.domain.label import Lane
from esl.store import audit, labels
from esl.store.revisions import take_revision
from esl.store.tables import labels as rows


def resend(
    tx: Connection,
    store_id: StoreId,
    label_id: LabelId,
    now: datetime,
    *,
    actor: str,
    reason: str | None = None,
) -> tuple[LabelId, ...]:
    """Have a label painted anew, for whoever sees on its glass that it is not as it reported.

    Raises:
        UnknownLabel: The store has no such label.
        Conflict: It has nothing to show, or is quarantined.
    """
    labels.lock_labels(tx, store_id, [label_id])
    state = labels.label_named(tx, label_id)
    if not state.paired:
        raise Conflict(f"label {label_id} has no product: there is nothing to send")
    if state.quarantine:
        raise Conflict(
            f"label {label_id} is in quarantine, because two labels have its number: "
            "nothing is sent to either"
        )
    tx.execute(update(rows).where(rows.c.label_id == label_id).values(send_full=True))
    labels.want(tx, [label_id], take_revision(tx), now, lane=Lane.NORMAL)
    audit.note(
        tx,
        now,
        actor=actor,
        action="resend",
        subject=f"label/{label_id}",
        store_id=store_id,
        reason=reason,
    )
    return (label_id,)
