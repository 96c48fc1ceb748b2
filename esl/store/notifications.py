"""How people are told, what they were told, and messages on their way: rows in and out."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from esl.domain.ids import StoreId
from esl.domain.notification import Cause, Message, MessageState, Told
from esl.domain.problem import LABEL_KINDS, ProblemKind
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow, instant_from
from esl.store.tables import notification_settings, notifications, notified_causes
from esl.store.upsert import insert_or_update

_ROW: Final = notifications.c
_OPEN: Final = _ROW.state == MessageState.OPEN.value
_GATEWAY_KINDS: Final = (
    ProblemKind.GATEWAY_AWAY,
    ProblemKind.GATEWAY_UNHEARD,
    ProblemKind.GATEWAY_CLOCK,
)
_OF_ONE: Final = ", ".join(f"'{kind}'" for kind in (*_GATEWAY_KINDS, ProblemKind.NOTIFY_FAILS))
_OF_LABELS: Final = ", ".join(f"'{kind}'" for kind in sorted(LABEL_KINDS))

_CAUSES: Final = Bulk(
    f"""
    SELECT p.kind, coalesce(g.subject, ''),
        CASE WHEN p.kind IN ({_OF_ONE}) THEN p.subject ELSE '' END,
        count(*), min(p.since), min(p.subject), min(p.reason), min(p.what_to_do)
    FROM problem AS p
        LEFT JOIN label AS l ON p.kind IN ({_OF_LABELS}) AND l.label_id = p.subject
        LEFT JOIN problem AS g ON g.kind = 'gateway_away' AND g.subject = l.gateway_id
            AND g.until IS NULL
    WHERE p.until IS NULL AND p.store_id = :store
    GROUP BY 1, 2, 3
    """  # noqa: S608 - kinds of ours  # nosec B608
)
"""What is wrong in a store by kind, by the gateway that explains it, and by its subject where
each is a cause of its own."""


class KeptSettings(NamedTuple):
    """Settings as they are kept."""

    store_id: StoreId
    content: Any
    sealed: bytes
    version: int
    changed_at: datetime


class Due(NamedTuple):
    """Whose messages are due."""

    store_id: StoreId
    recipient: str


def settings_of(
    tx: Connection, store_id: StoreId, *, to_change: bool = False
) -> KeptSettings | None:
    """Load a store's settings; ``to_change`` makes others wait."""
    query = select(notification_settings).where(notification_settings.c.store_id == store_id)
    row = tx.execute(query.with_for_update() if to_change else query).one_or_none()
    return _settings(row) if row is not None else None


def all_settings(tx: Connection) -> list[KeptSettings]:
    """Load the settings of all stores that have some."""
    query = select(notification_settings).order_by(notification_settings.c.store_id)
    return [_settings(row) for row in tx.execute(query)]


def put_settings(
    tx: Connection, store_id: StoreId, content: Any, sealed: bytes, now: datetime, *, by: str
) -> None:
    """Keep a store's settings."""
    before = settings_of(tx, store_id, to_change=True)
    row = {
        "store_id": store_id,
        "content": json.dumps(content, ensure_ascii=False),
        "sealed": sealed,
        "version": before.version + 1 if before is not None else 1,
        "changed_at": now,
        "changed_by": by[:80],
    }
    insert_or_update(tx, notification_settings, [row])


def causes_of(tx: Connection, store_id: StoreId) -> list[Cause]:
    """Say what is wrong in a store; what a lost gateway explains is counted with it."""
    rows = _CAUSES.run(tx, store=store_id)
    behind: dict[str, int] = {}
    for _, gateway, _, count, *_ in rows:
        if gateway:
            behind[gateway] = behind.get(gateway, 0) + int(count)
    return [
        Cause(
            key=f"{kind}/{own}"[:200] if own else kind,
            kind=kind,
            count=int(count),
            behind=behind.get(own, 0) if kind == ProblemKind.GATEWAY_AWAY else 0,
            since=_instant(since),
            subject=subject,
            reason=reason,
            what_to_do=what_to_do,
        )
        for kind, gateway, own, count, since, subject, reason, what_to_do in sorted(rows)
        if not gateway
    ]


def told_to(tx: Connection, store_id: StoreId) -> dict[str, dict[str, Told]]:
    """Load what the recipients of a store were told: by recipient and cause."""
    query = select(notified_causes).where(notified_causes.c.store_id == store_id)
    found: dict[str, dict[str, Told]] = {}
    for row in tx.execute(query):
        found.setdefault(row.recipient, {})[row.cause] = Told(
            key=row.cause,
            told_at=row.told_at,
            count=int(row.told_count),
            over_since=row.over_since,
        )
    return found


def put_told(tx: Connection, store_id: StoreId, recipient: str, told: Iterable[Told]) -> None:
    """Keep what a recipient is told."""
    rows = [
        {
            "store_id": store_id,
            "recipient": recipient,
            "cause": one.key,
            "told_at": one.told_at,
            "told_count": one.count,
            "over_since": one.over_since,
        }
        for one in told
    ]
    insert_or_update(tx, notified_causes, rows)


def forget_told(tx: Connection, store_id: StoreId, recipient: str, keys: Iterable[str]) -> None:
    """Forget what a recipient was told of causes."""
    for key in keys:
        tx.execute(
            delete(notified_causes).where(
                notified_causes.c.store_id == store_id,
                notified_causes.c.recipient == recipient,
                notified_causes.c.cause == key,
            )
        )


