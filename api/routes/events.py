"""Everything that happens, as one stream of server-sent events."""

from contextlib import ExitStack
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field

from api import doors
from api.auth import Asker, TheHouse, asker
from api.event_stream import (
    STREAMED,
    EventFeed,
    EventStream,
    EventStreamResponse,
    Wanted,
    right_for,
)
from esl.domain.access import Principal
from esl.domain.errors import Forbidden, InvalidInput
from esl.domain.ids import SLUG_MAX_CHARACTERS, StoreId
from esl.domain.subscription import STOCK_EVENTS, EventType
from esl.intake.event_mark import LONGEST, parse_mark

router = APIRouter(prefix="/api/v1/events", tags=["events"])

_TYPES_LONGEST = 1000
_DAY_S = 86_400
_EVENT = {
    "type": "object",
    "description": "Each event of the stream, read as server-sent events are.",
    "required": ["event", "data"],
    "properties": {
        "id": {"type": "string", "description": "For `Last-Event-ID`."},
        "event": {"type": "string", "description": "Its type, or `reset` or `end`."},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"type": "object"},
        },
    },
}


class Which(BaseModel, extra="forbid"):
    """What of it, and from where."""

    store: str | None = Field(
        default=None, max_length=SLUG_MAX_CHARACTERS, description="Left out: all you may see."
    )
    types: str | None = Field(
        default=None, max_length=_TYPES_LONGEST, description="With commas; left out: all."
    )
    after: str | None = Field(
        default=None, max_length=LONGEST, description="As `Last-Event-ID`, which goes before it."
    )
    for_s: int | None = Field(
        default=None, ge=0, le=_DAY_S, description="Seconds; 0: what there is now, and no more."
    )


@router.get(
    "",
    response_class=EventStreamResponse,
    status_code=200,  # FastAPI looks for one in the class's own arguments, and it has none
    responses={200: {"content": {"text/event-stream": {"schema": _EVENT}}}},
)
async def stream_events(
    request: Request,
    house: TheHouse,
    who: Asker,
    which: Annotated[Which, Query()],
    last_event_id: Annotated[str | None, Header(max_length=LONGEST)] = None,
) -> Response:
    """Tell what happens, as it happens; goes on after `Last-Event-ID` without a gap.

    What was sent and not read comes again after a break, with the same `id` in its data. A
    `reset` event says that the id is too old, or of another database, and what is missing.
    """
    store_id = doors.store_id(which.store) if which.store is not None else None
    types = _types(which.types)
    allowed = _allowed(who, store_id, types)
    if store_id is not None:
        await doors.store_for(house, store_id)
    said = last_event_id or which.after
    mark = parse_mark(said) if said else None
    wanted = Wanted(store_id=store_id, types=allowed, mark=mark, for_s=which.for_s)
    feed: EventFeed = request.app.state.events
    stream = EventStream(house, feed, who, wanted, lambda: asker(request, house))
    with ExitStack() as held:
        held.enter_context(feed.streams.opened(who.name))
        return EventStreamResponse(stream.pieces(), who.name, held.pop_all().close)


def _types(text: str | None) -> frozenset[EventType]:
    """Read which events are asked for; none where that is left open.

    Raises:
        InvalidInput: One is no event, or none of the stream.
    """
    if text is None:
        return frozenset()
    names = {name.strip() for name in text.split(",")}
    if STOCK_EVENTS & names:
        raise InvalidInput.at(
            "/types",
            "stock is not in the stream: what is low is said by a subscription",
            fix="Leave it out here, and subscribe: PUT /api/v1/subscriptions/{subscription}.",
        )
    if not names <= STREAMED:
        raise InvalidInput.at(
            "/types", "no event of this name", fix=f"Send some of: {', '.join(sorted(STREAMED))}."
        )
    return frozenset(map(EventType, names))


def _allowed(
    who: Principal, store_id: StoreId | None, asked: frozenset[EventType]
) -> frozenset[EventType]:
    """Return what of it somebody may hear: all that is asked for, or all there is.

    Raises:
        Forbidden: The asker lacks a scope for what is asked for, or for anything.
        UnknownStore: The store is closed to the asker.
    """
    if store_id is not None:
        needed = asked or frozenset({EventType.PRICE_CHANGED, EventType.LABEL_PROBLEM})
        rights = sorted({right_for(kind) for kind in needed})
        if asked or not set(rights) & who.scopes_in(store_id):
            for right in rights:
                who.require(right, store_id)
        held = who.scopes_in(store_id)
    else:
        held = who.scopes
    found = frozenset(kind for kind in asked or STREAMED if right_for(kind) in held)
    if not found or (asked and found != asked):
        lacking = sorted({right_for(kind) for kind in (asked or STREAMED) - found})
        raise Forbidden(f"this needs the scope {lacking[0]}")
    return found
