"""A product's price as people look at it: its history, changing it by hand, taking that back."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_hand_prices
from api.auth import Asker, TheHouse
from api.decisions import result_view
from api.journal_views import line_view
from esl.domain.access import Scope
from esl.domain.ids import SKU_MAX_CHARACTERS
from esl.intake.price_json import parse_hand_price
from esl.services import hand_prices, journal
from esl.services.journal import Line
from esl.store.products import product_named
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["products and prices"])

_NEWEST = 2**53 - 1


class HistoryPage(BaseModel, extra="forbid"):
    """Which prices of which product."""

    sku: str = Field(min_length=1, max_length=SKU_MAX_CHARACTERS)
    before: int = Field(
        default=_NEWEST, ge=1, le=_NEWEST, description="“before” of the page before."
    )
    limit: int = Field(default=50, ge=1, le=500)


@router.get("/price-history")
async def list_price_history(
    store: str, house: TheHouse, who: Asker, page: Annotated[HistoryPage, Query()]
) -> dict[str, Any]:
    """List what a product's price was changed to, the latest first: by whom, why, when shown.

    As lines of the journal, with the batch that each came with.
    """
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    sku = doors.sku(page.sku)

    def query(tx: Connection) -> list[Line]:
        product_named(tx, store_id, sku)
        return journal.read_product(tx, store_id, sku, before=page.before, most=page.limit)

    found = await doors.read(house, query)
    return {
        "lines": [line_view(line) | {"batch": line.batch_id} for line in found],
        "before": found[-1].event_id if len(found) == page.limit else None,
    }


@router.post("/hand-prices", openapi_extra=openapi_hand_prices.HAND_PRICE)
async def change_by_hand(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Change a product's price by hand, with a reason; the guards weigh it like any other."""
    store_id = await doors.enter(house, who, Scope.PRICE_WRITE, store)
    value, body = await doors.read_json(request)
    currency = (await doors.store_for(house, store_id)).currency
    change, reason = parse_hand_price(
        value, store_id=store_id, currency=currency, source=hand_prices.HAND
    )

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        done = hand_prices.change_by_hand(tx, store_id, change, now, actor=who.name, reason=reason)
        return result_view(done.result) | {"batch": done.batch_id}, Notice(labels=done.labels)

    return await doors.change(house, request, who, body, work)


@router.post("/hand-prices/{batch}/undo", openapi_extra=openapi_hand_prices.UNDO)
async def undo_by_hand(
    store: str, batch: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Let the price from before one's own change by hand hold again; for ten minutes."""
    store_id = await doors.enter(house, who, Scope.PRICE_WRITE, store)
    body = await doors.read_nothing(request)
    number = doors.number(batch, "batch")

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        done = hand_prices.undo_by_hand(tx, store_id, number, now, actor=who.name)
        answer = {"batch": number, "restored": done.restored, "withdrawn": done.withdrawn}
        return answer, Notice(labels=done.labels)

    return await doors.change(house, request, who, body, work)
