"""Signing in, by name and password or by a link of the machine's owner, and out again.

A link's secret travels in the URL's fragment-free query once, is used up or expires, and is
exchanged at once for a cookie that scripts cannot read and other sites cannot send.
"""

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection

from api import doors
from api.auth import TheHouse, require_own_page, session_cookie_name, session_of
from api.console.forms import read_form
from api.console.languages import mark, say
from api.console.refusals import too_often
from api.console.templates import draw
from api.oidc.provider import Provider
from api.routes.me import desk_of, open_sealed
from esl.domain.errors import NotSignedIn, TooOften
from esl.domain.password import normal_password
from esl.services import access, signing_in
from esl.services.access import SESSION_LASTS

router = APIRouter(include_in_schema=False)

_WRONG = mark("Name and password do not fit each other.")
_WRONG_CODE = mark("That is not the code of this moment, or it was used.")


@router.get("/sign-in")
async def sign_in(
    request: Request, house: TheHouse, link: Annotated[str | None, Query()] = None
) -> Response:
    """Show the form; or use a sign-in link: set the session's cookie and go to the first page."""
    if link is None:
        return sign_in_page(request, HTTPStatus.OK)
    session = secrets.token_urlsafe(32)
    now = house.clock.now()
    ends = await doors.write(
        house, lambda tx: access.sign_in(tx, link_secret=link, session_secret=session, now=now)
    )
    return signed_in(request, session, ends_in_s=(ends - now).total_seconds())


@router.post("/sign-in")
async def sign_in_by_password(request: Request, house: TheHouse) -> Response:
    """Sign somebody in, or ask for the code; whoever there is not gets the same answer."""
    require_own_page(request)
    form = await read_form(request)
    name, password = form.get("name", ""), form.get("password", "")
    now = house.clock.now()
    address = address_of(request)
    try:
        attempt = await doors.write(
            house, lambda tx: signing_in.charge(tx, name=name, address=address, now=now)
        )
        fits = await desk_of(request).fits(normal_password(password), attempt.password_hash)
    except TooOften as exc:
        return _too_often(
            exc, lambda words: sign_in_page(request, HTTPStatus.TOO_MANY_REQUESTS, words)
        )
    session = secrets.token_urlsafe(32)
    if not fits:
        return sign_in_page(request, HTTPStatus.UNAUTHORIZED, say(_WRONG))

    def work(tx: Connection) -> signing_in.LetIn:
        return signing_in.let_in(
            tx,
            attempt,
            session_secret=session,
            about=request.headers.get("user-agent"),
            former_session=session_of(request),
            now=house.clock.now(),
        )

    try:
        let_in = await doors.write(house, work)
    except NotSignedIn:
        return sign_in_page(request, HTTPStatus.UNAUTHORIZED, say(_WRONG))
    if let_in.ends_at is None:
        return form_page(draw("sign_in_code", half=session, wrong=None))
    return signed_in(request, session)


@router.post("/sign-in/code")
async def sign_in_by_code(request: Request, house: TheHouse) -> Response:
    """Take the code that the password alone does not do without."""
    require_own_page(request)
    form = await read_form(request)
    half, code = form.get("half", ""), form.get("code", "")
    session = secrets.token_urlsafe(32)
    address, about = address_of(request), request.headers.get("user-agent")

    def work(tx: Connection) -> signing_in.LetIn | None:
        return signing_in.take_code(
            tx,
            half_secret=half,
            code=code,
            address=address,
            open_secret=lambda own, sealed: open_sealed(house, own, sealed),
            session_secret=session,
            about=about,
            now=house.clock.now(),
        )

    try:
        let_in = await doors.write(house, work)
    except TooOften as exc:
        return _too_often(
            exc,
            lambda words: form_page(
                draw("sign_in_code", half=half, wrong=words), HTTPStatus.TOO_MANY_REQUESTS
            ),
        )
    except NotSignedIn:
        words = say("That took too long, or too many codes were wrong. Begin again.")
        return sign_in_page(request, HTTPStatus.UNAUTHORIZED, words)
    if let_in is None:
        page = draw("sign_in_code", half=half, wrong=say(_WRONG_CODE))
        return form_page(page, HTTPStatus.UNAUTHORIZED)
    return signed_in(request, session)


@router.post("/sign-out")
async def sign_out(request: Request, house: TheHouse) -> Response:
    """End the session; whom a provider let in is told how to sign out there as well."""
    cookie, provider = session_of(request), provider_of(request)
    by_provider = False
    if cookie is not None:
        by_provider = await doors.write(house, lambda tx: access.sign_out(tx, cookie))
    answer: Response = RedirectResponse("/", status_code=303)
    if by_provider and provider is not None and provider.may_end_sessions:
        answer = HTMLResponse(draw("signed_out", provider=provider.settings.name))
    answer.delete_cookie(
        session_cookie_name(request), secure=request.url.scheme == "https", httponly=True
    )
    return answer


def signed_in(
    request: Request, session: str, *, ends_in_s: float = SESSION_LASTS.total_seconds()
) -> Response:
    """Give a browser its session, and send it to the first page."""
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(
        session_cookie_name(request),
        session,
        max_age=int(ends_in_s),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def address_of(request: Request) -> str:
    """Return the address a request came from."""
    return request.client.host if request.client is not None else ""


def form_page(page: str, status: HTTPStatus = HTTPStatus.OK) -> HTMLResponse:
    """Answer with a page that holds a form. It lets the browser say to us where it comes from.

    Under ``no-referrer`` a form's Origin is “null”, by which nobody knows our own pages.
    """
    return HTMLResponse(page, status, {"Referrer-Policy": "same-origin"})


def sign_in_page(request: Request, status: HTTPStatus, wrong: str | None = None) -> Response:
    """Show the form for name and password, and the way to the provider where there is one."""
    provider = provider_of(request)
    name = provider.settings.name if provider is not None else None
    return form_page(draw("sign_in", wrong=wrong, provider=name), status)


def provider_of(request: Request) -> Provider | None:
    """Return the OpenID provider by which people may sign in, if one is set up."""
    provider: Provider | None = request.app.state.provider
    return provider


def _too_often(exc: TooOften, page: Callable[[str], Response]) -> Response:
    wait_s = exc.again_after_s
    answer = page(too_often(wait_s))
    answer.headers["Retry-After"] = str(wait_s)
    return answer
