"""Sources, their secrets and their mappings: rows in and out.

Secrets arrive here sealed and leave sealed: the key that opens them is in a file beside the
database (`api.secret_box`).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from esl.domain.errors import EditConflict, UnknownMapping, UnknownSource
from esl.domain.ids import SourceId, StoreId
from esl.domain.source import Expected, Source, SourceKind, StandingSource
from esl.intake.guard_json import guards_from, guards_text
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.tables import mapping_versions, source_secrets, source_stores, sources
from esl.store.upsert import insert_if_new

ACTIVE_SECRETS = 2
"""So many of a kind open the door at once, so that one can be replaced without a gap."""

HEARD_WITHIN = timedelta(seconds=5)
"""A source that speaks without a pause is noted this often, and not with each word."""

_HEARD: Final = Bulk(
    """
    UPDATE source SET heard_at = :now WHERE source_id IN (
        SELECT source_id FROM source WHERE source_id = :source
            AND (heard_at IS NULL OR heard_at <= :before) {skip})
    """
)
_HEARD_FOR: Final = Bulk(
    """
    UPDATE source_store SET heard_at = :now WHERE source_id = :source AND store_id IN (
        SELECT store_id FROM source_store WHERE source_id = :source AND heard_at <= :before
            AND store_id IN (SELECT {item} FROM {rows}) {skip})
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """A secret of a source, sealed."""

    source_id: SourceId
    number: int
    kind: str
    sealed: bytes
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMapping:
    """One version of a mapping."""

    name: str
    version: int
    document: str
    digest: str
    saved_by: str
    saved_at: datetime


def put_source(tx: Connection, source: Source, now: datetime) -> None:
    """Add a source, or replace what is known of it; when it was heard stays."""
    row = _row(source) | {"changed_at": now}
    held = tx.execute(
        select(sources.c.expected_by, sources.c.expected_every_s).where(
            sources.c.source_id == source.source_id
        )
    ).one_or_none()
    if held is None:
        first = {"created_at": now, "expected_since": now if source.expected else None}
        tx.execute(insert(sources).values(**row, **first))
        return
    if (held.expected_by, held.expected_every_s) != (row["expected_by"], row["expected_every_s"]):
        row["expected_since"] = now if source.expected else None
    tx.execute(update(sources).where(sources.c.source_id == source.source_id).values(**row))


def source_named(tx: Connection, source_id: SourceId) -> Source:
    """Look a source up.

    Raises:
        UnknownSource: There is none.
    """
    return standing_named(tx, source_id).source


def standing_named(tx: Connection, source_id: SourceId) -> StandingSource:
    """Look a source up, with when it was heard.

    Raises:
        UnknownSource: There is none.
    """
    row = tx.execute(select(sources).where(sources.c.source_id == source_id)).one_or_none()
    if row is None:
        raise UnknownSource("no source has this id")
    return _standing(row)


def list_sources(
    tx: Connection,
    *,
    store_id: StoreId | None = None,
    kind: SourceKind | None = None,
    is_expected: bool = False,
) -> list[StandingSource]:
    """List sources by id: all, those of a kind, those that may speak for a store or must."""
    query = select(sources).order_by(sources.c.source_id)
    if store_id is not None:
        query = query.where(or_(sources.c.store_id == store_id, sources.c.store_id.is_(None)))
    if kind is not None:
        query = query.where(sources.c.kind == kind.value)
    if is_expected:
        query = query.where(sources.c.expected_since.is_not(None))
    return [_standing(row) for row in tx.execute(query)]


def delete_source(tx: Connection, source_id: SourceId) -> None:
    """Forget a source and its secrets; what it said stays known."""
    tx.execute(delete(source_secrets).where(source_secrets.c.source_id == source_id))
    tx.execute(delete(source_stores).where(source_stores.c.source_id == source_id))
    tx.execute(delete(sources).where(sources.c.source_id == source_id))


