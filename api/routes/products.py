"""Products and price changes: what tills and ERP systems send."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors, openapi
from api.auth import Asker, TheHouse
from api.schemas import product_view
from esl.domain.access import Scope
from esl.domain.errors import UnknownProduct
from esl.domain.guards import WORDS
from esl.domain.pricing import ChangeResult
from esl.intake.price_json import parse_each, parse_price_changes
from esl.intake.product_json import parse_product
from esl.services import batches, catalogue
from esl.services.pricing import Applied
from esl.store import places, products
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["products and prices"])


@router.put("/products/{sku:path}", openapi_extra=openapi.PRODUCT)
async def put_product(
    store: str, sku: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Add or replace a product; a price may come along. Answered after the commit."""
    store_id, key = doors.store_id(store), doors.sku(sku)
    who.require(Scope.PRICE_WRITE, store_id)
    value, body = await doors.read_json(request)
    currency = (await doors.store_for(house, store_id)).currency
    item = parse_product(value, store_id=store_id, sku=key, currency=currency)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        applied = catalogue.put_products(tx, store_id, [item], now, actor=who.name)
        return {"sku": key, "labels": len(set(applied.labels))}, Notice(labels=applied.labels)

    return await doors.change(house, request, who, body, work)


@router.post("/products", openapi_extra=openapi.PRODUCTS)
async def put_products(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Add or replace many products, all or none."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_WRITE, store_id)
    value, body = await doors.read_json(request)
    currency = (await doors.store_for(house, store_id)).currency
    items = parse_each(
        value,
        lambda item, path: parse_product(
            item, store_id=store_id, sku=None, currency=currency, path=path
        ),
    )

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        applied = catalogue.put_products(tx, store_id, items, now, actor=who.name)
        answer = {"products": len(items), "labels": len(set(applied.labels))}
        return answer, Notice(labels=applied.labels)

    return await doors.change(house, request, who, body, work, items=len(items))


@router.get("/products/{sku:path}")
async def get_product(store: str, sku: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return a product and the price that holds."""
    store_id, key = doors.store_id(store), doors.sku(sku)
    who.require(Scope.PRICE_READ, store_id)

    def query(tx: Connection) -> dict[str, Any]:
        product = products.products_by_sku(tx, store_id, [key]).get(key)
        if product is None:  # a SKU may be any text of a sender's, so it is not repeated
            raise UnknownProduct("the store has no product with this SKU")
        price = products.current_prices(tx, store_id, [key]).get(key)
        return product_view(product, price, places.store_named(tx, store_id).currency)

    return await doors.read(house, query)


@router.post("/price-changes", openapi_extra=openapi.PRICE_CHANGES)
async def post_price_changes(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Take one price change or an array; each gets its own result. Answered after the commit."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_WRITE, store_id)
    value, body = await doors.read_json(request)
    currency = (await doors.store_for(house, store_id)).currency
    changes = parse_price_changes(value, store_id=store_id, currency=currency)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        applied, batch_id = batches.apply_batch(tx, store_id, changes, now, actor=who.name)
        batch = {} if batch_id is None else {"batch": batch_id}
        return _results(applied) | batch, Notice(labels=applied.labels)

    return await doors.change(house, request, who, body, work, items=len(changes))


def _results(applied: Applied) -> dict[str, Any]:
    return {"results": [result_view(result) for result in applied.results]}


def result_view(result: ChangeResult) -> dict[str, Any]:
    """What became of a change; why, and under which number it waits, only where it does."""
    view: dict[str, Any] = {
        "sku": result.sku,
        "decision": result.decision,
        "rev": result.rev,
        "labels": result.labels,
    }
    if result.reasons:
        view["reasons"] = [{"code": r.value, "words": WORDS[r]} for r in result.reasons]
    if result.quarantine_id is not None:
        view["price_id"] = result.quarantine_id
    return view
