"""A store's limits, the prices they hold back, and its emergency stop."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_intake
from api.auth import Asker, TheHouse
from api.decisions import reasons_view
from api.edits import Edited, Read
from api.schemas import money
from esl.domain.access import Principal, Scope
from esl.domain.ids import SKU_MAX_CHARACTERS, Sku
from esl.domain.instants import instant_text
from esl.domain.pricing import Decision
from esl.domain.product import Product
from esl.domain.quarantine import HeldBack, QuarantineState
from esl.intake.guard_json import guards_view
from esl.intake.source_json import parse_reason, parse_ruling, parse_store_guards
from esl.services import guarding, quarantine
from esl.services.quarantine import BATCH_MOST, OfBatch, Ruling
from esl.store import guarding as guard_rows
from esl.store import quarantine as held_rows
from esl.store.products import products_by_sku
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["guards"])

PAGE_MOST = 1000


class QuarantinePage(BaseModel, extra="forbid"):
    """Which prices that were held back."""

    state: str = Field(
        default="open",
        pattern=f"^({'|'.join(QuarantineState)}|all)$",
        description="“open” waits for a person; “all” lists those that were decided about, too.",
    )
    sku: str = Field(
        default="", max_length=SKU_MAX_CHARACTERS, description="Of one product; left out: of all."
    )
    after: int = Field(default=0, ge=0, le=2**53 - 1)
    limit: int = Field(default=100, ge=1, le=PAGE_MOST)


@router.get("/guards")
async def get_guards(store: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Return a store's limits for prices."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    found = await doors.read(house, lambda tx: guard_rows.guards_of_store(tx, store_id))
    return reading.of(guards_view(found))


@router.put("/guards", openapi_extra=openapi_intake.GUARDS)
async def put_guards(
    store: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Replace a store's limits; to switch them off wants a reason, which is written down."""
    store_id = doors.store_id(store)
    who.require(Scope.STORE_ADMIN, store_id)
    value, body = await doors.read_json(request)
    put = parse_store_guards(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: guards_view(guard_rows.guards_of_store(tx, store_id)))
        now = house.clock.now()
        guarding.put_guards(tx, store_id, put.guards, now, actor=who.name, reason=put.reason)
        return guards_view(put.guards), Notice()

    return await doors.change(house, request, who, body, work)


@router.get("/quarantine")
async def list_quarantine(
    store: str, house: TheHouse, who: Asker, page: Annotated[QuarantinePage, Query()]
) -> dict[str, Any]:
    """List the prices that wait for another person than who sent them."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    state = None if page.state == "all" else QuarantineState(page.state)
    sku = doors.sku(page.sku) if page.sku else None

    def query(tx: Connection) -> tuple[list[HeldBack], Mapping[Sku, Product]]:
        found = held_rows.list_held(
            tx, store_id, state=state, after=page.after, limit=page.limit, sku=sku
        )
        return found, products_by_sku(tx, store_id, [held.sku for held in found])

    found, named = await doors.read(house, query)
    more = found[-1].quarantine_id if len(found) == page.limit else None
    return {"prices": [held_view(held, named) for held in found], "after": more}


@router.get("/quarantine/{price}")
async def get_held_price(store: str, price: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return a price that was held back, and what became of it."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    number = doors.number(price, "price that was held back")

    def query(tx: Connection) -> dict[str, Any]:
        held = held_rows.held_back(tx, store_id, number)
        return held_view(held, products_by_sku(tx, store_id, [held.sku]))

    return await doors.read(house, query)


@router.post("/quarantine/approve", openapi_extra=openapi_intake.RULING)
async def approve_prices(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Let prices hold that were held back, by number or by batch; nobody approves their own."""
    return await _decide(store, request, house, who, is_approved=True)


@router.post("/quarantine/reject", openapi_extra=openapi_intake.RULING)
async def reject_prices(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Say no to prices that were held back, by number or by batch."""
    return await _decide(store, request, house, who, is_approved=False)


async def _decide(
    store: str, request: Request, house: TheHouse, who: Principal, *, is_approved: bool
) -> Response:
    store_id = await doors.enter(house, who, Scope.PRICE_APPROVE, store)
    value, body = await doors.read_fields(request)
    ruled = parse_ruling(value)
    which = OfBatch(batch_id=ruled.batch) if ruled.batch is not None else ruled.prices
    decide = quarantine.approve if is_approved else quarantine.reject

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        ruling = decide(tx, store_id, which, house.clock.now(), by=who.name, note=ruled.note)
        return _ruling_view(ruling, ruled.batch), Notice(labels=ruling.labels)

    items = len(ruled.prices) if ruled.batch is None else BATCH_MOST
    return await doors.change(house, request, who, body, work, items=items)


@router.get("/freeze")
async def get_freeze(store: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say whether anything is sent to a store's labels."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    since = await doors.read(house, lambda tx: guard_rows.frozen_since(tx, store_id))
    return {"frozen": since is not None, "since": since}


@router.post("/freeze", openapi_extra=openapi_intake.MAYBE_REASON)
async def freeze_store(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Send nothing more to a store's labels until it is thawed; prices are taken in on."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_APPROVE, store_id)
    value, body = await doors.read_fields(request)
    reason = parse_reason(value, required=False)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        since = guarding.freeze_store(tx, store_id, now, actor=who.name, reason=reason)
        return {"frozen": True, "since": instant_text(since)}, Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/thaw", openapi_extra=openapi_intake.MAYBE_REASON)
async def thaw_store(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Send again; labels get what they want by now."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_APPROVE, store_id)
    value, body = await doors.read_fields(request)
    reason = parse_reason(value, required=False)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        was = guarding.unfreeze_store(tx, store_id, now, actor=who.name, reason=reason)
        return {"frozen": False, "was_frozen": was}, Notice()

    return await doors.change(house, request, who, body, work)


def held_view(held: HeldBack, named: Mapping[Sku, Product]) -> dict[str, Any]:
    """A price that was held back, and why; ``named`` has its product, unless that is gone."""
    return {
        "price_id": held.quarantine_id,
        "sku": held.sku,
        "name": named[held.sku].name if held.sku in named else None,
        "source": held.source,
        "batch": held.batch_id,
        "price": money(held.price_minor, held.currency),
        "holds": money(held.held_minor, held.currency),
        "currency": held.currency,
        "reasons": reasons_view(Decision.QUARANTINED, held.reasons),
        "sent_by": held.actor,
        "received_at": held.received_at,
        "expires_at": held.expires_at,
        "state": held.state,
        "decided_by": held.decided_by,
        "decided_at": held.decided_at,
        "note": held.note,
        "rev": held.rev,
    }


def _ruling_view(ruling: Ruling, batch_id: int | None) -> dict[str, Any]:
    of_batch = {"batch": batch_id, "left": ruling.left} if batch_id is not None else {}
    return of_batch | {
        "prices": [
            {"price_id": d.quarantine_id, "state": d.state, "decision": d.decision, "rev": d.rev}
            | ({"reasons": reasons_view(Decision.REJECTED, d.reasons)} if d.reasons else {})
            for d in ruling.decided
        ],
        "labels": len(set(ruling.labels)),
    }
