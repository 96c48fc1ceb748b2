"""The inbox of webhooks: rows in and out.

    new ──claim──▶ (due later, attempts + 1) ──end──▶ done | noise | poisoned
     ▲                  └── nobody ended it: due again                 │
    again ◀────────────────────── a person has looked ─────────────────┴──▶ dropped

Of one source only the earliest open event may be claimed, and those behind it: a price that waits
for its second try never overtakes the one that came after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, delete, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from esl.domain.errors import NotFound
from esl.domain.ids import StoreId
from esl.store.columns import AnyRow
from esl.store.tables import hook_events, sources

_CLAIMING = 0x686F6F6B  # "hook"; the lock's name among a database's advisory locks
ERROR_LONGEST = 300


class HookState(StrEnum):
    """What became of an event."""

    NEW = "new"
    DONE = "done"  # what it says was taken, or is being fetched
    NOISE = "noise"  # it says nothing that a label shows
    POISONED = "poisoned"  # nothing of it could be taken; a person must look
    AGAIN = "again"  # a person has it tried once more
    DROPPED = "dropped"  # a person has looked, and wants nothing of it


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHookEvent:
    """A genuine call to be kept. ``headers`` are those that its reader needs."""

    source: str
    event_id: str
    system: str
    body: bytes
    topic: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHookEvent:
    """A call as it is kept. ``attempts`` tells one claim from the next."""

    hook_key: int
    source: str
    event_id: str
    system: str
    topic: str
    body: bytes
    headers: Mapping[str, str]
    sent_at: datetime | None
    received_at: datetime
    state: HookState
    attempts: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HookHead:
    """A call as it is listed, without its body."""

    hook_key: int
    event_id: str
    system: str
    topic: str
    size_bytes: int
    sent_at: datetime | None
    received_at: datetime
    ended_at: datetime | None
    state: HookState
    attempts: int
    error: str


def add_event(tx: Connection, event: NewHookEvent, now: datetime) -> tuple[int, bool]:
    """Keep an event; return its number, and whether it is new.

    One that its source has sent already keeps its number, whatever it says now.
    """
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    row = {
        "source": event.source,
        "event_id": event.event_id,
        "system": event.system,
        "topic": event.topic,
        "body": event.body,
        "headers": msgspec.json.encode(dict(event.headers)).decode(),
        "sent_at": event.sent_at,
        "received_at": now,
        "due_at": now,
        "state": HookState.NEW.value,
    }
    added = tx.execute(
        insert(hook_events)
        .values(row)
        .on_conflict_do_nothing(index_elements=["source", "event_id"])
        .returning(hook_events.c.hook_key)
    ).scalar_one_or_none()
    if added is not None:
        return int(added), True
    known = select(hook_events.c.hook_key).where(
        hook_events.c.source == event.source, hook_events.c.event_id == event.event_id
    )
    return int(tx.execute(known).scalar_one()), False


def claim_events(
    tx: Connection, now: datetime, *, again: datetime, limit: int
) -> list[StoredHookEvent]:
    """Take events that are due, the earliest first; unless ended they are due ``again``."""
    if tx.dialect.name != "sqlite":  # so that nobody claims what lies behind our first one
        tx.execute(text("SELECT pg_advisory_xact_lock(:one)"), {"one": _CLAIMING})
    earlier = hook_events.alias("earlier")
    behind = (
        select(earlier.c.hook_key)
        .where(
            earlier.c.source == hook_events.c.source,
            earlier.c.hook_key < hook_events.c.hook_key,
            earlier.c.due_at > now,
        )
        .correlate(hook_events)
        .exists()
    )
    due = (
        select(hook_events.c.hook_key)
        .where(hook_events.c.due_at <= now, ~behind)
        .order_by(hook_events.c.hook_key)
        .limit(limit)
    )
    taken = tx.execute(
        update(hook_events)
        .where(hook_events.c.hook_key.in_(due))
        .values(due_at=again, attempts=hook_events.c.attempts + 1)
        .returning(hook_events)
    )
    return sorted((_event(row) for row in taken), key=lambda event: event.hook_key)


def end_event(
    tx: Connection, event: StoredHookEvent, state: HookState, now: datetime, *, error: str = ""
) -> bool:
    """Note what became of a claimed event; False if somebody else has claimed it since."""
    ended = tx.execute(
        update(hook_events)
        .where(
            hook_events.c.hook_key == event.hook_key,
            hook_events.c.attempts == event.attempts,
            hook_events.c.due_at.is_not(None),
        )
        .values(state=state.value, due_at=None, ended_at=now, error=error[:ERROR_LONGEST])
    )
    return bool(ended.rowcount)


def retry_event(tx: Connection, hook_key: int, now: datetime) -> bool:
    """Give a poisoned event another life, after its cause was mended."""
    found = tx.execute(
        update(hook_events)
        .where(hook_events.c.hook_key == hook_key, hook_events.c.state == HookState.POISONED.value)
        .values(state=HookState.AGAIN.value, due_at=now, ended_at=None, attempts=0, error="")
    )
    return bool(found.rowcount)


def drop_event(tx: Connection, hook_key: int, now: datetime) -> bool:
    """Put a poisoned event away: its repeats are known on, and it is no problem any more."""
    found = tx.execute(
        update(hook_events)
        .where(hook_events.c.hook_key == hook_key, hook_events.c.state == HookState.POISONED.value)
        .values(state=HookState.DROPPED.value, ended_at=now)
    )
    return bool(found.rowcount)


def was_overtaken(tx: Connection, event: StoredHookEvent) -> bool:
    """Say whether words of its source were taken that came after an event."""
    query = select(hook_events.c.hook_key).where(
        hook_events.c.source == event.source,
        hook_events.c.hook_key > event.hook_key,
        hook_events.c.state == HookState.DONE.value,
    )
    return tx.execute(query.limit(1)).first() is not None


def event_numbered(tx: Connection, source: str, hook_key: int) -> StoredHookEvent:
    """Load one event of a source.

    Raises:
        NotFound: There is none, or it is forgotten.
    """
    query = select(hook_events).where(
        hook_events.c.source == source, hook_events.c.hook_key == hook_key
    )
    row = tx.execute(query).one_or_none()
    if row is None:
        raise NotFound("the source has no event with this number")
    return _event(row)


def list_heads(
    tx: Connection,
    source: str,
    *,
    state: HookState | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[HookHead]:
    """List a source's events without their bodies, the newest first."""
    table = hook_events.c
    query = select(
        *(table.hook_key, table.event_id, table.system, table.topic, table.sent_at),
        *(table.received_at, table.ended_at, table.state, table.attempts, table.error),
        func.length(table.body).label("size_bytes"),
    ).where(table.source == source)
    if state is not None:
        query = query.where(table.state == state.value)
    if before is not None:
        query = query.where(table.hook_key < before)
    rows = tx.execute(query.order_by(table.hook_key.desc()).limit(limit))
    return [HookHead(**(row._asdict() | {"state": HookState(row.state)})) for row in rows]


