"""MQTT in: who listens, what was taken and may come again, what was refused. Rows in and out."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, or_, select, update

from esl.domain.ids import StoreId
from esl.domain.mqtt_in import KEPT_BYTES, InMessage, Refusal, RefusedMessage
from esl.domain.source import SourceKind
from esl.store.columns import AnyRow
from esl.store.tables import installation, mqtt_refused, mqtt_sessions, sources
from esl.store.upsert import insert_if_new

REFUSED_MOST = 2000
"""Refused messages that are kept, 64 MiB at most; the oldest make room."""

DETAIL_LONGEST = 500
PROBLEM_LONGEST = 300
_SOURCE_LONGEST = 64
_TOPIC_LONGEST = 200
_NAMED_LONGEST = 200


def client_id_of(tx: Connection) -> str:
    """Return the name that this installation has with the broker, in all of its processes.

    It never changes, whatever keys do: under another, what waits there would not be found.
    """
    began: datetime = tx.execute(select(installation.c.created_at)).scalar_one()
    return f"esl-in-{hashlib.sha256(began.isoformat().encode()).hexdigest()[:12]}"


def hold_session(
    tx: Connection, client_id: str, holder: str, now: datetime, *, until: datetime, force: bool
) -> bool:
    """Be the one process that listens, until then; False while another is.

    ``force`` takes it from whoever has it: where there can be no other process.
    """
    insert_if_new(tx, mqtt_sessions, [{"client_id": client_id, "held_until": now}])
    query = update(mqtt_sessions).where(mqtt_sessions.c.client_id == client_id)
    if not force:
        is_free = mqtt_sessions.c.held_until <= now
        query = query.where(or_(mqtt_sessions.c.holder == holder, is_free))
    return tx.execute(query.values(holder=holder, held_until=until)).rowcount == 1


def let_session_go(tx: Connection, client_id: str, holder: str, now: datetime) -> None:
    """Let another process listen."""
    tx.execute(
        update(mqtt_sessions)
        .where(mqtt_sessions.c.client_id == client_id, mqtt_sessions.c.holder == holder)
        .values(held_until=now)
    )


def marks_taken(tx: Connection, client_id: str, holder: str) -> list[str] | None:
    """Return the marks of the last messages taken, the oldest first; None if another listens."""
    taken = tx.execute(
        select(mqtt_sessions.c.taken)
        .where(mqtt_sessions.c.client_id == client_id, mqtt_sessions.c.holder == holder)
        .with_for_update()
    ).scalar_one_or_none()
    return None if taken is None else [str(mark) for mark in json.loads(taken)]


def forget_marks(tx: Connection, client_id: str, holder: str) -> None:
    """Forget what was taken: the broker begins anew, and gives the same packet ids again."""
    tx.execute(
        update(mqtt_sessions)
        .where(mqtt_sessions.c.client_id == client_id, mqtt_sessions.c.holder == holder)
        .values(taken="[]")
    )


def put_marks(tx: Connection, client_id: str, marks: Sequence[str]) -> None:
    """Keep the marks of the last messages taken."""
    tx.execute(
        update(mqtt_sessions)
        .where(mqtt_sessions.c.client_id == client_id)
        .values(taken=json.dumps(list(marks)))
    )


def note_problem(tx: Connection, client_id: str, words: str) -> None:
    """Note why nothing can be heard; "" is that all is well."""
    tx.execute(
        update(mqtt_sessions)
        .where(mqtt_sessions.c.client_id == client_id)
        .values(problem=words[:PROBLEM_LONGEST])
    )


def find_problems(tx: Connection) -> list[str]:
    """List why nothing can be heard."""
    query = select(mqtt_sessions.c.problem).where(mqtt_sessions.c.problem != "")
    return [str(words) for words in tx.execute(query).scalars()]


def has_sources(tx: Connection, store_id: StoreId | None = None) -> bool:
    """Say whether sources speak over MQTT: for a store and not switched off, or at all.

    One that is switched off is listened to: what it says now is not to wait until it is on again.
    """
    query = select(sources.c.source_id).where(sources.c.kind == SourceKind.MQTT.value)
    if store_id is not None:
        query = query.where(
            or_(sources.c.store_id == store_id, sources.c.store_id.is_(None)),
            sources.c.disabled.is_(False),
        )
    return tx.execute(query.limit(1)).first() is not None


def refuse(tx: Connection, message: InMessage, reason: Refusal, detail: str, now: datetime) -> None:
    """Keep a message that could not be taken; one that comes again is counted."""
    topic = _shown(message.topic, _TOPIC_LONGEST)
    words = _shown(detail, DETAIL_LONGEST)
    again = tx.execute(
        update(mqtt_refused)
        .where(mqtt_refused.c.topic == topic, mqtt_refused.c.sha256 == message.sha256)
        .values(
            times=mqtt_refused.c.times + 1,
            last_at=now,
            reason=reason.value,
            detail=words,
        )
    )
    if again.rowcount:
        return
    row = {
        "source": (message.source or "")[:_SOURCE_LONGEST],
        "topic": topic,
        "reason": reason.value,
        "detail": words,
        "payload": message.payload[:KEPT_BYTES],
        "size_bytes": len(message.payload),
        "sha256": message.sha256,
        "first_at": now,
        "last_at": now,
        "key": _named(message.key),
        "store": _named(message.store),
    }
    tx.execute(mqtt_refused.insert().values(**row))
    newest = tx.execute(
        select(mqtt_refused.c.refused_id)
        .order_by(mqtt_refused.c.refused_id.desc())
        .limit(1)
        .offset(REFUSED_MOST)
    ).scalar_one_or_none()
    if newest is not None:
        tx.execute(delete(mqtt_refused).where(mqtt_refused.c.refused_id <= newest))


def list_refused(
    tx: Connection, *, source: str = "", before: int | None = None, limit: int
) -> list[RefusedMessage]:
    """List refused messages, the newest first."""
    query = select(mqtt_refused).order_by(mqtt_refused.c.refused_id.desc()).limit(limit)
    if source:
        query = query.where(mqtt_refused.c.source == source)
    if before is not None:
        query = query.where(mqtt_refused.c.refused_id < before)
    return [_refused(row) for row in tx.execute(query)]


def refused_named(tx: Connection, refused_id: int) -> RefusedMessage | None:
    """Look a refused message up."""
    query = select(mqtt_refused).where(mqtt_refused.c.refused_id == refused_id)
    row = tx.execute(query).one_or_none()
    return _refused(row) if row is not None else None


def drop_refused(tx: Connection, numbers: Sequence[int]) -> int:
    """Forget refused messages; return how many there were."""
    gone = tx.execute(delete(mqtt_refused).where(mqtt_refused.c.refused_id.in_(list(numbers))))
    return int(gone.rowcount)


def forget_refused(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget messages that were last refused before a moment."""
    old = select(mqtt_refused.c.refused_id).where(mqtt_refused.c.last_at < before).limit(most)
    return int(tx.execute(delete(mqtt_refused).where(mqtt_refused.c.refused_id.in_(old))).rowcount)


