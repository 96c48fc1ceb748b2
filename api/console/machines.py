"""Machines: tills, engines and scripts that come in by client credentials; secrets and rights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.console.acting import Form, Sent, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from esl.domain.access import ALL_STORES, Scope

router = APIRouter(include_in_schema=False)

MACHINES_MOST: Final = 500

SCOPE_WORDS: Final[Mapping[str, str]] = {
    Scope.PRICE_WRITE: mark("send products and prices"),
    Scope.PRICE_READ: mark("read products and prices"),
    Scope.PRICE_PROPOSE: mark("propose prices within the store's rules"),
    Scope.PRICE_APPROVE: mark("decide about doubted prices, roll back, freeze"),
    Scope.PROMOTION_WRITE: mark("plan, change and end promotions"),
    Scope.LABEL_READ: mark("read labels, what they want and show"),
    Scope.LABEL_PAIR: mark("register and pair labels"),
    Scope.TEMPLATE_WRITE: mark("change templates and their rules"),
    Scope.GATEWAY_ENROL: mark("let gateways in and tell them what to do"),
    Scope.AUDIT_READ: mark("read who did what, and its proof"),
    Scope.STORE_ADMIN: mark("add and change stores"),
    Scope.USER_ADMIN: mark("manage people and machines"),
}
_BOX: Final = "scope-"
"""Before a scope's name in the name of its box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinesPage:
    """All machines."""

    machines: Sequence[Mapping[str, Any]]
    scopes: Mapping[str, str]
    once: str
    secret: Mapping[str, str] | None = None  # id, name and secret: shown this once
    address: str = ""  # where tokens are fetched
    asked: Mapping[str, str] = field(default_factory=dict)
    wrong: Wrong | None = None


@router.get("/machines")
async def machines_page(frame: Framed, api: Api) -> Response:
    """List the machines."""
    return show("machines", frame, page=await _look(api))


@router.post("/machines")
async def add_machine(request: Request, frame: Framed, api: Api, form: Sent) -> Response:
    """Add a machine, and show its secret this once."""
    body = {
        "name": form.text("name"),
        "scopes": [scope for scope in SCOPE_WORDS if form.has(_BOX + scope)],
        "stores": [form.text("at") or ALL_STORES],
    }
    try:
        made = (await api.send("POST", "/api/v1/clients", body)).json()
    except ApiProblem as problem:
        page = await _look(api, asked=form.fields, wrong=wrong_of(problem))
        return show("machines", frame, status=problem.status, page=page)
    return await _with_secret(request, frame, api, made)


@router.post("/machines/{machine}/act")
async def act(machine: str, request: Request, frame: Framed, api: Api, form: Sent) -> Response:
    """Give a second secret, revoke one, or let the machine in no more."""
    try:
        if form.text("what") == "rotate":
            at = f"/api/v1/clients/{part(machine)}"
            made = (await api.send("POST", f"{at}/secrets", {})).json()
            known = await api.get(at)
            return await _with_secret(request, frame, api, known | {"secret": made["secret"]})
        said = await _do(machine, api, form)
    except ApiProblem as problem:
        page = await _look(api, wrong=wrong_of(problem))
        return show("machines", frame, status=problem.status, page=page)
    return go_on(frame.at("/machines"), said)


async def _do(machine: str, api: OwnApi, form: Form) -> str:
    at = f"/api/v1/clients/{part(machine)}"
    match form.text("what"):
        case "revoke":
            await api.send("DELETE", f"{at}/secrets/{part(form.text('secret') or '0')}")
            return say("The secret is worthless, and every token that was fetched with it.")
        case "disable":
            await api.send("DELETE", at, headers={"If-Match": "*"})
            return say("The machine is let in no more.")
        case _:  # what no page offers, the API does not know
            await api.send("POST", f"{at}/nothing")
            return ""


async def _with_secret(
    request: Request, frame: Frame, api: OwnApi, made: Mapping[str, Any]
) -> Response:
    shown = {"id": made["id"], "name": made["name"], "secret": made["secret"]}
    address = f"{str(request.base_url).rstrip('/')}/oauth/token"
    page = await _look(api, secret=shown, address=address)
    return show("machines", frame, status=HTTPStatus.CREATED, page=page)


async def _look(
    api: OwnApi,
    *,
    secret: Mapping[str, str] | None = None,
    address: str = "",
    asked: Mapping[str, str] | None = None,
    wrong: Wrong | None = None,
) -> MachinesPage:
    listed = await api.get("/api/v1/clients", limit=MACHINES_MOST)
    found = sorted(
        listed["clients"], key=lambda one: (one["disabled_at"] is not None, one["name"].casefold())
    )
    return MachinesPage(
        machines=found,
        scopes=SCOPE_WORDS,
        once=new_key(),
        secret=secret,
        address=address,
        asked=asked or {},
        wrong=wrong,
    )
