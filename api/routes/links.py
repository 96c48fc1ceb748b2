"""Short links: a store's setting, where a product's leads, the export, and the way of a shopper."""

import html
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_shelf
from api.auth import Asker, TheHouse
from api.edits import Edited, Read
from api.visits import Visits
from esl.domain.access import Scope
from esl.domain.errors import Conflict
from esl.domain.short_link import PATH, LinkSetting, read_code
from esl.intake.link_json import parse_setting, parse_target, setting_view
from esl.services import links
from esl.services.links import Export
from esl.store import places, short_links
from esl.store.short_links import ShortLink
from gateway.worker import Notice

router = APIRouter(tags=["short links"])

_STORE = "/api/v1/stores/{store}"
_DAYS_SHOWN = 92
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title></head><body><main><h1>{title}</h1><p>{words}</p></main></body></html>
"""


class ExportForm(BaseModel, extra="forbid"):
    """Whose form the redirects are written in."""

    form: Literal["nginx", "apache", "netlify", "csv"] = Field(default="csv", alias="format")


@router.get(f"{_STORE}/short-links")
async def get_setting(store: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Say how a store's short links look, and to which hosts they may lead."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    found = await doors.read(house, lambda tx: short_links.setting_of(tx, store_id))
    return reading.of(setting_view(found))


@router.put(f"{_STORE}/short-links", openapi_extra=openapi_shelf.SETTING)
async def put_setting(
    store: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Set a store's short links up: their host, where they may lead, and whether labels say them.

    ``labels`` counts those that change: only where faces begin or end to say short links.
    """
    store_id = await doors.enter(house, who, Scope.STORE_ADMIN, store)
    value, body = await doors.read_json(request)
    setting = parse_setting(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: setting_view(short_links.setting_of(tx, store_id)))
        now = house.clock.now()
        touched = links.put_setting(tx, store_id, setting, now, actor=who.name)
        return setting_view(setting) | {"labels": len(touched)}, Notice(labels=touched)

    return await doors.change(house, request, who, body, work)


@router.get(
    f"{_STORE}/short-link-redirects",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {}, "text/csv": {}}}},
)
async def export_redirects(
    store: str, house: TheHouse, who: Asker, wanted: Annotated[ExportForm, Query()]
) -> Response:
    """Write all redirects for a public web server: nginx, Apache, Netlify, or CSV."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)

    def query(tx: Connection) -> str:
        setting = short_links.setting_of(tx, store_id)
        if setting is None:
            raise Conflict("the store has no short links; set them up with PUT …/short-links")
        found = list(short_links.all_links(tx, store_id))
        return "".join(links.write_redirects(found, setting, Export(wanted.form)))

    text = await doors.read(house, query)
    return Response(text, media_type="text/csv" if wanted.form == "csv" else "text/plain")


@router.get(f"{_STORE}/short-links/{{sku:path}}")
async def get_link(
    store: str, sku: str, request: Request, house: TheHouse, who: Asker, reading: Read
) -> Any:
    """Return a product's short link, where it leads now, and how often it was followed by day."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    product = doors.sku(sku)
    visits: Visits = request.app.state.visits
    await visits.written()
    since = house.clock.now().date() - timedelta(days=_DAYS_SHOWN)

    def query(tx: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        found = links.link_of(tx, store_id, product)
        counted = short_links.visits_of(tx, found.code, since=since)
        view = _link_view(found, short_links.setting_of(tx, store_id)) | {
            "visits": [{"day": day, "visits": number} for day, number in counted]
        }
        return view, _target_view(found)

    return reading.part(*await doors.read(house, query))


@router.put(f"{_STORE}/short-links/{{sku:path}}", openapi_extra=openapi_shelf.TARGET)
async def put_target(
    store: str, sku: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Let a product's short link lead elsewhere, or by the store's rule; no label changes."""
    store_id = await doors.enter(house, who, Scope.TEMPLATE_WRITE, store)
    product = doors.sku(sku)
    value, body = await doors.read_json(request)
    target = parse_target(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: _target_view(links.link_of(tx, store_id, product)))
        now = house.clock.now()
        found = links.set_target(tx, store_id, product, target, now, actor=who.name)
        return _link_view(found, short_links.setting_of(tx, store_id)), Notice()

    return await doors.change(house, request, who, body, work)


@router.get("/s/{code}", include_in_schema=False)
async def follow(code: str, request: Request, house: TheHouse) -> Response:
    """Lead a shopper on: to where the product's short link leads, and to no other host."""
    visits: Visits = request.app.state.visits
    read = read_code(code)
    if read is None:
        return _nowhere()

    def query(tx: Connection) -> tuple[ShortLink, str | None, date] | None:
        found = short_links.link_coded(tx, read)
        setting = short_links.setting_of(tx, found.store_id) if found is not None else None
        if found is None or setting is None:
            return None
        zone = ZoneInfo(places.store_named(tx, found.store_id).timezone)
        return found, links.leads_to(found, setting), house.clock.now().astimezone(zone).date()

    async with visits.turns:
        led = await doors.read(house, query)
    if led is None:
        return _nowhere()
    link, target, day = led
    visits.note(link.code, day)
    if target is None:
        return _page(link.name or "This product", "There is no page about this product yet.")
    return Response(status_code=HTTPStatus.FOUND, headers={"Location": target})


def _link_view(link: ShortLink, setting: LinkSetting | None) -> dict[str, Any]:
    return {
        "sku": link.sku,
        "code": link.code,
        "address": f"{setting.base}{PATH}{link.code}" if setting is not None else None,
        "target": link.target,
        "leads_to": links.leads_to(link, setting) if setting is not None else None,
    }


def _target_view(link: ShortLink) -> dict[str, Any]:
    return {"sku": link.sku, "target": link.target}


def _nowhere() -> Response:
    words = "Please scan the code on the shelf once more, or ask at the shop."
    return _page("This link is not known", words)


def _page(title: str, words: str) -> Response:
    text = _PAGE.format(title=html.escape(title), words=html.escape(words))
    return Response(text, HTTPStatus.NOT_FOUND, media_type="text/html")
