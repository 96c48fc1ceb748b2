"""What a label showed at a moment, and the proof of it."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors
from api.audit import proof
from api.audit.proof import Proof
from api.auth import Asker, TheHouse
from api.house import House
from api.routes.audit import instant_of
from esl.domain.access import Principal, Scope
from esl.domain.errors import InvalidInput, NotFound

router = APIRouter(prefix="/api/v1/labels/{label}", tags=["audit"])


class Moment(BaseModel, extra="forbid"):
    """When."""

    at: str | None = Field(
        default=None, max_length=40, description="2026-03-01T14:03:00Z; now, if left out"
    )


@router.get("/shown")
async def get_shown(
    label: str, house: TheHouse, who: Asker, moment: Annotated[Moment, Query()]
) -> dict[str, Any]:
    """Return what a label showed at a moment, how certain that is, and where it is sealed.

    ``shown_from`` and ``shown_until`` are intervals: a picture comes on the glass at some moment
    between being sent and being reported. ``chain`` is null until it is sealed, ``checkpoint``
    until one vouches for it; ``picture`` is null once it was pruned. ``published`` is what was
    signed of the payload that told the label so; null where that is not kept.
    """
    found = await _prove(label, house, who, moment)
    return proof.signed_answer(house, found)


@router.get(
    "/shown/bundle",
    response_model=None,
    responses={200: {"content": {"application/zip": {}}}},
)
async def get_bundle(
    label: str, house: TheHouse, who: Asker, moment: Annotated[Moment, Query()]
) -> Response:
    """Return the same as a zip with the picture, the records and a script that verifies it."""
    found = await _prove(label, house, who, moment)
    if found.answer["shown"] is None:
        raise NotFound(f"label {label!r} had reported nothing by then that is still written down")
    made = await asyncio.to_thread(proof.bundle, house, found)
    name = f"shown-{found.answer['label']}.zip"
    return Response(
        made,
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _prove(label: str, house: House, who: Principal, moment: Moment) -> Proof:
    label_id = doors.label_id(label)
    now = house.clock.now()
    at: datetime = instant_of(moment.at, "at") or now
    if at > now:
        raise InvalidInput.at("/at", "in the future", fix="Ask for a moment that has passed.")

    def query(tx: Connection) -> Proof:
        state = doors.label_for(tx, who, Scope.LABEL_READ, label_id)
        return proof.prove(tx, house, state, at)

    return await doors.read(house, query)
