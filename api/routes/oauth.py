"""Where clients fetch their tokens: OAuth 2.0, client credentials (RFC 6749, 4.4).

Errors read as the RFC says, not as problems: libraries of others read them. Whoever guesses is
slowed down, one client from one network apart from others, so that no stranger locks a till out.
"""

import base64
import binascii
import secrets
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, unquote_plus

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api import doors
from api.access_tokens import LASTS, AccessTokens
from api.auth import TheHouse
from api.openapi_access import FETCH, FETCHED
from esl.domain.access import Scope
from esl.domain.errors import NotSignedIn, TooOften
from esl.domain.throttle import network_of
from esl.services import clients
from esl.services.clients import Fetched
from esl.services.fetching import fetch
from esl.store.clients import MachineClient

router = APIRouter(tags=["tokens"])

_FORM: Final = "application/x-www-form-urlencoded"
_GRANT: Final = "client_credentials"
_FIELDS_MOST: Final = 20
_JTI_BYTES: Final = 16
log = structlog.get_logger()


class _RefusedError(Exception):
    """A request that gets no token, in the words of the RFC."""

    def __init__(self, error: str, words: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        self.error, self.words, self.status = error, words, status
        super().__init__(error)


@router.post("/oauth/token", openapi_extra=FETCH, responses=FETCHED)
async def give_token(request: Request, house: TheHouse) -> Response:
    """Give a client a token of ten minutes, for all its rights or for those it asks for.

    OAuth 2.0, client credentials (RFC 6749, 4.4); its errors are those of the RFC.
    """
    try:
        return await _give(request, house)
    except _RefusedError as exc:
        return _error(exc.error, exc.words, exc.status)
    except NotSignedIn as exc:
        headers = {"WWW-Authenticate": 'Basic realm="esl"'}
        return _error("invalid_client", str(exc), HTTPStatus.UNAUTHORIZED, headers)
    except TooOften as exc:
        headers = {"Retry-After": str(exc.again_after_s)}
        status = HTTPStatus.TOO_MANY_REQUESTS
        return _error("temporarily_unavailable", str(exc), status, headers)


async def _give(request: Request, house: TheHouse) -> Response:
    form = await _form(request)
    client_id, secret = _credentials(request, form)
    client, secret_id = await _prove(request, house, client_id, secret)
    if form.get("grant_type") != _GRANT:
        if "grant_type" not in form:
            raise _RefusedError("invalid_request", "grant_type is missing")
        raise _RefusedError("unsupported_grant_type", f"the only grant_type here is {_GRANT}")
    scopes = _asked_scopes(form.get("scope"), client)
    fetched = Fetched(
        client_id=client.client_id, secret_id=secret_id, scopes=scopes, stores=client.stores
    )
    tokens: AccessTokens = request.app.state.access_tokens
    text = tokens.issue(fetched, token_id=secrets.token_hex(_JTI_BYTES), now=house.clock.now())
    return _answer(
        {
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": int(LASTS.total_seconds()),
            "scope": " ".join(sorted(scopes)),
        }
    )


async def _form(request: Request) -> dict[str, str]:
    """Read the body: a form in which every field stands once; empty ones count as left out."""
    if request.url.query:
        raise _RefusedError("invalid_request", "send all of it in the body, none in the address")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise _RefusedError("invalid_request", f"the body must be {_FORM}")
    try:
        found = parse_qs(
            (await request.body()).decode("ascii"), max_num_fields=_FIELDS_MOST, errors="strict"
        )
    except ValueError:
        raise _RefusedError("invalid_request", "the body is not such a form") from None
    if any(len(values) > 1 for values in found.values()):
        raise _RefusedError("invalid_request", "a field stands twice")
    return {name: values[0] for name, values in found.items()}


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Return the client's id and secret, from the header or from the body, never from both."""
    header = request.headers.get("authorization")
    if header is None:
        if "client_id" not in form or "client_secret" not in form:
            raise NotSignedIn("send the client's id and secret, by HTTP Basic or in the body")
        return form["client_id"], form["client_secret"]
    if "client_secret" in form:
        raise _RefusedError("invalid_request", "the secret came twice: in the header and the body")
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        raise NotSignedIn("the header Authorization is not HTTP Basic")
    try:
        name, colon, password = (
            base64.b64decode(text.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, ValueError):
        raise NotSignedIn("the header Authorization is not HTTP Basic") from None
    client_id, secret = unquote_plus(name), unquote_plus(password)
    if not colon:
        raise NotSignedIn("the header Authorization is not HTTP Basic")
    if form.get("client_id", client_id) != client_id:
        raise _RefusedError("invalid_request", "the body names another client than the header")
    return client_id, secret


async def _prove(
    request: Request, house: TheHouse, client_id: str, secret: str
) -> tuple[MachineClient, str]:
    """Check a secret, unless too many were wrong lately, here or in another process."""
    network = network_of(request.client.host if request.client is not None else "")
    now = house.clock.now()
    found = await doors.write(
        house, lambda tx: fetch(tx, client_id, secret, network=network, now=now)
    )
    if isinstance(found, NotSignedIn):
        known = client_id if clients.is_client_id(client_id) else "no id"
        log.warning("a client was refused a token", client=known, network=network)
        raise found
    return found


def _asked_scopes(text: str | None, client: MachineClient) -> frozenset[Scope]:
    if text is None or not text.strip():
        return client.scopes
    held = {scope.value: scope for scope in client.scopes}
    words = text.split(" ")
    if not set(words) <= held.keys():
        raise _RefusedError("invalid_scope", "a scope is not known, or not this client's")
    return frozenset(held[word] for word in words)


def _error(
    error: str, words: str, status: HTTPStatus, headers: dict[str, str] | None = None
) -> Response:
    return _answer({"error": error, "error_description": words}, status, headers)


def _answer(
    content: dict[str, object],
    status: HTTPStatus = HTTPStatus.OK,
    headers: dict[str, str] | None = None,
) -> Response:
    kept_by_nobody = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return JSONResponse(content, status, kept_by_nobody | (headers or {}))
