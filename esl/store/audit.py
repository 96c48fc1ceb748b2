"""What people and machines decided about the intake: append only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from esl.domain.audit import AuditEntry
from esl.domain.ids import StoreId
from esl.store.columns import AnyRow
from esl.store.tables import audit_entries


def note(
    tx: Connection,
    now: datetime,
    *,
    actor: str,
    action: str,
    subject: str,
    store_id: StoreId | None = None,
    reason: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down who did what to what, and why; ``detail`` never holds a secret."""
    row = {
        "at": now,
        "actor": actor[:80],
        "action": action,
        "store_id": store_id,
        "subject": subject[:140],
        "reason": reason[:300] if reason is not None else None,
        "detail": msgspec.json.encode(detail).decode() if detail is not None else None,
    }
    tx.execute(insert(audit_entries).values(**row))


def entries_of(
    tx: Connection, store_id: StoreId, *, after: int = 0, limit: int = 100
) -> list[AuditEntry]:
    """List a store's entries in their order."""
    query = (
        select(audit_entries)
        .where(audit_entries.c.store_id == store_id, audit_entries.c.entry_id > after)
        .order_by(audit_entries.c.entry_id)
        .limit(limit)
    )
    return [_entry(row) for row in tx.execute(query)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which entries somebody asks for; None: all."""

    store_id: StoreId | None = None
    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    begins: datetime | None = None
    ends: datetime | None = None  # the first moment after it


def entries_asked(
    tx: Connection, asked: Asked, *, before: int | None, most: int
) -> list[AuditEntry]:
    """List entries, the newest first, from the one before an id on."""
    table = audit_entries.c
    query = select(audit_entries)
    for column, value in (
        (table.store_id, asked.store_id),
        (table.actor, asked.actor),
        (table.action, asked.action),
        (table.subject, asked.subject),
    ):
        if value is not None:
            query = query.where(column == value)
    if asked.begins is not None:
        query = query.where(table.at >= asked.begins)
    if asked.ends is not None:
        query = query.where(table.at < asked.ends)
    if before is not None:
        query = query.where(table.entry_id < before)
    return [_entry(row) for row in tx.execute(query.order_by(table.entry_id.desc()).limit(most))]


def entry_named(tx: Connection, entry_id: int) -> AuditEntry | None:
    """Load one entry; None: there is none of that number."""
    row = tx.execute(select(audit_entries).where(audit_entries.c.entry_id == entry_id)).first()
    return None if row is None else _entry(row)


def _entry(row: AnyRow) -> AuditEntry:
    return AuditEntry(
        entry_id=int(row.entry_id),
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        reason=row.reason,
        detail=msgspec.json.decode(row.detail) if row.detail is not None else None,
        store_id=StoreId(row.store_id) if row.store_id is not None else None,
    )
