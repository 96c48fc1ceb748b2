"""Pricer's interface (Plaza, and R3Server on the premises): the calls that drivers make.

    /compat/pricer + /api/public/core/v1/items …            the store of the token
    /compat/pricer/STORE + /api/public/core/v1/items …      a store by its code

Name and password are a machine token's; HTTP Basic is taken on every call. What the addresses mean
is in ``docs/compat.md``.
"""

import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from api import doors
from api.auth import TheHouse
from api.compat import calls, pricer_views
from api.compat.asker import asker_of, read_basic
from api.compat.calls import whole_number
from api.compat.tickets import ACCESS_LASTS, Kind, issue
from api.compat.vendor_route import vendor_route
from api.house import House
from api.secret_box import open_box
from esl.domain.access import Principal, Scope
from esl.domain.errors import InvalidInput, NotFound, NotSignedIn
from esl.intake.compat import PRICER
from esl.intake.compat.members import read_article, read_label
from esl.intake.compat.pricer_json import (
    parse_item_ids,
    parse_items,
    parse_label_links,
)
from esl.intake.order_json import LIGHT_COLOURS, LightRequest
from esl.services import compat_access
from esl.services.compat_items import TakenItems
from esl.store import compat_results

_LIMIT_MOST = 1000
_REQUEST_LONGEST = 64
_FLASH_S = 30


def _answer_error(_request: Request, status: HTTPStatus, words: str) -> Response:
    content = {"status": int(status), "error": status.phrase, "message": words}
    headers: dict[str, str] = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="esl"'
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    return JSONResponse(content, status, headers)


router = APIRouter(
    prefix="/compat/pricer",
    include_in_schema=False,
    route_class=vendor_route(_answer_error),
)
_Asker = Annotated[Principal, Depends(asker_of(PRICER))]


# -- login ---------------------------------------------------------------------------------------


async def log_in(request: Request, house: TheHouse) -> Response:
    """Give a ticket for name and password of HTTP Basic.

    The answer is compact and in this order: there are drivers that cut the token out by position.
    """
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic" or len(text) > 1000:  # noqa: PLR2004  a name and a password
        raise NotSignedIn("log in with HTTP Basic: the name of a token, and the token as password")
    name, password = read_basic(text.strip())
    ticket = await _ticket(house, name, password)
    return Response(
        json.dumps({"tokenType": "JWT", "token": ticket}, separators=(",", ":")),
        media_type="application/json",
    )


async def give_token(request: Request, house: TheHouse) -> Response:
    """Give a ticket for client credentials (OAuth 2.0, RFC 6749, 4.4)."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, password = read_basic(text.strip()[:1000])
    else:
        try:
            form = parse_qs((await request.body()).decode(), max_num_fields=20)
        except ValueError:
            raise InvalidInput.at(
                "", "not a form", fix="Send client_id and client_secret."
            ) from None
        name, password = (form.get(field, [""])[0] for field in ("client_id", "client_secret"))
    ticket = await _ticket(house, name, password)
    lasts_s = int(ACCESS_LASTS.total_seconds())
    return JSONResponse({"access_token": ticket, "token_type": "Bearer", "expires_in": lasts_s})


async def _ticket(house: House, name: str, password: str) -> str:
    token = await doors.read(house, lambda tx: compat_access.log_in(tx, name, password))
    box = open_box(house.settings.data_dir)
    return issue(box, Kind.ACCESS, token.token_id, door=PRICER, now=house.clock.now())


# -- items ---------------------------------------------------------------------------------------


async def patch_items(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Take items in part; what became of each is told by `show_result`, at once."""
    items = parse_items(await calls.read_body(request))
    call = await _begin(request, house, who, Scope.PRICE_WRITE)
    if items.links:
        who.require(Scope.LABEL_PAIR, call.store_id)
    read = await calls.read_sent(call, items.sent, whole=False)
    number = secrets.token_hex(16)

    def tell(tx: Connection, taken: TakenItems) -> Mapping[str, Any]:
        result = json.dumps(pricer_views.result_view(items.sent, taken))
        now = house.clock.now()
        compat_results.keep_result(tx, who.name, call.store_id, number, result, now)
        return {"requestId": number}

    return _accepted(await calls.put_items(call, read, tell, whole=False, links=items.links))


