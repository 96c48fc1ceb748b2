"""The stream of events: server-sent events from the same books that webhooks are told from.

::

    reader ──▶ where it was, or now ──▶ the next stretch of the books ──▶ sent ──▶ the next …
                                            │ what it may not hear is left out
    id:  how far it has heard               └ nothing there: wait, beat, look after its rights

Nothing is queued for a reader: it has a place in the books, and the next stretch is read once it
has taken the one before. A slow one costs one stretch of memory, and is dropped when it takes
nothing for `SLOW_S`; with the id of the last event it goes on where it was.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import doors
from api.house import House
from api.live import Watcher
from api.open_streams import OpenStreams
from esl.domain.access import Principal
from esl.domain.access import Scope as Right
from esl.domain.errors import EslError, Unavailable
from esl.domain.ids import StoreId
from esl.domain.subscription import STOCK_EVENTS, Asked, Event, EventType, Places
from esl.intake.event_mark import Mark, mark_text
from esl.services.event_messages import event_view, gather_books
from esl.store import event_books
from esl.store.event_books import Settled

BEAT_S: Final = 15.0
LOOK_EVERY_S: Final = 0.5
RIGHTS_EVERY_S: Final = 2.0
SLOW_S: Final = 30.0
GAP_S: Final = 0.1
"""Between two looks: what happens in it comes in one stretch."""

WHOLE_WITHIN_S: Final = 10.0
"""So long a reader for a while waits for what is not whole yet: another transaction is open."""

STRETCH_MOST: Final = 100
RETRY_MS: Final = 3000
STREAMS_MOST: Final = 200

RESUMED_WITHIN: Final = timedelta(days=3)
"""As long as webhooks are tried; all books are kept for longer."""

STREAMED: Final = frozenset(EventType) - STOCK_EVENTS
"""Stock is no book: how much is low is a subscription's own word."""

_OF_LABELS: Final = frozenset(
    {
        EventType.PROBLEM_OPENED,
        EventType.LABEL_PROBLEM,
        EventType.LABEL_PROBLEM_CLOSED,
        EventType.GATEWAY_OFFLINE,
        EventType.GATEWAY_ONLINE,
    }
)

log = structlog.get_logger()


ENDS: Final = {
    "rights": "Its token or session has ended or may hear this no more: sign in again.",
    "time": "All that was asked for was sent; connect again with the last id for what follows.",
    "stopping": "Connect again with the last id: nothing that happens meanwhile is missed.",
}
"""Why a stream ends, and how to go on: its last event says both."""


def right_for(kind: EventType) -> Right:
    """Say what it takes to hear of something."""
    return Right.LABEL_READ if kind in _OF_LABELS else Right.PRICE_READ


class EventFeed:
    """How far the books are whole, for all streams of this process; and how many those are."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._settled = Settled()
        self._looking = asyncio.Lock()
        self._looked_at_s: float | None = None
        self._whole = Places()
        self.streams = OpenStreams(most=STREAMS_MOST)

    async def whole(self) -> Places:
        """Return up to where no event is missing: as of now, or a moment ago."""
        async with self._looking:
            now_s = self._house.clock.monotonic_s()
            if self._looked_at_s is None or now_s - self._looked_at_s >= GAP_S:
                self._whole = await doors.read(self._house, self._settled.look)
                self._looked_at_s = now_s
            return self._whole

    async def ends(self) -> Places:
        """Return the last number of each book."""
        return await doors.read(self._house, event_books.ends_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a reader asked for. ``for_s``: how long at most; None: for good."""

    store_id: StoreId | None
    types: frozenset[EventType]
    mark: Mark | None
    for_s: int | None


