"""Forgetting what the intake has done with: prices that were decided about, batches, old links.

Each step takes the oldest by number, at most so many, and says how many went.
"""

from datetime import datetime

from sqlalchemy import Connection, delete, exists, select

from esl.domain.quarantine import QuarantineState
from esl.store.tables import (
    batches,
    import_jobs,
    missing_products,
    quarantine,
    remove_tasks,
    sign_in_links,
)


def forget_decided(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget prices in quarantine that were decided about; the audit keeps who decided what."""
    old = (
        select(quarantine.c.quarantine_id)
        .where(quarantine.c.state != QuarantineState.OPEN.value, quarantine.c.received_at < before)
        .order_by(quarantine.c.quarantine_id)
        .limit(most)
    )
    gone = delete(quarantine).where(quarantine.c.quarantine_id.in_(old))
    return int(tx.execute(gone).rowcount)


def forget_batches(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget batches that nobody can mean any more. Their prices stay, and who said them."""
    waits = exists().where(missing_products.c.batch_id == batches.c.batch_id)
    is_named = exists().where(import_jobs.c.batch_id == batches.c.batch_id)
    old = (
        select(batches.c.batch_id)
        .where(batches.c.began_at < before, ~waits, ~is_named)
        .order_by(batches.c.batch_id)
        .limit(most)
    )
    return int(tx.execute(delete(batches).where(batches.c.batch_id.in_(old))).rowcount)


def forget_tasks(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget labels that were taken off the shelf."""
    old = (
        select(remove_tasks.c.task_id)
        .where(remove_tasks.c.done_at < before)
        .order_by(remove_tasks.c.task_id)
        .limit(most)
    )
    return int(tx.execute(delete(remove_tasks).where(remove_tasks.c.task_id.in_(old))).rowcount)


def forget_links(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget links that signed people in and do so no more."""
    old = select(sign_in_links.c.secret_sha256).where(sign_in_links.c.expires_at < before)
    gone = delete(sign_in_links).where(sign_in_links.c.secret_sha256.in_(old.limit(most)))
    return int(tx.execute(gone).rowcount)
