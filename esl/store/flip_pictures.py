"""The staged pictures of a flip: planned with it, cancelled with it, and ended at its moment."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from esl.domain.ids import LabelId
from esl.domain.label import Lane, SlotState
from esl.store.tables import labels, staged
from esl.store.upsert import in_batches


def plan_pictures(
    tx: Connection,
    flip_id: int,
    show_at: datetime,
    wanted: Iterable[tuple[LabelId, int]],
    now: datetime,
) -> int:
    """Plan pictures as (label, slots it has); return how many labels have a slot to spare.

    Slot 0 is for pictures shown at once. Of the others a label's lowest free one is taken.
    """
    ordered = dict(sorted(wanted))
    taken: dict[LabelId, set[int]] = {}
    for batch in in_batches(list(ordered)):
        query = select(staged.c.label_id, staged.c.slot).where(staged.c.label_id.in_(batch))
        for row in tx.execute(query):
            taken.setdefault(LabelId(row.label_id), set()).add(int(row.slot))
    rows: list[dict[str, object]] = []
    for label_id, slots in ordered.items():
        held = taken.get(label_id, set())
        free = next((slot for slot in range(1, slots) if slot not in held), None)
        if free is not None:
            rows.append(
                {
                    "label_id": label_id,
                    "slot": free,
                    "rev": 0,
                    "digest": "",
                    "show_at": show_at,
                    "state": int(SlotState.PLANNED),
                    "flip_id": flip_id,
                    "due_at": now,
                }
            )
    for some in in_batches(rows):
        tx.execute(insert(staged), some)
    return len(rows)


def cancel_pictures(
    tx: Connection, flip_id: int, now: datetime, *, but: Iterable[LabelId] = ()
) -> list[LabelId]:
    """Cancel a flip's pictures; return the labels with a timed show that may still be pending.

    Those are all that were ever armed: a picture put again since does not end the show before.
    Pictures of labels in ``but`` are forgotten.
    """
    tx.execute(delete(staged).where(staged.c.flip_id == flip_id, staged.c.session == ""))
    for batch in in_batches(sorted(set(but))):
        tx.execute(delete(staged).where(staged.c.flip_id == flip_id, staged.c.label_id.in_(batch)))
    found = tx.execute(
        update(staged)
        .where(staged.c.flip_id == flip_id)
        .values(state=int(SlotState.CANCELLED), due_at=now)
        .returning(staged.c.label_id)
    )
    return sorted(LabelId(label_id) for label_id in found.scalars())


def armed_labels(tx: Connection, flip_id: int) -> list[LabelId]:
    """List the labels with an armed show of a flip that they have not told of yet.

    Only where it was armed with the truth of now.
    """
    query = (
        select(staged.c.label_id)
        .join(labels, labels.c.label_id == staged.c.label_id)
        .where(
            staged.c.flip_id == flip_id,
            staged.c.state == int(SlotState.ARMED),
            staged.c.show_rev >= labels.c.wanted_rev,
            staged.c.show_rev > labels.c.shown_rev,
        )
        .order_by(staged.c.label_id)
    )
    return [LabelId(label_id) for label_id in tx.execute(query).scalars()]


def hurry(tx: Connection, label_ids: Sequence[LabelId], due_at: datetime, lane: Lane) -> None:
    """Put due labels into a lane, to be looked at from a moment on."""
    for batch in in_batches(sorted(label_ids)):
        tx.execute(
            update(labels)
            .where(labels.c.label_id.in_(batch), labels.c.due_at.is_not(None))
            .values(due_at=due_at, lane=int(lane))
        )


def count_states(tx: Connection, flip_id: int) -> dict[SlotState, int]:
    """Count a flip's pictures by state."""
    query = (
        select(staged.c.state, func.count())
        .where(staged.c.flip_id == flip_id)
        .group_by(staged.c.state)
    )
    return {SlotState(state): int(count) for state, count in tx.execute(query)}


def labels_of_flip(tx: Connection, flip_id: int) -> list[LabelId]:
    """List the labels that wait for a flip's moment with a picture."""
    query = select(staged.c.label_id).where(staged.c.flip_id == flip_id)
    return sorted(LabelId(label_id) for label_id in tx.execute(query).scalars())


def labels_with_pictures(tx: Connection, label_ids: Iterable[LabelId]) -> list[LabelId]:
    """List those of these labels that wait for a moment with a picture in a slot."""
    found: set[LabelId] = set()
    for batch in in_batches(sorted(set(label_ids))):
        query = select(staged.c.label_id).where(
            staged.c.label_id.in_(batch), staged.c.state != int(SlotState.CANCELLED)
        )
        found.update(LabelId(label_id) for label_id in tx.execute(query).scalars())
    return sorted(found)
