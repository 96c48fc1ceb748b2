"""Templates: the store's own and the gallery's, with pictures, and where each is used."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from api.console.acting import Form, Sent, Undo, Wrong, go_on, new_key, wrong_of
from api.console.frame import FORM_HEADERS, Frame, Framed, show
from api.console.languages import say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.templates import draw
from esl.domain.access import Scope

router = APIRouter(include_in_schema=False)

TEMPLATES_MOST: Final = 1000
"""More than a store may have, with the gallery."""

USUAL_PANEL: Final = "bwry-296x128"
_NAME_LINE: Final = re.compile(r"^name:[ \t]*[^\s#]+", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatesPage:
    """The templates of a store."""

    own: Sequence[Mapping[str, Any]]
    gallery: Sequence[Mapping[str, Any]]
    panel: str  # on which all are drawn
    panels: Sequence[str]  # those that the store has
    at: str  # of the API
    may_write: bool
    once: str
    wrong: Wrong | None = None
    asked: Mapping[str, str] = field(default_factory=dict)


@router.get("/templates")
async def templates_page(
    frame: Framed, api: Api, panel: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """List them, drawn on one display model."""
    return show("templates", frame, page=await _look(frame, api, panel))


@router.get("/template-uses")
async def uses(frame: Framed, api: Api) -> Response:
    """Count the labels of each, as pieces of the page: it takes a look at every label."""
    found = await labels_by_template(frame, api)
    listed = await _listed(frame, api)
    counts = [(one["name"], found.get(one["name"], 0)) for one in listed["templates"]]
    return HTMLResponse(draw("templates_uses", counts=counts), headers=dict(FORM_HEADERS))


@router.post("/templates")
async def copy(frame: Framed, api: Api, form: Sent) -> Response:
    """Make a template of the store's own from another one."""
    name = form.text("name")
    try:
        await _copy(frame, api, form, name)
    except ApiProblem as problem:
        page = await _look(frame, api, "", wrong=wrong_of(problem), asked=form.fields)
        return show("templates", frame, status=problem.status, page=page)
    path = f"/templates/{part(name)}"
    said = say("%(name)s is a copy of %(other)s.", name=name, other=form.text("of"))
    return go_on(frame.at(path), said, undo=Undo(path=f"{path}/delete"))


async def labels_by_template(frame: Frame, api: OwnApi) -> Mapping[str, int]:
    """Count the labels that are drawn with each template by the rules that hold."""
    at = f"/api/v1/stores/{part(frame.store_id)}/template-rules"
    rules = (await api.get(at))["rules"]
    answer = await api.send("POST", f"{at}/preview", {"rules": rules})
    return {one["template"]: one["labels"] for one in answer.json()["templates"]}


def renamed(text: str, name: str) -> str:
    """Give the text of a template another name; all else stays."""
    return _NAME_LINE.sub(f"name: {name}", text, count=1)


async def _copy(frame: Frame, api: OwnApi, form: Form, name: str) -> None:
    at = f"/api/v1/stores/{part(frame.store_id)}/templates"
    found = await api.get(f"{at}/{part(form.text('of') or '-')}")
    await api.send(
        "PUT",
        f"{at}/{part(name or '-')}",
        {"text": renamed(found["text"], name)},
        headers={**form.once, "If-None-Match": "*"},
    )


async def _look(
    frame: Frame,
    api: OwnApi,
    panel: str,
    *,
    wrong: Wrong | None = None,
    asked: Mapping[str, str] | None = None,
) -> TemplatesPage:
    listed = await _listed(frame, api)
    found, panels = listed["templates"], listed["panels"]
    return TemplatesPage(
        own=[one for one in found if not one["gallery"]],
        gallery=[one for one in found if one["gallery"]],
        panel=panel or next(iter(panels), USUAL_PANEL),
        panels=panels,
        at=f"/api/v1/stores/{part(frame.store_id)}/templates",
        may_write=frame.may(Scope.TEMPLATE_WRITE),
        once=new_key(),
        wrong=wrong,
        asked=asked or {},
    )


async def _listed(frame: Frame, api: OwnApi) -> Mapping[str, Any]:
    at = f"/api/v1/stores/{part(frame.store_id)}/templates"
    found: Mapping[str, Any] = await api.get(at, limit=TEMPLATES_MOST)
    return found
