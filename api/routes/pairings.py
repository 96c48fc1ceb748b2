"""Pairings put right: a label replaced, a step undone, and what was done to labels."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_shelf
from api.auth import Asker, TheHouse
from api.pairing_views import step_view
from api.panel_fit import PanelFit
from esl.domain.access import Scope
from esl.domain.ids import LabelId
from esl.intake.shelf_json import parse_replacement
from esl.intake.strict_json import MAX_INTEGER
from esl.services import repairing
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["pairings"])


class StepsPage(BaseModel, extra="forbid"):
    """Which steps: of one label or all, and the number of the oldest one of the page before."""

    label: str | None = Field(default=None, pattern=r"^[a-z0-9-]{1,64}$")
    before: int | None = Field(default=None, ge=1, le=MAX_INTEGER)
    limit: int = Field(default=100, ge=1, le=1000)


@router.post("/replacements", openapi_extra=openapi_shelf.REPLACEMENT)
async def replace_label(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Let a new label take the products and the place of a broken one, which leaves the shop."""
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    value, body = await doors.read_json(request)
    broken, new = parse_replacement(value)
    fit = PanelFit(house)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        touched = repairing.replace_label(tx, store_id, broken, new, now, actor=who.name)
        if touched:
            fit.check(tx, [new])
        return {"replaced": bool(touched)}, Notice(labels=touched)

    async with fit.explained():
        return await doors.change(house, request, who, body, work)


@router.get("/pairing-steps")
async def list_steps(
    store: str, house: TheHouse, who: Asker, page: Annotated[StepsPage, Query()]
) -> dict[str, Any]:
    """List what was done to labels, the newest first: who, when, from what to what, how it ended.

    ``ended`` is ``confirmed`` only once the glass reported it. ``before`` of the answer goes into
    the next request.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    found = await doors.read(
        house,
        lambda tx: repairing.history(
            tx,
            store_id,
            label_id=LabelId(page.label) if page.label is not None else None,
            before=page.before,
            limit=page.limit,
        ),
    )
    more = found[-1][0].event_id if len(found) == page.limit else None
    return {"steps": [step_view(event, ended) for event, ended in found], "before": more}


@router.get("/pairing-steps/{step}")
async def get_step(
    store: str,
    step: Annotated[int, Path(ge=1, le=MAX_INTEGER)],
    house: TheHouse,
    who: Asker,
) -> dict[str, Any]:
    """Return one step that was done to a label, and how it ended."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    event, ended = await doors.read(house, lambda tx: repairing.step_named(tx, store_id, step))
    return step_view(event, ended)


@router.post("/pairing-steps/{step}/undo", openapi_extra=openapi_shelf.UNDO)
async def undo_step(
    store: str,
    step: Annotated[int, Path(ge=1, le=MAX_INTEGER)],
    request: Request,
    house: TheHouse,
    who: Asker,
) -> Response:
    """Take a step back within ten minutes, as if it had not been.

    Refused with the reason where it is too late, or something else was done to the label since.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    body = await doors.read_nothing(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        touched = repairing.undo_step(tx, store_id, step, house.clock.now(), actor=who.name)
        return {"undone": len(touched), "labels": list(touched)}, Notice(labels=touched)

    return await doors.change(house, request, who, body, work)
