"""One API: every list has pages, every change a key, every address a row on the page about it."""

from collections.abc import Callable
from typing import Any

import pytest

from api.client import Client
from tests.api_table import BEGIN, CURSORS, END, PAGE, table_of
from tests.running_house import RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

MAIN = "/api/v1/stores/main"
LISTED_WHOLE = {
    "/api/v1/me/sessions": "the asker's own; the oldest end where there are too many",
    f"{MAIN}/till-prices/pending": "what waits, the longest first: it changes while one pages",
}
WITHOUT_KEY = {
    "/api/v1/promotions/preview": "it changes nothing",
    "/api/v1/stores/{store}/photographed-codes": "it changes nothing",
    "/api/v1/stores/{store}/scans": "it changes nothing",
    "/api/v1/stores/{store}/templates/{template}/preview": "it changes nothing",
    "/api/v1/mappings/suggest": "it changes nothing",
    "/api/v1/mappings/try": "it changes nothing",
    "/api/v1/render": "it changes nothing",
    "/api/v1/stores/{store}/template-rules/preview": "it changes nothing",
    "/api/v1/clients": "its answer is a secret, which a key would keep",
    "/api/v1/clients/{client}/secrets": "its answer is a secret, which a key would keep",
    "/api/v1/people/set-up-link": "its answer is a secret, which a key would keep",
    "/api/v1/people/{person}/invitation": "its answer is a secret, which a key would keep",
    "/api/v1/sign-in-links": "its answer is a secret, which a key would keep",
    "/api/v1/sources/{source}/login": "its answer is a secret, which a key would keep",
    "/api/v1/sources/{source}/secrets": "its answer is a secret, which a key would keep",
    "/api/v1/stores/{store}/gateways/{gateway}/tokens": "its answer is a secret",
    "/api/v1/subscriptions/{subscription}/secret": "its answer is a secret",
    "/api/v1/tokens": "its answer is a secret, which a key would keep",
    "/api/v1/me/second-factor": "its answer is a secret, which a key would keep",
    "/api/v1/me/second-factor/confirm": "its answer is secrets; a code opens once",
    "/api/v1/me/second-factor/off": "done twice it is done once",
    "/api/v1/me/password": "a body with two passwords is compared with nothing that is kept",
    "/oauth/token": "its answer is a secret, which a key would keep",
    "/api/v1/clock/confirm": "done twice it is done once: 409",
    "/api/v1/enrolments": "the token in its body opens once",
    "/api/v1/hooks/{source}": "the sender's own id of the message is the key",
}
"""What is posted without an ``Idempotency-Key``, and why."""


@pytest.fixture(scope="module")
def document(shop: RunningHouse) -> dict[str, Any]:
    described: dict[str, Any] = shop.done("GET", "/api/v1/openapi.json")
    return described


def _takes(operation: dict[str, Any]) -> set[str]:
    return {one["name"] for one in operation.get("parameters", ())}


def test_every_list_has_pages_and_a_cursor(document: dict[str, Any]) -> None:
    lists = {
        path: _takes(item["get"])
        for path, item in document["paths"].items()
        if "get" in item and item["get"]["operationId"].startswith("list_")
    }
    assert len(lists) > 25
    for path, takes in lists.items():
        if path.replace("{store}", "main") in LISTED_WHOLE:
            continue
        assert "limit" in takes, path
        assert takes & set(CURSORS), path


