"""Batches of prices, taking them back, and what became of a price change on the shelf."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_intake
from api.auth import Asker, TheHouse
from api.routes.fleet import verdict_view
from esl.domain.access import Scope
from esl.domain.errors import NotFound, UnknownBatch, UnknownStore
from esl.domain.verdict import Outcome, Verdict
from esl.intake.source_json import parse_reason
from esl.services import batches, retiring, verdicts
from esl.store import batches as batch_rows
from esl.store import price_intake
from esl.store.batches import Batch
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1", tags=["batches"])

PAGE_MOST = 1000
_DIGITS_MOST = 15  # 53 bits
_NO_CHANGE = "no price change has this id"


class BatchPage(BaseModel, extra="forbid"):
    """Which batches, the newest first."""

    before: int | None = Field(default=None, ge=1, le=2**53 - 1)
    limit: int = Field(default=100, ge=1, le=PAGE_MOST)


class ReadBackPage(BaseModel, extra="forbid"):
    """Which labels of a price change."""

    after: str = Field(default="", max_length=64, description="The last SKU of the page before.")


@router.get("/stores/{store}/batches")
async def list_batches(
    store: str, house: TheHouse, who: Asker, page: Annotated[BatchPage, Query()]
) -> dict[str, Any]:
    """List the batches of a store, with what became of their prices."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    found = await doors.read(
        house,
        lambda tx: batch_rows.list_batches(tx, store_id, before=page.before, limit=page.limit),
    )
    more = found[-1].batch_id if len(found) == page.limit else None
    return {"batches": [batch_view(batch) for batch in found], "before": more}


@router.get("/stores/{store}/batches/{batch}")
async def get_batch(store: str, batch: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return a batch."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    number = _number(batch, UnknownBatch("the store has no such batch"))
    found = await doors.read(house, lambda tx: batch_rows.batch_named(tx, store_id, number))
    return batch_view(found)


@router.post("/stores/{store}/batches/{batch}/roll-back", openapi_extra=openapi_intake.REASON)
async def roll_back(
    store: str, batch: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Let the prices from before a batch hold again, where nobody has said others since."""
    store_id = await doors.enter(house, who, Scope.PRICE_APPROVE, store)
    value, body = await doors.read_fields(request)
    reason = parse_reason(value)
    number = _number(batch, UnknownBatch("the store has no such batch"))

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        done = batches.roll_back(tx, store_id, number, now, actor=who.name, reason=reason)
        answer = {
            "batch": done.batch_id,
            "restored": done.restored,
            "withdrawn": done.withdrawn,
            "kept": done.kept,
            "labels": len(set(done.labels)),
        }
        return answer, Notice(labels=done.labels)

    return await doors.change(house, request, who, body, work)


@router.post("/stores/{store}/batches/{batch}/retire", openapi_extra=openapi_intake.REASON)
async def confirm_retirement(
    store: str, batch: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Retire the products that a short list left out: a person says that it is right."""
    store_id = await doors.enter(house, who, Scope.PRICE_APPROVE, store)
    value, body = await doors.read_fields(request)
    reason = parse_reason(value)
    number = _number(batch, UnknownBatch("the store has no such batch"))

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        done = retiring.confirm_retirement(tx, store_id, number, now, actor=who.name, reason=reason)
        answer = {"batch": number, "retired": len(done.skus), "labels": len(set(done.labels))}
        return answer, Notice(labels=done.labels)

    return await doors.change(house, request, who, body, work)


@router.get("/stores/{store}/batches/{batch}/labels")
async def read_batch_back(
    store: str, batch: str, house: TheHouse, who: Asker, page: Annotated[ReadBackPage, Query()]
) -> dict[str, Any]:
    """Say what each label of a batch's products shows; ``counts`` are of this page."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    number = _number(batch, UnknownBatch("the store has no such batch"))
    now = house.clock.now()

    def query(tx: Connection) -> dict[str, Any]:
        batch_rows.batch_named(tx, store_id, number)
        found = verdicts.verdicts_of_batch(tx, store_id, number, now, after=page.after)
        return {
            "batch": number,
            "store": store_id,
            "labels": [{"change": rev} | verdict_view(verdict) for rev, verdict in found.verdicts],
            "counts": _counts([verdict for _, verdict in found.verdicts]),
            "after": found.after,
        }

    return await doors.read(house, query)


@router.get("/price-changes/{change}")
async def read_back(
    change: str, house: TheHouse, who: Asker, page: Annotated[ReadBackPage, Query()]
) -> dict[str, Any]:
    """Say what each label of a price change shows; ``change`` is the ``rev`` it was answered."""
    rev = _number(change, NotFound(_NO_CHANGE))
    now = house.clock.now()

    def query(tx: Connection) -> dict[str, Any]:
        store_id = price_intake.store_of_rev(tx, rev)
        if store_id is None:
            raise NotFound(_NO_CHANGE)
        try:
            who.require(Scope.LABEL_READ, store_id)
        except UnknownStore:
            raise NotFound(_NO_CHANGE) from None
        found = verdicts.verdicts_of_change(tx, store_id, rev, now, after=page.after)
        return {
            "change": rev,
            "store": store_id,
            "labels": [verdict_view(verdict) for verdict in found.verdicts],
            "counts": _counts(found.verdicts),
            "after": found.after,
        }

    return await doors.read(house, query)


def _counts(found: Sequence[Verdict]) -> dict[str, int]:
    counts = dict.fromkeys((outcome.value for outcome in Outcome), 0)
    for verdict in found:
        counts[verdict.outcome.value] += 1
    return counts


def batch_view(batch: Batch) -> dict[str, Any]:
    """A batch, and what became of its prices."""
    return {
        "batch": batch.batch_id,
        "store": batch.store_id,
        "source": batch.source,
        "title": batch.title,
        "actor": batch.actor,
        "began_at": batch.began_at,
        **{decision.value: count for decision, count in batch.counts.items()},
        "tripped_at": batch.tripped_at,
        "rolled_back_at": batch.rolled_back_at,
        "rolled_back_by": batch.rolled_back_by,
    }


def _number(text: str, unknown: NotFound) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS_MOST:
        raise unknown
    return int(text)
