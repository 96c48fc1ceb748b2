"""Inspections: a sample to walk with, what is seen of each label, and how the shop does."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_inspections
from api.auth import Asker, TheHouse
from api.schemas import money
from esl.domain.access import Scope
from esl.domain.inspection import Counted, Inspection, Item, count_seen
from esl.domain.instants import instant_text
from esl.domain.shelf_report import PASSES_AT
from esl.intake.inspection_json import parse_begin, parse_look
from esl.services import inspecting
from esl.store import inspections
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}/inspections", tags=["audit"])

_SEEDS = 1_000_000
_NUMBER_MOST = 2**53 - 1


class InspectionPage(BaseModel, extra="forbid"):
    """Which inspections."""

    before: int | None = Field(
        default=None, ge=1, le=_NUMBER_MOST, description="“before” of the page before this one"
    )
    limit: int = Field(default=50, ge=1, le=200)


@router.post("", openapi_extra=openapi_inspections.BEGIN)
async def begin_inspection(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Draw a sample to walk with, in walking order, with the prices of this moment."""
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    value, body = await doors.read_fields(request)
    asked = parse_begin(value)
    seed = secrets.randbelow(_SEEDS) if asked.seed is None else asked.seed
    currency = (await doors.store_for(house, store_id)).currency

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        made, items = inspecting.begin(
            tx, store_id, house.clock.now(), size=asked.size, seed=seed, by=who.name
        )
        return _whole_view(made, items, currency), Notice()

    return await doors.change(house, request, who, body, work)


@router.get("")
async def list_inspections(
    store: str, house: TheHouse, who: Asker, page: Annotated[InspectionPage, Query()]
) -> dict[str, Any]:
    """List inspections, the newest first, with how each went."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)

    def query(tx: Connection) -> list[dict[str, Any]]:
        found = inspections.inspections_of(tx, store_id, before=page.before, most=page.limit)
        items = inspections.items_of(tx, [one.inspection_id for one in found])
        return [
            _view(one, count_seen([item.seen for item in items[one.inspection_id]]))
            for one in found
        ]

    views = await doors.read(house, query)
    more = views[-1]["inspection"] if len(views) == page.limit else None
    return {"inspections": views, "before": more}


@router.get("/{inspection}")
async def get_inspection(
    store: str, inspection: str, house: TheHouse, who: Asker
) -> dict[str, Any]:
    """Return an inspection with its items, in walking order."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    number = doors.number(inspection, "inspection")
    currency = (await doors.store_for(house, store_id)).currency

    def query(tx: Connection) -> dict[str, Any]:
        one = inspections.inspection_named(tx, store_id, number)
        return _whole_view(one, inspections.items_of(tx, [number])[number], currency)

    return await doors.read(house, query)


@router.put("/{inspection}/items/{item}", openapi_extra=openapi_inspections.LOOK)
async def put_seen(
    store: str, inspection: str, item: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Say what was seen of an item; once more corrects it, and null takes it back."""
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    number, place = doors.number(inspection, "inspection"), doors.number(item, "item")
    value, body = await doors.read_json(request)
    currency = (await doors.store_for(house, store_id)).currency
    look = parse_look(value, currency=currency)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        seen, counted = inspecting.see(
            tx,
            store_id,
            number,
            place,
            house.clock.now(),
            seen=look.seen,
            seen_minor=look.seen_minor,
            note=look.note,
            by=who.name,
        )
        return _item_view(seen, currency) | {"counts": _counts(counted)}, Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/{inspection}/end", openapi_extra=openapi_inspections.END)
async def end_inspection(
    store: str, inspection: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """End an inspection: what was seen stays as it is."""
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    number = doors.number(inspection, "inspection")
    body = await doors.read_nothing(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        one, items = inspecting.end(tx, store_id, number, house.clock.now(), by=who.name)
        return _view(one, count_seen([item.seen for item in items])), Notice()

    return await doors.change(house, request, who, body, work)


def _whole_view(one: Inspection, items: list[Item], currency: str) -> dict[str, Any]:
    return _view(one, count_seen([item.seen for item in items])) | {
        "currency": currency,
        "items": [_item_view(item, currency) for item in items],
    }


def _view(one: Inspection, counted: Counted) -> dict[str, Any]:
    return {
        "inspection": one.inspection_id,
        "store": one.store_id,
        "size": one.size,
        "seed": one.seed,
        "begun_at": instant_text(one.begun_at),
        "begun_by": one.begun_by,
        "ended_at": instant_text(one.ended_at) if one.ended_at else None,
        "counts": _counts(counted),
    }


def _counts(counted: Counted) -> dict[str, Any]:
    return {
        "items": counted.items,
        "done": counted.done,
        **{seen.value: count for seen, count in counted.seen.items()},
        "percent_right": _percent(counted.right_hundredths),
        "must_be_right_percent": _percent(PASSES_AT),
        "passes": counted.passes,
    }


def _percent(hundredths: int | None) -> str | None:
    return None if hundredths is None else f"{hundredths // 100}.{hundredths % 100:02}"


def _item_view(item: Item, currency: str) -> dict[str, Any]:
    return {
        "item": item.number,
        "label": item.label_id,
        "sku": item.sku,
        "name": item.name,
        "place": item.place,
        "shelf": money(item.shelf_minor, currency),
        "till": money(item.till_minor, currency),
        "seen": item.seen,
        "price": money(item.seen_minor, currency),
        "note": item.note,
        "seen_at": instant_text(item.seen_at) if item.seen_at else None,
        "seen_by": item.seen_by,
    }
