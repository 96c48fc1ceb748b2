"""Errors as problem details (RFC 9457), all through one table.

    {"type": "about:blank", "title": "Unprocessable Content", "status": 422,
     "detail": "…", "fix": "…", "errors": [{"pointer": "/0/price", "detail": "…", "fix": "…"}]}

Never what was sent, never a traceback.
"""

from functools import reduce
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api import request_ids
from api.edits import Unchanged
from esl.domain.errors import (
    Conflict,
    EditConflict,
    EslError,
    Forbidden,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    NotSignedIn,
    RenderRefused,
    SetupError,
    TokenWorthless,
    TooOften,
    Unavailable,
    VersionNotSaid,
)
from esl.intake.strict_json import pointer

MEDIA_TYPE = "application/problem+json"
_ANSWERS: tuple[tuple[type[EslError], HTTPStatus, str], ...] = (
    (
        InvalidInput,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Mend what “errors” points to and send it again.",
    ),
    (
        RenderRefused,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Change the product, the template or the label's panel.",
    ),
    (
        NotFound,
        HTTPStatus.NOT_FOUND,
        "Check the id; a token knows only of its own stores.",
    ),
    (
        IdempotencyConflict,
        HTTPStatus.CONFLICT,
        "Give each new request a new Idempotency-Key.",
    ),
    (
        EditConflict,
        HTTPStatus.PRECONDITION_FAILED,
        "Read it again, make the change in what you then have, and send that.",
    ),
    (
        Conflict,
        HTTPStatus.CONFLICT,
        "Look at what is there, then send something that fits it.",
    ),
    (
        VersionNotSaid,
        HTTPStatus.PRECONDITION_REQUIRED,
        "Read it, and send its ETag as If-Match; or * to replace whatever is there.",
    ),
    (
        NotSignedIn,
        HTTPStatus.UNAUTHORIZED,
        "Make a token with: esl token create, or a sign-in link with: esl sign-in.",
    ),
    (
        Forbidden,
        HTTPStatus.FORBIDDEN,
        "Use a token with that right; make one with: esl token create.",
    ),
    (
        TokenWorthless,
        HTTPStatus.FORBIDDEN,
        "Have another token made for the gateway: esl broker token.",
    ),
    (
        TooOften,
        HTTPStatus.TOO_MANY_REQUESTS,
        "Wait as long as Retry-After says.",
    ),
    (
        Unavailable,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Send the same again in a moment.",
    ),
    (
        SetupError,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Ask whoever runs this installation.",
    ),
)
"""Each kind of error, its status, and what to do about it; the first that fits counts."""

_NOBODYS: dict[int, tuple[str, str]] = {
    HTTPStatus.NOT_FOUND: (
        "nothing is at this address",
        "See the list of addresses: GET /api/v1/openapi.json.",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "this address does not take this method",
        "Use one of those in the Allow header.",
    ),
}
"""What the router says by itself, in our words."""

_MAX_ERRORS = 50

_NOT_STORED = "; nothing was stored"

log = structlog.get_logger()


def problem(
    status: HTTPStatus, detail: str, *, headers: dict[str, str] | None = None, **members: Any
) -> JSONResponse:
    """Make a problem answer; members that are None are left out."""
    content = {"type": "about:blank", "title": status.phrase, "status": int(status)}
    members[request_ids.KEY] = request_ids.current()
    content |= {"detail": detail} | {k: v for k, v in members.items() if v is not None}
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def what_was_not_done(method: str, path: str) -> str:
    """End the words about a request that failed: its sender must know what came of it.

    Nothing of what only looks or draws is ever stored, so that is not worth a word there.
    """
    if path.endswith(("/render", "/preview.png")):
        return "; nothing was drawn"
    return "" if method in ("GET", "HEAD") or path.endswith("/preview") else _NOT_STORED


def answer_error(exc: EslError, *, not_done: str = _NOT_STORED) -> JSONResponse:
    """Say in HTTP what went wrong; ``not_done`` is from `what_was_not_done`."""
    status, fix = next(
        ((status, fix) for kind, status, fix in _ANSWERS if isinstance(exc, kind)),
        (HTTPStatus.BAD_REQUEST, None),
    )
    headers: dict[str, str] = {}
    if isinstance(exc, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="esl"'
    if isinstance(exc, EditConflict) and exc.present is not None:
        headers["ETag"] = exc.present
    if isinstance(exc, Unavailable):
        headers["Retry-After"] = "1"
    if isinstance(exc, TooOften):
        headers["Retry-After"] = str(exc.again_after_s)
    if isinstance(exc, InvalidInput):
        errors = [
            {"pointer": p.path, "detail": p.detail} | ({"fix": p.fix} if p.fix else {})
            for p in exc.problems
        ]
        fields = "1 field" if len(errors) == 1 else f"{len(errors)} fields"
        detail = f"{fields} must be mended{not_done}"
        fix = exc.problems[0].fix or fix
        return problem(status, detail, errors=errors, fix=fix, headers=headers)
    detail = str(exc)
    if detail.endswith(_NOT_STORED):  # the database cannot know what it was asked for
        detail = detail.removesuffix(_NOT_STORED) + not_done
    return problem(status, detail, fix=fix, headers=headers)


def answer_fault(request: Request, exc: Exception) -> JSONResponse:
    """Say that it is our fault, and log it."""
    log.error("request failed", path=request.url.path, exc_info=exc)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "a fault of ours; the log has the details",
        fix="Send the same again; if it stays, report it with the log.",
    )


def install(app: FastAPI) -> None:
    """Let an application answer every error this way."""

    @app.exception_handler(EslError)
    async def _ours(request: Request, exc: EslError) -> JSONResponse:
        not_done = what_was_not_done(request.method, request.url.path)
        return answer_error(exc, not_done=not_done)

    @app.exception_handler(Unchanged)
    async def _unchanged(_request: Request, exc: Unchanged) -> Response:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": exc.etag})

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, exc: HTTPException) -> JSONResponse:
        status = HTTPStatus(exc.status_code)
        detail, fix = _NOBODYS.get(exc.status_code, (str(exc.detail), None))
        return problem(status, detail, fix=fix, headers=dict(exc.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def _parameters(_request: Request, exc: RequestValidationError) -> JSONResponse:
        errors = [
            {"pointer": reduce(pointer, e["loc"], ""), "detail": e["msg"]} for e in exc.errors()
        ]
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "bad parameters",
            errors=errors[:_MAX_ERRORS],
            fix="Mend what “errors” points to; the parameters are in GET /api/v1/openapi.json.",
        )

    @app.exception_handler(Exception)
    async def _fault(request: Request, exc: Exception) -> JSONResponse:
        return answer_fault(request, exc)