def test_whatever_is_listed_can_be_asked_for_alone(document: dict[str, Any]) -> None:
    alone = {
        "stores": "/api/v1/stores/{store}",
        "gateways": "/api/v1/stores/{store}/gateways/{gateway}",
        "labels": "/api/v1/labels/{label}",
        "panels": "/api/v1/panels/{panel}",
        "products and their prices": "/api/v1/stores/{store}/products/{sku}",
        "templates": "/api/v1/stores/{store}/templates/{template}",
        "promotions": "/api/v1/promotions/{promotion}",
        "quarantine": "/api/v1/stores/{store}/quarantine/{price}",
        "sources": "/api/v1/sources/{source}",
        "jobs": "/api/v1/imports/{import_id}",
        "users": "/api/v1/people/{person}",
        "clients": "/api/v1/clients/{client}",
        "tokens": "/api/v1/tokens/{token_id}",
        "problems": "/api/v1/stores/{store}/problems/{problem}",
        "zones": "/api/v1/zones/{zone}",
        "groups": "/api/v1/groups/{group}",
        "audit entries": "/api/v1/audit/{entry}",
        "pairing steps": "/api/v1/stores/{store}/pairing-steps/{step}",
        "paper tickets": "/api/v1/stores/{store}/paper-tickets/{ticket}",
        "inspections": "/api/v1/stores/{store}/inspections/{inspection}",
        "subscriptions": "/api/v1/subscriptions/{subscription}",
    }
    for what, path in alone.items():
        assert "get" in document["paths"][path], what


def test_every_change_takes_a_key_or_says_why_not(document: dict[str, Any]) -> None:
    posted = {path: item["post"] for path, item in document["paths"].items() if "post" in item}
    without = {path for path, one in posted.items() if "Idempotency-Key" not in _takes(one)}
    assert without == {path for path in WITHOUT_KEY if path in posted}


def test_every_address_stands_on_the_page_as_it_is(document: dict[str, Any]) -> None:
    page = PAGE.read_text()
    shown = page.partition(BEGIN)[2].partition(END)[0]
    assert shown.strip() == table_of(document).strip(), "python -m tests.api_table writes it anew"


# ── Page by page ───────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def full(shop: RunningHouse) -> RunningHouse:
    """A shop with several of everything."""
    store = {"name": "Pula", "currency": "EUR", "locale": "hr_HR", "timezone": "Europe/Zagreb"}
    for name in ("a-store", "z-store"):
        shop.done("PUT", f"/api/v1/stores/{name}", store)
    for name in ("c", "a", "b"):
        shop.done("PUT", f"/api/v1/groups/{name}", {"name": name, "stores": ["main"]})
        shop.done("PUT", f"/api/v1/sources/{name}", {"name": name})
        shop.done("PUT", f"{MAIN}/gateways/gw-{name}", {})
        zone = {"name": name, "currency": "EUR", "stores": []}
        shop.done("PUT", f"/api/v1/zones/{name}", zone)
        hears = {"store": "main", "url": "https://a.example/", "events": ["price.changed"]}
        shop.done("PUT", f"/api/v1/subscriptions/{name}", hears | {"enabled": False})
        shop.token("price:read")
        shop.done("PUT", f"{MAIN}/products/{name}", {"name": f"Kruh {name}", "brand": "Pekara"})
    return shop


def _walk(shop: RunningHouse, path: str, key: str, **query: Any) -> list[Any]:
    found: list[Any] = []
    after: Any = None
    while True:
        more = {} if after is None else {"after": after}
        page = shop.done("GET", path, **query, **more)
        assert len(page[key]) <= query["limit"]
        found += page[key]
        after = page["after"]
        if after is None:
            return found


@pytest.mark.parametrize(
    ("path", "key", "least"),
    [
        ("/api/v1/stores", "stores", 3),
        ("/api/v1/groups", "groups", 3),
        ("/api/v1/zones", "zones", 3),
        ("/api/v1/sources", "sources", 3),
        ("/api/v1/mappings", "mappings", 0),
        ("/api/v1/subscriptions", "subscriptions", 3),
        ("/api/v1/tokens", "tokens", 3),
        ("/api/v1/panels", "panels", 20),
        (f"{MAIN}/gateways", "gateways", 4),
        (f"{MAIN}/templates", "templates", 8),
        (f"{MAIN}/pictures", "pictures", 0),
        (f"{MAIN}/products", "products", 5),
        (f"{MAIN}/labels", "labels", 2),
        (f"{MAIN}/remove-tasks", "tasks", 0),
    ],
)
def test_page_by_page_a_list_is_what_it_is_at_once(
    full: RunningHouse, path: str, key: str, least: int
) -> None:
    whole = full.done("GET", path, limit=1000)
    assert whole["after"] is None
    assert len(whole[key]) >= least
    for size in (1, 2, 7):
        assert _walk(full, path, key, limit=size) == whole[key]
    check_problem(full.ask("GET", path, limit=0), 422, "/query/limit")
    check_problem(full.ask("GET", path, colour="red"), 422, "/query/colour")