class EventStream:
    """What one reader gets; ``ask_again`` says who it is now, or raises."""

    def __init__(
        self,
        house: House,
        feed: EventFeed,
        who: Principal,
        wanted: Wanted,
        ask_again: Callable[[], Principal],
    ) -> None:
        self._house = house
        self._feed = feed
        self._who = who
        self._wanted = wanted
        self._ask_again = ask_again
        self._places = Places()
        now_s = house.clock.monotonic_s()
        self._rights_at_s = now_s + RIGHTS_EVERY_S
        self._beat_at_s = now_s + BEAT_S
        self._ends_at_s = None if wanted.for_s is None else now_s + wanted.for_s
        self._told_till = Places()  # of a reader for a while: what was there when it came

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield what is sent, piece by piece, until the end."""
        with self._house.live.watching() as watcher:
            try:
                yield await self._begin()
                while True:
                    reason = await self._check()
                    if reason is not None:
                        yield _end(reason)
                        return
                    piece, is_all = await self._next()
                    if piece:
                        yield piece
                    if is_all:
                        if self._is_over():
                            yield _end("time")
                            return
                        await self._wait(watcher)
            except Unavailable:
                yield _end("stopping")

    async def _begin(self) -> bytes:
        """Find the place to begin at, and say so if that is not where the reader was."""
        mark, now = self._wanted.mark, self._house.clock.now()
        if self._wanted.for_s is not None:
            self._told_till = await self._feed.ends()
        head = f"retry: {RETRY_MS}\n".encode()
        if mark is None:
            self._places = await self._feed.whole()
            return head + self._beat(now)
        reason = await self._why_lost(mark, now)
        if reason is None:
            self._places = mark.places
            return head + b": goes on\n\n"
        self._places = await self._feed.whole()
        fix = "Read anew what you keep; from here on nothing is missing."
        said = {"reason": reason, "fix": fix}
        return head + _event("reset", said, mark_text(now, self._places))

    async def _why_lost(self, mark: Mark, now: datetime) -> str | None:
        if now - mark.at > RESUMED_WITHIN:
            return "too_old"
        ends = await self._feed.ends()
        if mark.places.up_to(ends) != ends:  # a restored database has not come as far
            return "unknown"
        return None

    async def _check(self) -> str | None:
        """Look after the reader's rights from time to time; say why it may hear no more."""
        now_s = self._house.clock.monotonic_s()
        if now_s < self._rights_at_s:
            return None
        try:
            self._who = await asyncio.to_thread(self._ask_again)
        except Unavailable:
            raise
        except EslError:
            return "rights"
        self._rights_at_s = self._house.clock.monotonic_s() + RIGHTS_EVERY_S
        held = self._who.scopes
        if self._wanted.store_id is not None:
            held = self._who.scopes_in(self._wanted.store_id)
        if not any(right_for(kind) in held for kind in self._wanted.types):
            return "rights"
        return None

    async def _next(self) -> tuple[bytes, bool]:
        """Read the next stretch; say whether it is all there is."""
        whole = await self._feed.whole()
        now = self._house.clock.now()
        if self._places.up_to(whole) == self._places:
            return self._beat_if_due(now), True
        asked = Asked(self._wanted.store_id, self._wanted.types, STRETCH_MOST, self._places)

        def read(tx: Connection) -> tuple[list[tuple[Event, Places]], Places]:
            return gather_books(tx, asked, whole.up_to(self._places))

        found, at = await doors.read(self._house, read)
        is_all = at.up_to(whole) == at
        self._places = at
        heard = [(_for(self._who, event), place) for event, place in found]
        sent = [
            _event(event.type, event_view(event), mark_text(now, place))
            for event, place in heard
            if event is not None
        ]
        if sent:
            self._beat_at_s = self._house.clock.monotonic_s() + BEAT_S
        return b"".join(sent) or self._beat_if_due(now), is_all

    def _is_over(self) -> bool:
        if self._ends_at_s is None:
            return False
        left_s = self._ends_at_s - self._house.clock.monotonic_s()
        has_all = self._places.up_to(self._told_till) == self._places
        return left_s <= 0 and (has_all or left_s <= -WHOLE_WITHIN_S)

    def _beat_if_due(self, now: datetime) -> bytes:
        return self._beat(now) if self._house.clock.monotonic_s() >= self._beat_at_s else b""

    def _beat(self, now: datetime) -> bytes:
        """Say that the line lives, and how far the reader has heard without an event."""
        self._beat_at_s = self._house.clock.monotonic_s() + BEAT_S
        return f": beat\nid: {mark_text(now, self._places)}\n\n".encode()

    async def _wait(self, watcher: Watcher) -> None:
        """Wait until something may have happened.

        Raises:
            Unavailable: The controller is stopping.
        """
        await asyncio.sleep(GAP_S)
        longest_s = LOOK_EVERY_S
        if self._ends_at_s is not None:
            longest_s = min(longest_s, max(0.0, self._ends_at_s - self._house.clock.monotonic_s()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await watcher.changes()


class EventStreamResponse(Response):
    """Sends a stream until it ends, its reader goes away, or takes nothing for too long."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncIterator[bytes], name: str, close: Callable[[], None]) -> None:
        super().__init__(background=BackgroundTask(lambda: None))
        del self.headers["content-length"]
        self.headers["X-Accel-Buffering"] = "no"
        self._pieces = pieces
        self._name = name
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one reader."""
        del scope
        sending = asyncio.create_task(self._send(send), name="event stream")
        leaving = asyncio.create_task(_until_gone(receive), name="event stream's reader")
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            self._close()

    async def _send(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async with contextlib.aclosing(self._pieces) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                try:
                    async with asyncio.timeout(SLOW_S):
                        body = {"type": "http.response.body", "body": piece, "more_body": True}
                        await send(body)
                except TimeoutError:
                    log.warning("event stream dropped", reader=self._name, reason="too slow")
                    return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _for(who: Principal, event: Event) -> Event | None:
    """Return what somebody may hear of an event; None: nothing."""
    right = right_for(EventType(event.type))
    if event.store_id is not None or "stores" not in event.data:
        return event if right in who.scopes_in(event.store_id) else None
    stores = [store for store in event.data["stores"] if right in who.scopes_in(store)]
    return replace(event, data={**event.data, "stores": stores}) if stores else None


def _end(reason: str) -> bytes:
    return _event("end", {"reason": reason, "fix": ENDS[reason]})


def _event(kind: str, data: dict[str, Any], mark: str | None = None) -> bytes:
    text = msgspec.json.encode(data).decode()  # one line: JSON has no bare line breaks
    line = f"id: {mark}\n" if mark is not None else ""
    return f"{line}event: {kind}\ndata: {text}\n\n".encode()
