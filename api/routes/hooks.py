"""Webhooks: shops and tills call here when something changed.

    call ─▶ who signed these bytes? ─▶ kept in the inbox ─commit─▶ 202 {"id": 17}

Nothing of the body is believed before its signature was checked, and nothing is worked on before
the answer: Odoo waits one second for it, once.
"""

import asyncio
import secrets
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from api import doors, openapi
from api.auth import TheHouse
from api.errors import problem
from api.house import House
from api.listeners.hook_door import NOBODY, HookDoor
from api.listeners.hook_sources import HookSource
from esl.intake.hooks.request import Genuine, Greeting, HookRequest
from esl.intake.hooks.verifiers import VERIFIERS, verify
from esl.services import hooks
from esl.services.hooks import StoredHook
from esl.store.hook_inbox import NewHookEvent

router = APIRouter(prefix="/api/v1", tags=["webhooks"])

_ANY_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": openapi.object_of((), {"sku": {}, "price": {}}),
                "example": {"sku": "4711", "price": "1.29"},
            },
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        },
    },
    "security": [],
}

log = structlog.get_logger()


@router.post("/hooks/{source}", status_code=HTTPStatus.ACCEPTED, openapi_extra=_ANY_BODY)
async def post_hook(source: str, request: Request, house: TheHouse) -> Response:
    """Keep an event of a registered source. Signed as the source signs; sent twice, kept once."""
    door: HookDoor = request.app.state.hooks
    known = await asyncio.to_thread(door.sources.lookup, source)
    asked = HookRequest(
        body=await request.body(),
        headers=_joined(request),
        url_secret=request.query_params.get("secret", ""),
    )
    asker = known or NOBODY
    verdict = verify(asker.kind, asked, asker.secrets, house.clock.now())
    if known is None:
        return problem(
            HTTPStatus.NOT_FOUND,
            "nobody is registered here; nothing was stored",
            fix="Check the last part of the address: it is the id of the source.",
        )
    match verdict:
        case Greeting(code=code):
            if code is not None:  # a person must copy it; it opens nothing by itself
                log.info("webhook verification code", source=known.source_id, code=code)
            return JSONResponse({"hello": known.source_id}, HTTPStatus.OK)
        case Genuine():
            stored = await _store(house, known, asked, verdict)
        case refused:
            door.tell_refused(known, refused)
            return problem(
                HTTPStatus.UNAUTHORIZED,
                "not signed as this source signs; nothing was stored",
                fix="Check the secret on both sides, and this machine's clock; the log says more.",
                headers={"WWW-Authenticate": "Signature"},
            )
    if stored.is_new:
        door.wake()
    return JSONResponse({"id": stored.number}, HTTPStatus.ACCEPTED)


async def _store(house: House, source: HookSource, asked: HookRequest, said: Genuine) -> StoredHook:
    kept = VERIFIERS[source.kind].keep
    event = NewHookEvent(
        source=source.source_id,
        event_id=said.event_id or f"call:{secrets.token_hex(16)}",
        system=source.kind.value,
        topic=said.topic,
        body=asked.body,
        headers={name: asked.headers[name][:1000] for name in kept if name in asked.headers},
        sent_at=said.sent_at,
    )
    now = house.clock.now()

    def work(tx: Connection) -> StoredHook:
        hooks.check_room(tx, event.source)
        return hooks.store_event(tx, event, now)

    return await doors.write(house, work)


def _joined(request: Request) -> dict[str, str]:
    """Return headers by lower-case name; of one sent twice, both: then no signature fits."""
    found: dict[str, str] = {}
    for raw, value in request.headers.raw:
        name = raw.decode("latin-1").lower()
        text = value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found
