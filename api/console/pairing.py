"""Pairing by two scans: the page for a phone or a scanner that types, with or without scripts.

With scripts the page keeps what was scanned on the phone itself and sends it when it can
(`static/pair.js`); without them it is a form of two fields.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.console.acting import Sent, Undo, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.qr_svg import qr_of
from api.edge import PAGE_POLICY
from esl.domain.access import Scope
from esl.domain.errors import Forbidden

router = APIRouter(include_in_schema=False)

MODES: Final[Mapping[str, str]] = {
    "pair": mark("Pair"),
    "replace": mark("Replace"),
    "move": mark("Move"),
    "find": mark("Find"),
}
"""What scans do."""

_WHAT: Final = "%(what)s"
_POLICY: Final = PAGE_POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
"""The reader of camera pictures is WebAssembly, which this page alone may run."""


@router.get("/pair")
async def pair_page(request: Request, frame: Framed, api: Api) -> Response:
    """Show the page to scan at, and where the reader stands."""
    _require(frame)
    drawn = show("pair", frame, page=await _look(request, frame, api))
    drawn.headers["Content-Security-Policy"] = _POLICY
    return drawn


@router.post("/pair")
async def pair(request: Request, frame: Framed, api: Api, form: Sent) -> Response:
    """Pair two codes that were typed, for browsers without scripts."""
    _require(frame)
    scans = [form.text("first"), form.text("second")]
    at = f"/api/v1/stores/{part(frame.store_id)}"
    try:
        answer = await api.send(
            "POST", f"{at}/scanned-pairings", {"scans": scans}, headers=form.once
        )
    except ApiProblem as problem:
        page = await _look(request, frame, api, wrong=wrong_of(problem), asked=scans)
        return show("pair", frame, status=problem.status, page=page)
    done = answer.json()
    fields = {"step": str(done["step"])}
    return go_on(
        frame.at("/pair"),
        say("%(label)s shows %(name)s soon.", label=done["label"], name=done["name"]),
        undo=Undo(path="/pair/undo", fields=fields),
    )


@router.post("/pair/undo")
async def undo(request: Request, frame: Framed, api: Api, form: Sent) -> Response:
    """Take a pairing back."""
    at = f"/api/v1/stores/{part(frame.store_id)}/pairing-steps/{part(form.text('step') or '0')}"
    try:
        await api.send("POST", f"{at}/undo")
    except ApiProblem as problem:
        page = await _look(request, frame, api, wrong=wrong_of(problem))
        return show("pair", frame, status=problem.status, page=page)
    return go_on(frame.at("/pair"), say("Undone."))


@router.post("/pair/place")
async def stand(request: Request, frame: Framed, api: Api, form: Sent) -> Response:
    """Stand at a shelf: what is paired from now on hangs there; an empty place is none."""
    at = f"/api/v1/stores/{part(frame.store_id)}/current-place"
    place = form.text("place")
    try:
        await api.send("PUT", at, {"place": place} if place else {})
    except ApiProblem as problem:
        page = await _look(request, frame, api, wrong=wrong_of(problem))
        return show("pair", frame, status=problem.status, page=page)
    return go_on(frame.at("/pair"))


def _require(frame: Frame) -> None:
    if not frame.may(Scope.LABEL_PAIR):
        raise Forbidden("who may not pair labels has no use for this page")


def _says() -> dict[str, str]:
    """What the script says, with a place for what it is about."""
    return {
        "nothing": say("Scan a label or a product"),
        "nothing-broken": say("Scan the label that is to be replaced"),
        "nothing-to-move": say("Scan the shelf's code, then the labels that hang there now"),
        "nothing-to-find": say("Scan a product or a label: its labels blink"),
        "broken": say("%(what)s: now the new label", what=_WHAT),
        "replaces": say("in place of %(what)s", what=_WHAT),
        "to": say("moves to %(what)s", what=_WHAT),
        "blinks": say("It blinks: %(what)s", what=_WHAT),
        "no-label": say("No label is known by %(what)s.", what=_WHAT),
        "nowhere-shown": say("No label shows %(what)s.", what=_WHAT),
        "not-now": say("It cannot be lit now: there is no connection, or no gateway hears it."),
        "done": say("done"),
        "label": say("Label %(what)s: now the product", what=_WHAT),
        "product": say("%(what)s: now the label", what=_WHAT),
        "code": say("%(what)s: now the other code", what=_WHAT),
        "unknown": say("The store knows nothing by %(what)s.", what=_WHAT),
        "place": say("From now on at %(what)s.", what=_WHAT),
        "again": say("The same code again: scan the other one."),
        "waiting": say("waits to be sent"),
        "sent": say("on its way to the glass"),
        "confirmed": say("the glass shows it"),
        "superseded": say("paired with something else since"),
        "failed": say("the glass did not show it"),
        "refused": say("not paired"),
        "undone": say("taken back"),
        "offline": say("No connection. Go on scanning: it is kept here and sent later."),
        "no-code": say("No code was found in the photo: go nearer, and hold it straight."),
        "no-camera": say("The camera cannot be used: allow it for this page, or take a photo."),
        "signed-out": say("You are signed out. Sign in again: what waits here is sent then."),
    }


async def _look(
    request: Request,
    frame: Frame,
    api: OwnApi,
    *,
    wrong: Wrong | None = None,
    asked: Sequence[str] = ("", ""),
) -> dict[str, Any]:
    at = f"/api/v1/stores/{part(frame.store_id)}"
    here = str(request.base_url).rstrip("/") + frame.at("/pair")
    return {
        "at": at,
        "place": (await api.get(f"{at}/current-place"))["place"],
        "says": _says(),
        "modes": MODES,
        "qr": qr_of(here),
        "here": here,
        "asked": dict(zip(("first", "second"), asked, strict=False)),
        "once": new_key(),
        "wrong": wrong,
    }