async def show_result(number: str, request: Request, house: TheHouse, who: _Asker) -> Response:
    """Say what became of each item of a request of one's own."""
    call = await _begin(request, house, who, Scope.PRICE_WRITE)
    found: str | None = None
    if len(number) <= _REQUEST_LONGEST and number.isascii() and number.isalnum():
        found = await doors.read(
            house, lambda tx: compat_results.kept_result(tx, who.name, call.store_id, number)
        )
    if found is None:
        raise NotFound("no request of yours has this number, or it is too long ago")
    result = json.loads(found)
    query = request.query_params
    if query.get("excludeItemResults", "").lower() == "true":
        del result["itemResults"]
    if query.get("excludeItemErrorCount", "").lower() == "true":
        del result["itemErrorCount"]
    return JSONResponse(result)


async def list_items(request: Request, house: TheHouse, who: _Asker) -> Response:
    """List items, by id."""
    call = await _begin(request, house, who, Scope.PRICE_READ)
    start, limit, projection = _page(request)
    found = await doors.read(
        house,
        lambda tx: pricer_views.items_view(
            tx, call.store_id, start=start, limit=limit, projection=projection
        ),
    )
    return JSONResponse(found)


async def show_item(item: str, request: Request, house: TheHouse, who: _Asker) -> Response:
    """Show an item."""
    call = await _begin(request, house, who, Scope.PRICE_READ)
    sku = read_article(item, "/itemId")
    return JSONResponse(
        await doors.read(house, lambda tx: pricer_views.item_view_of(tx, call.store_id, sku))
    )


