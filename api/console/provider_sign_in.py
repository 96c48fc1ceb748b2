"""The pages of signing in by an OpenID provider, and of signing out of it: see `api.oidc`.

Whatever goes wrong ends at the form for name and password, which needs no provider.
"""

import secrets
from datetime import datetime
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from api import doors
from api.auth import TheHouse, session_of
from api.console.languages import say
from api.console.sign_in import provider_of, sign_in_page, signed_in
from api.house import House
from api.oidc.errors import ProviderError, ProviderUnreachable
from api.oidc.provider import Denied, Finished, Provider, Stale
from api.oidc.sealed_cookie import COOKIE, COOKIE_OF_TLS, LASTS
from api.routes.people import new_person_id
from esl.domain.errors import AlreadyExists, EslError, NotFound, NotSignedIn
from esl.domain.person import Person
from esl.services import provider_sign_in
from esl.services.provider_sign_in import NewSession, Refusal, Rules

router = APIRouter(include_in_schema=False)

_ANSWER_LONGEST = 8192  # characters of each parameter that comes back

log = structlog.get_logger()


@router.get("/sign-in/oidc")
async def begin_at_provider(request: Request, house: TheHouse) -> Response:
    """Send a browser to the provider."""
    provider = _provider(request)
    if request.headers.get("sec-fetch-site") == "cross-site":
        return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)  # people begin it themselves
    try:
        address, cookie = await provider.begin(house.clock.now())
    except EslError as exc:
        return _failed(request, provider, exc)
    answer = RedirectResponse(address, HTTPStatus.SEE_OTHER)
    is_tls = request.url.scheme == "https"
    answer.set_cookie(
        _cookie_name(request),
        cookie,
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="lax",  # the provider sends the person back from its own site
        secure=is_tls,
    )
    return answer


@router.get("/sign-in/oidc/return")
async def back_from_provider(request: Request, house: TheHouse) -> Response:
    """Let somebody in whom the provider sends back, if its word and our settings say so."""
    provider = _provider(request)
    now = house.clock.now()
    try:
        answer = _answer_of(request)
        finished = await provider.finish(answer, request.cookies.get(_cookie_name(request)), now)
        session = secrets.token_urlsafe(32)
        found = await _let_in(request, house, provider, finished, session, now)
    except EslError as exc:
        return _failed(request, provider, exc)
    if isinstance(found, Refusal):
        log.info("sign-in by provider refused", reason=found.words)
        words = say("You are not let in: %(why)s.", why=say(found.words))
        page = sign_in_page(request, HTTPStatus.FORBIDDEN, words)
    else:
        page = signed_in(request, session)
    return _without_cookie(request, page)


@router.get("/sign-out/oidc")
async def out_of_provider(request: Request) -> Response:
    """Send a browser, which is signed out here, to where the provider signs it out as well."""
    provider = _provider(request)
    try:
        address = await provider.end_session_address()
    except ProviderError as exc:
        return _failed(request, provider, exc)
    return RedirectResponse(address or "/sign-in", HTTPStatus.SEE_OTHER)


async def _let_in(
    request: Request,
    house: House,
    provider: Provider,
    finished: Finished,
    session: str,
    now: datetime,
) -> Person | Refusal:
    rules = Rules(
        groups=provider.settings.rules,
        creates_people=provider.settings.creates_people,
        links_by_name=provider.settings.links_by_name,
    )
    begins = NewSession(
        secret=session,
        about=request.headers.get("user-agent"),
        former=session_of(request),
    )

    def work(tx: Connection) -> Person | Refusal:
        return provider_sign_in.let_in(
            tx,
            finished.said,
            rules,
            begins,
            once=finished.once,
            lasts=LASTS,
            person_id=new_person_id(),
            now=now,
        )

    return await doors.write(house, work)


def _provider(request: Request) -> Provider:
    provider = provider_of(request)
    if provider is None:
        raise NotFound("no provider is set up here")
    return provider


def _answer_of(request: Request) -> dict[str, str]:
    """Return what came back, each parameter once."""
    pairs = request.query_params.multi_items()
    answer = dict(pairs)
    if len(answer) != len(pairs) or any(len(value) > _ANSWER_LONGEST for value in answer.values()):
        raise Stale("parameters come twice, or are too long")
    return answer


def _failed(request: Request, provider: Provider, exc: EslError) -> Response:
    name = provider.settings.name
    match exc:
        case ProviderUnreachable():
            status = HTTPStatus.SERVICE_UNAVAILABLE
            words = say(
                "The service of your %(name)s does not answer. Try again in a moment, or sign in by"
                " name and password.",
                name=name,
            )
        case Denied():
            status = HTTPStatus.FORBIDDEN
            words = say("The service of your %(name)s did not let you in.", name=name)
        case Stale() | NotSignedIn() | AlreadyExists():
            status = HTTPStatus.UNAUTHORIZED
            words = say("That sign-in took too long, or was begun elsewhere. Begin again.")
        case _:
            status = HTTPStatus.BAD_GATEWAY
            words = say(
                "Signing in by your %(name)s did not work. An admin finds the reason in the log,"
                " and by: esl doctor",
                name=name,
            )
    log.warning("sign-in by provider failed", reason=str(exc))
    return _without_cookie(request, sign_in_page(request, status, words))


def _without_cookie(request: Request, answer: Response) -> Response:
    answer.delete_cookie(
        _cookie_name(request),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


def _cookie_name(request: Request) -> str:
    return COOKIE_OF_TLS if request.url.scheme == "https" else COOKIE
