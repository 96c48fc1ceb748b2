"""Answers to requests with an idempotency key, kept so that a repeat gets the same one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from esl.store.tables import answered_requests


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """What a request was answered: the hash of the request, and status and body of the answer."""

    request_sha256: str
    status: int
    answer: str


def stored_answer(tx: Connection, principal: str, key: str) -> StoredAnswer | None:
    """Look up what this principal was answered under this key."""
    row = tx.execute(
        select(
            answered_requests.c.request_sha256,
            answered_requests.c.status,
            answered_requests.c.answer,
        ).where(
            answered_requests.c.principal == principal,
            answered_requests.c.idempotency_key == key,
        )
    ).one_or_none()
    return StoredAnswer(**row._asdict()) if row is not None else None


def store_answer(
    tx: Connection, principal: str, key: str, answer: StoredAnswer, now: datetime
) -> None:
    """Keep an answer, in the transaction of what it answers."""
    tx.execute(
        insert(answered_requests).values(
            principal=principal,
            idempotency_key=key,
            request_sha256=answer.request_sha256,
            status=answer.status,
            answer=answer.answer,
            answered_at=now,
        )
    )


def forget_answers(tx: Connection, before: datetime) -> int:
    """Drop answers given before an instant; return how many."""
    found = tx.execute(delete(answered_requests).where(answered_requests.c.answered_at < before))
    return int(found.rowcount)
