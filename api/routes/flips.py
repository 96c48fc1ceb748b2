"""Prices that begin to hold together at a moment: plan, look, cancel; and prices that end."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_orders
from api.auth import Asker, TheHouse
from esl.domain.access import Scope
from esl.domain.errors import UnknownFlip
from esl.domain.label import SlotState
from esl.domain.staged import Flip, FlipKind, FlipState
from esl.intake.order_json import Withdrawn, parse_flip, parse_withdrawal
from esl.services import flips, withdrawals
from esl.services.flips import FlipStanding
from esl.store import flips as flip_rows
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["flips"])


class FlipPage(BaseModel, extra="forbid"):
    """Which flips."""

    after: int = Field(default=0, ge=0, le=2**53 - 1)
    limit: int = Field(default=100, ge=1, le=1000)


@router.post("/flips", openapi_extra=openapi_orders.FLIP)
async def plan_flip(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Plan prices for a moment. Labels get their pictures ahead of it, where they can."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_WRITE, store_id)
    value, body = await doors.read_json(request)
    currency = (await doors.store_for(house, store_id)).currency
    wanted = parse_flip(value, store_id=store_id, currency=currency)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        planned = flips.plan_flip(
            tx,
            store_id,
            wanted.at,
            wanted.changes,
            wanted.said,
            house.clock.now(),
            actor=who.name,
            panels=house.panels,
        )
        answer = {"flip": planned.flip_id, "labels": planned.labels, "staged": planned.staged}
        return answer, Notice()

    return await doors.change(house, request, who, body, work, items=len(wanted.changes))


@router.get("/flips")
async def list_flips(
    store: str, house: TheHouse, who: Asker, page: Annotated[FlipPage, Query()]
) -> dict[str, Any]:
    """List a store's flips by number."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    found = await doors.read(
        house,
        lambda tx: flip_rows.list_flips(tx, store_id, after=page.after, limit=page.limit),
    )
    more = found[-1].flip_id if len(found) == page.limit else None
    return {"flips": [_flip_view(flip) for flip in found], "after": more}


@router.get("/flips/{flip}")
async def get_flip(store: str, flip: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return a flip, and how far the pictures of its labels have come."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    number = _number(flip)
    standing = await doors.read(house, lambda tx: flips.standing_of(tx, store_id, number))
    return _standing_view(standing)


@router.delete("/flips/{flip}")
async def cancel_flip(
    store: str, flip: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Cancel a flip that has not begun.

    A label that may show it anyway is shown its present price anew, which outranks it.
    """
    store_id = await doors.enter(house, who, Scope.PRICE_WRITE, store)
    number = _number(flip)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        touched = flips.cancel_flip(tx, store_id, number, house.clock.now())
        return {"flip": number, "shown_again": len(touched)}, Notice(labels=touched)

    return await doors.change(house, request, who, b"", work)


@router.post("/withdrawals", openapi_extra=openapi_orders.WITHDRAWAL)
async def withdraw(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Take prices or whole products away; their labels show no price any more."""
    store_id = await doors.enter(house, who, Scope.PRICE_WRITE, store)
    value, body = await doors.read_json(request)
    wanted = parse_withdrawal(value)
    whole = wanted.what is Withdrawn.PRODUCT
    end = withdrawals.delist_products if whole else withdrawals.withdraw_prices

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        touched = end(tx, store_id, wanted.skus, house.clock.now(), actor=who.name)
        return {"products": len(wanted.skus), "labels": len(touched)}, Notice(labels=touched)

    return await doors.change(house, request, who, body, work, items=len(wanted.skus))


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 15:  # noqa: PLR2004  53 bits
        raise UnknownFlip("the store has no such flip")
    return int(text)


def _flip_view(flip: Flip) -> dict[str, Any]:
    return {
        "flip": flip.flip_id,
        "kind": FlipKind(flip.kind).name.lower(),
        "at": flip.show_at,
        "state": FlipState(flip.state).name.lower(),
        "planned_by": flip.actor,
        "planned_at": flip.planned_at,
        "ended_at": flip.ended_at,
        "rev": flip.rev,
        "detail": flip.detail or None,
    }


def _standing_view(standing: FlipStanding) -> dict[str, Any]:
    pictures = {state.name.lower(): standing.pictures.get(state, 0) for state in SlotState}
    return _flip_view(standing.flip) | {"pictures": pictures}
