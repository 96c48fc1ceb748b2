"""What is wrong in a store and what to do about it, and labels to be taken off the shelf."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.console.acting import Sent, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.problem_words import with_titles
from esl.domain.access import Scope

router = APIRouter(include_in_schema=False)

PROBLEMS_MOST: Final = 100
TASKS_MOST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemsPage:
    """What is wrong in a store."""

    problems: Sequence[Mapping[str, Any]]
    more: str | None  # the address of the next page
    also_ended: bool
    other: str  # the address of the same with, or without, those that are over
    tasks: Sequence[Mapping[str, Any]]
    may_end: bool
    once: str
    wrong: Wrong | None = None


@router.get("/problems")
async def problems_page(
    frame: Framed,
    api: Api,
    after: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0,
    ended: Annotated[bool, Query()] = False,  # noqa: FBT002  a query's parameter
) -> Response:
    """Show what is wrong, or was until lately."""
    return show("problems", frame, page=await _look(frame, api, after=after, also_ended=ended))


@router.post("/problems/taken-off")
async def taken_off(frame: Framed, api: Api, form: Sent) -> Response:
    """Say that a label was taken off the shelf."""
    at = f"/api/v1/stores/{part(frame.store_id)}/remove-tasks"
    try:
        done = await api.send(
            "POST", f"{at}/{part(form.text('task') or '0')}/done", headers=form.once
        )
    except ApiProblem as problem:
        page = await _look(frame, api, wrong=wrong_of(problem))
        return show("problems", frame, status=problem.status, page=page)
    label = done.json()["label"]
    return go_on(frame.at("/problems"), say("%(label)s is off the shelf.", label=label))


async def _look(
    frame: Frame,
    api: OwnApi,
    *,
    after: int = 0,
    also_ended: bool = False,
    wrong: Wrong | None = None,
) -> ProblemsPage:
    at = f"/api/v1/stores/{part(frame.store_id)}"
    asked = {"after": after, "limit": PROBLEMS_MOST, "also_ended": "true" if also_ended else ""}
    listed, tasks = await asyncio.gather(
        api.get(f"{at}/problems", **asked), api.get(f"{at}/remove-tasks", limit=TASKS_MOST)
    )
    kept = "true" if also_ended else ""
    return ProblemsPage(
        problems=with_titles(listed["problems"]),
        more=frame.at("/problems", after=listed["after"], ended=kept) if listed["after"] else None,
        also_ended=also_ended,
        other=frame.at("/problems", ended="" if also_ended else "true"),
        tasks=tasks["tasks"],
        may_end=frame.may(Scope.LABEL_PAIR),
        once=new_key(),
        wrong=wrong,
    )
