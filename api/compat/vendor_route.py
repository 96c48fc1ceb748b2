"""Routes that answer every error in the shape of the maker whose driver calls."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.routing import APIRoute

from esl.domain.errors import (
    Conflict,
    EslError,
    Forbidden,
    InvalidInput,
    NotFound,
    NotSignedIn,
    Unavailable,
)

_STATUS: tuple[tuple[type[EslError], HTTPStatus], ...] = (
    (InvalidInput, HTTPStatus.BAD_REQUEST),
    (NotFound, HTTPStatus.NOT_FOUND),
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (Conflict, HTTPStatus.CONFLICT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)
_PROBLEMS_TOLD = 10

log = structlog.get_logger()

AnswerError = Callable[[Request, HTTPStatus, str], Response]


def vendor_route(answer: AnswerError) -> type[APIRoute]:
    """Make the class of routes whose errors ``answer(request, status, words)`` writes."""

    class VendorRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_in_its_words(request: Request) -> Response:
                try:
                    return await handle(request)
                except EslError as exc:
                    status = status_of(exc)
                    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
                        log.exception("request failed", path=request.url.path)
                    return answer(request, status, words_of(exc))

            return handle_in_its_words

    return VendorRoute


def status_of(exc: EslError) -> HTTPStatus:
    """Return the status that an error is answered with."""
    for kind, status in _STATUS:
        if isinstance(exc, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def words_of(exc: EslError) -> str:
    """Say an error in one line: each bad field with what to do about it."""
    if not isinstance(exc, InvalidInput):
        return str(exc) if status_of(exc) < HTTPStatus.INTERNAL_SERVER_ERROR else "a fault of ours"
    told = [
        f"{p.path or 'body'}: {p.detail}" + (f" ({p.fix})" if p.fix else "")
        for p in exc.problems[:_PROBLEMS_TOLD]
    ]
    return "; ".join(told)
