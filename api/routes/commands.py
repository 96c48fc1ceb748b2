"""Commands beside pictures: find labels by light, ask, set and update gateways."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors, openapi_orders
from api.auth import Asker, TheHouse
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput, UnknownCommand, UnknownGateway
from esl.domain.ids import GatewayId, StoreId
from esl.intake.order_json import (
    GatewayOrder,
    LightRequest,
    parse_firmware,
    parse_gateway_order,
    parse_light,
)
from esl.services import signals
from esl.services.signals import Order
from esl.store import commands, places
from gateway import signals as wire_orders
from gateway.signals import Light
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["commands"])

_BRIGHTEST = 0b11 << 6
_COLOURS = {
    "red": _BRIGHTEST | 0b00_00_11,
    "green": _BRIGHTEST | 0b00_11_00,
    "blue": _BRIGHTEST | 0b11_00_00,
    "yellow": _BRIGHTEST | 0b00_11_11,
    "white": _BRIGHTEST | 0b11_11_11,
}
_ON_OFF = bytes((0, 0, 0, 0, 0b10))  # one step on, one off
_STEP_MS = 250


@router.post("/lights", openapi_extra=openapi_orders.LIGHTS)
async def find_by_light(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Let labels blink, to be found. Labels that no gateway has heard are left out."""
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    value, body = await doors.read_json(request)
    wanted = parse_light(value)
    light = light_of(wanted)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        found = signals.labels_by_gateway(tx, store_id, wanted.labels)
        takes = places.payload_bytes_of(tx, found)
        orders = [
            order
            for g, here in sorted(found.items())
            for order in wire_orders.led_orders(g, here, light, payload_bytes=takes[g])
        ]
        keys = signals.order(tx, store_id, orders, house.clock.now())
        lit = sum(len(here) for here in found.values())
        return {"commands": keys, "labels": lit}, Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/gateways/{gateway}/commands", openapi_extra=openapi_orders.GATEWAY_COMMAND)
async def command_gateway(
    store: str, gateway: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Tell a gateway the time, change its settings, or ask what its labels show."""
    store_id, gateway_id = doors.store_id(store), doors.gateway_id(gateway)
    who.require(Scope.GATEWAY_ENROL, store_id)
    value, body = await doors.read_json(request)
    await doors.store_for(house, store_id)
    order = _order(gateway_id, parse_gateway_order(value))
    return await _send(house, request, who, body, [order], store_id=store_id)


@router.post("/gateways/{gateway}/firmware", openapi_extra=openapi_orders.FIRMWARE)
async def update_firmware(
    store: str, gateway: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Send a firmware image to a gateway, for itself or for its labels of a panel model."""
    store_id, gateway_id = doors.store_id(store), doors.gateway_id(gateway)
    who.require(Scope.GATEWAY_ENROL, store_id)
    value, body = await doors.read_json(request)
    await doors.store_for(house, store_id)
    wanted = parse_firmware(value)
    if wanted.target != "gateway" and wanted.target not in house.panels:
        raise InvalidInput.at("/target", "neither “gateway” nor a panel model")
    takes = await doors.read(house, lambda tx: places.payload_bytes_of(tx, [gateway_id]))
    orders = wire_orders.firmware_orders(
        gateway_id,
        target=wanted.target,
        version=wanted.version,
        image=wanted.image,
        at=wanted.at,
        payload_bytes=takes.get(gateway_id),
    )
    return await _send(house, request, who, body, orders, store_id=store_id)


@router.get("/commands/{command}")
async def get_command(store: str, command: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say what became of a command: waiting, sent, accepted, failed or expired."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    if not command.isascii() or not command.isdecimal() or len(command) > 15:  # noqa: PLR2004  53 bits
        raise UnknownCommand("the store has no such command")
    found = await doors.read(
        house, lambda tx: commands.command_numbered(tx, store_id, int(command))
    )
    return {
        "command": found.command_key,
        "gateway": found.gateway_id,
        "kind": found.kind,
        "state": found.state,
        "detail": found.detail or None,
        "attempts": found.attempts,
        "asked_at": found.asked_at,
        "expires_at": found.expires_at,
    }


async def _send(
    house: TheHouse,
    request: Request,
    who: Asker,
    body: bytes,
    orders: Sequence[Order],
    *,
    store_id: StoreId,
) -> Response:
    gateway_id = orders[0].gateway_id

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        if places.stores_of_gateways(tx, [gateway_id]).get(gateway_id) != store_id:
            raise UnknownGateway(f"store {store_id!r} has no gateway {gateway_id!r}")
        return {"commands": signals.order(tx, store_id, orders, house.clock.now())}, Notice()

    return await doors.change(house, request, who, body, work)


def _order(gateway_id: GatewayId, wanted: GatewayOrder) -> Order:
    match wanted.kind:
        case "time":
            return wire_orders.time_order(gateway_id)
        case "report":
            return wire_orders.report_order(gateway_id, [])
        case _:
            return wire_orders.config_order(
                gateway_id,
                beacon_s=wanted.beacon_s,
                heartbeat_s=wanted.heartbeat_s,
                window=wanted.window,
            )


def light_of(wanted: LightRequest) -> Light:
    """Say on the wire how labels are to blink."""
    return Light(
        colour=_COLOURS[wanted.colour],
        pattern=_ON_OFF,
        on_ms=_STEP_MS,
        off_ms=_STEP_MS,
        repeats=wanted.seconds * 1000 // (2 * _STEP_MS),
    )
