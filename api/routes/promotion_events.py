"""The stream of a promotion's progress: server-sent events, each the whole picture as JSON.

    progress     as ``GET /promotions/{id}/progress``; on changes, at most twice a second
    beat         every 15 s, so that whoever reads notices a line that has gone dead
    end          the promotion is over and every label shows it: nothing follows

Changes are gathered while a message is on its way and while the pause after it lasts.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import Connection

from api import doors
from api.auth import Asker, TheHouse, asker
from api.house import House
from api.live import Watcher
from api.promotion_views import progress_view
from api.routes.promotions import stored_for
from esl.domain.access import Principal, Scope
from esl.domain.errors import EslError
from esl.domain.promotion.life import OVER, State
from esl.services.promotions.progress import progress_of

GAP_S = 0.5
BEAT_S = 15.0
LOOK_EVERY_S = 2.0
"""The net under lost notices, and what brings the states that tell nobody."""

router = APIRouter(prefix="/api/v1", tags=["promotions"])


async def _now(promotion: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Look once, so that whoever may not is refused before anything is streamed."""
    return await _look(house, who, doors.slug(promotion, "promotion"))


@router.get("/promotions/{promotion}/events", response_class=EventSourceResponse)
async def promotion_events(
    request: Request,
    house: TheHouse,
    who: Asker,
    told: Annotated[dict[str, Any], Depends(_now)],
) -> AsyncIterator[ServerSentEvent]:
    """Tell how far a promotion has come, until it is over or the reader goes away."""
    name = str(told["id"])
    with house.live.watching() as watcher:
        number = 1
        yield _progress(told, number)
        beat_at_s = house.clock.monotonic_s() + BEAT_S
        while not _is_over(told):
            await asyncio.sleep(GAP_S)
            await _changes(watcher)
            try:
                await asyncio.to_thread(_still_may, request, house)
                now = await _look(house, who, name)
            except EslError:
                return  # the reader comes again, and then learns the reason
            if now != told:
                told, number = now, number + 1
                yield _progress(told, number)
            elif house.clock.monotonic_s() >= beat_at_s:
                beat_at_s = house.clock.monotonic_s() + BEAT_S
                yield ServerSentEvent(event="beat", raw_data="")
        yield ServerSentEvent(event="end", raw_data="")


async def _look(house: House, who: Principal, name: str) -> dict[str, Any]:
    def query(tx: Connection) -> dict[str, Any]:
        stored_for(tx, who, Scope.PRICE_READ, name)
        return progress_view(progress_of(tx, name, house.clock.now()))

    return await doors.read(house, query)


def _is_over(told: dict[str, Any]) -> bool:
    """Say whether nothing follows: it never began, or all labels show its end or were given up."""
    if State(told["state"]) not in OVER or told["next_at"] is not None:
        return False
    counts = told["counts"]
    return told["turned_at"] is None or not (counts.get("waiting") or counts.get("sent"))


def _still_may(request: Request, house: House) -> None:
    asker(request, house)


def _progress(told: dict[str, Any], number: int) -> ServerSentEvent:
    return ServerSentEvent(event="progress", raw_data=json.dumps(told), id=str(number))


async def _changes(watcher: Watcher) -> None:
    try:
        async with asyncio.timeout(LOOK_EVERY_S):
            await watcher.changes()
    except TimeoutError:
        pass
