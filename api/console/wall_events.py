"""The stream that keeps an open wall up to date: server-sent events, drawn as pieces of the page.

    unnamed      pieces that htmx puts in place: the head and the tiles that changed
    look-again   the page fetches its tiles anew: after a gap, or where pieces would be too many
    touched      somebody pressed a label's button or read its tag: {"label", "kind", "button"}
    beat         every 15 s, so that a page notices a line that has gone dead

Changes are gathered while a message is on its way and while the pause after it lasts, so a page
gets at most four messages a second, and of each label only how it is by then.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import Connection

from api import doors
from api.auth import Asker, TheHouse, asker
from api.console import board
from api.console.look import Look, Looking
from api.console.templates import draw
from api.console.wall import LookedAt
from api.house import House
from api.live import Watcher
from api.open_streams import OpenStreams
from esl.domain.access import Scope
from esl.domain.errors import EslError
from esl.domain.ids import GatewayId, LabelId
from esl.domain.place import Store
from esl.domain.touch import Touch
from esl.store import wall as rows
from gateway.worker import Notice

GAP_S = 0.25
BEAT_S = 15.0
LOOK_AGAIN_GAP_S = 2.0
LOOK_AGAIN_EVERY_S = 60.0
"""The net under lost notices; also brings the moments labels were seen at, which tell nobody."""

PIECES_MOST = 100
"""Where more tiles change at once, the page fetches what it shows: the others are not on it."""

WALLS_MOST = 500
"""Open at once, of all people; of one `api.open_streams.STREAMS_OF_ONE`."""

router = APIRouter(include_in_schema=False)


async def _counted(request: Request, who: Asker) -> AsyncIterator[None]:
    """Count a wall while it is open.

    Raises:
        TooOften: There are too many already, of this person or of all.
    """
    walls: OpenStreams = request.app.state.walls
    with walls.opened(who.name):
        yield


@router.get("/wall/events", response_class=EventSourceResponse, dependencies=[Depends(_counted)])
async def wall_events(
    request: Request,
    look: Looking,
    house: TheHouse,
    who: Asker,
    store: LookedAt,
    seen: Annotated[str, Query(max_length=64)] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Tell a page what changes in its store, until it goes away or its session ends."""
    del who  # asked for again at every beat
    with house.live.watching() as watcher:  # before the first look, so that nothing falls between
        line = _Line(house=house, store=store, look=look)
        # Who comes back may have missed anything; who comes first has it all, if it is still so.
        came_back = "last-event-id" in request.headers
        try:
            yield await line.begin("" if came_back else seen)
            while True:
                for event in await line.next(watcher):
                    yield event
                if line.has_beaten:
                    await asyncio.to_thread(_still_may, request, house, store)
        except EslError:
            return  # the page connects again, and then learns the reason


def _still_may(request: Request, house: House, store: Store) -> None:
    asker(request, house).require(Scope.LABEL_READ, store.store_id)


