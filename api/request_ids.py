"""A name for each request, so that its log lines, its answer and its sender speak of the same one.

A sender's own ``X-Request-Id`` is used where it is 8 to 64 letters, digits, ``-``, ``_`` or ``.``;
else one is made. What is used stands in the answer's header, in problem details, and in every log
line that was written while the request ran.
"""

import contextlib
import re
import secrets
from collections.abc import Iterator
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.types import Scope

HEADER: Final = b"x-request-id"
KEY: Final = "request_id"
"""What it is called in log lines and problem details."""

_SANE: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SECRET: Final = re.compile(r"esl_|[Bb]earer")
"""A token that somebody put into the wrong header must not be logged."""


def request_id_of(scope: Scope) -> str:
    """Return the sender's name for a request, or one of ours."""
    given = Headers(scope=scope).get(HEADER.decode(), "")
    if _SANE.fullmatch(given) and not _SECRET.search(given):
        return given
    return secrets.token_hex(8)


@contextlib.contextmanager
def named(request_id: str) -> Iterator[None]:
    """Let log lines of this task, and of what it starts, say the request's name."""
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        yield


def current() -> str | None:
    """Return the name of the request that is served now; None outside of one."""
    found = structlog.contextvars.get_contextvars().get(KEY)
    return str(found) if found is not None else None
