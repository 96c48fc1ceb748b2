"""Paper tickets: which labels could use one, what is printed, and what is to be taken away."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.console.acting import Form, Sent, Undo, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say, say_many
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.words import STATE_OF
from esl.domain.access import Scope
from esl.domain.label import Phase
from esl.domain.paper import Standing

router = APIRouter(include_in_schema=False)

LABELS_MOST: Final = 50
"""Labels that are offered at once: some ten sheets."""

TICKETS_MOST: Final = 500
_NOT_RIGHT: Final = (Phase.FAILED, Phase.STRUGGLING, Phase.UNREACHABLE)
_TAKE: Final = "take:"
STANDINGS: Final[Mapping[str, tuple[str, str]]] = {
    Standing.OUTDATED: ("needs-you", mark("Says something old: print it again, or take it off")),
    Standing.LOOSE: ("needs-you", mark("Its label speaks for something else: take it off")),
    Standing.NEEDLESS: ("right", mark("The label shows it again: take it off")),
    Standing.HANGS: ("on-its-way", mark("Hangs in place of the label")),
}
"""How a ticket stands → its colour and its words, the most urgent first."""


@router.get("/paper")
async def paper_page(frame: Framed, api: Api, sheet: str = "") -> Response:
    """Show what hangs, what could be printed, and the sheets that were just printed."""
    return show("paper", frame, page=await _look(frame, api, sheet=sheet))


@router.post("/paper")
async def print_tickets(frame: Framed, api: Api, form: Sent) -> Response:
    """Print tickets of the labels that were chosen, and lead to the sheets."""
    at = f"/api/v1/stores/{part(frame.store_id)}/paper-tickets"
    try:
        answer = await api.send("POST", at, {"labels": _chosen(form)}, headers=form.once)
    except ApiProblem as problem:
        page = await _look(frame, api, wrong=wrong_of(problem))
        return show("paper", frame, status=problem.status, page=page)
    told = answer.json()
    refused = [one for one in told["results"] if one["state"] == "refused"]
    if told["pdf"] is None:
        first = refused[0]
        wrong = Wrong(text=f"{first['label']}: {first['reason']}.", fix=first["fix"])
        page = await _look(frame, api, wrong=wrong)
        return show("paper", frame, status=409, page=page)
    sheet = told["pdf"].rpartition("/")[2].removesuffix(".pdf")
    printed = len(told["results"]) - len(refused)
    said = say_many(
        "%(num)s ticket is ready to print.", "%(num)s tickets are ready to print.", printed
    )
    if refused:
        named = ", ".join(one["label"] for one in refused[:5])
        said += " " + say("Not printed, for want of a price: %(labels)s.", labels=named)
    return go_on(frame.at("/paper", sheet=sheet), said)


@router.post("/paper/{ticket}")
async def hang(ticket: str, frame: Framed, api: Api, form: Sent) -> Response:
    """Say that a ticket was taken off the shelf, or take that back."""
    hangs = form.text("hangs") == "yes"
    at = f"/api/v1/stores/{part(frame.store_id)}/paper-tickets/{part(ticket)}"
    try:
        await api.send("PUT", at, {"hangs": hangs})
    except ApiProblem as problem:
        page = await _look(frame, api, wrong=wrong_of(problem))
        return show("paper", frame, status=problem.status, page=page)
    here = frame.at("/paper")
    if hangs:
        return go_on(here, say("The ticket hangs."))
    undo = Undo(path=f"/paper/{part(ticket)}", fields={"hangs": "yes"})
    return go_on(here, say("The ticket is gone from the shelf."), undo=undo)


def _chosen(form: Form) -> list[str]:
    ticked = [name.removeprefix(_TAKE) for name in form.fields if name.startswith(_TAKE)]
    typed = form.text("label").lower()
    return [*ticked, *([typed] if typed else [])]


async def _look(
    frame: Frame, api: OwnApi, *, sheet: str = "", wrong: Wrong | None = None
) -> dict[str, Any]:
    at = f"/api/v1/stores/{part(frame.store_id)}"
    listed, troubled = await asyncio.gather(
        api.get(f"{at}/paper-tickets", hangs="true", limit=TICKETS_MOST),
        api.get(f"{at}/labels", phase=_NOT_RIGHT, order="walk", limit=LABELS_MOST),
    )
    order = list(STANDINGS)
    tickets = sorted(
        listed["tickets"],
        key=lambda one: (order.index(one["state"]), one["place"] or "\uffff", one["ticket"]),
    )
    hang = {one["label"] for one in tickets}
    offered = [
        one | {"state": STATE_OF[Phase(one["phase"])]}
        for one in troubled["labels"]
        if one["skus"] and one["label"] not in hang
    ]
    is_sheet = len(sheet) == 16 and sheet.isalnum()  # noqa: PLR2004  as it is made
    return {
        "tickets": tickets,
        "standings": STANDINGS,
        "offered": offered,
        "pdf": f"{at}/paper-sheets/{sheet}.pdf" if is_sheet else None,
        "may_print": frame.may(Scope.LABEL_PAIR),
        "once": new_key(),
        "wrong": wrong,
    }
