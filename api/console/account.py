"""One's own account: password, codes from a phone, and where one is signed in."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from api import doors
from api.auth import Asker, TheHouse, csrf_token, require_csrf, session_of
from api.console.forms import read_form
from api.console.frame import Frame, Framed, show
from api.console.people import ROLE_WORDS
from api.console.qr_svg import qr_of
from api.console.refusals import in_words
from api.house import House
from api.routes.me import (
    begin_codes,
    change_own_password,
    confirm_codes,
    end_one,
    person_id_of,
    turn_codes_off,
)
from esl.domain.access import Principal
from esl.domain.errors import Conflict, Forbidden, InvalidInput, TooOften
from esl.domain.person import PersonId
from esl.services.access import hash_secret
from esl.store import people, sessions

router = APIRouter(include_in_schema=False)


@router.get("/account")
async def account_page(request: Request, house: TheHouse, who: Asker, frame: Framed) -> Response:
    """Show one's own account."""
    return await _page(request, house, who, frame)


@router.post("/account/password")
async def account_password(
    request: Request, house: TheHouse, who: Asker, frame: Framed
) -> Response:
    """Change the password; then sign in with it."""
    own, form = await _form_of(request, who)
    try:
        new = form.get("new", "")
        if new != form.get("again", ""):
            raise InvalidInput.at("/again", "not the same twice")
        await change_own_password(request, house, own, old=form.get("old", ""), new=new)
    except (InvalidInput, TooOften) as exc:
        return await _page(request, house, who, frame, wrong=in_words(exc))
    return RedirectResponse("/sign-in", status_code=303)


@router.post("/account/codes")
async def account_codes(request: Request, house: TheHouse, who: Asker, frame: Framed) -> Response:
    """Begin to ask for codes: show what an authenticator app scans."""
    own, _ = await _form_of(request, who)
    try:
        uri = await begin_codes(house, own)
    except Conflict as exc:
        return await _page(request, house, who, frame, wrong=in_words(exc))
    return await _page(request, house, who, frame, uri=uri)


@router.post("/account/codes/confirm")
async def account_codes_confirm(
    request: Request, house: TheHouse, who: Asker, frame: Framed
) -> Response:
    """Ask for codes from now on: show the recovery codes, this once."""
    own, form = await _form_of(request, who)
    try:
        recovery = await confirm_codes(house, own, form.get("code", ""))
    except (InvalidInput, Conflict) as exc:
        return await _page(request, house, who, frame, wrong=in_words(exc), uri=form.get("uri", ""))
    return await _page(request, house, who, frame, recovery=recovery)


@router.post("/account/codes/off")
async def account_codes_off(
    request: Request, house: TheHouse, who: Asker, frame: Framed
) -> Response:
    """Ask for codes no more."""
    own, form = await _form_of(request, who)
    try:
        await turn_codes_off(request, house, own, form.get("password", ""))
    except (InvalidInput, TooOften) as exc:
        return await _page(request, house, who, frame, wrong=in_words(exc))
    return await _page(request, house, who, frame)


@router.post("/account/sessions")
async def account_sessions(request: Request, house: TheHouse, who: Asker) -> Response:
    """Sign out elsewhere: in one place, or in all others."""
    own, form = await _form_of(request, who)
    here = hash_secret(session_of(request) or "")

    def work(tx: Connection) -> None:
        if form.get("session"):
            end_one(tx, own, form["session"], house)
        else:
            sessions.end_sessions(tx, own, but=here)

    await doors.write(house, work)
    return RedirectResponse("/account", status_code=303)


async def _form_of(request: Request, who: Principal) -> tuple[PersonId, dict[str, str]]:
    """Return whose form it is and what it says.

    Raises:
        Forbidden: It is of no person with an account, or of another session.
    """
    own = person_id_of(who)
    session = session_of(request)
    if own is None or session is None:
        raise Forbidden("only people with an account have this page")
    form = await read_form(request)
    require_csrf(session, form.get("csrf", ""))
    return own, form


async def _page(
    request: Request,
    house: House,
    who: Principal,
    frame: Frame,
    *,
    wrong: str | None = None,
    uri: str | None = None,
    recovery: list[str] | None = None,
) -> Response:
    own, session = person_id_of(who), session_of(request)
    if own is None or session is None:
        raise Forbidden("only people with an account have this page")
    now = house.clock.now()
    person = await doors.read(house, lambda tx: people.person_named(tx, own))
    found = await doors.read(house, lambda tx: sessions.sessions_of(tx, own, now))
    values: dict[str, Any] = {
        "person": person,
        "sessions": found,
        "here": hash_secret(session),
        "csrf": csrf_token(session),
        "wrong": wrong,
        "uri": uri if uri and uri.startswith("otpauth://totp/") else None,
        "recovery": recovery,
        "roles": ROLE_WORDS,
    }
    values["picture"] = qr_of(values["uri"]) if values["uri"] else None
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return show("account", frame, status=status, page=values)
