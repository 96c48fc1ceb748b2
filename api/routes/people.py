"""People: added with an invitation, given roles, closed. Each is asked for by who governs them."""

import re
import secrets
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi, openapi_people
from api.auth import Asker, TheHouse
from api.edits import Edited, Read
from esl.domain.access import Principal, Scope
from esl.domain.errors import InvalidInput, NotFound, UnknownStore
from esl.domain.ids import StoreId
from esl.domain.instants import instant_text
from esl.domain.person import Person
from esl.intake.people_json import parse_person, parse_roles
from esl.services import people
from esl.services.people import NewPerson
from esl.store import people as rows
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/people", tags=["people"])

_PERSON_ID: Final = re.compile(r"[0-9a-f]{12}")
_ID_BYTES: Final = 6


class Page(BaseModel, extra="forbid"):
    """Which people."""

    store: str = Field(default="", pattern=r"^[a-z0-9-]{0,64}$")
    after: str = Field(default="", pattern=r"^[0-9a-f]{0,12}$")
    limit: int = Field(default=100, ge=1, le=1000)


@router.get("")
async def list_people(
    house: TheHouse, who: Asker, page: Annotated[Page, Query()]
) -> dict[str, Any]:
    """List people by id: those who have a role in a store whose accounts are the asker's."""
    stores = people.governed(who)
    if page.store:
        who.require(Scope.USER_ADMIN, StoreId(page.store))
        await doors.store_for(house, page.store)
        stores = frozenset({page.store})
    found = await doors.read(
        house,
        lambda tx: rows.list_people(tx, stores=stores, after=page.after, limit=page.limit),
    )
    more = found[-1].person_id if len(found) == page.limit else None
    return {"people": [person_view(one, who) for one in found], "after": more}