class _Line:
    """One page's stream: what it has been told, and what it still must be."""

    def __init__(self, *, house: House, store: Store, look: Look) -> None:
        self.has_beaten = False
        self._house = house
        self._store = store
        self._look = look
        self._total = 0
        self._is_old = False
        self._number = 0
        self._must_look = False
        self._rests_until_s = 0.0  # what changes till then goes into one message
        self._beat_at_s = 0.0
        self._look_at_s = 0.0  # not before
        self._look_by_s = 0.0

    async def begin(self, seen: str) -> ServerSentEvent:
        """Send the head as it is now, and find out whether the page has missed something."""
        now_s = self._house.clock.monotonic_s()
        self._beat_at_s = now_s + BEAT_S
        self._look_by_s = now_s + LOOK_AGAIN_EVERY_S

        def query(tx: Connection) -> tuple[board.Head, str]:
            head, here = self._stand(tx)
            found = board.find(tx, self._store, self._look, here).tiles if seen else []
            return head, board.fingerprint(found, here, is_old=head.is_old)

        head, is_now = await doors.read(self._house, query)
        self._must_look = seen != is_now
        self._total, self._is_old = head.total, head.is_old
        return await self._pieces(head, ())

    async def next(self, watcher: Watcher) -> Sequence[ServerSentEvent]:
        """Wait for the next thing to tell."""
        events: list[ServerSentEvent] = []
        await asyncio.sleep(self._rests_until_s - self._house.clock.monotonic_s())
        notice = await _changes(watcher, self._wait_s())
        if notice is not None:
            if notice.labels or notice.gateways:
                events += await self._tell(notice)
            events += [_touched(t) for t in notice.touched if t.store_id == self._store.store_id]
        now_s = self._house.clock.monotonic_s()
        if (self._must_look and now_s >= self._look_at_s) or now_s >= self._look_by_s:
            self._must_look = False
            self._look_at_s = now_s + LOOK_AGAIN_GAP_S
            self._look_by_s = now_s + LOOK_AGAIN_EVERY_S
            events.append(await self._tell_head())
            events.append(ServerSentEvent(event="look-again", raw_data=""))
        self.has_beaten = now_s >= self._beat_at_s
        if self.has_beaten:
            self._beat_at_s = now_s + BEAT_S
            events.append(ServerSentEvent(event="beat", raw_data=""))
        return events

    def _wait_s(self) -> float:
        until_s = min(self._beat_at_s, self._look_by_s)
        if self._must_look:
            until_s = min(until_s, self._look_at_s)
        return max(0.0, until_s - self._house.clock.monotonic_s())

    async def _tell(self, notice: Notice) -> list[ServerSentEvent]:
        few: tuple[LabelId, ...] = notice.labels if len(notice.labels) <= PIECES_MOST else ()

        def query(tx: Connection) -> tuple[board.Head, list[board.Tile]]:
            head, here = self._stand(tx)
            changed = rows.tiles_of(tx, few)
            ours = [tile for tile in changed if tile.label.store_id == self._store.store_id]
            store, panels, is_old = self._store, self._house.panels, head.is_old
            tiles = [board.tile_of(tile, store, here, panels, is_old=is_old) for tile in ours]
            return head, tiles

        head, tiles = await doors.read(self._house, query)
        if few and not tiles and not notice.gateways:
            return []  # of another store
        if (
            notice.gateways  # its labels have another state now
            or len(few) < len(notice.labels)
            or head.total != self._total  # a label came or went
            or head.is_old != self._is_old  # "right" is another word now
            or self._look.is_filtered  # a tile may have to come or go
        ):
            self._must_look = True
        self._total, self._is_old = head.total, head.is_old
        return [await self._pieces(head, tiles)]

    async def _tell_head(self) -> ServerSentEvent:
        """Send the head alone: that a source keeps silent is told by nobody."""
        head, _ = await doors.read(self._house, self._stand)
        self._is_old = head.is_old
        return await self._pieces(head, ())

    def _stand(self, tx: Connection) -> tuple[board.Head, frozenset[GatewayId]]:
        now, online = self._house.clock.now(), self._house.online()
        return board.stand(tx, self._store, self._look, online, now)

    async def _pieces(self, head: board.Head, tiles: Sequence[board.Tile]) -> ServerSentEvent:
        self._number += 1
        self._rests_until_s = self._house.clock.monotonic_s() + GAP_S
        html = await asyncio.to_thread(draw, "pieces", head=head, tiles=tiles)
        return ServerSentEvent(raw_data=html, id=str(self._number))


def _touched(touch: Touch) -> ServerSentEvent:
    """Say that somebody pressed a label's button or read its tag."""
    said = {"label": touch.label_id, "kind": touch.kind, "button": touch.button}
    return ServerSentEvent(event="touched", raw_data=json.dumps(said))


async def _changes(watcher: Watcher, longest_s: float) -> Notice | None:
    """Wait for changes; None if there are none for so long."""
    try:
        async with asyncio.timeout(longest_s):
            return await watcher.changes()
    except TimeoutError:
        return None
