"""Prices and the audit, forgotten as the shop likes: how far, and which records may go.

==================== =======================================================================
``price_event``      old ones that held no more at that time: of each product, source, layer
                     and decision the newest stays, so what holds, and has held since, does
``audit_entry``      old ones, but never the newest of all, nor the newest of each thing done
                     to the history itself
==================== =======================================================================

How far is noted before anything goes, where triggers look: nothing younger can be deleted, by
mistake neither. Only what is sealed goes, from parts of the chain whose hashes are whole.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, or_, select

from esl.domain.chain import RecordKind
from esl.store.bulk import Bulk
from esl.store.chain_records import NAMES
from esl.store.columns import instant_text
from esl.store.retention import ROWS_A_STEP, Found, Place
from esl.store.tables import audit_entries, forgotten_history, installation
from esl.store.upsert import insert_or_update

FORGOTTEN: Final = "history_forgotten"
"""The action of the audit entry that says how far; its subject is the table."""

_GOES: Final = 2
_YOUNG: Final = 0

_IS_WHOLE: Final = """
    EXISTS (SELECT 1 FROM audit_part AS a
        WHERE a.kind = {kind} AND a.last_id >= {key} AND a.first_id <= {key} AND a.leaf_bytes = 32)
"""
_PRICES: Final = Bulk(
    f"""
    SELECT e.event_id, CASE WHEN e.received_at >= :before THEN 0
        WHEN EXISTS (SELECT 1 FROM price_event AS f
            WHERE f.store_id = e.store_id AND f.sku = e.sku AND f.event_id > e.event_id
                AND f.received_at < :before AND f.layer = e.layer AND f.decision = e.decision
                AND (f.rev IS NOT NULL OR e.rev IS NULL)
                AND (e.layer = 2 OR f.source = e.source))
            AND {_IS_WHOLE.format(kind=int(RecordKind.PRICE), key="e.event_id")} THEN 2
        ELSE 1 END
    FROM price_event AS e WHERE e.event_id > :after ORDER BY e.event_id LIMIT :most
    """  # noqa: S608  words of our own  # nosec B608
)
"""With each event: 0 it is young, 1 it stays, 2 it may go. Promotions (layer 2) are each other's
followers; a source's word is followed by its own."""

_ENTRIES: Final = Bulk(
    f"""
    SELECT e.entry_id, CASE WHEN e.at >= :before THEN 0
        WHEN e.entry_id < (SELECT max(m.entry_id) FROM audit_entry AS m)
            AND (e.action <> :action OR EXISTS (SELECT 1 FROM audit_entry AS n
                WHERE n.action = :action AND n.subject = e.subject AND n.entry_id > e.entry_id))
            AND {_IS_WHOLE.format(kind=int(RecordKind.AUDIT), key="e.entry_id")} THEN 2
        ELSE 1 END
    FROM audit_entry AS e WHERE e.entry_id > :after ORDER BY e.entry_id LIMIT :most
    """  # noqa: S608  words of our own  # nosec B608
)
_PRUNE_PRICES: Final = Bulk(
    """
    DELETE FROM price_event WHERE event_id IN (
        SELECT e.event_id FROM {rows} CROSS JOIN price_event AS e
        WHERE e.event_id = CAST(j.value->>0 AS bigint) AND e.received_at < {instant[1]}
    ) RETURNING event_id
    """
)
_PRUNE_ENTRIES: Final = Bulk(
    """
    DELETE FROM audit_entry WHERE entry_id IN (
        SELECT e.entry_id FROM {rows} CROSS JOIN audit_entry AS e
        WHERE e.entry_id = CAST(j.value->>0 AS bigint) AND e.at < {instant[1]}
    ) RETURNING entry_id
    """
)


def aged_until(tx: Connection) -> datetime:
    """Return up to where history has aged, so far as is noted: see `esl.services.ageing`."""
    query = select(func.coalesce(installation.c.aged_until, installation.c.created_at))
    until: datetime = tx.execute(query).scalar_one()
    return until


def note_aged(tx: Connection, until: datetime) -> None:
    """Raise how far history has aged."""
    held = installation.c.aged_until
    tx.execute(
        installation.update().where(or_(held.is_(None), held < until)).values(aged_until=until)
    )


def forgotten_to(tx: Connection) -> dict[RecordKind, datetime]:
    """Say up to when records were forgotten; kinds of which none ever was are left out."""
    rows = tx.execute(select(forgotten_history))
    return {RecordKind(row.kind): row.before for row in rows}


def said_forgotten(tx: Connection) -> dict[RecordKind, str]:
    """Say the same by the audit, whose entries are sealed: instants as texts, UTC."""
    query = select(audit_entries.c.subject, audit_entries.c.detail).where(
        audit_entries.c.action == FORGOTTEN
    )
    kinds = {name: kind for kind, name in NAMES.items()}
    found: dict[RecordKind, str] = {}
    for subject, detail in tx.execute(query):
        kind = kinds.get(subject)
        before = msgspec.json.decode(detail).get("before") if detail is not None else None
        if kind is not None and isinstance(before, str):
            found[kind] = max(found.get(kind, ""), before)
    return found


def note_forgotten(tx: Connection, kind: RecordKind, before: datetime) -> None:
    """Note that records from before a moment may go; triggers let them from now on."""
    insert_or_update(tx, forgotten_history, [{"kind": int(kind), "before": before}])


def find_old_prices(
    tx: Connection, before: datetime, *, place: Place | None = None, most: int = ROWS_A_STEP
) -> Found:
    """Find price events from before a moment that held no more then."""
    (after,) = place or (0,)
    return _found(_PRICES.run(tx, after=after, before=before, most=most), most)


def prune_prices(tx: Connection, events: Sequence[Place], before: datetime) -> int:
    """Forget price events that `find_old_prices` found; return how many went."""
    return len(_PRUNE_PRICES.run(tx, [(*one, instant_text(before)) for one in events]))


def find_old_entries(
    tx: Connection, before: datetime, *, place: Place | None = None, most: int = ROWS_A_STEP
) -> Found:
    """Find entries of the audit from before a moment."""
    (after,) = place or (0,)
    rows = _ENTRIES.run(tx, after=after, before=before, action=FORGOTTEN, most=most)
    return _found(rows, most)


def prune_entries(tx: Connection, entries: Sequence[Place], before: datetime) -> int:
    """Forget entries that `find_old_entries` found; return how many went."""
    return len(_PRUNE_ENTRIES.run(tx, [(*one, instant_text(before)) for one in entries]))


def _found(rows: list[tuple[Any, ...]], most: int) -> Found:
    """Gather what may go. Records are numbered as they come: the first young one ends the look."""
    is_past = len(rows) < most or rows[-1][1] == _YOUNG
    return Found(
        rows=[(int(row[0]),) for row in rows if row[1] == _GOES],
        next_place=None if is_past else (int(rows[-1][0]),),
    )
