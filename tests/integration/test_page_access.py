"""The rights matrix again, through the pages: every page and every button, for every role.

The pages ask the API as their reader, so a page can open no door that the API keeps shut; here
that is tried, route by route. A new route stands in one of the tables below, or a test fails.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import httpx2
import pytest
from fastapi.routing import APIRoute

from api.console.pages import PAGES
from esl.domain.access import ALL_STORES, ROLE_SCOPES, Principal, Role, Scope
from esl.domain.ids import StoreId
from tests.running_house import STORE_BODY, RunningHouse

pytest_plugins = ["tests.shop_over_http"]

PASSWORD = "a heron stood by the weir"
MAIN, OTHER = StoreId("main"), StoreId("other")
PROMOTION = {
    "id": "weekend",
    "name": "Weekend",
    "gives": {"percent": 25},
    "selection": {"everything": True},
    "where": {"stores": ["main"]},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page needs: a scope in the store, or (``whole``) in all stores."""

    scope: Scope | None
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a form needs, and what it sends."""

    scope: Scope
    sends: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False


LABELS, PRICES = Page(scope=Scope.LABEL_READ), Page(scope=Scope.PRICE_READ)
SEEN: Mapping[str, Page] = {
    "/": LABELS,
    "/home/now": LABELS,
    "/wall": LABELS,
    "/wall/tiles": LABELS,
    "/problems": LABELS,
    "/gateways": LABELS,
    "/batteries": LABELS,
    "/paper": LABELS,
    "/labels/{label}": LABELS,
    "/walk": LABELS,
    "/pair": Page(scope=Scope.LABEL_PAIR),
    "/templates": LABELS,
    "/template-uses": LABELS,
    "/templates/{template}": LABELS,
    "/templates/{template}/used": LABELS,
    "/templates/{template}/compare": LABELS,
    "/promotions": PRICES,
    "/promotions/new": Page(scope=Scope.PROMOTION_WRITE),
    "/promotions/{promotion}": PRICES,
    "/promotions/{promotion}/now": PRICES,
    "/products": PRICES,
    "/products/{sku:path}": PRICES,
    "/imports": PRICES,
    "/held": PRICES,
    "/shelf-report": PRICES,
    "/inspections": PRICES,
    "/inspections/{inspection}": PRICES,
    "/imports/mapping": Page(scope=Scope.STORE_ADMIN, whole=True),
    "/imports/sources": Page(scope=Scope.STORE_ADMIN, whole=True),
    "/people": Page(scope=Scope.USER_ADMIN),
    "/people/{person}": Page(scope=Scope.USER_ADMIN),
    "/machines": Page(scope=Scope.USER_ADMIN, whole=True),
    "/settings": LABELS,  # to look at
    "/settings/new-store": Page(scope=Scope.STORE_ADMIN, whole=True),
    "/health": Page(scope=Scope.STORE_ADMIN, whole=True),
    "/audit": Page(scope=Scope.AUDIT_READ),
    "/account": Page(scope=None),
}
DONE: Mapping[str, Act] = {
    "/promotions/{promotion}/act": Act(scope=Scope.PROMOTION_WRITE, sends={"what": "end"}),
    "/promotions/new": Act(scope=Scope.PROMOTION_WRITE, sends={"name": "New", "look": "yes"}),
    "/promotions/new/look": Act(scope=Scope.PROMOTION_WRITE, sends={"name": "New"}),
    "/products/{sku:path}/price": Act(
        scope=Scope.PRICE_WRITE, sends={"price": "1.39", "reason": "a test"}
    ),
    "/products/{sku:path}/undo": Act(scope=Scope.PRICE_WRITE, sends={"batch": "77000"}),
    "/imports/batches/{batch}/roll-back": Act(scope=Scope.PRICE_WRITE, sends={"reason": "a test"}),
    "/imports/sources": Act(
        scope=Scope.STORE_ADMIN, sends={"source": "till", "name": "Till"}, whole=True
    ),
    "/templates": Act(scope=Scope.TEMPLATE_WRITE, sends={"of": "standard", "name": "copied"}),
    "/templates/{template}/restore": Act(scope=Scope.TEMPLATE_WRITE, sends={"version": "1"}),
    "/templates/{template}/delete": Act(scope=Scope.TEMPLATE_WRITE),
    "/problems/taken-off": Act(scope=Scope.LABEL_PAIR, sends={"task": "77000"}),
    "/held": Act(scope=Scope.PRICE_APPROVE, sends={"price": "77000", "decide": "approve"}),
    "/gateways/tokens": Act(scope=Scope.GATEWAY_ENROL, sends={"gateway": "gw-9"}),
    "/gateways/shut-out": Act(scope=Scope.GATEWAY_ENROL, sends={"gateway": "gw-1"}),
    "/walk": Act(scope=Scope.LABEL_PAIR, sends={"label": "l-1", "what": "light"}),
    "/pair": Act(scope=Scope.LABEL_PAIR, sends={"first": "l-1", "second": "1001"}),
    "/pair/undo": Act(scope=Scope.LABEL_PAIR, sends={"step": "77000"}),
    "/pair/place": Act(scope=Scope.LABEL_PAIR, sends={"place": "3/2"}),
    "/paper": Act(scope=Scope.LABEL_PAIR, sends={"take:l-1": "on"}),
    "/paper/{ticket}": Act(scope=Scope.LABEL_PAIR, sends={"hangs": "no"}),
    "/labels/{label}/act": Act(scope=Scope.LABEL_PAIR, sends={"what": "light"}),
    "/people": Act(scope=Scope.USER_ADMIN, sends={"name": "new", "role": "manager"}),
    "/people/{person}/act": Act(scope=Scope.USER_ADMIN, sends={"what": "disable"}),
    "/machines": Act(scope=Scope.USER_ADMIN, sends={"name": "till"}, whole=True),
    "/machines/{machine}/act": Act(scope=Scope.USER_ADMIN, sends={"what": "revoke"}, whole=True),
    "/settings/new-store": Act(scope=Scope.STORE_ADMIN, sends={"store": "pula"}, whole=True),
    "/settings/store": Act(scope=Scope.STORE_ADMIN, sends={"name": "Taken over"}),
    "/settings/guards": Act(scope=Scope.STORE_ADMIN, sends={"rise_percent": "900"}),
    "/settings/till": Act(scope=Scope.STORE_ADMIN, sends={"channel": "none"}),
    "/inspections": Act(scope=Scope.LABEL_PAIR, sends={"size": "50"}),
    "/inspections/{inspection}/seen": Act(
        scope=Scope.LABEL_PAIR, sends={"item": "1", "seen": "right"}
    ),
    "/inspections/{inspection}/end": Act(scope=Scope.LABEL_PAIR),
}
ELSEWHERE: Mapping[str, str] = {
    "/templates/{template}/draft": "a long text: test_template_pages.py of the console",
    "/templates/{template}/publish": "a long text: test_template_pages.py of the console",
    "/imports": "a file: test_imports.py of the console",
    "/imports/{import_id}": "of one import: test_imports.py of the console",
    "/imports/{import_id}/now": "of one import",
    "/imports/{import_id}/act": "of one import",
    "/imports/mapping": "a file: test_mapping_editor.py",
    "/gateways/ask": "whoever reads labels may ask who is there; a gateway hears of it",
    "/wall/events": "a stream: test_wall.py of the browser",
    "/wall/shop": "of a demo alone",
    "/preferences": "of the reader's own browser",
}
"""Routes whose rights another file tries, and why; the first is a form's."""
THE_WAY_IN = ("/sign-in", "/sign-out", "/welcome", "/account")


