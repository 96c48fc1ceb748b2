"""The page behind a one-time link: somebody chooses a password, the first admin a name as well.

The first admin's page opens on this machine alone: whoever sits at it owns the installation.
"""

import ipaddress
import secrets
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors
from api.auth import TheHouse, require_own_page
from api.console.forms import read_form
from api.console.languages import say
from api.console.refusals import in_words
from api.console.sign_in import address_of, form_page, sign_in_page, signed_in
from api.console.templates import draw
from api.house import House
from api.routes.me import desk_of
from api.routes.people import new_person_id
from esl.domain.errors import AlreadyExists, Conflict, Forbidden, InvalidInput
from esl.domain.password import check_password
from esl.domain.person import DISPLAY_NAME_LONGEST, Person, check_sign_in_name
from esl.intake.fields import Fields
from esl.services import people, signing_in
from esl.services.people import NewPerson

router = APIRouter(include_in_schema=False)


@router.get("/welcome")
async def welcome(link: str, request: Request, house: TheHouse) -> Response:
    """Show the form of a link that is still good."""
    person = await _whose(house, request, link)
    return form_page(_page(link, person, {}, None))


@router.post("/welcome")
async def take_welcome(request: Request, house: TheHouse) -> Response:
    """Use the link: the password counts from now on, and the browser is signed in."""
    require_own_page(request)
    form = await read_form(request)
    link = form.get("link", "")
    person = await _whose(house, request, link)
    try:
        let_in = await _accept(request, house, link, person, form)
    except (InvalidInput, AlreadyExists, Conflict) as exc:
        page = _page(link, person, form, in_words(exc))
        return form_page(page, HTTPStatus.UNPROCESSABLE_ENTITY)
    return let_in


async def _accept(
    request: Request, house: House, link: str, person: Person | None, form: dict[str, str]
) -> Response:
    new = _new_person(form) if person is None else None
    names = (
        (new.sign_in_name, new.display_name)
        if new is not None
        else (person.sign_in_name, person.display_name)
        if person is not None
        else ()
    )
    context = await doors.read(house, lambda tx: people.context_of(tx, *names))
    password = check_password(form.get("password", ""), path="/password", context=context)
    if form.get("again", "") != form.get("password", ""):
        raise InvalidInput.at("/again", "not the same twice", fix="Type it again.")
    hashed = await desk_of(request).hash(password)
    session = secrets.token_urlsafe(32)
    about = request.headers.get("user-agent")

    def work(tx: Connection) -> bool:
        now = house.clock.now()
        if new is not None:
            made = people.make_first_admin(
                tx, secret=link, new=new, person_id=new_person_id(), password_hash=hashed, now=now
            )
        else:
            made = people.accept(tx, secret=link, password_hash=hashed, now=now)
        if made.has_second_factor:
            return False  # the new password is one of two
        signing_in.begin_session(tx, made.person_id, session_secret=session, about=about, now=now)
        return True

    if await doors.write(house, work):
        return signed_in(request, session)
    return sign_in_page(request, HTTPStatus.OK, say("Your new password counts. Sign in with it."))


async def _whose(house: House, request: Request, link: str) -> Person | None:
    person = await doors.read(house, lambda tx: people.whose_link(tx, link, house.clock.now()))
    if person is None and not _is_here(address_of(request)):
        raise Forbidden("the first account is made on the machine itself")
    return person


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _new_person(form: dict[str, str]) -> NewPerson:
    name = check_sign_in_name(form.get("name", "")[:1000], path="/name")
    fields = Fields({"display_name": form.get("display_name", "").strip() or name})
    shown = fields.text("display_name", longest=DISPLAY_NAME_LONGEST)
    fields.finish()
    return NewPerson(sign_in_name=name, display_name=str(shown))


def _page(link: str, person: Person | None, form: dict[str, str], wrong: str | None) -> str:
    values: dict[str, Any] = {
        "link": link,
        "person": person,
        "typed_name": form.get("name", ""),
        "display_name": form.get("display_name", ""),
        "wrong": wrong,
    }
    return draw("welcome", **values)
