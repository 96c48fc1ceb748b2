"""The fault buttons over HTTP, for a page on the same machine.

============================== ================================================================
GET  /v1/shop                  `simulator.overview.ShopSeen`
GET  /v1/labels?after=&limit=  `simulator.overview.LabelPage`; 100 at a time, at most 1,000
GET  /v1/labels/{id}           `simulator.overview.LabelSeen`
POST /v1/buttons               a button of `simulator.buttons` → ``{"done_to": ["gw-1"]}``
============================== ================================================================

Loopback only, and only for whoever has the token (``Authorization: Bearer …``). Errors are
``{"error": …, "fix": …}``. One request a connection; a request is small or refused.
"""

import asyncio
import contextlib
import hmac
import ipaddress
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from esl.domain.errors import InvalidInput, NotFound, SetupError
from simulator.overview import see_label, see_labels, see_shop
from simulator.scenario_text import read_button
from simulator.shop import Shop

PAGE = 100
PAGE_MOST = 1_000
_HEAD_MOST = 8 * 1024
_BODY_MOST = 64 * 1024
_DIGITS_MOST = 9
_PATIENCE_S = 10.0


class _Answer(Exception):
    def __init__(self, status: HTTPStatus, body: object) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class ControlServer:
    """Serves the buttons of one shop."""

    def __init__(self, shop: Shop, token: str) -> None:
        self._shop = shop
        self._token = token

    @contextlib.asynccontextmanager
    async def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Listen while the block runs; yields the address, as in ``http://127.0.0.1:8123``.

        Raises:
            SetupError: The host is not this machine alone, or the port is taken.
        """
        try:
            is_loopback = ipaddress.ip_address(host).is_loopback
        except ValueError:
            is_loopback = False
        if not is_loopback:
            raise SetupError(f"the fault buttons only listen on 127.0.0.1 or ::1, not on {host}")
        try:
            server = await asyncio.start_server(self._hear, host, port, limit=_HEAD_MOST)
        except OSError as exc:
            raise SetupError(f"port {port} cannot be listened on: {exc.strerror}") from exc
        async with server:
            bound = server.sockets[0].getsockname()[1]
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{bound}"

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                try:
                    status, body = HTTPStatus.OK, await self._answer(reader)
                except _Answer as answer:
                    status, body = answer.status, answer.body
                writer.write(_response(status, body))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # gone, too slow or too large: there is nobody to answer
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> object:
        method, target, headers = _parse_head(await reader.readuntil(b"\r\n\r\n"))
        if not hmac.compare_digest(
            headers.get("authorization", "").encode(), f"Bearer {self._token}".encode()
        ):
            raise _refusal(HTTPStatus.UNAUTHORIZED, "the token is missing or wrong")
        length = headers.get("content-length", "0")[:_DIGITS_MOST]
        if not length.isascii() or not length.isdigit() or int(length) > _BODY_MOST:
            raise _refusal(HTTPStatus(413), f"more than {_BODY_MOST} bytes")
        body = await reader.readexactly(int(length))
        try:
            return self._do(method, target, body)
        except NotFound as exc:
            raise _refusal(HTTPStatus.NOT_FOUND, str(exc)) from exc
        except InvalidInput as exc:
            problem = exc.problems[0]
            told = f"{problem.path or 'body'}: {problem.detail}"
            raise _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, told, problem.fix) from exc

    def _do(self, method: str, target: str, body: bytes) -> object:
        try:
            parts = urlsplit(target)
        except ValueError as exc:
            raise _refusal(HTTPStatus.BAD_REQUEST, "no address") from exc
        match method, parts.path.split("/")[1:]:
            case "GET", ["v1", "shop"]:
                return see_shop(self._shop)
            case "GET", ["v1", "labels"]:
                asked = parse_qs(parts.query)
                limit = _read_limit(asked.get("limit", [str(PAGE)])[0])
                return see_labels(self._shop, after=asked.get("after", [""])[0], limit=limit)
            case "GET", ["v1", "labels", label_id]:
                return see_label(self._shop, unquote(label_id))
            case "POST", ["v1", "buttons"]:
                return {"done_to": read_button(body).press(self._shop)}
            case _:
                raise _refusal(HTTPStatus.NOT_FOUND, "no such address")


def _parse_head(head: bytes) -> tuple[str, str, Mapping[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    request = lines[0].split(" ")
    if len(request) != 3:  # noqa: PLR2004  method, target, version (RFC 9112, 3)
        raise _refusal(HTTPStatus.BAD_REQUEST, "no HTTP request")
    headers = (line.partition(":") for line in lines[1:] if line)
    return request[0], request[1], {name.lower(): value.strip() for name, _, value in headers}


def _read_limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= PAGE_MOST:
        raise _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"limit: 1 to {PAGE_MOST}")
    return int(text)


def _refusal(status: HTTPStatus, error: str, fix: str | None = None) -> _Answer:
    return _Answer(status, {"error": error} | ({"fix": fix} if fix else {}))


def _response(status: HTTPStatus, body: object) -> bytes:
    payload = msgspec.json.encode(body)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + payload
