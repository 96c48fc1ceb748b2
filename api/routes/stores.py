"""Stores and their gateways."""

from collections.abc import Set as AbstractSet
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection

from api import doors, openapi
from api.auth import Asker, TheHouse
from api.edits import Edited, Read
from api.paging import ShortPage, cut
from esl.domain.access import Scope
from esl.domain.errors import UnknownGateway
from esl.domain.ids import GatewayId
from esl.domain.place import Gateway, Store
from esl.intake.place_json import parse_store, store_view
from esl.intake.source_json import GuardsPut, parse_store_guards
from esl.services import access, catalogue, guarding
from esl.store import places
from esl.store.gateway_labels import Load, loads_of
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1", tags=["stores"])


class GatewayPage(ShortPage):
    """Which gateways."""

    online: bool | None = Field(default=None, description="Only those on the line, or off it.")


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
async def list_stores(
    house: TheHouse, who: Asker, page: Annotated[ShortPage, Query()]
) -> dict[str, Any]:
    """List the stores the asker may see, by id."""

    def query(tx: Connection) -> list[Store]:
        open_to = set(access.stores_open_to(tx, who))
        return [one for one in places.all_stores(tx) if one.store_id in open_to]

    found, after = cut(await doors.read(house, query), page, lambda one: one.store_id)
    return {"stores": [store_view(one) for one in found], "after": after}


@router.get("/stores/{store}")
async def get_store(store: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Return a store; its limits, policy, till, zone and rules have addresses below it."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    return reading.of(store_view(await doors.store_for(house, store_id)))


@router.get("/stores/{store}/gateways")
async def list_gateways(
    store: str, house: TheHouse, who: Asker, page: Annotated[GatewayPage, Query()]
) -> dict[str, Any]:
    """List a store's gateways by id: whether each is on the line, and how much it has to do."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    online = house.online()
    known, keys, loads = await doors.read(
        house,
        lambda tx: (
            places.list_gateways(tx, store_id),
            places.enrolled_keys(tx),
            loads_of(tx, store_id),
        ),
    )
    wanted = [one for one in known if page.online in (None, one.gateway_id in online)]
    found, after = cut(wanted, page, lambda one: one.gateway_id)
    views = [
        _gateway_view(one, online, keys.get(one.gateway_id, []), loads.get(one.gateway_id))
        for one in found
    ]
    return {"gateways": views, "after": after}


@router.get("/stores/{store}/gateways/{gateway}")
async def get_gateway(store: str, gateway: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return a gateway, and whether it is on the line."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    gateway_id = doors.gateway_id(gateway)
    found, keys, loads = await doors.read(
        house,
        lambda tx: (
            places.gateway_named(tx, gateway_id),
            places.enrolled_keys(tx),
            loads_of(tx, store_id),
        ),
    )
    if found.store_id != store_id:
        raise UnknownGateway(f"no gateway {gateway_id!r}")
    load = loads.get(gateway_id)
    return _gateway_view(found, house.online(), keys.get(gateway_id, []), load)


def _gateway_view(
    one: Gateway,
    online: AbstractSet[GatewayId],
    enrolled_keys: list[str],
    load: Load | None,
) -> dict[str, Any]:
    return {
        "gateway": one.gateway_id,
        "online": one.gateway_id in online,
        "heard_at": one.heard_at,
        "level": one.level,
        "firmware": one.firmware,
        "capacity": one.capacity,
        "enrolled_keys": enrolled_keys,
        "labels": load.labels if load is not None else 0,
        "waiting": load.waiting if load is not None else 0,
    }
