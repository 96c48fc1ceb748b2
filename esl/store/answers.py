"""Answers to requests with an idempotency key, kept so that a repeat gets the same one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from esl.store.bulk import Bulk
from esl.store.tables import answered_requests

_LOAD: Final = Bulk(
    """
    SELECT a.principal, a.idempotency_key, a.request_sha256, a.status, a.answer
    FROM {rows} CROSS JOIN answered_request AS a
    WHERE a.principal = j.value->>0 AND a.idempotency_key = j.value->>1
    """
)
_STORE: Final = Bulk(
    """
    INSERT INTO answered_request
        (principal, idempotency_key, request_sha256, status, answer, answered_at)
    SELECT j.value->>0, j.value->>1, j.value->>2, CAST(j.value->>3 AS integer), j.value->>4, :now
    FROM {rows}
    """
)


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


def stored_answers(
    tx: Connection, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], StoredAnswer]:
    """Look up what was answered under (principal, key); those never used are left out."""
    return {
        (principal, key): StoredAnswer(request_sha256=digest, status=status, answer=answer)
        for principal, key, digest, status, answer in _LOAD.run(tx, sorted(names))
    }


def store_answers(
    tx: Connection, given: Mapping[tuple[str, str], StoredAnswer], now: datetime
) -> None:
    """Keep answers by (principal, key), in the transaction of what they answer.

    Raises:
        IntegrityError: A key was answered before.
    """
    rows = [
        (*name, answer.request_sha256, answer.status, answer.answer)
        for name, answer in sorted(given.items())
    ]
    _STORE.run(tx, rows, now=now)


def forget_answers(tx: Connection, before: datetime) -> int:
    """Drop answers given before an instant; return how many."""
    found = tx.execute(delete(answered_requests).where(answered_requests.c.answered_at < before))
    return int(found.rowcount)
