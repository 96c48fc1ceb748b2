"""Products and price changes: what tills and ERP systems send."""

import asyncio
import json
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors, openapi
from api.auth import Asker, TheHouse
from api.decisions import result_view
from api.edits import Edited, Read
from api.price_notes import offer_note, price_notes
from api.product_notes import product_notes
from api.schemas import product_view
from api.single_prices import SinglePrices
from esl.domain.access import Principal, Scope
from esl.domain.errors import UnknownProduct
from esl.domain.ids import Sku, StoreId
from esl.domain.pricing import ChangeResult, PriceChange
from esl.domain.product import Product
from esl.intake.price_json import parse_each, parse_price_changes
from esl.intake.product_json import parse_product
from esl.services import batches, catalogue
from esl.services.catalogue import ProductsPut
from esl.store import places, products
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["products and prices"])


@router.put("/products/{sku:path}", openapi_extra=openapi.PRODUCT)
async def put_product(
    store: str, sku: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Add or replace a product; a price may come along. Answered after the commit."""
    store_id, key = doors.store_id(store), doors.sku(sku)
    who.require(Scope.PRICE_WRITE, store_id)
    value, body = await doors.read_json(request)
    currency = (await doors.store_for(house, store_id)).currency
    item = parse_product(value, store_id=store_id, sku=key, currency=currency)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: _product_view(tx, store_id, key, currency))
        now = house.clock.now()
        put = catalogue.put_products(tx, store_id, [item], now, actor=who.name)
        return {"sku": key} | _put_view(put), Notice(labels=put.labels)

    return await doors.change(house, request, who, body, work)


@router.post("/products", openapi_extra=openapi.PRODUCTS)
async def put_products(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Add or replace many products; each gets its own result, with that of its price."""
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
        put = catalogue.put_products(tx, store_id, items, now, actor=who.name)
        return {"products": len(items)} | _put_view(put), Notice(labels=put.labels)

    return await doors.change(house, request, who, body, work, items=len(items))


@router.get("/products/{sku:path}")
async def get_product(
    store: str, sku: str, house: TheHouse, who: Asker, reading: Read
) -> dict[str, Any]:
    """Return a product and its till's price, and beside it what promotions make of that.

    ``offer`` is there while a promotion runs for it: labels show that. Why: the explanation of
    any of its labels. The ETag is of the product alone: a new price does not change it.
    """
    store_id, key = doors.store_id(store), doors.sku(sku)
    who.require(Scope.PRICE_READ, store_id)

    def query(tx: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        product = _product(tx, store_id, key)
        price = products.current_prices(tx, store_id, [key]).get(key)
        shop = places.store_named(tx, store_id)
        view = product_view(product, price, shop.currency) | product_notes(tx, shop, key)
        view |= offer_note(tx, shop, key)
        view |= price_notes(tx, shop, key, house.clock.now())
        return view, _product_view(tx, store_id, key, shop.currency)

    return reading.part(*await doors.read(house, query))


@router.post("/price-changes", openapi_extra=openapi.PRICE_CHANGES)
async def post_price_changes(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Take one price change or an array; each gets its own result. Answered after the commit."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_WRITE, store_id)
    value, body = await doors.read_json(request)
    if not isinstance(value, list) or len(value) == 1:
        return await _take_single(store_id, request, who, value, body)
    currency = (await doors.store_for(house, store_id)).currency
    changes = await asyncio.to_thread(
        parse_price_changes, value, store_id=store_id, currency=currency
    )

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        applied, batch_id = batches.apply_batch(tx, store_id, changes, now, actor=who.name)
        results = [result_view(result) for result in applied.results]
        return {"results": results} | _batch_view(batch_id), Notice(labels=applied.labels)

    return await doors.change(house, request, who, body, work, items=len(changes))


def _product(tx: Connection, store_id: StoreId, sku: Sku) -> Product:
    product = products.products_by_sku(tx, store_id, [sku]).get(sku)
    if product is None:  # a SKU may be any text of a sender's, so it is not repeated
        raise UnknownProduct("the store has no product with this SKU")
    return product


def _product_view(tx: Connection, store_id: StoreId, sku: Sku, currency: str) -> dict[str, Any]:
    return product_view(_product(tx, store_id, sku), None, currency)


async def _take_single(
    store_id: StoreId, request: Request, who: Principal, value: Any, body: bytes
) -> Response:
    """Take a change that came by itself, together with those of others."""
    prices: SinglePrices = request.app.state.prices
    key = doors.idempotency_key(request)

    def read(currency: str) -> PriceChange:
        return parse_price_changes(value, store_id=store_id, currency=currency)[0]

    taken = await prices.take(
        store_id,
        read,
        actor=who.name,
        key=key,
        asked=doors.asked(request, body),
        is_listed=isinstance(value, list),
    )
    return doors.answered(taken.answer, is_replayed=taken.is_replayed)


def single_view(result: ChangeResult) -> str:
    """Write the answer to a change that came by itself."""
    return json.dumps({"results": [result_view(result)]})


def _put_view(put: ProductsPut) -> dict[str, Any]:
    results = [
        {"sku": one.sku, "product": one.put, "labels": one.labels}
        | (result_view(one.price) | {"labels": one.labels} if one.price is not None else {})
        for one in put.results
    ]
    return {"labels": len(set(put.labels)), "results": results} | _batch_view(put.batch_id)


def _batch_view(batch_id: int | None) -> dict[str, int]:
    return {} if batch_id is None else {"batch": batch_id}
