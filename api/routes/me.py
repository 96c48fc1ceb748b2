"""Who asks, what they may, and what people change about their own accounts."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors, openapi, openapi_people
from api.auth import Asker, TheHouse, session_of
from api.house import House
from api.password_desk import PasswordDesk
from api.secret_box import open_box
from esl.domain.access import ALL_STORES, Principal
from esl.domain.errors import Forbidden, InvalidInput, NotFound
from esl.domain.ids import StoreId
from esl.domain.instants import instant_text
from esl.domain.password import check_password, normal_password
from esl.domain.person import Person, PersonId
from esl.intake.people_json import parse_code, parse_new_password, parse_password
from esl.services import people, second_factor, signing_in
from esl.services.access import OWNER, hash_secret
from esl.store import audit, sessions
from esl.store import people as rows

router = APIRouter(prefix="/api/v1/me", tags=["people"])

_KIND: Final = "person:"


@router.get("")
async def who_am_i(house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say who asks, and which scopes are held in which store; ``*`` is all of them."""
    own = person_id_of(who)
    person = await doors.read(house, lambda tx: rows.person_named(tx, own)) if own else None
    return {
        "name": who.name,
        "person": _self_view(person) if person is not None else None,
        "scopes": {
            store: sorted(who.scopes_in(None if store == ALL_STORES else StoreId(store)))
            for store in sorted(who.stores)
        },
    }


@router.post("/password", openapi_extra=openapi_people.PASSWORD_CHANGE)
async def change_password(request: Request, house: TheHouse, who: Asker) -> Response:
    """Change one's own password; all of one's sessions end, this one too."""
    own = _require_person(who)
    value, _ = await doors.read_json(request)
    old, new = parse_new_password(value)
    await change_own_password(request, house, own, old=old, new=new)
    return Response(status_code=204)


@router.get("/sessions")
async def list_sessions(request: Request, house: TheHouse, who: Asker) -> dict[str, Any]:
    """List one's own sessions: where one is signed in."""
    own = _require_session(who)
    here = hash_secret(session_of(request) or "")
    found = await doors.read(house, lambda tx: sessions.sessions_of(tx, own, house.clock.now()))
    return {
        "sessions": [
            {
                "id": one.session_id,
                "created_at": instant_text(one.created_at),
                "used_at": instant_text(one.used_at),
                "expires_at": instant_text(one.expires_at),
                "about": one.about,
                "is_this": one.secret_sha256 == here,
            }
            for one in found
        ]
    }


@router.delete("/sessions/{session}")
async def end_session(session: str, house: TheHouse, who: Asker) -> Response:
    """Sign out in one of the places where one is signed in."""
    own = _require_session(who)

    def work(tx: Connection) -> bool:
        return end_one(tx, own, session, house)

    if not await doors.write(house, work):
        raise NotFound("no such session of yours")
    return Response(status_code=204)


@router.post("/second-factor", openapi_extra=openapi.NOTHING)
async def begin_second_factor(request: Request, house: TheHouse, who: Asker) -> dict[str, str]:
    """Begin to ask for codes at sign-in: returns what an authenticator app scans, this once."""
    own = _require_person(who)
    await doors.read_nothing(request)
    return {"uri": await begin_codes(house, own)}


@router.post("/second-factor/confirm", openapi_extra=openapi_people.CODE)
async def confirm_second_factor(
    request: Request, house: TheHouse, who: Asker
) -> dict[str, list[str]]:
    """Ask for codes from now on, as the first is right; returns the recovery codes, this once."""
    own = _require_person(who)
    value, _ = await doors.read_json(request)
    return {"recovery_codes": await confirm_codes(house, own, parse_code(value))}


@router.post("/second-factor/off", openapi_extra=openapi_people.PASSWORD)
async def turn_second_factor_off(request: Request, house: TheHouse, who: Asker) -> Response:
    """Ask for codes no more; the password proves that it is oneself."""
    own = _require_person(who)
    value, _ = await doors.read_json(request)
    await turn_codes_off(request, house, own, parse_password(value))
    return Response(status_code=204)


# -- what the account page does as well -----------------------------------------------------------


def desk_of(request: Request) -> PasswordDesk:
    """Return the desk where all passwords of this process are checked."""
    desk: PasswordDesk = request.app.state.passwords
    return desk


def person_id_of(who: Principal) -> PersonId | None:
    """Return whose session asks; None where no person with an account does."""
    name = who.name.removeprefix(_KIND)
    return PersonId(name) if who.name.startswith(_KIND) and name != OWNER else None


