"""Gateways: which are on the line, how much they have to do; let one in, or shut one out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.console.acting import Sent, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from esl.domain.access import Scope

router = APIRouter(include_in_schema=False)

GATEWAYS_MOST: Final = 1000
"""On a page; no shop has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a gateway enrols with, once; it is shown this once."""

    gateway: str
    text: str
    expires_at: str
    address: str  # where it enrols


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaysPage:
    """A store's gateways."""

    gateways: Sequence[Mapping[str, Any]]
    may_enrol: bool
    once: str
    asked: str = ""  # the id that was typed
    token: Token | None = None
    wrong: Wrong | None = None

    @property
    def away(self) -> int:
        """How many are off the line."""
        return sum(not one["online"] for one in self.gateways)


@router.get("/gateways")
async def gateways_page(frame: Framed, api: Api) -> Response:
    """Show a store's gateways."""
    return show("gateways", frame, page=await _look(frame, api))


@router.post("/gateways/tokens")
async def make_token(request: Request, frame: Framed, api: Api, form: Sent) -> Response:
    """Register a gateway and show its one-time token; a known one gets a new token."""
    gateway = form.text("gateway")
    path = f"{_at(frame)}/{part(gateway or ' ')}/tokens"
    try:
        made = (await api.send("POST", path, {})).json()
    except ApiProblem as problem:
        page = await _look(frame, api, asked=gateway, wrong=wrong_of(problem))
        return show("gateways", frame, status=problem.status, page=page)
    token = Token(
        gateway=gateway,
        text=made["token"],
        expires_at=made["expires_at"],
        address=str(request.base_url).rstrip("/"),
    )
    page = await _look(frame, api, token=token)
    return show("gateways", frame, status=HTTPStatus.CREATED, page=page)


@router.post("/gateways/shut-out")
async def shut_out(frame: Framed, api: Api, form: Sent) -> Response:
    """Revoke a gateway's login: its live session ends."""
    gateway = form.text("gateway")
    try:
        await api.send("DELETE", f"{_at(frame)}/{part(gateway)}/login", headers=form.once)
    except ApiProblem as problem:
        page = await _look(frame, api, wrong=wrong_of(problem))
        return show("gateways", frame, status=problem.status, page=page)
    return go_on(
        frame.at("/gateways"),
        say("%(gateway)s is shut out. A new token lets it in again.", gateway=gateway),
    )


@router.post("/gateways/ask")
async def ask_what_labels_show(frame: Framed, api: Api, form: Sent) -> Response:
    """Have a gateway say anew what its labels show."""
    gateway = form.text("gateway")
    path = f"{_at(frame)}/{part(gateway)}/commands"
    try:
        await api.send("POST", path, {"kind": "report"}, headers=form.once)
    except ApiProblem as problem:
        page = await _look(frame, api, wrong=wrong_of(problem))
        return show("gateways", frame, status=problem.status, page=page)
    return go_on(
        frame.at("/gateways"),
        say("%(gateway)s was asked what its labels show.", gateway=gateway),
    )


def _at(frame: Frame) -> str:
    return f"/api/v1/stores/{part(frame.store_id)}/gateways"


async def _look(
    frame: Frame,
    api: OwnApi,
    *,
    asked: str = "",
    token: Token | None = None,
    wrong: Wrong | None = None,
) -> GatewaysPage:
    listed = await api.get(_at(frame), limit=GATEWAYS_MOST)
    gateways = sorted(listed["gateways"], key=lambda one: (one["online"], one["gateway"]))
    return GatewaysPage(
        gateways=gateways,
        may_enrol=frame.may(Scope.GATEWAY_ENROL),
        once=new_key(),
        asked=asked,
        token=token,
        wrong=wrong,
    )
