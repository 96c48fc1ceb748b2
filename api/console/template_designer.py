"""One template close up: its text in an editor, beside it its pictures as labels will show them.

The text that somebody writes is only in their browser until it is published; a look at it stores
nothing. Where somebody else has published meanwhile, nothing is written over and nothing is lost:
both texts stand on the page, with what differs.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.console.acting import Form, Undo, Wrong, go_on, new_key, wrong_of
from api.console.frame import FORM_HEADERS, Frame, Framed, show
from api.console.languages import mark, say_many
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.template_help import LanguageHelp, language_help
from api.console.templates import draw
from api.console.text_changes import Line, changes_between
from api.console.uploads import receive_sample
from esl.domain.access import Scope

router = APIRouter(include_in_schema=False)

STAGE_WIDTH_PX: Final = 640
"""How wide the picture to work on may be on a page."""

SCALE_MOST: Final = 4
SNAPS: Final = (1, 2, 4, 8, 10)
USUAL_SNAP: Final = 4
PANELS_MOST: Final = 1000

DATA_WORDS: Final[Mapping[str, str]] = {
    "sample": mark("sample"),
    "worst_case": mark("worst case"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How somebody looks at a draft: which picture is large, which models besides, which grid."""

    panel: str = ""  # "": the first
    data: str = "sample"
    also: str = ""  # one more display model
    snap: int = USUAL_SNAP


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A draft, as the API looked at it; None where it could not."""

    draft: Mapping[str, Any]
    stage: Mapping[str, Any] | None  # the picture to work on
    shown: Shown
    length: int  # of the text that was looked at, in characters
    is_asked: bool  # to be published
    may_write: bool
    once: str

    @property
    def errors(self) -> int:
        """Count what hinders."""
        return sum(one["severity"] == "error" for one in self.draft["problems"])

    @property
    def scale(self) -> int:
        """How many pixels of the page one of the panel's is wide, on the large picture."""
        width = self.stage["width_px"] if self.stage is not None else STAGE_WIDTH_PX
        return int(max(1, min(SCALE_MOST, STAGE_WIDTH_PX // width)))

    @property
    def movable(self) -> Sequence[tuple[Mapping[str, Any], str]]:
        """What can be moved on the large picture, and its lengths as the script reads them."""
        handles = self.stage["handles"] if self.stage is not None else ()
        return [(one, json.dumps(one["lengths"])) for one in handles]

    @property
    def fixed(self) -> Sequence[Mapping[str, Any]]:
        """What stands on the large picture and cannot be moved, where that can be seen."""
        if self.stage is None:
            return ()
        movable = {(one["pointer"], one["product"]) for one in self.stage["handles"]}
        return [
            one
            for one in self.stage["parts"]
            if (one["pointer"], one["product"]) not in movable and one["ink_box"] is not None
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """What somebody else published while a draft was written."""

    version: Mapping[str, Any] | None  # None: they deleted it
    lines: Sequence[Line]  # from theirs to the draft


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePage:
    """One template with its editor."""

    name: str
    template: Mapping[str, Any]
    text: str  # the draft, else what is in use
    etag: str  # of what the draft was made from
    seen: Seen | None  # None: not looked at yet, or it could not be
    panels: Sequence[Mapping[str, Any]]  # every display model
    may_write: bool
    once: str
    is_written: bool = False  # the text is what somebody typed, and not what is in use
    wrong: Wrong | None = None
    theirs: Theirs | None = None
    data_words: Mapping[str, str] = field(default_factory=lambda: DATA_WORDS)
    snaps: Sequence[int] = SNAPS

    @property
    def help(self) -> LanguageHelp:
        """What stands beside the editor."""
        return language_help()

    @property
    def is_own(self) -> bool:
        """Say whether it is the store's, and can be changed."""
        return not self.template["gallery"]


@router.get("/templates/{template}")
async def template_page(template: str, frame: Framed, api: Api) -> Response:
    """Show a template in its editor."""
    return await draw_page(frame, api, template)


@router.post("/templates/{template}/draft")
async def see_draft(
    template: str,
    request: Request,
    frame: Framed,
    api: Api,
    ask: Annotated[Literal["no", "publish"], Query()] = "no",
) -> Response:
    """Look at what is written; with ``ask``, say what publishing it would do."""
    form = (await receive_sample(request)).form
    text, shown = _text(form), _shown(form)
    if request.headers.get("hx-request") is None:
        return await draw_page(frame, api, template, form=form, is_asked=ask == "publish")
    try:
        seen = await _look_at(
            frame,
            api,
            template,
            text,
            shown,
            is_own=bool(form.text("version")),
            is_asked=ask == "publish",
        )
    except ApiProblem as problem:
        wrong = wrong_of(problem)
        piece = draw("template_refused", frame=frame, wrong=wrong)
        return HTMLResponse(piece, headers=dict(FORM_HEADERS))
    piece = draw("template_seen", frame=frame, called=template, seen=seen, **_words())
    return HTMLResponse(piece, headers=dict(FORM_HEADERS))


@router.get("/templates/{template}/used")
async def used(template: str, frame: Framed, api: Api) -> Response:
    """Say where it is used, as a piece of the page: it takes a look at every label."""
    at = f"/api/v1/stores/{part(frame.store_id)}/template-rules"
    rules = (await api.get(at))["rules"]
    answer = await api.send("POST", f"{at}/preview", {"rules": rules})
    by_rule = [one for one in answer.json()["rules"] if one["template"] == template]
    piece = draw("template_used", frame=frame, used=by_rule)
    return HTMLResponse(piece, headers=dict(FORM_HEADERS))


@router.post("/templates/{template}/publish")
async def publish(template: str, request: Request, frame: Framed, api: Api) -> Response:
    """Publish what is written: the labels that are drawn with it follow at once."""
    form = (await receive_sample(request)).form
    seen = form.text("seen")
    headers = {**form.once, **({"If-Match": seen} if seen else {})}
    try:
        answer = await api.send("PUT", _at(frame, template), {"text": _text(form)}, headers=headers)
    except ApiProblem as problem:
        return await draw_page(frame, api, template, form=form, problem=problem)
    done = answer.json()
    before = form.text("version")
    undo = None
    if before.isdigit() and int(before) < done["version"]:
        fields = {"version": before, "undoes": "yes"}
        undo = Undo(path=f"/templates/{part(template)}/restore", fields=fields)
    return go_on(frame.at(f"/templates/{part(template)}"), published_words(done), undo=undo)


def published_words(done: Mapping[str, Any]) -> str:
    """Say that a version was published, and to how many labels it comes."""
    return say_many(
        "Version %(version)s is published; %(num)s label is redrawn.",
        "Version %(version)s is published; %(num)s labels are redrawn.",
        done["labels"],
        version=done["version"],
    )


def _at(frame: Frame, template: str) -> str:
    return f"/api/v1/stores/{part(frame.store_id)}/templates/{part(template)}"


def _words() -> dict[str, Any]:
    return {"data_words": DATA_WORDS, "snaps": SNAPS}


def _text(form: Form) -> str:
    return form.fields.get("text", "")


def _shown(form: Form) -> Shown:
    panel, _, data = (form.text("to") or form.text("stage")).partition("/")
    snap = form.text("snap")
    return Shown(
        panel=panel[:64],
        data=data if data in DATA_WORDS else "sample",
        also=form.text("also")[:64],
        snap=int(snap) if snap.isdigit() and int(snap) in SNAPS else USUAL_SNAP,
    )


async def draw_page(
    frame: Frame,
    api: OwnApi,
    template: str,
    *,
    form: Form | None = None,
    problem: ApiProblem | None = None,
    is_asked: bool = False,
) -> Response:
    """Draw a template's page: as it is in use, or as a form of it was sent."""
    at = _at(frame, template)
    found, etag = await _in_use(api, at, form)
    panels = (await api.get("/api/v1/panels", limit=PANELS_MOST))["panels"]
    text = found["text"] if form is None else _text(form)
    wrong = wrong_of(problem) if problem is not None else None
    theirs = None
    if problem is not None and problem.status == HTTPStatus.PRECONDITION_FAILED:
        newest = next(iter(found["versions"]), None)
        theirs = Theirs(version=newest, lines=changes_between(found["text"], text))
    elif form is not None:
        etag = form.text("seen") or etag
    seen = None
    if form is not None:  # else the page comes at once, and asks for its pictures itself
        try:
            is_own = not found["gallery"]
            seen = await _look_at(
                frame, api, template, text, _shown(form), is_own=is_own, is_asked=is_asked
            )
        except ApiProblem as refused:
            wrong = wrong or wrong_of(refused)
    page = TemplatePage(
        name=template,
        template=found,
        text=text,
        etag=etag,
        seen=seen,
        panels=panels,
        may_write=frame.may(Scope.TEMPLATE_WRITE),
        once=new_key(),
        is_written=form is not None,
        wrong=wrong,
        theirs=theirs,
    )
    status = problem.status if problem is not None else HTTPStatus.OK
    return show("template", frame, status=status, page=page, **_words())


async def _in_use(api: OwnApi, at: str, form: Form | None) -> tuple[Mapping[str, Any], str]:
    """Return the template as it is in use, and its version for whoever edits it."""
    try:
        answer = await api.send("GET", at)
    except ApiProblem as problem:
        if form is None or problem.status != HTTPStatus.NOT_FOUND:
            raise
        # Somebody has deleted it while another wrote: what they wrote stays on the page.
        return {"text": "", "gallery": False, "version": None, "versions": []}, ""
    return answer.json(), answer.headers.get("etag", "")


async def _look_at(
    frame: Frame,
    api: OwnApi,
    template: str,
    text: str,
    shown: Shown,
    *,
    is_own: bool,
    is_asked: bool,
) -> Seen:
    at = f"{_at(frame, template)}/preview"
    body: dict[str, Any] = {"text": text, "labels": is_asked}
    answers = [api.send("POST", at, body)]
    if shown.also:
        answers.append(api.send("POST", at, {"text": text, "panels": [shown.also]}))
    draft, *more = [answer.json() for answer in await asyncio.gather(*answers)]
    for one in more:
        known = {(picture["panel"], picture["data"]) for picture in draft["pictures"]}
        draft["pictures"] += [
            picture
            for picture in one["pictures"]
            if (picture["panel"], picture["data"]) not in known
        ]
        draft["problems"] += [
            problem for problem in one["problems"] if problem not in draft["problems"]
        ]
    wanted = (shown.panel, shown.data)
    pictures: Sequence[Mapping[str, Any]] = draft["pictures"]
    stage = next(
        (one for one in pictures if (one["panel"], one["data"]) == wanted),
        next(iter(pictures), None),
    )
    return Seen(
        draft=draft,
        stage=stage,
        shown=shown,
        length=len(text),
        is_asked=is_asked and draft["savable"],
        may_write=is_own and frame.may(Scope.TEMPLATE_WRITE),
        once=new_key(),
    )
