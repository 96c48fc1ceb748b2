"""Register sources, give them secrets, save mappings; each is audited."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.errors import UnknownSource
from esl.domain.ids import SourceId
from esl.domain.source import Source
from esl.intake.source_json import source_view
from esl.store import audit, broker_logins, connectors, places, sources
from esl.store.bell import Ring, ring_within
from esl.store.sources import SavedMapping


def put_source(tx: Connection, source: Source, now: datetime, *, actor: str) -> None:
    """Register a source, or replace what is known of it.

    Raises:
        UnknownStore: It names a store that is not there.
        UnknownMapping: It names a mapping that is not there.
    """
    if source.store_id is not None:
        places.store_named(tx, source.store_id)
    if source.mapping is not None:
        sources.mapping_named(tx, source.mapping)
    before = None
    try:
        before = source_view(sources.source_named(tx, source.source_id))
    except UnknownSource:
        pass
    sources.put_source(tx, source, now)
    connectors.forgive(tx, source.source_id, now)
    ring_within(tx, Ring(access=True))
    audit.note(
        tx,
        now,
        actor=actor,
        action="source",
        subject=f"source/{source.source_id}",
        store_id=source.store_id,
        detail={"before": before, "after": source_view(source)},
    )


def delete_source(tx: Connection, source_id: SourceId, now: datetime, *, actor: str) -> None:
    """Forget a source and its secrets.

    Raises:
        UnknownSource: There is none.
    """
    held = sources.source_named(tx, source_id)
    sources.delete_source(tx, source_id)
    broker_logins.remove_login(tx, source_id, broker_logins.SOURCE)
    ring_within(tx, Ring(access=True))
    audit.note(
        tx,
        now,
        actor=actor,
        action="source_deleted",
        subject=f"source/{source_id}",
        store_id=held.store_id,
        detail={"before": source_view(held)},
    )


def add_secret(
    tx: Connection,
    source_id: SourceId,
    kind: str,
    sealed: bytes,
    now: datetime,
    *,
    actor: str,
    keep_old: timedelta | None,
) -> int:
    """Give a source a sealed secret; return its number. The one before opens for ``keep_old``.

    Raises:
        UnknownSource: There is none.
    """
    held = sources.source_named(tx, source_id)
    old_until = now + keep_old if keep_old is not None else None
    number = sources.add_secret(tx, source_id, kind, sealed, now, old_until=old_until)
    connectors.forgive(tx, source_id, now)
    ring_within(tx, Ring(access=True))
    audit.note(
        tx,
        now,
        actor=actor,
        action="secret",
        subject=f"source/{source_id}",
        store_id=held.store_id,
        detail={"kind": kind, "number": number},
    )
    return number


def save_mapping(
    tx: Connection, name: str, document: str, now: datetime, *, actor: str
) -> SavedMapping:
    """Save a mapping that was found right; the same document again is the same version."""
    saved = sources.save_mapping(tx, name, document, now, by=actor)
    if saved.saved_at == now:
        audit.note(
            tx,
            now,
            actor=actor,
            action="mapping",
            subject=f"mapping/{name}",
            detail={"version": saved.version, "digest": saved.digest},
        )
    return saved
