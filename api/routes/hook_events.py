"""Events of webhooks as people look at them: what failed and why, tried again or put away."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_intake
from api.auth import Asker, TheHouse
from api.listeners.hook_door import HookDoor
from esl.domain.access import Scope
from esl.domain.errors import NotFound
from esl.domain.ids import SourceId
from esl.intake.source_json import parse_numbers
from esl.services import hooks
from esl.store import hook_inbox, sources
from esl.store.hook_inbox import HookHead, HookState, StoredHookEvent
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/sources/{source}", tags=["webhooks"])

PAGE_MOST = 1000
BODY_SHOWN_BYTES = 64 * 1024
_DIGITS_MOST = 15  # 53 bits


class EventPage(BaseModel, extra="forbid"):
    """Which events, the newest first."""

    state: str = Field(
        default="",
        pattern=f"^({'|'.join(HookState)}|)$",
        description="Only events of this state; `poisoned` are those that failed.",
    )
    before: int | None = Field(default=None, ge=1, le=2**53 - 1)
    limit: int = Field(default=100, ge=1, le=PAGE_MOST)


@router.get("/events")
async def list_events(
    source: str, house: TheHouse, who: Asker, page: Annotated[EventPage, Query()]
) -> dict[str, Any]:
    """List what a source's webhooks brought in the last 14 days, and what became of each."""
    who.require(Scope.STORE_ADMIN)
    source_id = SourceId(doors.slug(source, "source"))
    state = HookState(page.state) if page.state else None

    def query(tx: Connection) -> list[HookHead]:
        sources.source_named(tx, source_id)
        return hook_inbox.list_heads(
            tx, source_id, state=state, before=page.before, limit=page.limit
        )

    found = await doors.read(house, query)
    more = found[-1].hook_key if len(found) == page.limit else None
    return {"events": [_head_view(head) for head in found], "before": more}


@router.get("/events/{event}")
async def get_event(source: str, event: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return an event with what it said, as far as it is text: the first 64 KiB."""
    who.require(Scope.STORE_ADMIN)
    source_id = SourceId(doors.slug(source, "source"))
    if not event.isascii() or not event.isdecimal() or len(event) > _DIGITS_MOST:
        raise NotFound("the source has no event with this number")

    def query(tx: Connection) -> StoredHookEvent:
        sources.source_named(tx, source_id)
        return hook_inbox.event_numbered(tx, source_id, int(event))

    return _event_view(await doors.read(house, query))


@router.post("/events/retry", openapi_extra=openapi_intake.HOOK_EVENTS)
async def retry_events(source: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Have poisoned events worked on again, after their cause was mended; all or none."""
    who.require(Scope.STORE_ADMIN)
    source_id = SourceId(doors.slug(source, "source"))
    value, body = await doors.read_fields(request)
    numbers = parse_numbers(value, "events")

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        many = hooks.retry_events(tx, source_id, numbers, house.clock.now(), actor=who.name)
        return {"source": source_id, "retried": many}, Notice()

    answer = await doors.change(house, request, who, body, work)
    door: HookDoor = request.app.state.hooks
    door.wake()
    return answer


@router.post("/events/drop", openapi_extra=openapi_intake.HOOK_EVENTS)
async def drop_events(source: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Put poisoned events away: they are no problem any more, and stay known; all or none."""
    who.require(Scope.STORE_ADMIN)
    source_id = SourceId(doors.slug(source, "source"))
    value, body = await doors.read_fields(request)
    numbers = parse_numbers(value, "events")

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        many = hooks.drop_events(tx, source_id, numbers, house.clock.now(), actor=who.name)
        return {"source": source_id, "dropped": many}, Notice()

    return await doors.change(house, request, who, body, work)


def _head_view(head: HookHead) -> dict[str, Any]:
    return {
        "event": head.hook_key,
        "event_id": head.event_id,
        "system": head.system,
        "topic": head.topic,
        "state": head.state,
        "error": head.error,
        "attempts": head.attempts,
        "size_bytes": head.size_bytes,
        "sent_at": head.sent_at,
        "received_at": head.received_at,
        "ended_at": head.ended_at,
    }


def _event_view(event: StoredHookEvent) -> dict[str, Any]:
    shown = event.body[:BODY_SHOWN_BYTES]
    return {
        "event": event.hook_key,
        "event_id": event.event_id,
        "system": event.system,
        "topic": event.topic,
        "state": event.state,
        "error": event.error,
        "attempts": event.attempts,
        "size_bytes": len(event.body),
        "sent_at": event.sent_at,
        "received_at": event.received_at,
        "headers": dict(event.headers),
        "body": shown.decode(errors="replace"),
        "is_cut": len(shown) < len(event.body),
    }
