"""Versions of a template: what differs between two, and going back to an older one, or deleting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.console.acting import Sent, Undo, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.template_designer import draw_page, published_words
from api.console.template_list import USUAL_PANEL
from api.console.text_changes import Line, changes_between
from esl.domain.access import Scope

router = APIRouter(include_in_schema=False)

VERSION_MOST: Final = 2**31 - 1
Version = Annotated[int, Query(ge=1, le=VERSION_MOST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePage:
    """Two versions of a template side by side."""

    name: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    lines: Sequence[Line]
    panel: str
    at: str  # of the API
    etag: str
    in_use: int
    back: Mapping[str, Any] | None  # what going back to the old one would do; None: not asked yet
    may_write: bool
    once: str
    wrong: Wrong | None = None


@router.get("/templates/{template}/compare")
async def compare(
    template: str,
    frame: Framed,
    api: Api,
    old: Version | None = None,
    new: Version | None = None,
    ask: Annotated[Literal["", "back"], Query()] = "",
) -> Response:
    """Show what differs between two versions: of the one in use from the one before, if not said.

    With ``ask`` it says what going back to the old one would do, which takes a look at every
    label.
    """
    page = await _look(frame, api, template, old, new, asks=ask == "back")
    return show("template_compare", frame, page=page)


@router.post("/templates/{template}/restore")
async def restore(template: str, frame: Framed, api: Api, form: Sent) -> Response:
    """Publish the text of an older version again, as the next one."""
    at, typed = _at(frame, template), form.text("version")
    version = int(typed) if typed.isascii() and typed.isdigit() else 0
    seen = form.text("seen")
    try:
        before = await _in_use(api, at)
        text = (await api.get(at, version=version))["text"]
        headers = {**form.once, **({"If-Match": seen} if seen else {})}
        answer = await api.send("PUT", at, {"text": text}, headers=headers)
    except ApiProblem as problem:
        wrong = wrong_of(problem)
        page = await _look(frame, api, template, version or None, None, asks=True, wrong=wrong)
        return show("template_compare", frame, status=problem.status, page=page)
    undo = None
    if before is not None and not form.has("undoes"):
        fields = {"version": str(before), "undoes": "yes"}
        undo = Undo(path=f"/templates/{part(template)}/restore", fields=fields)
    return go_on(
        frame.at(f"/templates/{part(template)}"), published_words(answer.json()), undo=undo
    )


@router.post("/templates/{template}/delete")
async def delete(template: str, frame: Framed, api: Api, form: Sent) -> Response:
    """Delete one of the store's own; its versions stay on record."""
    at = _at(frame, template)
    try:
        before = await _in_use(api, at)
        await api.send("DELETE", at, headers=form.once)
    except ApiProblem as problem:
        return await draw_page(frame, api, template, problem=problem)
    fields = {"version": str(before), "undoes": "yes"}
    undo = Undo(path=f"/templates/{part(template)}/restore", fields=fields) if before else None
    said = say("The template %(name)s is deleted; its versions are kept.", name=template)
    return go_on(frame.at("/templates"), said, undo=undo)


def _at(frame: Frame, template: str) -> str:
    return f"/api/v1/stores/{part(frame.store_id)}/templates/{part(template)}"


async def _in_use(api: OwnApi, at: str) -> int | None:
    """Return the version in use; None where it was deleted, or is the gallery's."""
    try:
        found: int | None = (await api.get(at))["version"]
    except ApiProblem as problem:
        if problem.status != 404:  # noqa: PLR2004
            raise
        return None
    return found


async def _look(
    frame: Frame,
    api: OwnApi,
    template: str,
    old: int | None,
    new: int | None,
    *,
    asks: bool,
    wrong: Wrong | None = None,
) -> ComparePage:
    at = _at(frame, template)
    answer = await api.send("GET", at)
    used = answer.json()
    in_use: int | None = used["version"]
    if in_use is None:
        raise ApiProblem(404, {"detail": say("A template of the gallery has no versions.")})
    if old is None:
        kept = [one["version"] for one in used["versions"] if not one["deleted"]]
        old = kept[min(1, len(kept) - 1)]
    before = await api.get(at, version=old)
    after = used if new in (None, in_use) else await api.get(at, version=new)
    back = None
    if asks and old != in_use and frame.may(Scope.TEMPLATE_WRITE):
        draft = {"text": before["text"], "labels": True}
        back = (await api.send("POST", f"{at}/preview", draft)).json()
    listed = await api.get(f"/api/v1/stores/{part(frame.store_id)}/templates", limit=1)
    return ComparePage(
        name=template,
        old=_version(before, old),
        new=_version(after, after["version"]),
        lines=changes_between(before["text"], after["text"]),
        panel=next(iter(listed["panels"]), USUAL_PANEL),
        at=at,
        etag=answer.headers.get("etag", ""),
        in_use=in_use,
        back=back,
        may_write=frame.may(Scope.TEMPLATE_WRITE),
        once=new_key(),
        wrong=wrong,
    )


def _version(found: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    return next(one for one in found["versions"] if one["version"] == number)