def _routes(method: str) -> set[str]:
    return {
        route.path
        for part in PAGES
        for route in part.router.routes
        if isinstance(route, APIRoute) and method in route.methods
    }


def test_every_page_and_every_form_is_in_the_tables() -> None:
    ways_in = {path for path in _routes("GET") if path.startswith(THE_WAY_IN)} - {"/account"}
    assert _routes("GET") - ways_in == set(SEEN) | (set(ELSEWHERE) & (_routes("GET") - set(SEEN)))
    posted = {path for path in _routes("POST") if not path.startswith(THE_WAY_IN)}
    assert posted == set(DONE) | (set(ELSEWHERE) & (posted - set(DONE)))


@pytest.fixture(scope="module")
def known(shop: RunningHouse) -> dict[str, str]:
    """A shop with something for every address; return the ids."""
    shop.done("PUT", "/api/v1/stores/other", STORE_BODY)
    shop.done("POST", "/api/v1/promotions", PROMOTION)
    shop.done("PUT", "/api/v1/stores/main/products/1001", {"name": "Kruh", "price": "1.29"})
    text = shop.done("GET", "/api/v1/stores/main/templates/standard")["text"]
    for ending in ("", "# more\n"):
        own = text.replace("name: standard", "name: shelf", 1) + ending
        shop.done("PUT", "/api/v1/stores/main/templates/shelf", {"text": own})
    walk = shop.done("POST", "/api/v1/stores/main/inspections", {"size": 50, "seed": 7})
    roles = [{"store": "main", "role": "technician"}]
    person = shop.done("POST", "/api/v1/people", {"name": "somebody", "roles": roles})
    [ticket] = shop.done("POST", "/api/v1/stores/main/paper-tickets", {"labels": ["l-1"]})[
        "results"
    ]
    return {
        "label": "l-1",
        "template": "shelf",
        "promotion": "weekend",
        "sku": "1001",
        "inspection": str(walk["inspection"]),
        "person": str(person["id"]),
        "machine": "0a1b2c3d4e5f",
        "ticket": str(ticket["ticket"]),
        "batch": "77000",
    }


