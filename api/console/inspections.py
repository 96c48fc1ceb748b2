"""Inspections on the phone: a sample to walk with, one shelf after the other, by the thumb."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.console.acting import Sent, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from esl.domain.access import Scope

router = APIRouter(include_in_schema=False)

_MOST: Final = 50
SEEN: Final[Mapping[str, tuple[str, str]]] = {
    "right": ("right", mark("Right")),
    "wrong": ("needs-you", mark("Wrong price")),
    "damaged": ("not-answering", mark("Cannot be read")),
    "misplaced": ("gateway-away", mark("At another product")),
    "missing": ("no-product", mark("Missing")),
}
"""What one can see → its colour and its word."""


@router.get("/inspections")
async def inspections_page(frame: Framed, api: Api) -> Response:
    """List what was inspected, and begin another walk."""
    return show("inspections", frame, page=await _all(frame, api))


@router.post("/inspections")
async def begin(frame: Framed, api: Api, form: Sent) -> Response:
    """Draw a sample, and go to its first shelf."""
    size = 100 if form.text("size") == "100" else 50
    at = f"/api/v1/stores/{part(frame.store_id)}/inspections"
    try:
        made = await api.send("POST", at, {"size": size}, headers=form.once)
    except ApiProblem as problem:
        page = await _all(frame, api, wrong=wrong_of(problem))
        return show("inspections", frame, status=problem.status, page=page)
    return go_on(frame.at(f"/inspections/{made.json()['inspection']}"))


@router.get("/inspections/{inspection}")
async def walk_page(inspection: str, frame: Framed, api: Api, item: int = 0) -> Response:
    """Show the shelf that is next, or one that was asked for, and how far the walk is."""
    return show("inspection", frame, page=await _walk(inspection, frame, api, item=item))


@router.post("/inspections/{inspection}/seen")
async def seen(inspection: str, frame: Framed, api: Api, form: Sent) -> Response:
    """Say what is seen of a label, and go on to the next."""
    at = f"/api/v1/stores/{part(frame.store_id)}/inspections/{part(inspection)}"
    item = form.text("item")
    body = {"seen": form.text("seen") or None}
    if body["seen"] == "wrong" and form.text("price"):
        body["price"] = form.text("price").replace(",", ".")
    if body["seen"] is not None and form.text("note"):
        body["note"] = form.text("note")
    try:
        await api.send("PUT", f"{at}/items/{part(item or '0')}", body)
    except ApiProblem as problem:
        number = int(item) if item.isascii() and item.isdecimal() else 0
        page = await _walk(inspection, frame, api, item=number, wrong=wrong_of(problem))
        return show("inspection", frame, status=problem.status, page=page)
    return go_on(frame.at(f"/inspections/{part(inspection)}"))


@router.post("/inspections/{inspection}/end")
async def end(inspection: str, frame: Framed, api: Api, form: Sent) -> Response:
    """End a walk."""
    at = f"/api/v1/stores/{part(frame.store_id)}/inspections/{part(inspection)}/end"
    try:
        await api.send("POST", at, headers=form.once)
    except ApiProblem as problem:
        page = await _walk(inspection, frame, api, wrong=wrong_of(problem))
        return show("inspection", frame, status=problem.status, page=page)
    return go_on(frame.at(f"/inspections/{part(inspection)}"), say("The inspection has ended."))


async def _all(frame: Frame, api: OwnApi, *, wrong: Wrong | None = None) -> dict[str, Any]:
    at = f"/api/v1/stores/{part(frame.store_id)}/inspections"
    return {
        "inspections": (await api.get(at, limit=_MOST))["inspections"],
        "may_walk": frame.may(Scope.LABEL_PAIR),
        "once": new_key(),
        "wrong": wrong,
    }


async def _walk(
    inspection: str, frame: Frame, api: OwnApi, *, item: int = 0, wrong: Wrong | None = None
) -> dict[str, Any]:
    at = f"/api/v1/stores/{part(frame.store_id)}/inspections/{part(inspection)}"
    one = await api.get(at)
    items = one["items"]
    asked = items[item - 1] if 0 < item <= len(items) else None
    following = next((each for each in items if each["seen"] is None), None)
    is_over = one["ended_at"] is not None
    return {
        "one": one,
        "now": None if is_over else asked or following,
        "seen": SEEN,
        "may_walk": frame.may(Scope.LABEL_PAIR) and not is_over,
        "once": new_key(),
        "wrong": wrong,
    }