def note_heard(
    tx: Connection, source_id: SourceId, now: datetime, *, stores: Iterable[StoreId] | None = None
) -> None:
    """Note that words of a source were taken: for some stores, or for all that it serves.

    One that is not registered is nobody to be noted. Nobody is waited for: whoever holds the row
    notes the same moment, and its transaction may wait for products that are locked here.
    """
    query = select(sources.c.store_id, sources.c.heard_at).where(sources.c.source_id == source_id)
    standing = tx.execute(query).one_or_none()
    if standing is None:
        return
    before = now - HEARD_WITHIN
    if standing.heard_at is None or standing.heard_at <= before:
        _HEARD.run(tx, source=source_id, now=now, before=before)
    if standing.store_id is not None:
        return
    of_source = select(source_stores).where(source_stores.c.source_id == source_id)
    noted = {StoreId(row.store_id): row.heard_at for row in tx.execute(of_source)}
    spoken_for = noted.keys() if stores is None else set(stores)
    fresh = [
        {"source_id": source_id, "store_id": store_id, "heard_at": now}
        for store_id in sorted(spoken_for - noted.keys())
    ]
    insert_if_new(tx, source_stores, fresh)
    stale = sorted(one for one in spoken_for if one in noted and noted[one] <= before)
    if stale:
        _HEARD_FOR.run(tx, stale, source=source_id, now=now, before=before)


def heard_for(tx: Connection, store_id: StoreId) -> tuple[dict[SourceId, datetime], set[SourceId]]:
    """Say when sources of several stores were heard for this one, and who was heard for any."""
    query = select(source_stores).order_by(source_stores.c.source_id)
    here: dict[SourceId, datetime] = {}
    anywhere: set[SourceId] = set()
    for row in tx.execute(query):
        anywhere.add(SourceId(row.source_id))
        if row.store_id == store_id:
            here[SourceId(row.source_id)] = row.heard_at
    return here, anywhere


# -- secrets -------------------------------------------------------------------------------------


def add_secret(
    tx: Connection,
    source_id: SourceId,
    kind: str,
    sealed: bytes,
    now: datetime,
    *,
    old_until: datetime | None,
) -> int:
    """Add a secret; those before it of its kind end at a moment, all but the last at once."""
    highest = tx.execute(
        select(func.max(source_secrets.c.number)).where(source_secrets.c.source_id == source_id)
    ).scalar()
    mine = (source_secrets.c.source_id == source_id) & (source_secrets.c.kind == kind)
    numbers = list(
        tx.execute(
            select(source_secrets.c.number).where(mine).order_by(source_secrets.c.number.desc())
        ).scalars()
    )
    gone = numbers[ACTIVE_SECRETS - 1 :] if old_until is not None else numbers
    if gone:
        tx.execute(delete(source_secrets).where(mine, source_secrets.c.number.in_(gone)))
    tx.execute(update(source_secrets).where(mine).values(expires_at=old_until))
    number = int(highest or 0) + 1
    tx.execute(
        insert(source_secrets).values(
            source_id=source_id, number=number, kind=kind, sealed=sealed, created_at=now
        )
    )
    return number


