"""Machine clients: made, changed, given another secret, disabled. A secret is shown once."""

import re
import secrets
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi
from api.auth import Asker, TheHouse
from api.edits import Edited, Read, Removed
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput, NotFound, UnknownStore
from esl.intake.access_json import parse_new_token
from esl.services import clients
from esl.services.clients import Grant, NewSecret, secret_text
from esl.store import clients as rows
from esl.store.clients import MachineClient

router = APIRouter(prefix="/api/v1/clients", tags=["clients"])

_SECRET_ID: Final = re.compile(r"[0-9a-f]{8}")
_CLIENT_ID_BYTES: Final = 6
_SECRET_ID_BYTES: Final = 4
_SECRET_BYTES: Final = 32


class Page(BaseModel, extra="forbid"):
    """Which clients."""

    after: str = Field(default="", pattern=r"^[0-9a-f]{0,12}$")
    limit: int = Field(default=100, ge=1, le=1000)


@router.get("")
async def list_clients(
    house: TheHouse, who: Asker, page: Annotated[Page, Query()]
) -> dict[str, Any]:
    """List the clients by id, without their secrets."""
    who.require(Scope.USER_ADMIN)
    found = await doors.read(
        house, lambda tx: rows.list_clients(tx, after=page.after, limit=page.limit)
    )
    more = found[-1].client_id if len(found) == page.limit else None
    return {"clients": [_view(one) for one in found], "after": more}


@router.post("", openapi_extra=openapi.TOKEN)
async def add_client(request: Request, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Add a client: ``{"name": …, "scopes": […], "stores": […]}``; shows its secret this once."""
    who.require(Scope.USER_ADMIN)
    value, _ = await doors.read_json(request)
    grant = _grant(value)
    _refuse_key(request)
    client_id = secrets.token_hex(_CLIENT_ID_BYTES)
    secret = _new_secret(client_id)

    def work(tx: Connection) -> MachineClient:
        try:
            return clients.add_client(
                tx, who, grant, client_id=client_id, secret=secret, now=house.clock.now()
            )
        except UnknownStore as exc:
            raise _bad_store(exc) from exc

    return _view(await doors.write(house, work)) | {"secret": secret.text}


@router.get("/{client}")
async def get_client(client: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Show a client, without its secrets."""
    who.require(Scope.USER_ADMIN)
    found = await doors.read(house, lambda tx: clients.client_for(tx, client))
    return reading.of(_view(found))


@router.put("/{client}", openapi_extra=openapi.TOKEN)
async def change_client(
    client: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> dict[str, Any]:
    """Say anew what a client is called, and what it may do where. Its tokens lose it at once."""
    who.require(Scope.USER_ADMIN)
    value, _ = await doors.read_json(request)
    grant = _grant(value)

    def work(tx: Connection) -> MachineClient:
        edit.check(tx, lambda: _view(clients.client_for(tx, client)))
        try:
            return clients.change_client(tx, who, client, grant, house.clock.now())
        except UnknownStore as exc:
            raise _bad_store(exc) from exc

    changed = await doors.write(house, work)
    request.app.state.tokens.forget_all()
    return _view(changed)


@router.post("/{client}/secrets", openapi_extra=openapi.NOTHING)
async def rotate_secret(
    client: str, request: Request, house: TheHouse, who: Asker
) -> dict[str, Any]:
    """Give a client a second secret, shown this once; the first holds until it is revoked."""
    who.require(Scope.USER_ADMIN)
    await doors.read_nothing(request)
    _refuse_key(request)
    secret = _new_secret(client)
    await doors.write(house, lambda tx: clients.rotate(tx, who, client, secret, house.clock.now()))
    return {"id": secret.secret_id, "secret": secret.text}


@router.delete("/{client}/secrets/{secret}")
async def revoke_secret(
    client: str, secret: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Make a secret worthless, at once, and every token that was fetched with it."""
    who.require(Scope.USER_ADMIN)
    if _SECRET_ID.fullmatch(secret) is None:
        raise NotFound("no such secret, or revoked before")
    await doors.write(house, lambda tx: clients.revoke(tx, who, client, secret, house.clock.now()))
    request.app.state.tokens.forget_all()
    return Response(status_code=204)


@router.delete("/{client}")
async def disable_client(
    client: str, request: Request, house: TheHouse, who: Asker, edit: Removed
) -> Response:
    """Let a client in no more, for good: its secrets and tokens are worthless at once."""
    who.require(Scope.USER_ADMIN)

    def work(tx: Connection) -> None:
        edit.check(tx, lambda: _view(clients.client_for(tx, client)))
        clients.disable(tx, who, client, house.clock.now())

    await doors.write(house, work)
    request.app.state.tokens.forget_all()
    return Response(status_code=204)


def _grant(value: Any) -> Grant:
    said = parse_new_token(value)
    return Grant(name=said.name, scopes=said.scopes, stores=said.stores)


def _new_secret(client_id: str) -> NewSecret:
    return NewSecret(
        secret_id=secrets.token_hex(_SECRET_ID_BYTES),
        text=secret_text(client_id, secrets.token_hex(_SECRET_BYTES)),
    )


def _refuse_key(request: Request) -> None:
    if request.headers.get("idempotency-key") is not None:
        raise InvalidInput.at(
            "", "an Idempotency-Key would keep the secret", fix="Leave the header out."
        )


def _bad_store(exc: UnknownStore) -> InvalidInput:
    """Say that a store is unknown that stands in the body, not in the address."""
    return InvalidInput.at("/stores", str(exc), fix="Add the store first.")


def _view(client: MachineClient) -> dict[str, Any]:
    return {
        "id": client.client_id,
        "name": client.name,
        "scopes": sorted(client.scopes),
        "stores": sorted(client.stores),
        "created_at": client.created_at,
        "disabled_at": client.disabled_at,
        "secrets": [
            {"id": one.secret_id, "created_at": one.created_at, "revoked_at": one.revoked_at}
            for one in client.secrets
        ],
    }