def test_the_client_fetches_a_list_whole_page_by_page(full: RunningHouse) -> None:
    with Client(full.url, full.operator) as client:
        for path, what in (("/api/v1/groups", "groups"), (f"{MAIN}/labels", "labels")):
            whole = full.done("GET", path, limit=1000)[what]
            assert client.listed(path, what, limit=1) == whole
            assert client.listed(path, what) == whole


@pytest.mark.parametrize(
    ("path", "query", "is_wanted"),
    [
        ("groups?store=main", "groups", lambda one: "main" in one["stores"]),
        ("groups?store=z-store", "groups", lambda _: False),
        ("zones?store=main", "zones", lambda one: "main" in one["stores"]),
        ("sources?store=main", "sources", lambda one: one["store"] in (None, "main")),
        ("stores/main/gateways?online=true", "gateways", lambda one: one["online"]),
        ("stores/main/gateways?online=false", "gateways", lambda one: not one["online"]),
        ("stores/main/templates?gallery=true", "templates", lambda one: one["gallery"]),
        ("panels?inks=bwry", "panels", lambda one: len(one["inks"]) == 4),
        ("tokens?revoked=true", "tokens", lambda one: one["revoked_at"] is not None),
        ("stores/main/products?brand=Pekara", "products", lambda one: one["brand"] == "Pekara"),
        ("stores/main/products?name=Kruh", "products", lambda one: one["name"][:4] == "Kruh"),
        ("stores/main/products?name=%25", "products", lambda _: False),
        ("stores/main/products?priced=true", "products", lambda one: one["price"] is not None),
        ("stores/main/products?priced=false", "products", lambda one: one["price"] is None),
        ("stores/main/products?paired=true", "products", lambda one: one["labels"] == ["l-1"]),
        ("stores/main/products?paired=false", "products", lambda one: not one["labels"]),
    ],
)
def test_a_list_is_narrowed_to_what_is_asked_for(
    full: RunningHouse, path: str, query: str, is_wanted: Callable[[Any], bool]
) -> None:
    bare = path.partition("?")[0]
    everything = full.done("GET", f"/api/v1/{bare}", limit=1000)[query]
    found = full.done("GET", f"/api/v1/{path}")[query]
    assert found == [one for one in everything if is_wanted(one)]


def test_one_of_a_list_is_what_the_list_says(full: RunningHouse) -> None:
    [first, *_] = full.done("GET", f"{MAIN}/gateways")["gateways"]
    assert full.done("GET", f"{MAIN}/gateways/{first['gateway']}") == first
    [panel, *_] = full.done("GET", "/api/v1/panels", limit=1)["panels"]
    assert full.done("GET", f"/api/v1/panels/{panel['id']}") == panel
    [token, *_] = full.done("GET", "/api/v1/tokens", limit=1)["tokens"]
    assert full.done("GET", f"/api/v1/tokens/{token['id']}") == token
    [store, *_] = full.done("GET", "/api/v1/stores", limit=1)["stores"]
    assert full.done("GET", f"/api/v1/stores/{store['store_id']}") == store
    check_problem(full.ask("GET", "/api/v1/stores/a-store/gateways/gw-1"), 404)
    check_problem(full.ask("GET", "/api/v1/panels/none-such"), 404)
    for number in ("0", "x", "9" * 30):
        check_problem(full.ask("GET", f"{MAIN}/problems/{number}"), 404)
        check_problem(full.ask("GET", f"{MAIN}/quarantine/{number}"), 404)