def end_one(tx: Connection, own: str, session_id: str, house: House) -> bool:
    """End one session of a person; return whether there was one."""
    for one in sessions.sessions_of(tx, own, house.clock.now()):
        if one.session_id == session_id:
            sessions.end_by_hash(tx, one.secret_sha256)
            return True
    return False


async def change_own_password(
    request: Request, house: House, own: PersonId, *, old: str, new: str
) -> None:
    """Change the password of somebody who knows the one there is."""
    person = await doors.read(house, lambda tx: rows.person_named(tx, own))
    names = (person.sign_in_name, person.display_name) if person is not None else ()
    context = await doors.read(house, lambda tx: people.context_of(tx, *names))
    password = check_password(new, path="/new", context=context)
    await _prove(request, house, own, old, path="/old")
    hashed = await desk_of(request).hash(password)
    await doors.write(
        house,
        lambda tx: people.change_password(tx, own, password_hash=hashed, now=house.clock.now()),
    )


async def begin_codes(house: House, own: PersonId) -> str:
    """Make and keep a secret for codes; return its address for apps."""
    secret_hex = second_factor.new_secret()
    sealed = open_box(house.settings.data_dir).seal(
        secret_hex, source=f"{_KIND}{own}", kind=second_factor.SEALED_AS
    )

    def work(tx: Connection) -> str:
        second_factor.begin(tx, own, sealed)
        person = rows.person_named(tx, own)
        return person.sign_in_name if person is not None else ""

    return second_factor.address_for_apps(secret_hex, name=await doors.write(house, work))


async def confirm_codes(house: House, own: PersonId, code: str) -> list[str]:
    """Turn codes on; return the recovery codes."""
    recovery = second_factor.new_recovery_codes()

    def work(tx: Connection) -> None:
        now = house.clock.now()
        second_factor.confirm(
            tx,
            own,
            code,
            open_secret=lambda sealed: open_sealed(house, own, sealed),
            recovery_codes=recovery,
            now=now,
        )
        _note(tx, house, own, "person_second_factor")

    await doors.write(house, work)
    return recovery


async def turn_codes_off(request: Request, house: House, own: PersonId, password: str) -> None:
    """Turn codes off for somebody who knows the password."""
    await _prove(request, house, own, password, path="/password")

    def work(tx: Connection) -> None:
        second_factor.turn_off(tx, own)
        _note(tx, house, own, "person_second_factor_off")

    await doors.write(house, work)


def open_sealed(house: House, own: PersonId, sealed: bytes) -> str:
    """Open the secret of a person's codes."""
    return open_box(house.settings.data_dir).open(
        sealed, source=f"{_KIND}{own}", kind=second_factor.SEALED_AS
    )


async def _prove(
    request: Request, house: House, own: PersonId, password: str, *, path: str
) -> None:
    """Let somebody pass who knows the password of the account; each try counts as a sign-in's."""
    address = request.client.host if request.client is not None else ""

    def charge(tx: Connection) -> signing_in.Attempt | None:
        person = rows.person_named(tx, own)
        if person is None:
            return None
        return signing_in.charge(
            tx, name=person.sign_in_name, address=address, now=house.clock.now()
        )

    attempt = await doors.write(house, charge)
    hashed = attempt.password_hash if attempt is not None else None
    if not await desk_of(request).fits(normal_password(password), hashed) or attempt is None:
        raise InvalidInput.at(path, "not your password", fix="Type the one you sign in with.")
    await doors.write(house, lambda tx: signing_in.settle(tx, attempt, house.clock.now()))


def _require_person(who: Principal) -> PersonId:
    own = person_id_of(who)
    if own is None:
        raise Forbidden("only people with an account have this")
    return own


def _require_session(who: Principal) -> str:
    if not who.name.startswith(_KIND):
        raise Forbidden("only people who are signed in have this")
    return who.name.removeprefix(_KIND)


def _note(tx: Connection, house: House, own: PersonId, action: str) -> None:
    audit.note(tx, house.clock.now(), actor=f"{_KIND}{own}", action=action, subject=f"person/{own}")


def _self_view(person: Person) -> dict[str, Any]:
    return {
        "id": person.person_id,
        "name": person.sign_in_name,
        "display_name": person.display_name,
        "mail": person.mail,
        "language": person.language,
        "has_second_factor": person.has_second_factor,
        "roles": [
            {"store": held.store, "role": held.role.value}
            for held in sorted(person.roles, key=lambda one: (one.store, one.role))
        ],
    }