def list_events(
    tx: Connection, source: str, *, state: HookState | None = None, limit: int = 100
) -> list[StoredHookEvent]:
    """List a source's events, the newest first."""
    query = select(hook_events).where(hook_events.c.source == source)
    if state is not None:
        query = query.where(hook_events.c.state == state.value)
    rows = tx.execute(query.order_by(hook_events.c.hook_key.desc()).limit(limit))
    return [_event(row) for row in rows]


def count_open(tx: Connection, source: str) -> int:
    """Count a source's events that are still to be worked on."""
    query = select(func.count()).where(
        hook_events.c.source == source, hook_events.c.due_at.is_not(None)
    )
    return int(tx.execute(query).scalar_one())


def count_poisoned(
    tx: Connection, store_id: StoreId, *, since: datetime
) -> list[tuple[str, int, str]]:
    """Count the events of a store's sources that were poisoned since, with the last one's why."""
    newest = (
        select(
            hook_events.c.source,
            func.count().label("many"),
            func.max(hook_events.c.hook_key).label("last"),
        )
        .join(sources, sources.c.source_id == hook_events.c.source)
        .where(
            hook_events.c.state == HookState.POISONED.value,
            hook_events.c.received_at >= since,
            or_(sources.c.store_id == store_id, sources.c.store_id.is_(None)),
            sources.c.disabled.is_(False),
        )
        .group_by(hook_events.c.source)
        .subquery()
    )
    query = (
        select(newest.c.source, newest.c.many, hook_events.c.error)
        .join(hook_events, hook_events.c.hook_key == newest.c.last)
        .order_by(newest.c.source)
    )
    return [(str(row.source), int(row.many), str(row.error)) for row in tx.execute(query)]


def forget_events(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget events that are over, received before a moment, the oldest first.

    A sender's retries end within three days; what is kept is known as a repeat if it comes again.
    """
    old = (
        select(hook_events.c.hook_key)
        .where(hook_events.c.due_at.is_(None), hook_events.c.received_at < before)
        .order_by(hook_events.c.received_at)
        .limit(most)
    )
    return int(tx.execute(delete(hook_events).where(hook_events.c.hook_key.in_(old))).rowcount)


def _event(row: AnyRow) -> StoredHookEvent:
    return StoredHookEvent(
        hook_key=int(row.hook_key),
        source=row.source,
        event_id=row.event_id,
        system=row.system,
        topic=row.topic,
        body=bytes(row.body),
        headers=msgspec.json.decode(row.headers, type=dict[str, str]),
        sent_at=row.sent_at,
        received_at=row.received_at,
        state=HookState(row.state),
        attempts=int(row.attempts),
        error=row.error,
    )
