"""Scans: what a code stands for in a store, and two of them made into a pairing."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_scans
from api.auth import Asker, TheHouse
from api.panel_fit import PanelFit
from api.schemas import money
from api.turns import drawing_turn
from esl.domain.access import Scope
from esl.domain.ids import Sku, StoreId
from esl.domain.pricing import CurrentPrice
from esl.domain.product import Product
from esl.domain.scan import LONGEST, read_scan
from esl.intake.scan_json import parse_scans, parse_texts
from esl.services import scanning
from esl.services.scanning import Meant
from esl.store.pairing_events import hangings
from esl.store.products import current_prices, products_by_sku
from gateway.worker import Notice
from renderer.codes.photo import codes_in_photo

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["pairings"])


class Text(BaseModel, extra="forbid"):
    """What was scanned or typed."""

    text: str = Field(min_length=1, max_length=LONGEST, description="As the scanner read it.")


@router.get("/scans")
async def get_scan(
    store: str, house: TheHouse, who: Asker, which: Annotated[Text, Query()]
) -> dict[str, Any]:
    """Say what a scanned or typed text stands for: a label, a product, a shelf, or nothing.

    Bar codes of products in every form, GS1 element strings and Digital Links, a label's own id
    or the address in its picture, short links, SKUs, and the codes of shelves.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    read_scan(which.text)
    return (await doors.read(house, lambda tx: _scan_views(tx, store_id, [which.text])))[0]


@router.post("/scans", openapi_extra=openapi_scans.LOOK_UP)
async def look_up_scans(
    store: str, request: Request, house: TheHouse, who: Asker
) -> dict[str, Any]:
    """Say what many texts stand for, each in its place: what was pasted, or scanned into a list."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    value, _ = await doors.read_json(request)
    texts = parse_texts(value)
    return {"scans": await doors.read(house, lambda tx: _scan_views(tx, store_id, texts))}


@router.post("/scanned-pairings", openapi_extra=openapi_scans.PAIR)
async def pair_scans(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Pair a label with a product by their codes, in either order.

    It hangs where the asker stands: ``PUT …/current-place``. Refused as any pairing is, and where
    it is not sure which code is whose. ``step`` is the number in the label's history: it can be
    undone, and says later whether the glass confirmed it.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    value, body = await doors.read_json(request)
    scans = parse_scans(value)
    fit = PanelFit(house)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        done = scanning.pair_scanned(tx, store_id, scans, now, actor=who.name)
        fit.check(tx, done.touched)
        hangs = hangings(tx, [done.label])[done.label]
        answer = {
            "label": done.label,
            "sku": done.sku,
            "name": done.name,
            "place": hangs.place,
            "step": done.step,
        }
        return answer, Notice(labels=done.touched)

    async with fit.explained():
        return await doors.change(house, request, who, body, work)


@router.post("/photographed-codes", openapi_extra=openapi_scans.PHOTO)
async def read_photo(store: str, request: Request, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Read the codes in a photo: bar codes, QR, Data Matrix. Nothing of it is kept.

    PNG, JPEG, WebP, GIF or BMP, up to 2 MiB; it is decoded in a process of its own.
    """
    await doors.enter(house, who, Scope.LABEL_PAIR, store)
    body = await request.body()
    async with drawing_turn(request):
        found = await asyncio.to_thread(codes_in_photo, body)
    return {"codes": [{"text": one.text, "symbol": one.symbol} for one in found]}


def _scan_views(tx: Connection, store_id: StoreId, texts: Sequence[str]) -> list[dict[str, Any]]:
    all_meant = scanning.look_up(tx, store_id, texts)
    skus = {sku for meant in all_meant for sku in meant.skus}
    found, prices = products_by_sku(tx, store_id, skus), current_prices(tx, store_id, skus)
    hang = hangings(tx, {meant.label for meant in all_meant if meant.label is not None})
    views: list[dict[str, Any]] = []
    for meant in all_meant:
        label: dict[str, Any] | None = None
        if meant.label is not None:
            hangs = hang[meant.label]
            label = {"label": meant.label, "skus": list(hangs.skus), "place": hangs.place}
        view = {
            "kind": _kind(meant),
            "label": label,
            "products": [_product(found[sku], prices.get(sku)) for sku in meant.skus],
            "place": meant.place,
        }
        views.append(view)
    return views


def _kind(meant: Meant) -> str:
    if meant.label is not None:
        return "label" if not meant.skus else "either"
    if meant.skus:
        return "product"
    return "place" if meant.place is not None else "unknown"


def _product(product: Product, price: CurrentPrice | None) -> Mapping[str, Any]:
    sku: Sku = product.sku
    return {
        "sku": sku,
        "name": product.name,
        "price": money(price.price_minor, price.currency) if price is not None else None,
        "currency": price.currency if price is not None else None,
    }