@router.post("", openapi_extra=openapi_people.PERSON)
async def add_person(request: Request, house: TheHouse, who: Asker) -> Response:
    """Add somebody. To sign in, the person then needs an invitation: a link, made apart."""
    people.governed(who)
    value, body = await doors.read_json(request)
    said = parse_person(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        new = NewPerson(
            sign_in_name=said.sign_in_name,
            display_name=said.display_name,
            mail=said.mail,
            language=said.language,
            roles=said.roles,
        )
        try:
            person = people.add_person(
                tx, who, new, person_id=new_person_id(), now=house.clock.now()
            )
        except UnknownStore as exc:  # it stands in the body, not in the address
            raise _bad_store(exc) from exc
        return person_view(person, who), Notice()

    return await doors.change(house, request, who, body, work)


@router.get("/{person}")
async def get_person(person: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Show a person, with the roles that the asker may know of."""
    name = _known_id(who, person)
    return person_view(await doors.read(house, lambda tx: people.person_for(tx, who, name)), who)


@router.get("/{person}/roles")
async def get_roles(person: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Say what a person is in the asker's stores."""
    name = _known_id(who, person)
    found = await doors.read(house, lambda tx: people.person_for(tx, who, name))
    return reading.of(_roles_view(found, who))


@router.put("/{person}/roles", openapi_extra=openapi_people.ROLES)
async def put_roles(
    person: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Say what a person is in the asker's stores; roles elsewhere stay as they are."""
    name = _known_id(who, person)
    value, body = await doors.read_json(request)
    roles = parse_roles(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        found = people.person_for(tx, who, name)
        edit.check(tx, lambda: _roles_view(found, who))
        try:
            changed = people.set_roles(tx, who, name, roles, house.clock.now())
        except UnknownStore as exc:
            raise _bad_store(exc) from exc
        return person_view(changed, who), Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/{person}/disable", openapi_extra=openapi_people.NOTHING)
async def disable_person(person: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Close an account, and end its sessions at once."""
    return await _act(person, request, house, who, people.close)


@router.post("/{person}/enable", openapi_extra=openapi_people.NOTHING)
async def enable_person(person: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Open a closed account again."""
    return await _act(person, request, house, who, people.reopen)


@router.post("/{person}/erase", openapi_extra=openapi_people.NOTHING)
async def erase_person(person: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Forget a person whose account is closed: name, mail, password, roles. For good."""
    name = _known_id(who, person)
    body = await doors.read_nothing(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        people.erase(tx, who, name, house.clock.now())
        return {"id": name}, Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/{person}/end-sessions", openapi_extra=openapi_people.NOTHING)
async def end_sessions(person: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Sign a person out everywhere."""
    return await _act(person, request, house, who, people.end_sessions)


@router.post("/{person}/reset-second-factor", openapi_extra=openapi_people.NOTHING)
async def reset_second_factor(
    person: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Ask a person for codes no more, whose phone and recovery codes are lost."""
    return await _act(person, request, house, who, people.reset_second_factor)


@router.post("/{person}/invitation", openapi_extra=openapi.NOTHING)
async def invite(person: str, request: Request, house: TheHouse, who: Asker) -> dict[str, str]:
    """Make a link by which a person chooses a password: once, within three days.

    It is shown this once. A link from before is worthless.
    """
    name = _known_id(who, person)
    await doors.read_nothing(request)
    if request.headers.get("idempotency-key") is not None:
        raise InvalidInput.at(
            "", "an Idempotency-Key would keep the link", fix="Leave the header out."
        )
    secret = secrets.token_urlsafe(32)
    await doors.write(
        house, lambda tx: people.invite(tx, who, name, secret=secret, now=house.clock.now())
    )
    return {"url": str(request.base_url.replace(path="/welcome", query=f"link={secret}"))}


@router.post("/set-up-link", openapi_extra=openapi.NOTHING)
async def make_set_up_link(request: Request, house: TheHouse, who: Asker) -> dict[str, str]:
    """Make the link by which the first admin makes an account, on this machine."""
    who.require(Scope.USER_ADMIN)
    await doors.read_nothing(request)
    secret = secrets.token_urlsafe(32)
    await doors.write(
        house, lambda tx: people.make_set_up_link(tx, secret=secret, now=house.clock.now())
    )
    return {"url": str(request.base_url.replace(path="/welcome", query=f"link={secret}"))}


def new_person_id() -> str:
    """Make the id of a new person."""
    return secrets.token_hex(_ID_BYTES)


def person_view(person: Person, who: Principal) -> dict[str, Any]:
    """A person, with the roles that the asker may know of."""
    return {
        "id": person.person_id,
        "name": person.sign_in_name,
        "display_name": person.display_name,
        "mail": person.mail,
        "language": person.language,
        "has_password": person.has_password,
        "has_second_factor": person.has_second_factor,
        "created_at": instant_text(person.created_at),
        "disabled_at": instant_text(person.disabled_at) if person.disabled_at else None,
    } | _roles_view(person, who)


def _roles_view(person: Person, who: Principal) -> dict[str, Any]:
    roles = sorted(people.seen_by(who, person), key=lambda one: (one.store, one.role))
    return {"roles": [{"store": held.store, "role": held.role.value} for held in roles]}


async def _act(
    person: str, request: Request, house: TheHouse, who: Principal, act: Callable[..., Any]
) -> Response:
    name = _known_id(who, person)
    body = await doors.read_nothing(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        act(tx, who, name, house.clock.now())
        return person_view(people.person_for(tx, who, name), who), Notice()

    return await doors.change(house, request, who, body, work)


def _known_id(who: Principal, person: str) -> str:
    """Check an id from the URL, of somebody who governs anyone at all."""
    people.governed(who)
    if not _PERSON_ID.fullmatch(person):
        raise NotFound("no such person")
    return person


def _bad_store(exc: UnknownStore) -> InvalidInput:
    return InvalidInput.at("/roles", str(exc), fix="Add the store first, or name one of yours.")