def keep_recipients(tx: Connection, store_id: StoreId, names: Collection[str]) -> None:
    """Forget recipients that are no more; the messages of the others are tried at once."""
    tx.execute(
        delete(notified_causes).where(
            notified_causes.c.store_id == store_id, notified_causes.c.recipient.not_in(names)
        )
    )
    of_it = (_ROW.store_id == store_id, _OPEN)
    gone = {"state": MessageState.DROPPED.value, "error": "it is no recipient any more"}
    tx.execute(update(notifications).where(*of_it, _ROW.recipient.not_in(names)).values(**gone))
    tx.execute(update(notifications).where(*of_it).values(next_at=None))


def hurry(tx: Connection, store_id: StoreId, names: Collection[str]) -> None:
    """Let the messages of recipients be tried at once."""
    of_it = (_ROW.store_id == store_id, _OPEN, _ROW.recipient.in_(names))
    tx.execute(update(notifications).where(*of_it).values(next_at=None))


def put_message(
    tx: Connection,
    store_id: StoreId,
    recipient: str,
    now: datetime,
    *,
    message_id: str,
    subject: str,
    body: str,
) -> int:
    """Keep a message that is to be sent; return its number."""
    row = {
        "store_id": store_id,
        "recipient": recipient,
        "message_id": message_id,
        "created_at": now,
        "subject": subject[:200],
        "body": body,
        "state": MessageState.OPEN.value,
    }
    made = tx.execute(insert(notifications).values(**row).returning(_ROW.notification_id))
    return int(made.scalar_one())


def due_messages(tx: Connection, now: datetime) -> list[Due]:
    """Name the recipients whose first message may be sent now."""
    first = (
        select(func.min(_ROW.notification_id))
        .where(_OPEN)
        .group_by(_ROW.store_id, _ROW.recipient)
        .scalar_subquery()
    )
    query = select(_ROW.store_id, _ROW.recipient).where(
        _ROW.notification_id.in_(first), or_(_ROW.next_at.is_(None), _ROW.next_at <= now)
    )
    return [Due(StoreId(row.store_id), row.recipient) for row in tx.execute(query)]


def claim_first(tx: Connection, due: Due, now: datetime, until: datetime) -> Message | None:
    """Take a recipient's first message to send it; None: there is none, or another has it."""
    query = (
        select(notifications)
        .where(_ROW.store_id == due.store_id, _ROW.recipient == due.recipient, _OPEN)
        .order_by(_ROW.notification_id)
        .limit(1)
    )
    row = tx.execute(query.with_for_update()).one_or_none()
    if row is None or (row.next_at is not None and row.next_at > now):
        return None
    claimed = {"next_at": until, "attempts": _ROW.attempts + 1}
    tx.execute(
        update(notifications).where(_ROW.notification_id == row.notification_id).values(**claimed)
    )
    return _message(row)


def note_sent(tx: Connection, number: int, now: datetime) -> None:
    """Note that a message was taken."""
    values = {"state": MessageState.SENT.value, "sent_at": now, "error": None, "next_at": None}
    tx.execute(update(notifications).where(_ROW.notification_id == number).values(**values))


def note_failed(tx: Connection, number: int, error: str, again: datetime | None) -> None:
    """Note that a message was not taken, and when it is tried again; None: no more."""
    values: dict[str, Any] = {"error": error[:300], "next_at": again}
    if again is None:
        values["state"] = MessageState.FAILED.value
    tx.execute(update(notifications).where(_ROW.notification_id == number, _OPEN).values(**values))


def list_messages(tx: Connection, store_id: StoreId, *, limit: int) -> list[Message]:
    """List the last messages of a store, the newest first."""
    query = (
        select(notifications)
        .where(_ROW.store_id == store_id)
        .order_by(_ROW.notification_id.desc())
        .limit(limit)
    )
    return [_message(row) for row in tx.execute(query)]


def messages_in_vain(tx: Connection, store_id: StoreId, *, attempts: int) -> list[Message]:
    """List messages of a store that nobody takes: open after so many attempts, or given up.

    One that was given up counts until another was made for its recipient.
    """
    last = (
        select(func.max(_ROW.notification_id))
        .where(_ROW.store_id == store_id)
        .group_by(_ROW.recipient)
        .scalar_subquery()
    )
    query = (
        select(notifications)
        .where(
            _ROW.store_id == store_id,
            or_(
                _OPEN & (_ROW.attempts >= attempts) & _ROW.error.is_not(None),
                (_ROW.state == MessageState.FAILED.value) & _ROW.notification_id.in_(last),
            ),
        )
        .order_by(_ROW.notification_id)
        .limit(100)
    )
    return [_message(row) for row in tx.execute(query)]


def forget_messages(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget messages from before a moment that are over; at most so many, return how many."""
    old = (
        select(_ROW.notification_id)
        .where(_ROW.created_at < before, ~_OPEN)
        .order_by(_ROW.notification_id)
        .limit(most)
    )
    gone = delete(notifications).where(_ROW.notification_id.in_(old))
    return int(tx.execute(gone).rowcount)


def _settings(row: AnyRow) -> KeptSettings:
    return KeptSettings(
        StoreId(row.store_id), json.loads(row.content), row.sealed, int(row.version), row.changed_at
    )


def _message(row: AnyRow) -> Message:
    return Message(
        number=int(row.notification_id),
        recipient=row.recipient,
        message_id=row.message_id,
        created_at=row.created_at,
        subject=row.subject,
        body=row.body,
        state=MessageState(row.state),
        attempts=int(row.attempts),
        error=row.error,
        sent_at=row.sent_at,
    )


def _instant(value: Any) -> datetime:
    instant = instant_from(value)
    if instant is None:
        raise TypeError("a row without its moment")
    return instant
