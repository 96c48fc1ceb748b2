"""Stores and their gateways."""

import asyncio
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors, openapi
from api.auth import Asker, TheHouse
from api.keys import key_ring
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput
from esl.domain.mqtt_in import ROOT as IN_TOPICS
from esl.intake.fields import Fields
from esl.intake.place_json import parse_store
from esl.intake.source_json import GuardsPut, parse_store_guards
from esl.services import access, catalogue, guarding
from esl.store import places
from gateway.wire.enrolment import Enrolment, enrolment_keys, to_json
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1", tags=["stores"])

_OF_TILLS = IN_TOPICS.rpartition("/")[2]


@router.put("/stores/{store}", openapi_extra=openapi.STORE)
async def put_store(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
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
        now = house.clock.now()
        touched = catalogue.put_store(tx, new, now)
        if put is not None:
            guarding.put_guards(
                tx, store_id, put.guards, now, actor=who.name, reason=put.reason, path="/guards"
            )
        return asdict(new), Notice(labels=touched)

    return await doors.change(house, request, who, body, work)


@router.get("/stores")
async def list_stores(house: TheHouse, who: Asker) -> dict[str, Any]:
    """List the stores the asker may see."""

    def query(tx: Connection) -> list[dict[str, Any]]:
        open_to = set(access.stores_open_to(tx, who))
        return [asdict(s) for s in places.all_stores(tx) if s.store_id in open_to]

    return {"stores": await doors.read(house, query)}


@router.put("/stores/{store}/gateways/{gateway}", openapi_extra=openapi.GATEWAY)
async def enrol_gateway(
    store: str, gateway: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Add a gateway and return its enrolment file: broker, login, and the keys to trust.

    The answer holds the gateway's MQTT password. Asking again returns it again.
    """
    store_id, gateway_id = doors.store_id(store), doors.gateway_id(gateway)
    who.require(Scope.GATEWAY_ENROL, store_id)
    if gateway_id == _OF_TILLS:
        fix = f"Give the gateway another name: {IN_TOPICS}/… are the topics of tills."
        raise InvalidInput.at("/gateway", "a name that is taken", fix=fix)
    body = await request.body()
    if body:
        Fields((await doors.read_json(request))[0]).finish()
    await doors.store_for(house, store_id)
    # During a rotation a gateway is to believe two keys: `api.keys`.
    believed = await asyncio.to_thread(lambda: key_ring(house.settings.data_dir).believed())
    # The embedded broker knows one login. On any other broker each gateway has its own, named
    # like the gateway, and whoever runs the broker fills its password in.
    shared = house.broker_is_embedded
    enrolment = Enrolment(
        gateway=gateway_id,
        store=store_id,
        host=house.broker.host,
        port=house.broker.port,
        tls=house.broker.tls,
        username=(house.broker.username if shared else None) or gateway_id,
        password=(house.broker.password if shared else None) or "",
        keys=enrolment_keys(believed),
    )

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        places.put_gateway(tx, gateway_id, store_id)
        places.note_enrolment(tx, gateway_id, believed, house.clock.now())
        return {"gateway": gateway_id, "store": store_id}, Notice(gateways=True)

    await doors.change(house, request, who, body, work)
    house.let_in(gateway_id, store_id)
    return Response(to_json(enrolment), media_type="application/json")


@router.get("/stores/{store}/gateways")
async def list_gateways(store: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """List a store's gateways and whether each is on the line."""
    store_id = doors.store_id(store)
    who.require(Scope.LABEL_READ, store_id)
    await doors.store_for(house, store_id)
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