class Reader:
    """A signed-in person with a browser, and what the domain says that they may."""

    def __init__(self, shop: RunningHouse, name: str, roles: list[tuple[str, Role]]) -> None:
        body = {"name": name, "roles": [{"store": at, "role": role} for at, role in roles]}
        person = shop.done("POST", "/api/v1/people", body)["id"]
        link = shop.done("POST", f"/api/v1/people/{person}/invitation")["url"]
        self.may = Principal.of_roles(name, roles).may
        self.http = httpx2.Client(
            base_url=shop.url, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        )
        chosen = {"link": link.partition("link=")[2], "password": PASSWORD, "again": PASSWORD}
        assert self.http.post("/welcome", data=chosen).status_code == 303
        assert self.http.post("/sign-in", data={"name": name, "password": PASSWORD}).is_redirect
        self.csrf = self.http.get("/account").text.partition('name="csrf" value="')[2].split('"')[0]


KINDS: Mapping[str, list[tuple[str, Role]]] = {
    **{f"{role} of main": [(MAIN, role)] for role in Role},
    **{f"{role} of other": [(OTHER, role)] for role in Role},
    "admin of all": [(ALL_STORES, Role.ADMIN)],
}


@pytest.fixture(scope="module")
def readers(shop: RunningHouse, known: dict[str, str]) -> Iterator[dict[str, Reader]]:
    assert known
    made = {
        kind: Reader(shop, f"reader-{number}", roles)
        for number, (kind, roles) in enumerate(KINDS.items())
    }
    yield made
    for one in made.values():
        one.http.close()


@pytest.mark.asvs("8.2.1")
@pytest.mark.parametrize("kind", KINDS)
def test_every_page_opens_for_whom_it_is(
    known: dict[str, str], readers: dict[str, Reader], kind: str
) -> None:
    reader = readers[kind]
    for route, page in SEEN.items():
        path = route.replace(":path", "").format_map(known)
        answer = reader.http.get(path, params={"store": MAIN})
        if "other" in kind:
            assert answer.status_code == 404, f"{kind} at {path}: no such store, for all they know"
            continue
        allowed = page.scope is None or reader.may(page.scope, None if page.whole else MAIN)
        wanted = {200} if allowed else {403, 404}
        assert answer.status_code in wanted, f"{kind} at {path}: {answer.status_code}"
        if not allowed:
            assert "Traceback" not in answer.text


@pytest.mark.asvs("8.2.1")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "admin of all"])
def test_no_form_does_what_its_sender_may_not(
    shop: RunningHouse, known: dict[str, str], readers: dict[str, Reader], kind: str
) -> None:
    reader = readers[kind]
    before = shop.everything_stored()
    tried = 0
    for route, act in DONE.items():
        if reader.may(act.scope, None if act.whole else MAIN):
            continue
        path = route.replace(":path", "").format_map(known)
        fields = {"csrf": reader.csrf} | dict(act.sends)
        answer = reader.http.post(path, params={"store": MAIN}, data=fields)
        assert answer.status_code in {403, 404}, f"{kind} at {path}: {answer.status_code}"
        tried += 1
    assert shop.everything_stored() == before
    roles = [role for _, role in KINDS[kind]]
    assert tried >= (4 if Role.ADMIN in roles else 10), "it tries something"


def test_forms_do_it_for_whom_they_are(
    shop: RunningHouse, known: dict[str, str], readers: dict[str, Reader]
) -> None:
    reader = readers["admin of all"]
    for route, act in DONE.items():
        path = route.replace(":path", "").format_map(known)
        fields = {"csrf": reader.csrf} | dict(act.sends)
        answer = reader.http.post(path, params={"store": MAIN}, data=fields)
        assert answer.status_code not in {401, 403}, f"{path}: {answer.status_code}"
        assert answer.status_code < 500, f"{path}: {answer.status_code}"
    assert shop.done("GET", "/api/v1/stores/main/products/1001")["price"] == "1.39"


def test_a_form_of_another_session_or_of_nobody_does_nothing(
    shop: RunningHouse, known: dict[str, str], readers: dict[str, Reader]
) -> None:
    reader, other = readers["admin of all"], readers["manager of main"]
    before = shop.everything_stored()
    with httpx2.Client(base_url=shop.url, headers={"Accept": "text/html"}) as nobody:
        for route, act in DONE.items():
            path = route.replace(":path", "").format_map(known)
            fields = {"csrf": other.csrf} | dict(act.sends)
            assert reader.http.post(path, data=fields).status_code == 403, path
            answer = nobody.post(path, data=fields)
            assert answer.status_code in {303, 401}, f"{path}: {answer.status_code}"
        for route in SEEN:
            answer = nobody.get(route.replace(":path", "").format_map(known))
            assert answer.status_code in {303, 401}, f"{route}: {answer.status_code}"
    assert shop.everything_stored() == before


def test_every_role_is_tried() -> None:
    assert {role for roles in KINDS.values() for _, role in roles} == set(ROLE_SCOPES)
