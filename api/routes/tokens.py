"""Machine tokens: made, listed, revoked. The secret is shown once."""

import secrets
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors
from api.auth import Asker, TheHouse
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput, NotFound
from esl.intake.fields import Fields
from esl.services import access

router = APIRouter(prefix="/api/v1", tags=["tokens"])

SIGN_IN_LINK_LASTS = timedelta(hours=24)


@router.post("/tokens")
async def create_token(request: Request, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Make a token: ``{"name": …, "scopes": […], "stores": […]}``. Its text is shown this once."""
    who.require(Scope.USER_ADMIN)
    value, _ = await doors.read_json(request)
    fields = Fields(value)
    name = fields.text("name", longest=80, required=True)
    scopes = _strings(fields, "scopes")
    stores = _strings(fields, "stores")
    fields.finish()
    parsed = [_scope(text, index) for index, text in enumerate(scopes)]

    def work(tx: Connection) -> str:
        return access.create_token(
            tx,
            token_id=secrets.token_hex(4),
            secret=secrets.token_urlsafe(32),
            name=str(name),
            scopes=parsed,
            stores=stores,
            now=house.clock.now(),
        )

    text = await doors.write(house, work)
    return {"token": text, "name": name, "scopes": sorted(parsed), "stores": sorted(stores)}


@router.get("/tokens")
async def list_tokens(house: TheHouse, who: Asker) -> dict[str, Any]:
    """List the tokens, without their secrets."""
    who.require(Scope.USER_ADMIN)
    return {
        "tokens": [
            {
                "id": t.token_id,
                "name": t.name,
                "scopes": sorted(t.scopes),
                "stores": sorted(t.stores),
                "created_at": t.created_at,
                "revoked_at": t.revoked_at,
            }
            for t in await doors.read(house, access.list_tokens)
        ]
    }


@router.delete("/tokens/{token_id}")
async def revoke_token(token_id: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Make a token worthless, at once."""
    who.require(Scope.USER_ADMIN)
    found = await doors.write(
        house, lambda tx: access.revoke_token(tx, token_id, house.clock.now())
    )
    request.app.state.tokens.forget_all()
    if not found:
        raise NotFound("no such token, or revoked before")
    return Response(status_code=204)


@router.post("/sign-in-links")
async def make_sign_in_link(request: Request, house: TheHouse, who: Asker) -> dict[str, str]:
    """Make a link that signs the owner in: once within 24 hours, or ``{"uses": …}`` times."""
    who.require(Scope.USER_ADMIN)
    value, _ = await doors.read_json(request)
    fields = Fields(value)
    uses = fields.integer("uses", low=1, high=1000) or 1
    fields.finish()
    secret = secrets.token_urlsafe(32)

    def work(tx: Connection) -> None:
        access.make_sign_in_link(
            tx, secret=secret, uses=uses, lasts=SIGN_IN_LINK_LASTS, now=house.clock.now()
        )

    await doors.write(house, work)
    return {"url": str(request.base_url.replace(path="/sign-in", query=f"link={secret}"))}


def _strings(fields: Fields, name: str) -> list[str]:
    value = fields.take(name)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [str(item) for item in value]
    fields.problem(name, "not an array of strings")
    return []


def _scope(text: str, index: int) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise InvalidInput.at(
            f"/scopes/{index}", "not a scope", fix=f"Choose from {', '.join(Scope)}."
        ) from None
