"""Prices that an outside engine proposes: the engine's door, a store's rules, a person's ruling."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_proposals
from api.auth import Asker, TheHouse
from api.edits import Edited, Read
from api.schemas import money
from esl.domain.access import Principal, Scope
from esl.domain.ids import StoreId
from esl.domain.proposal import ProposalState, Refusal, Rules
from esl.intake.proposal_json import (
    parse_costs,
    parse_proposal_ruling,
    parse_proposals,
    parse_rules,
    rules_view,
)
from esl.services import proposal_rules, proposals
from esl.services.proposals import Answer, Taken
from esl.store import proposals as rows
from esl.store.proposals import KeptProposal
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["proposals"])

PAGE_MOST = 1000


class ProposalPage(BaseModel, extra="forbid"):
    """Which proposals."""

    state: str = Field(default="all", pattern=f"^({'|'.join(ProposalState)}|all)$")
    after: int = Field(default=0, ge=0, le=2**53 - 1)
    limit: int = Field(default=100, ge=1, le=PAGE_MOST)


@router.post("/price-proposals", openapi_extra=openapi_proposals.PROPOSALS)
async def propose_prices(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Take prices that an engine proposes; each is accepted or refused by itself, with why."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_PROPOSE, store_id)
    value, body = await doors.read_json(request)
    currency = (await doors.store_for(house, store_id)).currency
    asked = parse_proposals(value, currency=currency)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        taken = proposals.propose(
            tx, store_id, asked.source, asked.proposals, house.clock.now(), actor=who.name
        )
        return _taken_view(taken), Notice(labels=taken.labels)

    return await doors.change(house, request, who, body, work, items=len(asked.proposals))


@router.get("/price-proposals")
async def list_proposals(
    store: str, house: TheHouse, who: Asker, page: Annotated[ProposalPage, Query()]
) -> dict[str, Any]:
    """List what engines proposed, with their reasons and what became of it."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    state = None if page.state == "all" else ProposalState(page.state)
    found = await doors.read(
        house,
        lambda tx: rows.list_proposals(
            tx, store_id, state=state, after=page.after, limit=page.limit
        ),
    )
    more = found[-1].proposal_id if len(found) == page.limit else None
    return {"proposals": [kept_view(one) for one in found], "after": more}


@router.post("/price-proposals/approve", openapi_extra=openapi_proposals.RULING)
async def approve_proposals(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Let proposals hold that wait for a person; nobody approves their own."""
    return await _decide(store, request, house, who, is_approved=True)


@router.post("/price-proposals/reject", openapi_extra=openapi_proposals.RULING)
async def reject_proposals(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Say no to proposals that wait for a person."""
    return await _decide(store, request, house, who, is_approved=False)


@router.get("/proposal-rules")
async def get_proposal_rules(
    store: str, house: TheHouse, who: Asker, reading: Read
) -> dict[str, Any]:
    """Return how far engines may move a store's prices; without engines, nobody may."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_READ, store_id)
    currency = (await doors.store_for(house, store_id)).currency
    return reading.of(await doors.read(house, lambda tx: _rules_view(tx, store_id, currency)))


@router.put("/proposal-rules", openapi_extra=openapi_proposals.RULES)
async def put_proposal_rules(
    store: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Replace how far engines may move a store's prices; it is written down."""
    store_id = doors.store_id(store)
    who.require(Scope.STORE_ADMIN, store_id)
    value, body = await doors.read_json(request)
    currency = (await doors.store_for(house, store_id)).currency
    rules = parse_rules(value, currency=currency)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: _rules_view(tx, store_id, currency))
        proposal_rules.put_rules(tx, store_id, rules, house.clock.now(), actor=who.name)
        return rules_view(rules, currency), Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/costs", openapi_extra=openapi_proposals.COSTS)
async def put_costs(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Note what products cost the store: engines never go below it. Nobody reads it here."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_WRITE, store_id)
    value, body = await doors.read_json(request)
    currency = (await doors.store_for(house, store_id)).currency
    costs = parse_costs(value, currency=currency)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        proposal_rules.put_costs(tx, store_id, costs, house.clock.now(), actor=who.name)
        return {"costs": len(costs)}, Notice()

    return await doors.change(house, request, who, body, work, items=len(costs))


async def _decide(
    store: str, request: Request, house: TheHouse, who: Principal, *, is_approved: bool
) -> Response:
    store_id = await doors.enter(house, who, Scope.PRICE_APPROVE, store)
    value, body = await doors.read_fields(request)
    ruled = parse_proposal_ruling(value)
    decide = proposals.approve if is_approved else proposals.reject

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        taken = decide(tx, store_id, ruled.proposals, now, by=who.name, note=ruled.note)
        return _taken_view(taken), Notice(labels=taken.labels)

    return await doors.change(house, request, who, body, work, items=len(ruled.proposals))


def _rules_view(tx: Connection, store_id: StoreId, currency: str) -> dict[str, Any]:
    found = rows.rules_of(tx, store_id, currency)
    return rules_view(found if found is not None else Rules(engines=()), currency)


def kept_view(one: KeptProposal) -> dict[str, Any]:
    """A proposal, and what became of it."""
    return {
        "proposal_id": one.proposal_id,
        "sku": one.sku,
        "source": one.source,
        "price": money(one.price_minor, one.currency),
        "held": money(one.held_minor, one.currency),
        "regular": money(one.regular_minor, one.currency),
        "currency": one.currency,
        "reason": one.reason,
        "state": one.state,
        "bounds": [_refusal_view(refusal) for refusal in one.refusals],
        "sent_by": one.actor,
        "received_at": one.received_at,
        "decided_by": one.decided_by,
        "decided_at": one.decided_at,
        "note": one.note,
        "rev": one.rev,
        "price_id": one.quarantine_id,
    }


def _taken_view(taken: Taken) -> dict[str, Any]:
    return {
        "proposals": [_answer_view(answer) for answer in taken.answers],
        "labels": len(set(taken.labels)),
    }


def _answer_view(answer: Answer) -> dict[str, Any]:
    view: dict[str, Any] = {
        "proposal_id": answer.proposal_id,
        "sku": answer.sku,
        "state": answer.state,
        "rev": answer.rev,
        "labels": answer.labels,
    }
    if answer.refusals:
        view["bounds"] = [_refusal_view(refusal) for refusal in answer.refusals]
    if answer.quarantine_id is not None:
        view["price_id"] = answer.quarantine_id
    return view


def _refusal_view(refusal: Refusal) -> dict[str, str]:
    return {"bound": refusal.bound, "words": refusal.words, "fix": refusal.fix}
