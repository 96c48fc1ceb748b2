"""Walk and fix, on a phone: one label after the other that wants hands, as one walks past them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.console.acting import Form, Sent, Undo, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.inspections import SEEN
from api.console.label import Doing, Done
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.problem_words import with_titles
from api.console.words import STATE_OF, STATE_WORDS, advice_on_view
from esl.domain.access import Scope
from esl.domain.label import Phase
from esl.domain.shelf_place import PLACE_LONGEST

router = APIRouter(include_in_schema=False)

_AHEAD: Final = 12
"""Labels that are listed behind the one where somebody stands."""


@router.get("/walk")
async def walk_page(
    frame: Framed,
    api: Api,
    after: Annotated[str, Query(max_length=64, pattern=r"^[a-z0-9-]*$")] = "",
    aisle: Annotated[str, Query(max_length=PLACE_LONGEST)] = "",
) -> Response:
    """Show the label that is next behind ``after``, why it wants hands, and what comes then."""
    return show("walk", frame, page=await _look(frame, api, after=after, aisle=aisle))


@router.post("/walk")
async def act(frame: Framed, api: Api, form: Sent) -> Response:
    """Light a label, send its picture again, put another in its place or undo that; stay there."""
    after, aisle = form.text("after"), form.text("aisle")
    here = frame.at("/walk", after=after, aisle=aisle)
    try:
        if form.text("what") == "replace":
            form = form.with_text("new", await _label_of(form, frame, api))
        done = await Doing(form.text("label"), frame, api, form).do(form.text("what"))
    except ApiProblem as problem:
        page = await _look(frame, api, after=after, aisle=aisle, wrong=wrong_of(problem))
        return show("walk", frame, status=problem.status, page=page)
    return go_on(here, done.said, undo=_undo_here(done, form))


def _undo_here(done: Done, form: Form) -> Undo | None:
    """Return the way back of what was done, by which one stays on the walk."""
    if done.undo is None:
        return None
    kept = {name: form.text(name) for name in ("label", "after", "aisle")}
    return Undo(path="/walk", fields={**done.undo.fields, **kept})


async def _label_of(form: Form, frame: Frame, api: OwnApi) -> str:
    """Return the label whose code was scanned or typed; what is no label's is left as it is."""
    text = form.text("new")
    if not text:
        return text
    found = await api.get(f"/api/v1/stores/{part(frame.store_id)}/scans", text=text[:500])
    return str(found["label"]["label"]) if found["label"] else text


async def _look(
    frame: Frame, api: OwnApi, *, after: str, aisle: str, wrong: Wrong | None = None
) -> dict[str, Any]:
    at = f"/api/v1/stores/{part(frame.store_id)}/walk-list"
    asked = {"after": after, "limit": _AHEAD + 1} | ({"aisle": aisle} if aisle else {})
    listed = await api.get(at, **asked)
    stops = [_stop(frame, one) for one in listed["labels"]]
    return {
        "now": stops[0] if stops else None,
        "ahead": stops[1:],
        "number": listed["passed"] + 1,
        "found": listed["found"],
        "after": after,
        "aisle": aisle,
        "seen": SEEN,
        "words": STATE_WORDS,
        "next": frame.at("/walk", after=stops[0]["label"], aisle=aisle) if stops else None,
        "again": frame.at("/walk", aisle=aisle),
        "may_act": frame.may(Scope.LABEL_PAIR),
        "once": new_key(),
        "wrong": wrong,
    }


def _stop(frame: Frame, view: Mapping[str, Any]) -> dict[str, Any]:
    state = STATE_OF[Phase(view["phase"])]
    digest = view["shown_digest"]
    return {
        **view,
        "state": state,
        "advice": advice_on_view(view),
        "problems": with_titles(view["problems"]),
        "address": frame.at(f"/labels/{part(view['label'])}"),
        "shown": f"/api/v1/labels/{part(view['label'])}/frames/{digest}.png" if digest else None,
    }