async def delete_items(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Delete the items that the body names; without a body nothing is deleted."""
    value = await calls.read_body(request)
    if value is None:
        raise InvalidInput.at("", "no items are named; nothing was deleted", fix="Send their ids.")
    skus = parse_item_ids(value)
    call = await _begin(request, house, who, Scope.PRICE_WRITE)
    return _accepted(await calls.delete_items(call, skus, {"requestId": secrets.token_hex(16)}))


async def delete_item(item: str, request: Request, house: TheHouse, who: _Asker) -> Response:
    """Delete one item."""
    sku = read_article(item, "/itemId")
    call = await _begin(request, house, who, Scope.PRICE_WRITE)
    return _accepted(await calls.delete_items(call, [sku], {"requestId": secrets.token_hex(16)}))


# -- labels --------------------------------------------------------------------------------------


async def link_labels(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Let labels speak for items, or with empty links for none; all of them or nothing."""
    pairs, freed = parse_label_links(await calls.read_body(request))
    call = await _begin(request, house, who, Scope.LABEL_PAIR)
    answer = {"requestId": secrets.token_hex(16)}
    return _accepted(await calls.link(call, pairs, freed, answer))


async def unlink_label(label: str, request: Request, house: TheHouse, who: _Asker) -> Response:
    """Let a label speak for nothing."""
    label_id = read_label(label, "/barcode")
    call = await _begin(request, house, who, Scope.LABEL_PAIR)
    answer = {"requestId": secrets.token_hex(16)}
    return _accepted(await calls.link(call, [], [label_id], answer))


async def list_labels(request: Request, house: TheHouse, who: _Asker) -> Response:
    """List labels, by bar code."""
    call = await _begin(request, house, who, Scope.LABEL_READ)
    start, limit, projection = _page(request)
    state = request.query_params.get("filter[plState]")
    online = house.online()
    found = await doors.read(
        house,
        lambda tx: pricer_views.labels_view(
            tx,
            call.store_id,
            online,
            state=state,
            start=start,
            limit=limit,
            projection=projection,
        ),
    )
    return JSONResponse(found)


async def show_label(label: str, request: Request, house: TheHouse, who: _Asker) -> Response:
    """Show a label with all that is known of it."""
    label_id = read_label(label, "/barcode")
    call = await _begin(request, house, who, Scope.LABEL_READ)
    online = house.online()
    return JSONResponse(
        await doors.read(
            house, lambda tx: pricer_views.label_view_of(tx, call.store_id, label_id, online)
        )
    )


async def flash_label(label: str, request: Request, house: TheHouse, who: _Asker) -> Response:
    """Let a label blink, to be found."""
    label_id = read_label(label, "/barcode")
    call = await _begin(request, house, who, Scope.LABEL_PAIR)
    light = LightRequest(labels=(label_id,), colour=LIGHT_COLOURS[1], seconds=_FLASH_S)
    return _accepted(await calls.blink(call, [light], {"requestId": secrets.token_hex(16)}))


async def turn_page(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Refuse, in words: a label here has one page, and the controller chooses what is on it."""
    await _begin(request, house, who, Scope.LABEL_PAIR)
    raise InvalidInput.at("", "labels of this controller have one page; nothing was changed")


async def nothing_here(_who: _Asker) -> Response:
    """Say that a call is none of those that are answered."""
    raise NotFound("this call is not answered here; docs/compat.md lists those that are")


async def _begin(request: Request, house: House, who: Principal, scope: Scope) -> calls.Call:
    code = request.path_params.get("store") or request.query_params.get("store")
    return await calls.begin(request, house, who, scope, system=PRICER, code=code)


def _page(request: Request) -> tuple[int, int, str]:
    query = request.query_params
    projection = query.get("projection", "M").upper()
    if projection not in {"S", "M", "L"}:
        raise InvalidInput.at("/projection", "none of S, M and L")
    start = whole_number(query.get("start"), "start", usual=0)
    limit = whole_number(query.get("limit"), "limit", usual=_LIMIT_MOST)
    return start, min(limit, _LIMIT_MOST), projection


def _accepted(response: Response) -> Response:
    response.status_code = HTTPStatus.ACCEPTED
    return response


_CORE = "/api/public/core/v1"
_ROUTES = (
    (("GET", "HEAD"), "/api/public/auth/v1/login", log_in),
    (("POST",), "/api/v2/oauth/token", give_token),
    (("POST",), "/oauth/token", give_token),
    (("PATCH", "POST"), f"{_CORE}/items", patch_items),
    (("GET", "HEAD"), f"{_CORE}/items", list_items),
    (("DELETE",), f"{_CORE}/items", delete_items),
    (("GET", "HEAD"), f"{_CORE}/items-result/{{number}}", show_result),
    (("GET", "HEAD"), f"{_CORE}/items/{{item:path}}", show_item),
    (("DELETE",), f"{_CORE}/items/{{item:path}}", delete_item),
    (("GET", "HEAD"), f"{_CORE}/labels", list_labels),
    (("PATCH", "POST"), f"{_CORE}/labels", link_labels),
    (("POST", "PATCH"), f"{_CORE}/labels/link-single", link_labels),
    (("GET", "HEAD"), f"{_CORE}/labels/{{label}}", show_label),
    (("DELETE",), f"{_CORE}/labels/{{label}}/links", unlink_label),
    (("POST", "PUT"), f"{_CORE}/labels/{{label}}/flash", flash_label),
    (("POST", "PUT"), f"{_CORE}/labels/{{label}}/page", turn_page),
)
for _methods, _path, _endpoint in _ROUTES:
    for _front in ("", "/{store}"):
        router.add_api_route(_front + _path, _endpoint, methods=list(_methods))
router.add_api_route(
    "/{rest:path}", nothing_here, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
)
