"""What people and machines decided about the intake: append only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from esl.domain.audit import AuditEntry
from esl.domain.ids import StoreId
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
    return [
        AuditEntry(
            entry_id=int(row.entry_id),
            at=row.at,
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            reason=row.reason,
            detail=msgspec.json.decode(row.detail) if row.detail is not None else None,
        )
        for row in tx.execute(query)
    ]
