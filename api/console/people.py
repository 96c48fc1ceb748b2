"""People: who may do what in which store; add somebody, invite, close an account, erase."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.console.acting import Form, Sent, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from esl.domain.access import ALL_STORES, Role, Scope

router = APIRouter(include_in_schema=False)

PEOPLE_MOST: Final = 500

ROLE_WORDS: Final[Mapping[str, str]] = {
    Role.MANAGER: mark("Manager"),
    Role.TECHNICIAN: mark("Technician"),
    Role.APPROVER: mark("Approver"),
    Role.ADMIN: mark("Administrator"),
}
ROLE_HINTS: Final[Mapping[str, str]] = {
    Role.MANAGER: mark("runs the shop: prices, promotions, templates, labels"),
    Role.TECHNICIAN: mark("hangs labels and gateways, and changes no price"),
    Role.APPROVER: mark("decides about doubted prices, and sends none"),
    Role.ADMIN: mark("all of it, and the accounts of the others"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    """Those whose accounts are the reader's."""

    people: Sequence[Mapping[str, Any]]
    roles: Mapping[str, str]
    hints: Mapping[str, str]
    may_all: bool  # give roles in all stores
    once: str
    asked: Mapping[str, str] = field(default_factory=dict)
    wrong: Wrong | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPage:
    """One of them."""

    person: Mapping[str, Any]
    roles: Mapping[str, str]
    hints: Mapping[str, str]
    may_all: bool
    is_self: bool
    once: str
    link: str | None = None  # an invitation, shown this once
    wrong: Wrong | None = None

    @property
    def held(self) -> list[Mapping[str, str]]:
        """Return roles by store, those in all stores first."""
        return sorted(
            self.person["roles"], key=lambda one: (one["store"] != ALL_STORES, *one.values())
        )


@router.get("/people")
async def people_page(frame: Framed, api: Api) -> Response:
    """List people with a role in a store whose accounts are the reader's."""
    return show("people", frame, page=await _all(frame, api))


@router.post("/people")
async def add_person(frame: Framed, api: Api, form: Sent) -> Response:
    """Add somebody with a role, and show the invitation."""
    roles = [{"store": form.text("at") or frame.store_id, "role": form.text("role")}]
    body = {
        "name": form.text("name"),
        "display_name": form.text("display_name") or None,
        "mail": form.text("mail") or None,
        "roles": roles,
    }
    try:
        made = (await api.send("POST", "/api/v1/people", body, headers=form.once)).json()
    except ApiProblem as problem:
        page = await _all(frame, api, asked=form.fields, wrong=wrong_of(problem))
        return show("people", frame, status=problem.status, page=page)
    return await _invite(made["id"], frame, api)


@router.get("/people/{person}")
async def person_page(person: str, frame: Framed, api: Api) -> Response:
    """Show one of them."""
    return show("person", frame, page=await _one(person, frame, api))


@router.post("/people/{person}/act")
async def act(person: str, frame: Framed, api: Api, form: Sent) -> Response:
    """Do one thing with an account: invite, give or take a role, close or open it."""
    what = form.text("what")
    try:
        if what == "invite":
            return await _invite(person, frame, api)
        said = await _do(what, person, api, form)
    except ApiProblem as problem:
        page = await _one(person, frame, api, wrong=wrong_of(problem))
        return show("person", frame, status=problem.status, page=page)
    goes_to = "/people" if what == "erase" else f"/people/{part(person)}"
    return go_on(frame.at(goes_to), said)


_ACTS: Final[Mapping[str, tuple[str, str]]] = {
    "disable": ("disable", mark("The account is closed, and every session of it has ended.")),
    "enable": ("enable", mark("The account is open again.")),
    "end-sessions": ("end-sessions", mark("Signed out everywhere.")),
    "reset-second-factor": ("reset-second-factor", mark("Codes are asked for no more.")),
    "erase": ("erase", mark("Erased: name, mail, password and roles are forgotten.")),
}


async def _do(what: str, person: str, api: OwnApi, form: Form) -> str:
    at = f"/api/v1/people/{part(person)}"
    if what in ("give", "take"):
        role = {"store": form.text("at"), "role": form.text("role")}
        answer = await api.send("GET", f"{at}/roles")
        roles = [one for one in answer.json()["roles"] if one != role]
        if what == "give":
            roles.append(role)
        seen = {"If-Match": answer.headers["etag"]}
        await api.send("PUT", f"{at}/roles", {"roles": roles}, headers=seen)
        return say("The roles are changed.")
    path, said = _ACTS.get(what, ("nothing", ""))  # what no page offers, the API does not know
    await api.send("POST", f"{at}/{path}", headers=form.once)
    return say(said)


async def _invite(person: str, frame: Frame, api: OwnApi) -> Response:
    made = (await api.send("POST", f"/api/v1/people/{part(person)}/invitation")).json()
    page = await _one(person, frame, api, link=made["url"])
    return show("person", frame, status=HTTPStatus.CREATED, page=page)


async def _all(
    frame: Frame,
    api: OwnApi,
    *,
    asked: Mapping[str, str] | None = None,
    wrong: Wrong | None = None,
) -> PeoplePage:
    listed = await api.get("/api/v1/people", limit=PEOPLE_MOST)
    return PeoplePage(
        people=sorted(listed["people"], key=lambda one: str(one["display_name"]).casefold()),
        roles=ROLE_WORDS,
        hints=ROLE_HINTS,
        may_all=frame.may(Scope.USER_ADMIN, everywhere=True),
        once=new_key(),
        asked=asked or {},
        wrong=wrong,
    )


async def _one(
    person: str,
    frame: Frame,
    api: OwnApi,
    *,
    link: str | None = None,
    wrong: Wrong | None = None,
) -> PersonPage:
    found = await api.get(f"/api/v1/people/{part(person)}")
    me = (await api.get("/api/v1/me"))["person"]
    return PersonPage(
        person=found,
        roles=ROLE_WORDS,
        hints=ROLE_HINTS,
        may_all=frame.may(Scope.USER_ADMIN, everywhere=True),
        is_self=me is not None and me["id"] == found["id"],
        once=new_key(),
        link=link,
        wrong=wrong,
    )
