"""SoluM's interface (AIMS, both the hosted one and on the premises): the calls that drivers make.

    /compat/solum + /common/api/v2/common/articles …    also with /c1 before, and in older forms

Errors are ``{"responseCode": "404", "responseMessage": "…"}``. What the addresses mean is in
``docs/compat.md``.
"""

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
from api.compat import calls, solum_views
from api.compat.asker import asker_of
from api.compat.calls import whole_number
from api.compat.place import code_of, source_for
from api.compat.tickets import ACCESS_LASTS, Kind, issue, open_ticket
from api.compat.vendor_route import vendor_route
from api.house import House
from api.secret_box import open_box
from esl.domain.access import Principal, Scope
from esl.domain.errors import FieldProblem, InvalidInput, NotFound, NotSignedIn
from esl.intake.compat import SOLUM
from esl.intake.compat.members import member, read_label
from esl.intake.compat.solum_json import (
    names_a_template,
    parse_article_ids,
    parse_articles,
    parse_blinks,
    parse_links,
    parse_login,
    parse_unlinks,
)
from esl.intake.order_json import LightRequest
from esl.services import access, compat_access
from esl.services.compat_items import TakenItems

COOKIE = "AIMS_TOKEN"
_PAGE_MOST = 1000
_PAGE_USUAL = 100
_FORM = "application/x-www-form-urlencoded"
_DONE = {"responseCode": "200", "responseMessage": "SUCCESS"}
_TEMPLATES = "templateName was not looked at: the template rules of the store choose the template"


def _answer_error(_request: Request, status: HTTPStatus, words: str) -> Response:
    content = {"responseCode": str(int(status)), "responseMessage": words}
    headers = {"Retry-After": "1"} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(content, status, headers)


router = APIRouter(
    prefix="/compat/solum",
    include_in_schema=False,
    route_class=vendor_route(_answer_error),
)
_Asker = Annotated[Principal, Depends(asker_of(SOLUM, cookie=COOKIE))]

# -- login ---------------------------------------------------------------------------------------


async def log_in(request: Request, house: TheHouse) -> Response:
    """Give a ticket for the name and the secret of a machine token."""
    name, password = await _credentials(request)
    token = await doors.read(house, lambda tx: compat_access.log_in(tx, name, password))
    return _tickets(request, house, token.token_id)


async def refresh(request: Request, house: TheHouse) -> Response:
    """Give a new ticket for an old one's refresh token."""
    value = await calls.read_body(request)
    text = member(value, "refreshToken", "refresh_token")
    if not isinstance(text, str):
        raise NotSignedIn("no refreshToken was sent")
    box, now = open_box(house.settings.data_dir), house.clock.now()
    ticket = open_ticket(box, Kind.REFRESH, text, door=SOLUM, now=now)
    await doors.read(house, lambda tx: compat_access.principal_named(tx, ticket.token_id))
    return _tickets(request, house, ticket.token_id)


async def _credentials(request: Request) -> tuple[str, str]:
    if not request.headers.get("content-type", "").lower().startswith(_FORM):
        return parse_login(await calls.read_body(request))
    try:
        form = parse_qs((await request.body()).decode(), max_num_fields=20, strict_parsing=False)
    except ValueError:
        raise InvalidInput.at("", "not a form", fix="Send username and password.") from None
    return parse_login({name: values[0] for name, values in form.items()})


def _tickets(request: Request, house: House, token_id: str) -> Response:
    box, now = open_box(house.settings.data_dir), house.clock.now()
    ticket = issue(box, Kind.ACCESS, token_id, door=SOLUM, now=now)
    lasts_s = int(ACCESS_LASTS.total_seconds())
    message = {
        "access_token": ticket,
        "refresh_token": issue(box, Kind.REFRESH, token_id, door=SOLUM, now=now),
        "expires_in": lasts_s,
        "token_type": "bearer",
    }
    answer = JSONResponse({"responseMessage": message, "responseCode": "200"})
    is_safe = request.url.scheme == "https"
    answer.set_cookie(
        COOKIE, ticket, max_age=lasts_s, httponly=True, samesite="strict", secure=is_safe
    )
    return answer


# -- stores --------------------------------------------------------------------------------------


async def list_stores(request: Request, house: TheHouse, who: _Asker) -> Response:
    """List the stores that the token is for."""
    company = request.query_params.get("company", "")[:64]

    def query(tx: Connection) -> list[dict[str, Any]]:
        source = source_for(tx, who, SOLUM)
        return [
            solum_views.store_view(tx, store_id, code_of(source, store_id), company)
            for store_id in access.stores_open_to(tx, who)
        ]

    return JSONResponse({"stores": await doors.read(house, query)} | _DONE)