def active_secrets(
    tx: Connection, source_id: SourceId, now: datetime, *, kind: str | None = None
) -> list[SealedSecret]:
    """Load the secrets that open the door now, the newest first."""
    query = (
        select(source_secrets)
        .where(
            source_secrets.c.source_id == source_id,
            or_(source_secrets.c.expires_at.is_(None), source_secrets.c.expires_at > now),
        )
        .order_by(source_secrets.c.number.desc())
    )
    if kind is not None:
        query = query.where(source_secrets.c.kind == kind)
    return [
        SealedSecret(
            source_id=SourceId(row.source_id),
            number=row.number,
            kind=row.kind,
            sealed=row.sealed,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
        for row in tx.execute(query)
    ]


# -- mappings ------------------------------------------------------------------------------------


def save_mapping(
    tx: Connection,
    name: str,
    document: str,
    now: datetime,
    *,
    by: str,
    based_on: int | None = None,
) -> SavedMapping:
    """Keep a new version of a mapping; the same document again is the same version.

    Raises:
        EditConflict: It is based on another version than the last.
    """
    last = tx.execute(
        select(mapping_versions)
        .where(mapping_versions.c.name == name)
        .order_by(mapping_versions.c.version.desc())
        .limit(1)
    ).one_or_none()
    digest = hashlib.sha256(document.encode()).hexdigest()
    if last is not None and last.digest == digest:
        return _mapping(last)
    version = 0 if last is None else int(last.version)
    if based_on is not None and based_on != version:
        raise EditConflict(f"the mapping has a version {version} by now")
    row: dict[str, Any] = {
        "name": name,
        "version": version + 1,
        "document": document,
        "digest": digest,
        "saved_by": by,
        "saved_at": now,
    }
    tx.execute(insert(mapping_versions).values(**row))
    return SavedMapping(**row)


def mapping_named(tx: Connection, name: str, version: int | None = None) -> SavedMapping:
    """Load a version of a mapping, the last where none is named.

    Raises:
        UnknownMapping: There is none.
    """
    query = select(mapping_versions).where(mapping_versions.c.name == name)
    if version is not None:
        query = query.where(mapping_versions.c.version == version)
    row = tx.execute(query.order_by(mapping_versions.c.version.desc()).limit(1)).one_or_none()
    if row is None:
        raise UnknownMapping("no mapping has this name, or no such version")
    return _mapping(row)


def list_mappings(tx: Connection) -> list[SavedMapping]:
    """List the last version of every mapping, by name."""
    last = (
        select(mapping_versions.c.name, func.max(mapping_versions.c.version).label("version"))
        .group_by(mapping_versions.c.name)
        .subquery()
    )
    query = (
        select(mapping_versions)
        .join(
            last,
            (mapping_versions.c.name == last.c.name)
            & (mapping_versions.c.version == last.c.version),
        )
        .order_by(mapping_versions.c.name)
    )
    return [_mapping(row) for row in tx.execute(query)]


def versions_of(tx: Connection, name: str) -> Sequence[SavedMapping]:
    """List the versions of a mapping, the last first."""
    query = (
        select(mapping_versions)
        .where(mapping_versions.c.name == name)
        .order_by(mapping_versions.c.version.desc())
    )
    return [_mapping(row) for row in tx.execute(query)]


def _mapping(row: AnyRow) -> SavedMapping:
    return SavedMapping(
        name=row.name,
        version=int(row.version),
        document=row.document,
        digest=row.digest,
        saved_by=row.saved_by,
        saved_at=row.saved_at,
    )


def _row(source: Source) -> dict[str, Any]:
    expected = source.expected
    by = expected.by if expected is not None else None
    every = expected.every if expected is not None else None
    return {
        "source_id": source.source_id,
        "name": source.name,
        "store_id": source.store_id,
        "kind": source.kind.value,
        "mapping": source.mapping,
        "priority": source.priority,
        "priorities": msgspec.json.encode(dict(source.priorities)).decode(),
        "guards": guards_text(source.guards) if source.guards is not None else None,
        "expected_by": f"{by:%H:%M}" if by is not None else None,
        "expected_every_s": int(every.total_seconds()) if every is not None else None,
        "accepts_full": source.accepts_full,
        "disabled": source.disabled,
        "settings": msgspec.json.encode(dict(source.settings)).decode(),
    }


def _standing(row: AnyRow) -> StandingSource:
    expected: Expected | None = None
    if row.expected_by is not None:
        expected = Expected(by=time.fromisoformat(row.expected_by))
    elif row.expected_every_s is not None:
        expected = Expected(every=timedelta(seconds=row.expected_every_s))
    return StandingSource(
        source=Source(
            source_id=SourceId(row.source_id),
            name=row.name,
            store_id=StoreId(row.store_id) if row.store_id is not None else None,
            kind=SourceKind(row.kind),
            mapping=row.mapping,
            priority=row.priority,
            priorities=msgspec.json.decode(row.priorities, type=dict[str, int]),
            guards=guards_from(row.guards) if row.guards is not None else None,
            expected=expected,
            accepts_full=bool(row.accepts_full),
            disabled=bool(row.disabled),
            settings=msgspec.json.decode(row.settings, type=dict[str, str]),
        ),
        heard_at=row.heard_at,
        expected_since=row.expected_since,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