def count_refused(
    tx: Connection, store_id: StoreId, *, since: datetime
) -> list[tuple[str, int, str]]:
    """Count the messages refused since, by source, with the last one's why.

    Of the sources of a store, and of those that nobody registered: they may mean any store.
    """
    newest = (
        select(
            mqtt_refused.c.source,
            func.count().label("many"),
            func.max(mqtt_refused.c.refused_id).label("last"),
        )
        .outerjoin(sources, sources.c.source_id == mqtt_refused.c.source)
        .where(
            mqtt_refused.c.last_at >= since,
            or_(sources.c.store_id == store_id, sources.c.store_id.is_(None)),
        )
        .group_by(mqtt_refused.c.source)
        .subquery()
    )
    query = (
        select(newest.c.source, newest.c.many, mqtt_refused.c.detail)
        .join(mqtt_refused, mqtt_refused.c.refused_id == newest.c.last)
        .order_by(newest.c.source)
    )
    return [(str(row.source), int(row.many), str(row.detail)) for row in tx.execute(query)]


def _shown(text: str, longest: int) -> str:
    """Write a text so that every database holds it: without NUL, halves of signs and the like."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:longest])


def _named(text: str | None) -> str | None:
    """Keep what a message names, whole or not at all: half a key is another key."""
    return text if text is not None and len(text) <= _NAMED_LONGEST and text.isprintable() else None


def _refused(row: AnyRow) -> RefusedMessage:
    return RefusedMessage(**row._asdict() | {"payload": bytes(row.payload)})
