"""Gateways come into a shop by a token, and leave it when their login is revoked.

The enrolment file is made in one place, for both ways of giving it to a gateway: by hand, from
``PUT …/gateways/{gateway}``, or fetched by the gateway itself with a one-time token.
"""

import asyncio
import secrets
from typing import Any

from fastapi import APIRouter, Request, Response
from msgspec import UNSET
from sqlalchemy import Connection

from api import doors, openapi_enrolments
from api.auth import Asker, TheHouse
from api.broker_access.address import authority_now, gateways_broker
from api.broker_access.books import new_password, open_password
from api.guesses import Guesses
from api.house import House
from api.keys import key_ring
from api.secret_box import open_box
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput, TokenWorthless
from esl.domain.ids import GatewayId, SourceId, StoreId
from esl.domain.instants import instant_text
from esl.domain.mqtt_in import ROOT as IN_TOPICS
from esl.intake.enrolment_json import (
    parse_enrolment_token,
    parse_password_wish,
    parse_token_wish,
)
from esl.services import enrolment
from esl.services.enrolment import TOKEN_LASTS, TOKEN_LASTS_MOST, Enrolled
from esl.store import broker_logins, places
from gateway.wire.enrolment import Enrolment, enrolment_keys, to_json
from gateway.wire.signing import PublicKeys
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1", tags=["gateways"])

_OF_TILLS = IN_TOPICS.rpartition("/")[2]
_SECRET_BYTES = 32
_ONE_LOGIN = "the embedded one has a login for all: it stays connected, and nobody listens to it"


