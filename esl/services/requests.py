"""Requests that may come twice: one key, one effect, one answer."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import IdempotencyConflict
from esl.store import answers
from esl.store.answers import StoredAnswer

__all__ = ["StoredAnswer", "answer_once"]


def answer_once(
    tx: Connection,
    work: Callable[[Connection], StoredAnswer],
    *,
    principal: str,
    key: str | None,
    request_sha256: str,
    now: datetime,
) -> StoredAnswer:
    """Do ``work`` unless this key was answered before; then give that answer again.

    Work that raises stores nothing, so the key may be used again once the request is mended.

    Raises:
        IdempotencyConflict: The key was used with another request.
    """
    if key is None:
        return work(tx)
    before = answers.stored_answer(tx, principal, key)
    if before is None:
        answer = work(tx)
        answers.store_answer(tx, principal, key, answer, now)
        return answer
    if before.request_sha256 != request_sha256:
        raise IdempotencyConflict("this Idempotency-Key was used before with another request")
    return before
