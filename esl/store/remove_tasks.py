"""Labels that a person must take off the shelf: opened where nothing else can end a price."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, update

from esl.domain.errors import UnknownTask
from esl.domain.ids import LabelId, StoreId
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow, instant_text
from esl.store.tables import remove_tasks

DONE_BY_ITSELF = "controller"
"""Who ended a task that the label itself made needless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTask:
    """A label to be taken off the shelf, and whether it was."""

    task_id: int
    store_id: StoreId
    label_id: LabelId
    reason: str
    opened_at: datetime
    done_at: datetime | None
    done_by: str | None


OPEN_TASKS: Final = Bulk(
    """
    INSERT INTO remove_task (store_id, label_id, reason, opened_at)
    SELECT label.store_id, label.label_id, j.value->>1, {instant[2]}
    FROM {rows} CROSS JOIN label
    WHERE label.label_id = j.value->>0 AND (label.sent_rev > 0 OR label.shown_digest <> '')
        AND NOT EXISTS (
            SELECT 1 FROM remove_task AS held
            WHERE held.label_id = label.label_id AND held.done_at IS NULL
        )
        AND NOT EXISTS (
            SELECT 1 FROM remove_task AS ended
            WHERE ended.label_id = label.label_id AND ended.done_at >= label.wanted_at
                AND ended.done_by <> 'controller'
        )
    ON CONFLICT DO NOTHING
    """
)
"""Open a task for each of [label, reason, when] that may show a price and has no open one.

Nor one that a person has done since the label wanted what it wants. Another worker may open it at
the same time."""

CLOSE_TASKS: Final = Bulk(
    """
    UPDATE remove_task SET done_at = :now, done_by = :by
    WHERE done_at IS NULL AND EXISTS (
        SELECT 1 FROM label WHERE label.label_id = remove_task.label_id
            AND label.settled_rev >= label.wanted_rev AND label.due_at IS NULL
            AND label.problem IS NULL AND label.shown_digest <> ''
    )
    RETURNING label_id
    """
)
"""End the tasks of labels that have come to show what they should."""


def open_tasks(tx: Connection, wanted: Iterable[tuple[LabelId, str]], now: datetime) -> None:
    """Open tasks as (label, reason), for labels that may show something; one open a label."""
    text = instant_text(now)
    OPEN_TASKS.run(tx, [[label, reason[:300], text] for label, reason in sorted(set(wanted))])


def has_open_tasks(tx: Connection) -> bool:
    """Say whether any task is open: the cheap question before `close_tasks`."""
    query = select(remove_tasks.c.task_id).where(remove_tasks.c.done_at.is_(None)).limit(1)
    return tx.execute(query).first() is not None


def close_tasks(tx: Connection, now: datetime) -> list[LabelId]:
    """End the tasks that labels have made needless; return those labels."""
    return [LabelId(row[0]) for row in CLOSE_TASKS.run(tx, now=now, by=DONE_BY_ITSELF)]


def list_tasks(
    tx: Connection, store_id: StoreId, *, also_done: bool = False, after: int = 0, limit: int = 1000
) -> list[RemoveTask]:
    """List a store's tasks behind one, the oldest first: the open ones, or all."""
    query = select(remove_tasks).where(
        remove_tasks.c.store_id == store_id, remove_tasks.c.task_id > after
    )
    if not also_done:
        query = query.where(remove_tasks.c.done_at.is_(None))
    return [_task(row) for row in tx.execute(query.order_by(remove_tasks.c.task_id).limit(limit))]


def end_task(
    tx: Connection, store_id: StoreId, task_id: int, now: datetime, *, done_by: str
) -> RemoveTask:
    """Note that a person took the label off the shelf; a task that is over stays as it is.

    Raises:
        UnknownTask: The store has no such task.
    """
    tx.execute(
        update(remove_tasks)
        .where(
            remove_tasks.c.task_id == task_id,
            remove_tasks.c.store_id == store_id,
            remove_tasks.c.done_at.is_(None),
        )
        .values(done_at=now, done_by=done_by[:80])
    )
    query = select(remove_tasks).where(
        remove_tasks.c.task_id == task_id, remove_tasks.c.store_id == store_id
    )
    row = tx.execute(query).one_or_none()
    if row is None:
        raise UnknownTask(f"store {store_id!r} has no task {task_id}")
    return _task(row)


def _task(row: AnyRow) -> RemoveTask:
    return RemoveTask(
        task_id=int(row.task_id),
        store_id=StoreId(row.store_id),
        label_id=LabelId(row.label_id),
        reason=row.reason,
        opened_at=row.opened_at,
        done_at=row.done_at,
        done_by=row.done_by,
    )
