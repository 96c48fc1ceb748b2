"""One label close up: what it should show, what it showed before, its battery, and once more."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_intake
from api.auth import Asker, TheHouse
from api.pictures_out import PngResponse
from api.rendering import View, render_label
from api.template_checks import read_template, template_text
from api.turns import drawing_turn
from esl.domain.access import Scope
from esl.domain.errors import NotFound
from esl.intake.source_json import parse_reason
from esl.services import deliveries
from esl.services.resending import resend
from esl.store.due_labels import DueLabel
from esl.store.label_past import Battery, Display, batteries_of, displays_of
from gateway.worker import Notice
from renderer.render import Renderer

router = APIRouter(prefix="/api/v1", tags=["labels"])

PAGE_MOST = 400
_NUMBER_MOST = 2**53 - 1
_DAYS_MOST = 400


class DisplayPage(BaseModel, extra="forbid"):
    """Which pictures."""

    before: int = Field(
        default=_NUMBER_MOST, ge=1, le=_NUMBER_MOST, description="“before” of the page before."
    )
    limit: int = Field(default=50, ge=1, le=PAGE_MOST)


class Days(BaseModel, extra="forbid"):
    """How far back."""

    days: int = Field(default=_DAYS_MOST, ge=1, le=_DAYS_MOST)


@router.get("/labels/{label}/displays")
async def list_displays(
    label: str, house: TheHouse, who: Asker, page: Annotated[DisplayPage, Query()]
) -> dict[str, Any]:
    """List the pictures that a label reported to show, the newest first.

    ``picture`` is its address for as long as the picture is kept; what is proven of a moment says
    ``GET …/shown``.
    """
    label_id = doors.label_id(label)

    def query(tx: Connection) -> list[Display]:
        doors.label_for(tx, who, Scope.LABEL_READ, label_id)
        return displays_of(tx, label_id, before=page.before, most=page.limit)

    found = await doors.read(house, query)
    more = found[-1].entry_id if len(found) == page.limit else None
    return {"displays": [_display_view(label_id, one) for one in found], "before": more}


@router.get("/labels/{label}/batteries")
async def get_batteries(
    label: str, house: TheHouse, who: Asker, which: Annotated[Days, Query()]
) -> dict[str, Any]:
    """List the first voltage that a label reported of its battery on each day (in UTC)."""
    label_id = doors.label_id(label)
    since = (house.clock.now() - timedelta(days=which.days)).date()

    def query(tx: Connection) -> list[Battery]:
        doors.label_for(tx, who, Scope.LABEL_READ, label_id)
        return list(batteries_of(tx, label_id, since=since))

    found = await doors.read(house, query)
    return {
        "batteries": [
            {
                "day": one.on_day.isoformat(),
                "millivolts": one.millivolts,
                "temperature_c": one.temperature_c,
            }
            for one in found
        ]
    }


@router.get("/labels/{label}/wanted.png", response_class=PngResponse)
async def get_wanted(label: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Draw what a label should show now, in ink colours, whatever it shows.

    Refused as its picture would be, with the reason, where it cannot be drawn.
    """
    label_id = doors.label_id(label)

    def query(tx: Connection) -> tuple[DueLabel, str, Mapping[str, bytes]] | None:
        doors.label_for(tx, who, Scope.LABEL_READ, label_id)
        [due] = deliveries.load(tx, [label_id])
        if due.face is None or due.template is None:
            return None
        return due, *template_text(tx, house, due.store_id, due.template.name, None)

    found = await doors.read(house, query)
    if found is None:
        raise NotFound("this label has nothing to show: it has no product, or that has no price")
    due, text, pngs = found

    def draw() -> bytes:
        assert due.face is not None  # noqa: S101  asked above
        template = read_template(text, dict(pngs))
        renderer = Renderer(fonts=house.fonts, products_kept=1)
        return render_label(
            renderer, template, house.panels.named(due.panel_id), due.face, View()
        ).png

    async with drawing_turn(request):
        return PngResponse(await asyncio.to_thread(draw))


@router.post("/stores/{store}/labels/{label}/resend", openapi_extra=openapi_intake.MAYBE_REASON)
async def resend_picture(
    store: str, label: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Send a label its picture once more, whole, though it reported to show it.

    A label that holds just this picture may report without painting again: it is the label's to
    know its glass. What changes nothing by this is a label to be replaced.
    """
    store_id, label_id = doors.store_id(store), doors.label_id(label)
    who.require(Scope.LABEL_PAIR, store_id)
    value, body = await doors.read_fields(request)
    reason = parse_reason(value, required=False)
    await doors.store_for(house, store_id)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        touched = resend(tx, store_id, label_id, now, actor=who.name, reason=reason)
        return {"sent_again": len(touched)}, Notice(labels=touched)

    return await doors.change(house, request, who, body, work)


def _display_view(label_id: str, one: Display) -> dict[str, Any]:
    return {
        "display": one.entry_id,
        "rev": one.rev,
        "digest": one.digest,
        "picture": f"/api/v1/labels/{label_id}/frames/{one.digest}.png",
        "gateway": one.gateway_id,
        "template": one.template,
        "sent_at": one.sent_at,
        "painted_at": one.painted_at,
        "reported_at": one.reported_at,
    }
