"""Machine tokens: made, listed, revoked. The secret is shown once."""

import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection

from api import doors, openapi, openapi_access
from api.auth import Asker, TheHouse
from api.paging import PageOfStore, cut
from esl.domain.access import ALL_STORES, Scope
from esl.domain.errors import InvalidInput, NotFound, UnknownStore
from esl.intake.access_json import parse_link_uses, parse_new_token
from esl.services import access, tokens
from esl.store.access import MachineToken
from esl.store.access_times import NEVER, Times, all_token_times, token_key

router = APIRouter(prefix="/api/v1", tags=["tokens"])

SIGN_IN_LINK_LASTS = timedelta(hours=24)


class TokenPage(PageOfStore):
    """Which tokens: those that open a store, those that hold."""

    revoked: bool | None = Field(default=None, description="Only those that hold no more, or do.")


_TOKEN_ID = re.compile(r"[0-9a-f]{8}")


@router.post("/tokens", openapi_extra=openapi_access.TOKEN)
async def create_token(request: Request, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Make a token: ``{"name": …, "scopes": […], "stores": […]}``. Its text is shown this once.

    After ``expires_at``, if given, it is refused.
    """
    who.require(Scope.USER_ADMIN)
    value, _ = await doors.read_json(request)
    new = parse_new_token(value)

    def work(tx: Connection) -> str:
        try:
            return tokens.make_token(
                tx,
                new,
                token_id=secrets.token_hex(4),
                secret=secrets.token_urlsafe(32),
                actor=who.name,
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
        "expires_at": new.ends_at,
    }


@router.get("/tokens")
async def list_tokens(
    house: TheHouse, who: Asker, page: Annotated[TokenPage, Query()]
) -> dict[str, Any]:
    """List the tokens by id, without their secrets; when each was last used, within a minute."""
    who.require(Scope.USER_ADMIN)
    known, times = await doors.read(house, _tokens_and_times)
    wanted = [
        one
        for one in known
        if page.store is None or not one.stores.isdisjoint({page.store, ALL_STORES})
        if page.revoked in (None, one.revoked_at is not None)
    ]
    found, after = cut(wanted, page, lambda one: one.token_id)
    return {"tokens": [_view(one, times) for one in found], "after": after}


@router.get("/tokens/{token_id}")
async def get_token(token_id: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return a token, without its secret."""
    who.require(Scope.USER_ADMIN)
    found, times = await doors.read(house, _tokens_and_times)
    known = {one.token_id: one for one in found}
    if token_id not in known:
        raise NotFound("no such token")
    return _view(known[token_id], times)


def _tokens_and_times(tx: Connection) -> tuple[list[MachineToken], Mapping[str, Times]]:
    return access.list_tokens(tx), all_token_times(tx)


def _view(token: MachineToken, times: Mapping[str, Times]) -> dict[str, Any]:
    own = times.get(token_key(token.token_id), NEVER)
    return {
        "id": token.token_id,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "stores": sorted(token.stores),
        "created_at": token.created_at,
        "revoked_at": token.revoked_at,
        "expires_at": own.ends_at,
        "last_used_at": own.used_at,
    }


@router.delete("/tokens/{token_id}")
async def revoke_token(token_id: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Make a token worthless, at once."""
    who.require(Scope.USER_ADMIN)
    found = _TOKEN_ID.fullmatch(token_id) is not None and await doors.write(
        house,
        lambda tx: tokens.end_token(tx, token_id, actor=who.name, now=house.clock.now()),
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
            tx,
            secret=secret,
            uses=uses,
            lasts=SIGN_IN_LINK_LASTS,
            now=house.clock.now(),
            actor=who.name,
        )

    await doors.write(house, work)
    return {"url": str(request.base_url.replace(path="/sign-in", query=f"link={secret}"))}