async def summarise(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Count a store's labels by how they do."""
    call = await _begin(request, house, who, Scope.LABEL_READ)
    online = house.online()
    counts = await doors.read(house, lambda tx: solum_views.summary_view(tx, call.store_id, online))
    return JSONResponse(counts | _DONE)


# -- articles ------------------------------------------------------------------------------------


async def put_articles(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Take articles: POST sends them whole, PUT in part. What is wrong with one is told of it."""
    value = await calls.read_body(request)
    articles = parse_articles(value)
    call = await _begin(request, house, who, Scope.PRICE_WRITE, station=articles.station)
    whole = request.method == "POST"
    read = await calls.read_sent(call, articles.sent, whole=whole)
    batch = secrets.token_hex(12)

    def tell(_tx: Connection, taken: TakenItems) -> Mapping[str, Any]:
        if taken.none_taken:  # a driver that looks at the status alone must see it
            raise InvalidInput(
                FieldProblem(path=f"/{number}", detail=result.words)
                for number, result in enumerate(taken.results)
            )
        bad = solum_views.article_errors(articles.sent, taken)
        return {**_DONE, "customBatchId": batch} | ({"articleErrors": bad} if bad else {})

    return await calls.put_items(call, read, tell, whole=whole)


async def delete_articles(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Delete articles; labels that spoke for them show no price any more."""
    skus = parse_article_ids(await calls.read_body(request))
    call = await _begin(request, house, who, Scope.PRICE_WRITE)
    return await calls.delete_items(call, skus, _DONE)


async def list_articles(request: Request, house: TheHouse, who: _Asker) -> Response:
    """List articles page by page, from page 0."""
    call = await _begin(request, house, who, Scope.PRICE_READ)
    start, limit = _page(request)
    found = await doors.read(
        house, lambda tx: solum_views.articles_view(tx, call.desk, start=start, limit=limit)
    )
    return _listed("articleList", found)


# -- labels --------------------------------------------------------------------------------------


async def link_labels(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Let labels speak for articles; all of them or none."""
    body = await calls.read_body(request)
    pairs = parse_links(body)
    call = await _begin(request, house, who, Scope.LABEL_PAIR)
    answer = {**_DONE, "templateNote": _TEMPLATES} if names_a_template(body) else _DONE
    return await calls.link(call, pairs, [], answer)


async def unlink_labels(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Let labels speak for nothing."""
    freed = parse_unlinks(await calls.read_body(request))
    call = await _begin(request, house, who, Scope.LABEL_PAIR)
    return await calls.link(call, [], freed, _DONE)


async def list_labels(request: Request, house: TheHouse, who: _Asker) -> Response:
    """List labels page by page, from page 0; filters are those of the maker."""
    call = await _begin(request, house, who, Scope.LABEL_READ)
    start, limit = _page(request)
    unassigned = request.url.path.endswith("/unassigned")
    wanted = solum_views.label_filter(request.query_params, unassigned=unassigned)
    online = house.online()
    found = await doors.read(
        house,
        lambda tx: solum_views.labels_view(
            tx, call.store_id, online, wanted, start=start, limit=limit
        ),
    )
    return _listed("labelList", found)


async def show_label(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Show one label with the picture that it said it shows."""
    call = await _begin(request, house, who, Scope.LABEL_READ)
    label_id = read_label(request.query_params.get("label"), "/label")
    online = house.online()
    view = await doors.read(
        house,
        lambda tx: solum_views.detail_view(tx, call.store_id, label_id, online, house.panels),
    )
    return JSONResponse(view | _DONE)


async def blink_labels(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Let labels blink, to be found."""
    blinks = parse_blinks(await calls.read_body(request))
    call = await _begin(request, house, who, Scope.LABEL_PAIR)
    alike = sorted({(b.colour, b.seconds) for b in blinks})
    wanted = [
        LightRequest(
            labels=tuple(b.label_id for b in blinks if (b.colour, b.seconds) == (colour, seconds)),
            colour=colour,
            seconds=seconds,
        )
        for colour, seconds in alike
    ]
    return await calls.blink(call, wanted, _DONE)


async def turn_page(request: Request, house: TheHouse, who: _Asker) -> Response:
    """Refuse, in words: a label here has one page, and the controller chooses what is on it."""
    await _begin(request, house, who, Scope.LABEL_PAIR)
    raise InvalidInput.at("", "labels of this controller have one page; nothing was changed")


async def nothing_here(_who: _Asker) -> Response:
    """Say that a call is none of those that are answered."""
    raise NotFound("this call is not answered here; docs/compat.md lists those that are")


async def _begin(
    request: Request,
    house: House,
    who: Principal,
    scope: Scope,
    *,
    station: str | None = None,
) -> calls.Call:
    query = request.query_params
    code = query.get("store") or query.get("stationCode") or station
    return await calls.begin(request, house, who, scope, system=SOLUM, code=code)


def _page(request: Request) -> tuple[int, int]:
    query = request.query_params
    size = whole_number(query.get("size"), "size", usual=_PAGE_USUAL, most=_PAGE_MOST)
    return whole_number(query.get("page"), "page", usual=0) * size, size


def _listed(name: str, found: list[dict[str, Any]]) -> Response:
    if not found:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return JSONResponse({name: found} | _DONE)


_ROUTES = (
    (("POST",), "token", log_in),
    (("POST",), "token/refresh", refresh),
    (("GET", "HEAD"), "store", list_stores),
    (("GET", "HEAD"), "store/summary", summarise),
    (("POST", "PUT"), "articles", put_articles),
    (("DELETE",), "articles", delete_articles),
    (("GET", "HEAD"), "articles", list_articles),
    (("GET", "HEAD"), "config/article/info", list_articles),
    (("POST", "PUT"), "labels/link", link_labels),
    (("POST", "PUT"), "labels/unlink", unlink_labels),
    (("GET", "HEAD"), "labels", list_labels),
    (("GET", "HEAD"), "labels/unassigned", list_labels),
    (("GET", "HEAD"), "labels/detail", show_label),
    (("PUT", "POST"), "labels/led", blink_labels),
    (("PUT", "POST"), "labels/blink", blink_labels),
    (("PUT", "POST"), "labels/contents/led", blink_labels),
    (("PUT", "POST"), "labels/page", turn_page),
    (("PUT", "POST"), "labels/contents/page", turn_page),
)
for _methods, _path, _endpoint in _ROUTES:
    for _front in ("/{front:path}/api/{version}/common/", "/{front:path}/api/{version}/"):
        router.add_api_route(_front + _path, _endpoint, methods=list(_methods))
router.add_api_route(
    "/{rest:path}", nothing_here, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
)
