"""Machine clients: made, changed, given another secret, disabled. A secret is shown once."""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi, openapi_access
from api.auth import Asker, TheHouse
from api.edits import Edited, Read, Removed
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput, NotFound, UnknownStore
from esl.intake.access_json import NewToken, parse_grant, parse_new_secret, parse_new_token
from esl.services import clients
from esl.services.clients import Grant, NewSecret, secret_text
from esl.store import clients as rows
from esl.store.access_times import NEVER, secret_key, times_of
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
    """List the clients by id, without their secrets; when each was last used, within a minute."""
    who.require(Scope.USER_ADMIN)

    def work(tx: Connection) -> tuple[list[dict[str, Any]], str | None]:
        found = rows.list_clients(tx, after=page.after, limit=page.limit)
        more = found[-1].client_id if len(found) == page.limit else None
        return _with_times(tx, found), more

    found, more = await doors.read(house, work)
    return {"clients": found, "after": more}


@router.post("", openapi_extra=openapi_access.TOKEN)
async def add_client(request: Request, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Add a client: ``{"name": …, "scopes": […], "stores": […]}``; shows its secret this once.

    After ``expires_at``, if given, that secret is refused.
    """
    who.require(Scope.USER_ADMIN)
    value, _ = await doors.read_json(request)
    said = parse_new_token(value)
    _refuse_key(request)
    client_id = secrets.token_hex(_CLIENT_ID_BYTES)
    secret = _new_secret(client_id, said.ends_at)

    def work(tx: Connection) -> dict[str, Any]:
        try:
            made = clients.add_client(
                tx, who, _grant(said), client_id=client_id, secret=secret, now=house.clock.now()
            )
        except UnknownStore as exc:
            raise _bad_store(exc) from exc
        return _with_times(tx, [made])[0]

    return await doors.write(house, work) | {"secret": secret.text}


@router.get("/{client}")
async def get_client(client: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Show a client, without its secrets."""
    who.require(Scope.USER_ADMIN)

    def work(tx: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        found = clients.client_for(tx, client)
        return _with_times(tx, [found])[0], _view(found)

    return reading.part(*await doors.read(house, work))


@router.put("/{client}", openapi_extra=openapi.TOKEN)
async def change_client(
    client: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> dict[str, Any]:
    """Say anew what a client is called, and what it may do where. Its tokens lose it at once."""
    who.require(Scope.USER_ADMIN)
    value, _ = await doors.read_json(request)
    grant = _grant(parse_grant(value))

    def work(tx: Connection) -> dict[str, Any]:
        edit.check(tx, lambda: _view(clients.client_for(tx, client)))
        try:
            changed = clients.change_client(tx, who, client, grant, house.clock.now())
        except UnknownStore as exc:
            raise _bad_store(exc) from exc
        return _with_times(tx, [changed])[0]

    changed = await doors.write(house, work)
    request.app.state.tokens.forget_all()
    return changed


@router.post("/{client}/secrets", openapi_extra=openapi_access.SECRET)
async def rotate_secret(
    client: str, request: Request, house: TheHouse, who: Asker
) -> dict[str, Any]:
    """Give a client a second secret, shown this once; the first holds until it is revoked."""
    who.require(Scope.USER_ADMIN)
    value, _ = await doors.read_fields(request)
    ends_at = parse_new_secret(value)
    _refuse_key(request)
    secret = _new_secret(client, ends_at)
    await doors.write(house, lambda tx: clients.rotate(tx, who, client, secret, house.clock.now()))
    return {"id": secret.secret_id, "secret": secret.text, "expires_at": ends_at}


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


def _grant(said: NewToken) -> Grant:
    return Grant(name=said.name, scopes=said.scopes, stores=said.stores)


def _new_secret(client_id: str, ends_at: datetime | None) -> NewSecret:
    return NewSecret(
        secret_id=secrets.token_hex(_SECRET_ID_BYTES),
        text=secret_text(client_id, secrets.token_hex(_SECRET_BYTES)),
        ends_at=ends_at,
    )


def _refuse_key(request: Request) -> None:
    if request.headers.get("idempotency-key") is not None:
        raise InvalidInput.at(
            "", "an Idempotency-Key would keep the secret", fix="Leave the header out."
        )


def _bad_store(exc: UnknownStore) -> InvalidInput:
    """Say that a store is unknown that stands in the body, not in the address."""
    return InvalidInput.at("/stores", str(exc), fix="Add the store first.")


def _with_times(tx: Connection, found: Sequence[MachineClient]) -> list[dict[str, Any]]:
    """Show clients with what no edit changes: when secrets end, and were last used."""
    keys = [secret_key(one.client_id, each.secret_id) for one in found for each in one.secrets]
    times = times_of(tx, keys)
    views = [_view(one) for one in found]
    for view in views:
        for secret in view["secrets"]:
            own = times.get(secret_key(view["id"], secret["id"]), NEVER)
            secret |= {"expires_at": own.ends_at, "last_used_at": own.used_at}
    return views


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
