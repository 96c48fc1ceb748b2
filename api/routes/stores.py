"""Stores and their gateways."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors, openapi
from api.auth import Asker, TheHouse
from api.edits import Edited, Read
from esl.domain.access import Scope
from esl.intake.place_json import parse_store, store_view
from esl.intake.source_json import GuardsPut, parse_store_guards
from esl.services import access, catalogue, guarding
from esl.store import places
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1", tags=["stores"])


@router.put("/stores/{store}", openapi_extra=openapi.STORE)
async def put_store(
    store: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Add a store, or change it; its labels follow. Without ``guards`` its limits stay."""
    store_id = doors.store_id(store)
    who.require(Scope.STORE_ADMIN)
    value, body = await doors.read_json(request)
    put: GuardsPut | None = None
    if isinstance(value, dict) and "guards" in value:
        put = parse_store_guards(value["guards"], "/guards")
        value = {name: each for name, each in value.items() if name != "guards"}
    new = parse_store(value, store_id=store_id)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: store_view(places.store_named(tx, store_id)))
        now = house.clock.now()
        touched = catalogue.put_store(tx, new, now)
        if put is not None:
            guarding.put_guards(
                tx, store_id, put.guards, now, actor=who.name, reason=put.reason, path="/guards"
            )
        return store_view(new), Notice(labels=touched)

    return await doors.change(house, request, who, body, work)


@router.get("/stores")
async def list_stores(house: TheHouse, who: Asker) -> dict[str, Any]:
    """List the stores the asker may see."""

    def query(tx: Connection) -> list[dict[str, Any]]:
        open_to = set(access.stores_open_to(tx, who))
        return [store_view(s) for s in places.all_stores(tx) if s.store_id in open_to]

    return {"stores": await doors.read(house, query)}


@router.get("/stores/{store}")
async def get_store(store: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Return a store; its limits, policy, till, zone and rules have addresses below it."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    return reading.of(store_view(await doors.store_for(house, store_id)))


@router.get("/stores/{store}/gateways")
async def list_gateways(store: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """List a store's gateways and whether each is on the line."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    online = house.online()
    found, keys = await doors.read(
        house, lambda tx: (places.list_gateways(tx, store_id), places.enrolled_keys(tx))
    )
    return {
        "gateways": [
            {
                "gateway": g.gateway_id,
                "online": g.gateway_id in online,
                "heard_at": g.heard_at,
                "level": g.level,
                "firmware": g.firmware,
                "capacity": g.capacity,
                "enrolled_keys": keys.get(g.gateway_id, []),
            }
            for g in found
        ]
    }
