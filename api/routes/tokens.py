"""Machine tokens: made, listed, revoked. The secret is shown once."""

import re
import secrets
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors, openapi
from api.auth import Asker, TheHouse
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput, NotFound, UnknownStore
from esl.intake.access_json import parse_link_uses, parse_new_token
from esl.services import access

router = APIRouter(prefix="/api/v1", tags=["tokens"])

SIGN_IN_LINK_LASTS = timedelta(hours=24)
_TOKEN_ID = re.compile(r"[0-9a-f]{8}")


@router.post("/tokens", openapi_extra=openapi.TOKEN)
async def create_token(request: Request, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Make a token: ``{"name": …, "scopes": […], "stores": […]}``. Its text is shown this once."""
    who.require(Scope.USER_ADMIN)
    value, _ = await doors.read_json(request)
    new = parse_new_token(value)

    def work(tx: Connection) -> str:
        try:
            return access.create_token(
                tx,
                token_id=secrets.token_hex(4),
                secret=secrets.token_urlsafe(32),
                name=new.name,
                scopes=new.scopes,
                stores=new.stores,
                now=house.clock.now(),
            )
        except UnknownStore as exc:  # it stands in the body, not in the address
            raise InvalidInput.at("/stores", str(exc), fix="Add the store first.") from exc

    text = await doors.write(house, work)
    return {
        "token": text,
        "name": new.name,
        "scopes": sorted(new.scopes),
        "stores": sorted(new.stores),
    }


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
    found = _TOKEN_ID.fullmatch(token_id) is not None and await doors.write(
        house, lambda tx: access.revoke_token(tx, token_id, house.clock.now())
    )
    request.app.state.tokens.forget_all()
    if not found:
        raise NotFound("no such token, or revoked before")
    return Response(status_code=204)


@router.post("/sign-in-links", openapi_extra=openapi.SIGN_IN_LINK)
async def make_sign_in_link(request: Request, house: TheHouse, who: Asker) -> dict[str, str]:
    """Make a link that signs the owner in: once within 24 hours, or ``{"uses": …}`` times."""
    who.require(Scope.USER_ADMIN)
    value, _ = await doors.read_fields(request)
    uses = parse_link_uses(value)
    secret = secrets.token_urlsafe(32)

    def work(tx: Connection) -> None:
        access.make_sign_in_link(
            tx, secret=secret, uses=uses, lasts=SIGN_IN_LINK_LASTS, now=house.clock.now()
        )

    await doors.write(house, work)
    return {"url": str(request.base_url.replace(path="/sign-in", query=f"link={secret}"))}
