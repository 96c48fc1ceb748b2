"""The HTTP edge: limits on what comes in, headers on what goes out. Plain ASGI."""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem

BODY_LARGEST_BYTES = 1024 * 1024
"""A JSON body; 10,000 changes take about 900 KB."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


class Edge:
    """Wraps the application: refuses large bodies early, adds security headers to everything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        body = await _read_body(scope, receive)
        if body is None:
            refusal = problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"a body of more than {BODY_LARGEST_BYTES} bytes; nothing was stored",
                fix="Send it in several requests.",
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


async def _read_body(scope: Scope, receive: Receive) -> bytes | None:
    """Read a request's body; None if it is too large, in which case the rest stays unread."""
    announced = Headers(scope=scope).get("content-length", "0")
    if announced.isdecimal() and int(announced) > BODY_LARGEST_BYTES:
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)  # the sender went away; the application will notice
        body += message.get("body", b"")
        if len(body) > BODY_LARGEST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)
