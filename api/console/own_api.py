"""Pages ask this application's own HTTP API, as anybody would, for the person they are drawn for.

So a page can show and do exactly what the API lets its reader see and do, and nothing is decided
twice. The call stays in this process: no socket, about a millisecond.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import quote, unquote, urlencode

import msgspec
from fastapi import Depends, Request
from starlette.types import Message, Scope

_PASSED_ON: Final = frozenset({b"authorization", b"cookie", b"host", b"user-agent", b"x-api-key"})
_JSON: Final = b"application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the API said."""

    status: int
    headers: Mapping[str, str]  # names in small letters
    body: bytes

    def json(self) -> Any:
        """Return the body; None if there is none."""
        return msgspec.json.decode(self.body) if self.body else None


@dataclass(slots=True)
class ApiProblem(Exception):
    """The API refused; ``problem`` is its problem detail (RFC 9457)."""

    status: int
    problem: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def detail(self) -> str:
        """What is wrong, as the API said it."""
        return str(self.problem.get("detail") or self.problem.get("title") or self.status)

    @property
    def fix(self) -> str | None:
        """What to do about it."""
        found = self.problem.get("fix")
        return str(found) if found else None

    @property
    def fields(self) -> dict[str, str]:
        """What is wrong in which field: JSON pointer → words with the way to mend it."""
        return {
            str(one.get("pointer", "")): " ".join(
                part for part in (_sentence(one.get("detail")), one.get("fix")) if part
            )
            for one in self.problem.get("errors", ())
        }

    def __str__(self) -> str:
        return f"{self.status}: {self.detail}"


class OwnApi:
    """Asks for the person behind one request."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def get(self, path: str, **query: Any) -> Any:
        """Return what is at ``path``, its ids written by `part`.

        Parts of the query that are None or "" are left out; those with several values are repeated.

        Raises:
            ApiProblem: The API refused.
        """
        answer = await self.send("GET", path, query=query)
        return answer.json()

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and return the answer.

        ``body`` is JSON, or bytes with their type, at once or as they come.

        Whoever changes something has looked at the form's token before (`api.auth.require_csrf`).

        Raises:
            ApiProblem: The API refused.
        """
        content = body if isinstance(body, bytes | AsyncIterator) else _as_json(body)
        scope = self._scope(method, path, query or {}, headers or {}, is_json=body is not None)
        answer = await _ask(self._request.app, scope, content)
        if answer.status >= 400:  # noqa: PLR2004  where refusals begin
            raise ApiProblem(answer.status, _problem_of(answer), answer.headers)
        return answer

    def _scope(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        headers: Mapping[str, str],
        *,
        is_json: bool,
    ) -> Scope:
        asked = self._request.scope
        sent = [one for one in asked["headers"] if one[0] in _PASSED_ON]
        sent += [(b"accept", _JSON), (b"sec-fetch-site", b"same-origin")]
        own = {name.lower(): value for name, value in headers.items()}
        if is_json:
            own.setdefault("content-type", _JSON.decode())
        sent += [(name.encode(), value.encode()) for name, value in own.items()]
        wanted = {name: value for name, value in query.items() if value not in (None, "")}
        return {
            "type": "http",
            "asgi": asked["asgi"],
            "http_version": "1.1",
            "method": method,
            "scheme": asked["scheme"],
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": urlencode(wanted, doseq=True).encode(),
            "headers": sent,
            "client": asked.get("client"),
            "server": asked.get("server"),
            "state": dict(asked.get("state", {})),
        }


def _problem_of(answer: Answer) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except msgspec.DecodeError:
        found = None
    return found if isinstance(found, dict) else {}


def _as_json(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body, ensure_ascii=False).encode()


def _sentence(text: Any) -> str:
    words = str(text or "")
    return f"{words[:1].upper()}{words[1:]}." if words else ""


async def _ask(app: Any, scope: Scope, body: bytes | AsyncIterator[bytes]) -> Answer:
    status, headers, parts = 500, {}, list[bytes]()
    is_asked = False

    async def receive() -> Message:
        nonlocal is_asked
        if is_asked:
            return {"type": "http.disconnect"}
        if not isinstance(body, bytes):
            async for piece in body:
                return {"type": "http.request", "body": piece, "more_body": True}
        is_asked = True
        last = body if isinstance(body, bytes) else b""
        return {"type": "http.request", "body": last, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return Answer(status=status, headers=headers, body=b"".join(parts))


def part(text: object) -> str:
    """Write an id as one part of a path."""
    return quote(str(text), safe="")


async def own_api(request: Request) -> OwnApi:
    """Give a page its way to ask."""
    return OwnApi(request)


Api = Annotated[OwnApi, Depends(own_api)]
