"""What became of the items of a driver's request, kept for a while for its sender to ask.

They stand among the answers to requests, but under a name that nobody signs in with: a sender's
own Idempotency-Key never meets them.
"""

from datetime import datetime, timedelta
from http import HTTPStatus

from sqlalchemy import Connection, delete

from esl.domain.ids import StoreId
from esl.store import answers
from esl.store.answers import StoredAnswer
from esl.store.tables import answered_requests

RESULTS_KEPT = timedelta(hours=6)
"""A driver asks within seconds, and a full list of items is half a megabyte."""


def keep_result(
    tx: Connection, principal: str, store_id: StoreId, number: str, text: str, now: datetime
) -> None:
    """Keep a result, and drop this sender's old ones."""
    owner = _owner(principal)
    answer = StoredAnswer(request_sha256="", status=HTTPStatus.OK, answer=text)
    answers.store_answer(tx, owner, _key(store_id, number), answer, now)
    tx.execute(
        delete(answered_requests).where(
            answered_requests.c.principal == owner,
            answered_requests.c.answered_at < now - RESULTS_KEPT,
        )
    )


def kept_result(tx: Connection, principal: str, store_id: StoreId, number: str) -> str | None:
    """Return a result that this sender may see; None where there is none (any more)."""
    found = answers.stored_answer(tx, _owner(principal), _key(store_id, number))
    return found.answer if found is not None else None


def _owner(principal: str) -> str:
    return f"results of {principal}"[:80]


def _key(store_id: StoreId, number: str) -> str:
    return f"{store_id} {number}"
