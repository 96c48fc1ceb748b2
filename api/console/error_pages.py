"""Errors as pages, where a person asks: the problem that a program would get, said in plain words.

The answer is made by the application's own handlers (`api.errors`) and only drawn anew, so that
status, headers and words are the same for both.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from api.auth import session_of
from api.console.languages import mark
from api.console.own_api import ApiProblem
from api.console.templates import draw
from api.errors import MEDIA_TYPE
from esl.domain.errors import EslError

Handler = Callable[[Request, Any], Awaitable[Response]]

_FOR_PROGRAMS = "/api/"
_OF_A_REFUSAL = ("www-authenticate", "retry-after")
_OF_THE_BODY = frozenset({b"content-type", b"content-length"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What an error page says. ``command`` is something to type."""

    title: str
    text: str
    command: str | None = None
    todo: str | None = None
    goes_to: tuple[str, str] = ("/", mark("Go to the first page"))


_NOT_SIGNED_IN = Words(
    title=mark("Please sign in"),
    text=mark(
        "This page shows what hangs on the shelves, so it is open only to people who are "
        "signed in: by name and password, or on the machine that runs the controller by typing:"
    ),
    command="esl sign-in",
    todo=mark("It prints a link that works once, within 24 hours. Open it in this browser."),
    goes_to=("/sign-in", mark("Sign in")),
)
_WELCOME_USED = Words(
    title=mark("This link no longer works"),
    text=mark(
        "It works once, and only for a time. Ask an admin for another one, or make one on the "
        "machine that runs the controller:"
    ),
    command="esl people reset-password NAME",
    goes_to=("/sign-in", mark("Sign in")),
)
_WELCOME_ELSEWHERE = Words(
    title=mark("Not from here"),
    text=mark("The first account is made in a browser on the machine that runs the controller."),
)
_LINK_USED = Words(
    title=mark("This link no longer works"),
    text=mark(
        "A sign-in link works once, within 24 hours. This one has been used, or is too old. "
        "Make a new one on the machine that runs the controller:"
    ),
    command="esl sign-in",
)
_LINK_BROKEN = Words(
    title=mark("This link is not complete"),
    text=mark(
        "Part of the address is missing. Copy the whole line that was printed, or make a new "
        "link on the machine that runs the controller:"
    ),
    command="esl sign-in",
)
_BY_PATH = {
    ("/welcome", HTTPStatus.UNAUTHORIZED): _WELCOME_USED,
    ("/welcome", HTTPStatus.FORBIDDEN): _WELCOME_ELSEWHERE,
    ("/welcome", HTTPStatus.UNPROCESSABLE_ENTITY): _LINK_BROKEN,
    ("/sign-in", HTTPStatus.UNAUTHORIZED): _LINK_USED,
    ("/sign-in", HTTPStatus.UNPROCESSABLE_ENTITY): _LINK_BROKEN,
}
_BY_STATUS = {
    HTTPStatus.UNAUTHORIZED: _NOT_SIGNED_IN,
    HTTPStatus.FORBIDDEN: Words(
        title=mark("Not open to you"),
        text=mark("You are signed in, but may not look at this."),
    ),
    HTTPStatus.NOT_FOUND: Words(
        title=mark("Nothing is here"),
        text=mark("There is no such page or store, or it is not open to you."),
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: Words(
        title=mark("This address is not complete"),
        text=mark("Something in the address of this page cannot be read."),
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: Words(
        title=mark("Just a moment"),
        text=mark("The controller's database is busy. Nothing is lost; load this page again."),
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: Words(
        title=mark("That went wrong"),
        text=mark("A fault of ours, not of yours. The controller's log has the details."),
    ),
}


def install(app: FastAPI) -> None:
    """Let the application's errors look like pages to people."""
    for kind in (EslError, HTTPException, RequestValidationError, Exception):
        handler: Any = app.exception_handlers[kind]  # ours: a coroutine function
        app.add_exception_handler(kind, _for_people(handler))
    app.add_exception_handler(ApiProblem, _for_people(_as_the_api_said))


async def _as_the_api_said(_: Request, exc: ApiProblem) -> Response:
    kept = {name: exc.headers[name] for name in _OF_A_REFUSAL if name in exc.headers}
    return JSONResponse(dict(exc.problem), exc.status, kept, media_type=MEDIA_TYPE)


def _for_people(handler: Handler) -> Handler:
    async def answer(request: Request, exc: Exception) -> Response:
        plain = await handler(request, exc)
        return _page(request, plain) if _is_a_person(request) else plain

    return answer


def _is_a_person(request: Request) -> bool:
    return not request.url.path.startswith(_FOR_PROGRAMS) and "text/html" in request.headers.get(
        "accept", ""
    )


def _page(request: Request, plain: Response) -> Response:
    words = _words(request, plain)
    # The session's cookie is not sent along when a page of another site leads here; asking once
    # more from this page sends it.
    came_from_elsewhere = (
        plain.status_code == HTTPStatus.UNAUTHORIZED
        and session_of(request) is None
        and request.headers.get("sec-fetch-site") == "cross-site"
    )
    page = HTMLResponse(
        draw("notice", words=words, is_asked_again=came_from_elsewhere), plain.status_code
    )
    page.raw_headers += [h for h in plain.raw_headers if h[0] not in _OF_THE_BODY]
    return page


def _words(request: Request, plain: Response) -> Words:
    status = HTTPStatus(plain.status_code)
    at_the_door = _BY_PATH.get((request.url.path, status))
    if at_the_door is not None:
        return at_the_door
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    problem: dict[str, Any] = json.loads(bytes(plain.body))
    return Words(title=problem["title"], text=problem["detail"], todo=problem.get("fix"))
