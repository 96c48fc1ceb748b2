"""The HTTP edge: limits on what comes in, headers on what goes out. Plain ASGI."""

import asyncio
import re
import time
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import request_ids
from api.errors import problem, what_was_not_done
from api.metrics.meters import OTHER, Meters
from api.proxies import HEADERS as FROM_PROXIES
from api.proxies import TrustedProxies
from api.rate_limits import CREDENTIALS, RateLimits, mark_of
from esl.settings import Settings
from renderer.pictures.upload_limits import FILE_LIMIT_BYTES, SIDE_LIMIT_PX

BODY_LARGEST_BYTES = 1024 * 1024
"""A JSON body; 10,000 changes take about 900 KB."""

BODY_SILENT_S = 30.0
"""So long the next bytes of a body may take to come …"""

BODY_LONGEST_S = 300.0
"""… and all of it."""

_PICTURE = re.compile(r"/api/v1/stores/[^/]+/pictures/[^/]+")
_PHOTO = re.compile(r"/api/v1/stores/[^/]+/photographed-codes")
_FILE = re.compile(r"/api/v1/(?:stores/[^/]+/)?imports|/imports")
"""The console's page of imports takes the same files."""
_SAMPLE = re.compile(r"/api/v1/mappings/(?:try|suggest)|/imports/mapping")
_PROMOTION = re.compile(r"/api/v1/promotions(?:/[^/]+)?")
_PLANOGRAM = re.compile(r"/api/v1/stores/[^/]+/planograms")
_PRICE_CHANGES = re.compile(r"/api/v1/stores/[^/]+/price-changes")
_MANY_ITEMS = re.compile(r"/api/v1/stores/[^/]+/(?:products|price-changes|labels|pairings)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much a request may bring, and what to do about more."""

    bytes: int
    fix: str


_FOR_A_PICTURE = Room(
    bytes=FILE_LIMIT_BYTES,
    fix=f"Scale the picture down to {SIDE_LIMIT_PX} pixels, or save it as JPEG.",
)
_FOR_ITEMS = Room(bytes=BODY_LARGEST_BYTES, fix="Send it in several requests.")
_FOR_DRIVERS = Room(bytes=4 * BODY_LARGEST_BYTES, fix="Send it in several requests.")
_FOR_A_PROMOTION = Room(
    bytes=4 * BODY_LARGEST_BYTES, fix="Select by category, brand or tag, or make two of it."
)
"""100,000 products by their GTINs take 1.6 MB."""
_FOR_A_PLANOGRAM = Room(
    bytes=4 * BODY_LARGEST_BYTES, fix="Split it, or send it with: esl places import."
)
_FOR_A_SAMPLE = Room(bytes=16 * BODY_LARGEST_BYTES, fix="Send the first rows of the list alone.")
_FOR_ANYTHING_ELSE = Room(bytes=BODY_LARGEST_BYTES, fix="Send less; nothing here needs as much.")

_ROOMS = (
    ({"PUT"}, _PICTURE, _FOR_A_PICTURE),
    ({"POST"}, _PHOTO, _FOR_A_PICTURE),
    ({"POST"}, _MANY_ITEMS, _FOR_ITEMS),
    ({"POST"}, _SAMPLE, _FOR_A_SAMPLE),
    ({"POST"}, _PLANOGRAM, _FOR_A_PLANOGRAM),
    ({"POST", "PUT"}, _PROMOTION, _FOR_A_PROMOTION),
)

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""What a page may load and run: nothing but what this server serves."""

_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
_HSTS = (b"strict-transport-security", b"max-age=31536000")
"""Only where this server speaks TLS itself; a proxy that does says it for its own name."""
_ADDED = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
"""What an answer gets that does not say it itself; names as ASGI has them, in small letters."""


_CODING = b"transfer-encoding"
_LOOKED_AT = CREDENTIALS | FROM_PROXIES | {_CODING}


class Edge:
    """Wraps the application: refuses large bodies early, adds security headers to everything.

    Every request gets a name (`api.request_ids`), and is counted in ``meters``. Whoever asks
    through a proxy is settled first, then whether that one asks too often.
    """

    def __init__(self, app: ASGIApp, settings: Settings, *, meters: Meters) -> None:
        self._app = app
        self._meters = meters
        self._added = [*_ADDED, _HSTS] if settings.tls else _ADDED
        self._proxies = TrustedProxies(settings, meters)
        self.limits = RateLimits(settings, meters)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_ids.request_id_of(scope)
        began_s, status = time.monotonic(), HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = list(message["headers"])
                names = {name for name, _ in own}
                message["headers"] = own + [one for one in self._added if one[0] not in names]
                message["headers"].append((request_ids.HEADER, request_id.encode()))
            await send(message)

        found = {name: value for name, value in scope["headers"] if name in _LOOKED_AT}
        self._proxies.settle(scope, found)
        mark = mark_of(found)
        refusal = self.limits.check(scope, mark, began_s)
        try:
            with request_ids.named(request_id):
                if _CODING in found and any(n == b"content-length" for n, _ in scope["headers"]):
                    await _two_lengths(scope)(scope, receive, sending)
                elif refusal is None:
                    await self._serve(scope, receive, sending)
                else:
                    await (await self.limits.answer(scope, refusal))(scope, receive, sending)
        finally:
            self.limits.learn(scope, mark, status)
            took_s = time.monotonic() - began_s
            self._meters.note_request(scope["method"], route_of(scope), status, took_s)

    async def _serve(self, scope: Scope, receive: Receive, sending: Send) -> None:
        if scope["method"] == "POST" and _FILE.fullmatch(scope["path"]):
            await self._app(scope, receive, sending)  # which reads it as it comes, with a bound
            return
        room = _room_for(scope["method"], scope["path"])
        try:
            body = await _read_body(scope, receive, room.bytes)
        except _Gone:
            return  # half a document may read as a whole one: nothing is made of it
        except TimeoutError:
            not_done = what_was_not_done(scope["method"], scope["path"])
            refusal = problem(
                HTTPStatus.REQUEST_TIMEOUT,
                f"the body of the request did not come in time{not_done}",
                fix="Send it again, without a pause.",
                headers={"Connection": "close"},
            )
            await refusal(scope, receive, sending)
            return
        if body is None:
            not_done = what_was_not_done(scope["method"], scope["path"])
            refusal = problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"a body of more than {room.bytes} bytes{not_done}",
                fix=room.fix,
                headers={"Connection": "close"},
            )
            await refusal(scope, receive, sending)
            return
        first = True

        async def receiving() -> Message:
            nonlocal first
            if first:
                first = False
                return {"type": "http.request", "body": body, "more_body": False}
            return await receive()

        await self._app(scope, receiving, sending)


def route_of(scope: Scope) -> str:
    """Name the route that served a request by its pattern; never by what was asked for."""
    if _PRICE_CHANGES.fullmatch(scope["path"]):
        return "/api/v1/stores/{store}/price-changes"  # api.short_way, where no router looked
    route = scope.get("route")
    return str(getattr(route, "path", OTHER))


def _two_lengths(scope: Scope) -> Response:
    """Refuse a request that says its length in two ways (RFC 9112, 6.1), and all that follows it.

    A proxy that believes the other one takes what we read as the next request for this one's body.
    """
    not_done = what_was_not_done(scope["method"], scope["path"])
    return problem(
        HTTPStatus.BAD_REQUEST,
        f"the length of the body is said in two ways{not_done}",
        fix="Send Content-Length or Transfer-Encoding, not both.",
        headers={"Connection": "close"},
    )


def _room_for(method: str, path: str) -> Room:
    if path.startswith("/compat/"):
        return _FOR_DRIVERS
    for methods, pattern, room in _ROOMS:
        if method in methods and pattern.fullmatch(path):
            return room
    return _FOR_ANYTHING_ELSE


class _Gone(Exception):
    """The sender went away in the middle of a request's body."""


async def _read_body(scope: Scope, receive: Receive, most_bytes: int) -> bytes | None:
    """Read a request's body; None if it is too large, in which case the rest stays unread.

    Raises:
        _Gone: The sender went away before its end.
        TimeoutError: The sender keeps us waiting.
    """
    announced = Headers(scope=scope).get("content-length", "0")
    if announced.isdecimal() and int(announced) > most_bytes:
        return None
    body = bytearray()
    until_s = time.monotonic() + BODY_LONGEST_S
    while True:
        async with asyncio.timeout(min(BODY_SILENT_S, max(0.0, until_s - time.monotonic()))):
            message = await receive()
        if message["type"] != "http.request":
            raise _Gone
        body += message.get("body", b"")
        if len(body) > most_bytes:
            return None
        if not message.get("more_body", False):
            return bytes(body)