@router.put("/stores/{store}/gateways/{gateway}", openapi_extra=openapi_enrolments.GATEWAY)
async def enrol_gateway(
    store: str, gateway: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Add a gateway and return its enrolment file: broker, login, and the keys to trust.

    The answer holds the gateway's MQTT password. Asking again returns it again; with
    ``{"password": "new"}`` it is another one, and the one before ends.
    """
    store_id, gateway_id = _store_and_gateway(store, gateway)
    who.require(Scope.GATEWAY_ENROL, store_id)
    _refuse_taken(gateway_id)
    body = await request.body()
    renew = parse_password_wish((await doors.read_json(request))[0]) if body else False
    await doors.store_for(house, store_id)
    believed = await _believed(house)
    makes_logins = house.access.is_needed or renew
    seal = new_password(house.settings.data_dir, gateway_id)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        places.put_gateway(tx, gateway_id, store_id)
        places.note_enrolment(tx, gateway_id, believed, now)
        held = broker_logins.login_named(tx, gateway_id)
        was_revoked = held is not None and held.revoked_at is not None
        if not house.broker_is_embedded and (makes_logins or was_revoked):
            enrolment.login_of_gateway(tx, gateway_id, seal, now, renew=renew)
        elif was_revoked:
            broker_logins.remove_login(tx, gateway_id, broker_logins.GATEWAY)
        return {"gateway": gateway_id, "store": store_id}, Notice(gateways=True)

    await doors.change(house, request, who, body, work)
    house.let_in(gateway_id, store_id)
    login = await doors.read(house, lambda tx: broker_logins.login_named(tx, gateway_id))
    sealed = login.sealed if login is not None else None
    return _file(house, Enrolled(gateway_id=gateway_id, store_id=store_id, sealed=sealed), believed)


@router.post("/stores/{store}/gateways/{gateway}/tokens", openapi_extra=openapi_enrolments.TOKEN)
async def make_gateway_token(
    store: str, gateway: str, request: Request, house: TheHouse, who: Asker
) -> dict[str, Any]:
    """Register a gateway and make the one-time token it enrols with; it is shown this once.

    A token that the gateway had before is worth nothing from now on.
    """
    store_id, gateway_id = _store_and_gateway(store, gateway)
    who.require(Scope.GATEWAY_ENROL, store_id)
    _refuse_taken(gateway_id)
    value, _ = await doors.read_fields(request)
    lasts = parse_token_wish(value, usual=TOKEN_LASTS, most=TOKEN_LASTS_MOST)

    def work(tx: Connection) -> tuple[str, str]:
        text, ends = enrolment.make_token(
            tx,
            gateway_id,
            store_id,
            secret=secrets.token_hex(_SECRET_BYTES),
            lasts=lasts,
            now=house.clock.now(),
            actor=who.name,
        )
        return text, instant_text(ends)

    text, expires_at = await doors.write(house, work)
    return {"gateway": gateway_id, "token": text, "expires_at": expires_at}


@router.post("/enrolments", openapi_extra=openapi_enrolments.ENROLMENT)
async def enrol_by_token(request: Request, house: TheHouse) -> Response:
    """Give a gateway its enrolment file for its one-time token, which then is worthless.

    No other credentials are needed. The file holds its login at the broker, made now.
    """
    value, _ = await doors.read_json(request)
    text = parse_enrolment_token(value)
    guesses: Guesses = request.app.state.guesses
    address = request.client.host if request.client is not None else ""
    guesses.check(address, house.clock.monotonic_s())
    believed = await _believed(house)
    data_dir, embedded = house.settings.data_dir, house.broker_is_embedded

    def work(tx: Connection) -> Enrolled:
        now = house.clock.now()
        named = text.removeprefix("esl-enrol-").rpartition("-")[0]
        seal = None if embedded else new_password(data_dir, named)
        enrolled = enrolment.enrol(tx, text, now, seal=seal)
        places.note_enrolment(tx, enrolled.gateway_id, believed, now)
        if embedded:
            # One that was revoked is back.
            broker_logins.remove_login(tx, enrolled.gateway_id, broker_logins.GATEWAY)
        return enrolled

    try:
        enrolled = await doors.write(house, work)
    except TokenWorthless:
        guesses.note_failure(address, house.clock.monotonic_s())
        raise
    house.let_in(enrolled.gateway_id, enrolled.store_id)
    return _file(house, enrolled, believed)


@router.delete("/stores/{store}/gateways/{gateway}/login")
async def revoke_gateway(
    store: str, gateway: str, request: Request, house: TheHouse, who: Asker
) -> dict[str, Any]:
    """Revoke a gateway's login: nobody listens to it from now on, and its token is worthless.

    ``broker`` says who ends its session at the broker: we, or whoever runs the broker.
    """
    store_id = await doors.enter(house, who, Scope.GATEWAY_ENROL, store)
    gateway_id = doors.gateway_id(gateway)
    await doors.read_nothing(request)
    seal = new_password(house.settings.data_dir, gateway_id)

    def work(tx: Connection) -> None:
        enrolment.revoke_gateway(
            tx, gateway_id, store_id, house.clock.now(), actor=who.name, seal=seal
        )

    await doors.write(house, work)
    house.let_out(gateway_id)
    broker = _ONE_LOGIN if house.broker_is_embedded else house.access.words
    return {"gateway": gateway_id, "revoked": True, "broker": broker}


@router.post("/sources/{source}/login", openapi_extra=openapi_enrolments.SOURCE_LOGIN)
async def give_source_login(
    source: str, request: Request, house: TheHouse, who: Asker
) -> dict[str, Any]:
    """Give a source that speaks MQTT its login at the broker, or another password, shown once."""
    who.require(Scope.STORE_ADMIN)
    source_id = SourceId(doors.slug(source, "source"))
    await doors.read_nothing(request)
    data_dir = house.settings.data_dir
    seal = new_password(data_dir, source_id)
    sealed = await doors.write(
        house,
        lambda tx: enrolment.give_source_login(
            tx, source_id, seal, house.clock.now(), actor=who.name
        ),
    )
    house.access.look()
    password = open_password(open_box(data_dir), source_id, sealed)
    return {"username": source_id, "password": password, "broker": house.access.words}


def _store_and_gateway(store: str, gateway: str) -> tuple[StoreId, GatewayId]:
    return doors.store_id(store), doors.gateway_id(gateway)


def _refuse_taken(gateway_id: GatewayId) -> None:
    if gateway_id == _OF_TILLS:
        fix = f"Give the gateway another name: {IN_TOPICS}/… are the topics of tills."
        raise InvalidInput.at("/gateway", "a name that is taken", fix=fix)


async def _believed(house: House) -> PublicKeys:
    """The keys a gateway is to believe: two, during a rotation (`api.keys`)."""
    return await asyncio.to_thread(lambda: key_ring(house.settings.data_dir).believed())


def _file(house: House, enrolled: Enrolled, believed: PublicKeys) -> Response:
    # The embedded broker knows one login. On any other broker each gateway has its own, named
    # like the gateway; where we do not keep its rules, whoever runs it fills the password in.
    shared = house.broker_is_embedded
    at = house.broker if shared else gateways_broker(house.settings, house.broker)
    password = (house.broker.password if shared else None) or ""
    if not shared and enrolled.sealed is not None:
        box = open_box(house.settings.data_dir)
        password = open_password(box, enrolled.gateway_id, enrolled.sealed)
    authority = authority_now(at)
    made = Enrolment(
        gateway=enrolled.gateway_id,
        store=enrolled.store_id,
        host=at.host,
        port=at.port,
        tls=at.tls,
        username=(house.broker.username if shared else None) or enrolled.gateway_id,
        password=password,
        keys=enrolment_keys(believed),
        ca=authority if authority is not None else UNSET,
    )
    return Response(to_json(made), media_type="application/json")
