"""Where labels hang: rows of a planogram, the place where somebody stands, and the walk."""

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_shelf
from api.auth import Asker, TheHouse
from api.edits import Edited, Read
from api.pairing_views import taken_view
from esl.domain.access import Scope
from esl.domain.ids import StoreId
from esl.domain.shelf_place import Walk
from esl.intake.shelf_json import CODE_LONGEST, parse_current_place, parse_places, parse_walk
from esl.services import placing
from esl.store import audit, shelf_places
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["places"])


class CodePage(BaseModel, extra="forbid"):
    """Which shelf codes: after which one, and how many at most."""

    after: str = Field(default="", max_length=CODE_LONGEST)
    limit: int = Field(default=1000, ge=1, le=10_000)


@router.get("/shelf-codes")
async def list_shelf_codes(
    store: str, house: TheHouse, who: Asker, page: Annotated[CodePage, Query()]
) -> dict[str, Any]:
    """List the codes on shelves and the place that each stands for, by code.

    For devices that scan without a connection: what is no shelf's code is a label's or a product's.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    found = await doors.read(
        house,
        lambda tx: shelf_places.list_codes(tx, store_id, after=page.after, limit=page.limit),
    )
    return {
        "shelf_codes": [{"code": code, "place": place} for code, place in found],
        "after": found[-1][0] if len(found) == page.limit else None,
    }


@router.post("/places", openapi_extra=openapi_shelf.PLACES)
async def take_places(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Hang labels where a planogram says, row by row; with ``dry_run`` only say what would be.

    A row names the label, or the product that one label alone speaks for. A row with a ``code``
    says which shelf a scanned code is. The same rows again change nothing.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    value, body = await doors.read_json(request)
    asked = parse_places(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        taken = placing.take_places(
            tx, store_id, asked.rows, house.clock.now(), actor=who.name, dry_run=asked.dry_run
        )
        return taken_view(taken, dry_run=asked.dry_run), Notice(labels=taken.labels)

    if asked.dry_run:
        answer = await doors.read(house, lambda tx: work(tx)[0])
        return Response(json.dumps(answer), media_type="application/json")
    return await doors.change(house, request, who, body, work, items=len(asked.rows))


@router.get("/current-place")
async def get_current_place(store: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say where the asker stands: the place of the labels that they pair from now on."""
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    since = house.clock.now() - placing.STANDS_FOR
    found = await doors.read(
        house, lambda tx: shelf_places.stands_at(tx, store_id, who.name, since=since)
    )
    return _standing(*found) if found is not None else _standing(None, None)


@router.put("/current-place", openapi_extra=openapi_shelf.CURRENT_PLACE)
async def put_current_place(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Stand at a place, or at a shelf whose code was scanned, for eight hours; or nowhere."""
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    value, body = await doors.read_json(request)
    asked = parse_current_place(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        place = asked.place
        if asked.code is not None:
            place = placing.place_scanned(tx, store_id, asked.code)
        shelf_places.stand_at(tx, store_id, who.name, place, now)
        return {"place": place}, Notice()

    return await doors.change(house, request, who, body, work)


@router.get("/walk")
async def get_walk(store: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Say how the store is walked: in which order its places come."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    walk = await doors.read(house, lambda tx: shelf_places.walk_of(tx, store_id))
    return reading.of(_walk_view(walk))


@router.put("/walk", openapi_extra=openapi_shelf.WALK)
async def put_walk(
    store: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Say how the store is walked: straight or in serpentines, and what comes first."""
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    value, body = await doors.read_json(request)
    walk = parse_walk(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: _walk_view(shelf_places.walk_of(tx, store_id)))
        _put_walk(tx, store_id, walk, house.clock.now(), actor=who.name)
        return _walk_view(walk), Notice()

    return await doors.change(house, request, who, body, work)


def _put_walk(tx: Connection, store_id: StoreId, walk: Walk, now: datetime, *, actor: str) -> None:
    shelf_places.put_walk(tx, store_id, walk)
    audit.note(
        tx,
        now,
        actor=actor,
        action="walk",
        subject=f"store/{store_id}",
        store_id=store_id,
        detail={"serpentine": walk.is_serpentine, "first": list(walk.first)},
    )


def _walk_view(walk: Walk) -> dict[str, Any]:
    return {"serpentine": walk.is_serpentine, "first": list(walk.first)}


def _standing(place: str | None, since: datetime | None) -> dict[str, Any]:
    return {"place": place, "since": since}
