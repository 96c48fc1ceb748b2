"""Errors as problem details (RFC 9457), all through one table.

    {"type": "about:blank", "title": "Unprocessable Content", "status": 422,
     "detail": "…", "fix": "…", "errors": [{"pointer": "/0/price", "detail": "…", "fix": "…"}]}

Never what was sent, never a traceback.
"""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from esl.domain.errors import (
    Conflict,
    EslError,
    Forbidden,
    InvalidInput,
    NotFound,
    NotSignedIn,
    RenderRefused,
    SetupError,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[EslError], HTTPStatus], ...] = (
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (RenderRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (SetupError, HTTPStatus.INTERNAL_SERVER_ERROR),
)

log = structlog.get_logger()


def problem(
    status: HTTPStatus, detail: str, *, headers: dict[str, str] | None = None, **members: Any
) -> JSONResponse:
    """Make a problem answer; members that are None are left out."""
    content = {"type": "about:blank", "title": status.phrase, "status": int(status)}
    content |= {"detail": detail} | {k: v for k, v in members.items() if v is not None}
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def answer_error(exc: EslError) -> JSONResponse:
    """Say in HTTP what went wrong."""
    status = next((s for kind, s in _STATUS if isinstance(exc, kind)), HTTPStatus.BAD_REQUEST)
    headers: dict[str, str] = {}
    if isinstance(exc, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="esl"'
    if isinstance(exc, Unavailable):
        headers["Retry-After"] = "1"
    if isinstance(exc, InvalidInput):
        errors = [
            {"pointer": p.path, "detail": p.detail} | ({"fix": p.fix} if p.fix else {})
            for p in exc.problems
        ]
        detail = f"{len(errors)} field{'s' if len(errors) > 1 else ''} must be mended; nothing was stored"
        return problem(status, detail, errors=errors, fix=exc.problems[0].fix, headers=headers)
    return problem(status, str(exc), headers=headers)


def install(app: FastAPI) -> None:
    """Let an application answer every error this way."""

    @app.exception_handler(EslError)
    async def _ours(_request: Request, exc: EslError) -> JSONResponse:
        return answer_error(exc)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, exc: HTTPException) -> JSONResponse:
        status = HTTPStatus(exc.status_code)
        return problem(status, str(exc.detail), headers=dict(exc.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def _parameters(_request: Request, exc: RequestValidationError) -> JSONResponse:
        errors = [
            {"pointer": "/" + "/".join(str(part) for part in e["loc"]), "detail": e["msg"]}
            for e in exc.errors()
        ]
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad parameters", errors=errors)

    @app.exception_handler(Exception)
    async def _fault(request: Request, exc: Exception) -> JSONResponse:
        log.error("request failed", path=request.url.path, exc_info=exc)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of ours; the log has the details")
