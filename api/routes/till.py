"""What tills may charge: how a store's tills are told, what they ask, what they say."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_till
from api.auth import Asker, TheHouse
from api.edits import Edited, Read
from api.secret_box import open_box
from api.till_views import SECRET_KIND, page_view, secret_of
from esl.domain.access import Scope
from esl.intake.till_json import (
    REV_MOST,
    parse_absent,
    parse_till_setting,
    parse_words,
    till_setting_view,
)
from esl.services import till_channels, tilling
from esl.store import till_labels, till_settings, tills
from esl.store.tills import TillPrice
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["till"])


class News(BaseModel, extra="forbid"):
    """What a till has not heard."""

    since: int = Field(
        default=0, ge=0, le=REV_MOST, description="“next” of the answer before; 0: everything."
    )
    limit: int = Field(default=500, ge=1, le=1000)


class Pending(BaseModel, extra="forbid"):
    """How many of the prices that wait."""

    limit: int = Field(default=500, ge=1, le=1000)


@router.get("/till")
async def get_till(store: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Return how a store's tills are told of prices."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    setting = await doors.read(house, lambda tx: till_settings.setting_of(tx, store_id))
    return reading.of(till_setting_view(setting))


@router.put("/till", openapi_extra=openapi_till.SETTING)
async def put_till(
    store: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Replace how a store's tills are told of prices; what is left out takes its default."""
    store_id = doors.store_id(store)
    who.require(Scope.STORE_ADMIN, store_id)
    value, body = await doors.read_json(request)
    put = parse_till_setting(value, store_id=store_id)
    sealed: bytes | None = None
    if put.secret is not None:
        box = open_box(house.settings.data_dir)
        sealed = box.seal(put.secret, source=secret_of(store_id), kind=SECRET_KIND)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: till_setting_view(till_settings.setting_of(tx, store_id)))
        now = house.clock.now()
        touched = till_channels.put_till(tx, put.setting, now, actor=who.name, sealed=sealed)
        return till_setting_view(put.setting), Notice(labels=touched)

    return await doors.change(house, request, who, body, work)


@router.get("/till-prices")
async def get_till_prices(
    store: str, house: TheHouse, who: Asker, news: Annotated[News, Query()]
) -> dict[str, Any]:
    """Return what a store's tills may charge, the oldest change first, by ``since`` and page.

    A price with ``waits_for`` is to come: dearer ones once every label shows them, cheaper ones
    are charged now and shown once the till has acknowledged them.
    """
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_READ, store_id)
    currency = (await doors.store_for(house, store_id)).currency

    def query(tx: Connection) -> dict[str, Any]:
        page = tills.page_of(tx, store_id, since=news.since, limit=news.limit)
        missing = till_labels.missing_labels(tx, store_id, _skus(page))
        last = page[-1].rev if page else news.since
        return page_view(page, missing, currency) | {
            "next": last,
            "more": len(page) == news.limit,
        }

    return await doors.read(house, query)


@router.post("/till-prices/ack", openapi_extra=openapi_till.WORDS)
async def acknowledge_prices(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Take a till's words that it charges the prices it was given; the same word again is harmless.

    Labels that waited for a cheaper price show it now.
    """
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_WRITE, store_id)
    value, body = await doors.read_json(request)
    words = parse_words(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        done = tilling.acknowledge_prices(tx, store_id, words, house.clock.now())
        heard = [
            {"sku": sku, "rev": rev, "result": result.value}
            for (sku, rev), result in zip(words, done.heard, strict=True)
        ]
        return {"prices": heard, "labels": len(done.labels)}, Notice(labels=done.labels)

    return await doors.change(house, request, who, body, work, items=len(words))


@router.get("/till-prices/pending")
async def list_pending(
    store: str, house: TheHouse, who: Asker, page: Annotated[Pending, Query()]
) -> dict[str, Any]:
    """List the prices that wait for labels or for the till, the longest first."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_READ, store_id)
    currency = (await doors.store_for(house, store_id)).currency

    def query(tx: Connection) -> dict[str, Any]:
        found = tills.waiting_of(tx, store_id, limit=page.limit)
        return page_view(found, till_labels.missing_labels(tx, store_id, _skus(found)), currency)

    return await doors.read(house, query)


@router.post("/absent-labels", openapi_extra=openapi_till.ABSENT)
async def attest_absent(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Write down that a person looked, and that labels hang no more: no price waits for them."""
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_APPROVE, store_id)
    value, body = await doors.read_json(request)
    gone, reason = parse_absent(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        till_channels.attest_absent(tx, store_id, gone, now, actor=who.name, reason=reason)
        return {"labels": len(set(gone))}, Notice()

    return await doors.change(house, request, who, body, work, items=len(gone))


def _skus(page: list[TillPrice]) -> list[Any]:
    return [one.sku for one in page]
