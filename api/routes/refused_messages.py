"""Messages from MQTT that could not be taken: looked at, taken once they can be, or put away."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_intake
from api.auth import Asker, TheHouse
from api.listeners.mqtt_in_take import take_again
from esl.domain.access import Scope
from esl.domain.errors import NotFound
from esl.domain.ids import LabelId
from esl.domain.mqtt_in import RefusedMessage
from esl.intake.source_json import parse_numbers
from esl.store import audit, mqtt_in
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/refused-messages", tags=["mqtt"])

PAGE_MOST = 1000
_DIGITS_MOST = 15  # 53 bits
_UNKNOWN = "no message with this number was refused"


class RefusedPage(BaseModel, extra="forbid"):
    """Which messages, the newest first."""

    source: str = Field(default="", max_length=64, description="Of one source alone.")
    before: int | None = Field(default=None, ge=1, le=2**53 - 1)
    limit: int = Field(default=100, ge=1, le=PAGE_MOST)


@router.get("")
async def list_refused(
    house: TheHouse, who: Asker, page: Annotated[RefusedPage, Query()]
) -> dict[str, Any]:
    """List the messages that could not be taken in the last 30 days, each with the reason."""
    who.require(Scope.STORE_ADMIN)
    found = await doors.read(
        house,
        lambda tx: mqtt_in.list_refused(
            tx, source=page.source, before=page.before, limit=page.limit
        ),
    )
    more = found[-1].refused_id if len(found) == page.limit else None
    return {"messages": [message_view(one) for one in found], "before": more}


@router.get("/{message}")
async def get_refused(message: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return a message that could not be taken, with what it said: its first 32 KiB, as text."""
    who.require(Scope.STORE_ADMIN)
    if not message.isascii() or not message.isdecimal() or len(message) > _DIGITS_MOST:
        raise NotFound(_UNKNOWN)
    found = await doors.read(house, lambda tx: _refused(tx, int(message)))
    return message_view(found) | {"body": found.payload.decode(errors="replace")}


@router.post("/take", openapi_extra=openapi_intake.MESSAGES)
async def take_refused(request: Request, house: TheHouse, who: Asker) -> Response:
    """Take messages after their cause was mended; those that are taken leave the list.

    Their prices hold from now on, whatever was said since: look at their age first.
    """
    who.require(Scope.STORE_ADMIN)
    value, body = await doors.read_fields(request)
    numbers = parse_numbers(value, "messages")

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        labels: list[LabelId] = []
        views = [_take_one(tx, number, house.clock.now(), labels) for number in numbers]
        taken = [view["message"] for view in views if view["taken"]]
        _note(tx, house.clock.now(), who.name, "messages_taken", taken)
        return {"results": views}, Notice(labels=tuple(labels))

    return await doors.change(house, request, who, body, work, items=len(numbers))


@router.post("/drop", openapi_extra=openapi_intake.MESSAGES)
async def drop_refused(request: Request, house: TheHouse, who: Asker) -> Response:
    """Put messages away: they are no problem any more, and are forgotten."""
    who.require(Scope.STORE_ADMIN)
    value, body = await doors.read_fields(request)
    numbers = parse_numbers(value, "messages")

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        many = mqtt_in.drop_refused(tx, numbers)
        _note(tx, house.clock.now(), who.name, "messages_dropped", numbers)
        return {"dropped": many}, Notice()

    return await doors.change(house, request, who, body, work)


def _take_one(tx: Connection, number: int, now: datetime, labels: list[LabelId]) -> dict[str, Any]:
    found = mqtt_in.refused_named(tx, number)
    if found is None:
        return {"message": number, "taken": False, "reason": None, "detail": _UNKNOWN}
    if found.size_bytes > len(found.payload):
        detail = "too long to be kept whole; publish it again"
        return {"message": number, "taken": False, "reason": found.reason, "detail": detail}
    with tx.begin_nested() as attempt:
        outcome = take_again(tx, found.as_sent(), now)
        is_taken = outcome.refusal is None
        if is_taken:
            labels.extend(outcome.labels)
            mqtt_in.drop_refused(tx, [number])
        else:
            attempt.rollback()  # also of a message of which a part could be taken
    return {
        "message": number,
        "taken": is_taken,
        "reason": outcome.refusal.value if outcome.refusal is not None else None,
        "detail": outcome.detail,
    }


def _refused(tx: Connection, number: int) -> RefusedMessage:
    found = mqtt_in.refused_named(tx, number)
    if found is None:
        raise NotFound(_UNKNOWN)
    return found


def _note(tx: Connection, now: datetime, actor: str, action: str, numbers: Sequence[int]) -> None:
    if numbers:
        audit.note(
            tx,
            now,
            actor=actor,
            action=action,
            subject=f"{len(numbers)} messages",
            detail={"messages": list(numbers)[:100]},
        )


def message_view(message: RefusedMessage) -> dict[str, Any]:
    """A message that could not be taken, without what it said."""
    return {
        "message": message.refused_id,
        "source": message.source,
        "topic": message.topic,
        "store": message.store,
        "idempotency_key": message.key,
        "reason": message.reason,
        "detail": message.detail,
        "size_bytes": message.size_bytes,
        "is_whole": message.size_bytes == len(message.payload),
        "times": message.times,
        "first_at": message.first_at,
        "last_at": message.last_at,
    }
