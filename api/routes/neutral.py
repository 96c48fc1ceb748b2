"""The order that a store shows no prices, for emergencies."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors, openapi_intake
from api.auth import Asker, TheHouse
from esl.domain.access import Scope
from esl.domain.instants import instant_text
from esl.intake.source_json import parse_reason
from esl.services import neutral_orders
from esl.services.neutral_orders import NeutralStanding
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["neutral face"])


@router.get("/neutral")
async def get_neutral(store: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say whether a store was ordered to show no prices, how far its labels are, and who is not.

    ``estimate`` is what it costs to turn the store over from how it is now: labels, seconds on the
    air of the busiest gateway, and charge of the label that spends most.
    """
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    online, panels = house.online(), house.panels
    found = await doors.read(
        house,
        lambda tx: neutral_orders.standing_of(tx, store_id, online=online, panels=panels),
    )
    return _standing_view(found)


@router.put("/neutral", openapi_extra=openapi_intake.REASON)
async def order_neutral(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Let no label of a store show a price: each shows its neutral face, first in line.

    Prices are taken and kept. An order that holds already stays as it is.
    """
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_APPROVE, store_id)
    value, body = await doors.read_json(request)
    reason = parse_reason(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        order, told = neutral_orders.order_neutral(tx, store_id, now, actor=who.name, reason=reason)
        since = instant_text(order.since)
        content = {"neutral": True, "since": since, "reason": order.reason, "labels": len(told)}
        return content, Notice(labels=told)

    return await doors.change(house, request, who, body, work)


@router.delete("/neutral")
async def end_neutral(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Let a store show prices again: every label gets what holds by now."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_APPROVE, store_id)
    body = await doors.read_nothing(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        was, told = neutral_orders.end_neutral(tx, store_id, house.clock.now(), actor=who.name)
        return {"neutral": False, "was_neutral": was, "labels": len(told)}, Notice(labels=told)

    return await doors.change(house, request, who, body, work)


def _standing_view(found: NeutralStanding) -> dict[str, Any]:
    order = found.order
    return {
        "neutral": order is not None,
        "since": order.since if order is not None else None,
        "by": order.actor if order is not None else None,
        "reason": order.reason if order is not None else None,
        "sending_stopped": found.is_frozen,
        "labels": found.labels,
        "done": found.done,
        "on_their_way": found.on_their_way,
        "not_reached": found.not_reached,
        "reasons": dict(found.reasons),
        "behind": [
            {"label": one.label_id, "gateway": one.gateway_id, "reason": one.reason}
            for one in found.behind
        ],
        "estimate": asdict(found.estimate),
    }
