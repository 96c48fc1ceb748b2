"""What every answer has in common, and how the API describes itself."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_headers, check_problem

pytest_plugins = ["tests.shop_over_http"]

PATHS = {
    "store": "main",
    "sku": "4711",
    "gateway": "gw-1",
    "label": "l-1",
    "digest": "0" * 64,
    "template": "own",
    "source": "till",
    "mapping": "till",
    "group": "north",
    "zone": "coast",
    "subscription": "erp",
    "delivery": "1",
}
METHODS = {"get", "put", "post", "delete"}
FETCHING = "/oauth/token"

Operation = tuple[str, str, dict[str, Any]]


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield method, path, operation


@pytest.fixture(scope="module")
def document(shop: RunningHouse) -> dict[str, Any]:
    """The API's description, as served."""
    answer = shop.ask("GET", "/api/v1/openapi.json", token=shop.token("price:read"))
    assert answer.headers["content-type"] == "application/json"
    description: dict[str, Any] = answer.json()
    return description


# ── Headers ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("GET", "/healthz", None, 200),
        ("GET", "/api/v1/stores", "operator", 200),
        ("GET", "/api/v1/stores/main/labels", "operator", 200),
        ("GET", "/api/v1/openapi.json", "operator", 200),
        ("POST", "/api/v1/tokens", "operator", 422),
        ("GET", "/api/v1/stores", None, 401),
        ("GET", "/api/v1/stores", "wrong", 401),
        ("GET", "/nowhere", None, 404),
        ("GET", "/api/v1/stores/nowhere/labels", "operator", 404),
        ("DELETE", "/healthz", None, 405),
        ("GET", "/sign-in?link=wrong", None, 401),
        ("POST", "/sign-out", None, 303),
    ],
)
@pytest.mark.asvs("3.4.4", "3.4.5", "13.4.6", "14.2.2", "14.3.2")
def test_every_answer_is_guarded_and_kept_by_nobody(
    shop: RunningHouse, method: str, path: str, token: str | None, status: int
) -> None:
    answer = shop.ask(method, path, token=token)
    assert answer.status_code == status
    check_headers(answer)
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers
    assert "x-powered-by" not in answer.headers


def test_too_large_a_body_is_answered_with_the_same_guards(shop: RunningHouse) -> None:
    answer = shop.ask("POST", "/api/v1/tokens", content=b" " * (1024 * 1024 + 1))
    check_problem(answer, 413)


@pytest.mark.asvs("3.4.2")
def test_other_sites_are_allowed_nothing(shop: RunningHouse) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = shop.ask("OPTIONS", "/api/v1/tokens", token=None, headers=headers)
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.asvs("3.4.3", "3.4.6")
def test_the_policy_lets_no_foreign_or_inline_script_in(shop: RunningHouse) -> None:
    policy = shop.ask("GET", "/healthz", token=None).headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == directives["base-uri"] == "'none'"
    assert directives["frame-ancestors"] == "'none'"
    assert directives["script-src"] == directives["form-action"] == "'self'"
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_health_check_says_nothing_but_that_it_lives(shop: RunningHouse) -> None:
    assert shop.ask("GET", "/healthz", token=None).json() == {"status": "ok"}


# ── The description ────────────────────────────────────────────────────────────────────────


@pytest.mark.asvs("13.4.5")
def test_the_description_is_the_same_for_strangers_and_at_one_address(shop: RunningHouse) -> None:
    open_to_all = shop.ask("GET", "/api/v1/openapi.json", token=None)
    assert open_to_all.status_code == 200
    assert open_to_all.content == shop.ask("GET", "/api/v1/openapi.json").content
    assert "main" not in open_to_all.json()["info"]["description"]
    for path in ("/openapi.json", "/docs", "/redoc"):
        check_problem(shop.ask("GET", path, token=None), 404)


def test_the_description_is_sound(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"]
    names: set[str] = set()
    for method, path, operation in _operations(document):
        where = f"{method} {path}"
        assert operation["operationId"] not in names, where
        names.add(operation["operationId"])
        assert operation["description"], where
        assert {status[0] for status in operation["responses"]} - {"3"} == {"2", "4"}, where
        declared = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path)), where
        is_open = path in {"/healthz", FETCHING}
        assert "/api/" in path or is_open, "a page is no part of the API"
    for reference in _references(document):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def test_the_description_lists_what_a_till_needs(document: dict[str, Any]) -> None:
    listed = {(method, path) for method, path, _ in _operations(document)}
    store = "/api/v1/stores/{store}"
    assert listed >= {
        ("put", store),
        ("get", "/api/v1/stores"),
        ("put", f"{store}/products/{{sku}}"),
        ("get", f"{store}/products/{{sku}}"),
        ("post", f"{store}/products"),
        ("post", f"{store}/price-changes"),
        ("post", f"{store}/labels"),
        ("get", f"{store}/labels"),
        ("post", f"{store}/pairings"),
        ("put", f"{store}/gateways/{{gateway}}"),
        ("get", "/api/v1/labels/{label}"),
        ("post", "/api/v1/tokens"),
    }
    assert document["security"] == [{"token": []}, {"session": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_every_endpoint_that_takes_a_body_describes_it_with_an_example(
    document: dict[str, Any],
) -> None:
    without = {"delete", "get"}
    for method, path, operation in _operations(document):
        assert ("requestBody" in operation) == (method not in without), f"{method} {path}"
        if "requestBody" in operation and not path.endswith(_NO_JSON):
            content = operation["requestBody"]["content"]["application/json"]
            assert _fits(content["example"], content["schema"]), f"{method} {path}"


def _fits(value: Any, schema: dict[str, Any]) -> bool:
    """Check as much of JSON Schema as the description uses."""
    if "oneOf" in schema:
        return sum(_fits(value, option) for option in schema["oneOf"]) == 1
    if "enum" in schema and value not in schema["enum"]:
        return False
    kinds = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
    if isinstance(value, dict):
        fields, others = schema.get("properties", {}), schema.get("additionalProperties")
        return (
            "object" in kinds
            and set(schema.get("required", ())) <= value.keys()
            and all(
                _fits(part, fields[name])
                if name in fields
                else isinstance(others, dict) and _fits(part, others)
                for name, part in value.items()
            )
        )
    if isinstance(value, list):
        return "array" in kinds and all(_fits(part, schema["items"]) for part in value)
    if "pattern" in schema and isinstance(value, str):
        return re.search(schema["pattern"], value) is not None
    return kinds not in (["object"], ["array"]) and isinstance(value, str | int | type(None))


def test_every_example_is_accepted_by_its_endpoint(
    shop: RunningHouse, document: dict[str, Any]
) -> None:
    # As somebody would who reads the description from top to bottom; what depends on a product
    # of the examples comes after it.
    order = ["put", "post"]
    bodies = [o for o in _operations(document) if "requestBody" in o[2]]
    tried = 0
    for method, path, operation in sorted(bodies, key=lambda o: order.index(o[0])):
        if path.endswith((*_AFTER_PRODUCTS, *_OF_SOMETHING, "{picture}", "/done")):
            continue
        _try_example(shop, method, path, operation)
        tried += 1
    for method, path, operation in bodies:
        if path.endswith(_AFTER_PRODUCTS):
            _try_example(shop, method, path, operation)
            tried += 1
    assert tried == 56


_NO_JSON = (
    "{picture}",
    "/photographed-codes",
    "/imports",
    "/mappings/suggest",
    "/mappings/try",
    FETCHING,
)
_OF_SOMETHING = (
    "/absent-labels",  # of labels: test_http_till.py
    *("/approve", "/reject", "/roll-back", "/retire", "/cancel", "/retry", "/drop"),
    "/photographed-codes",  # a photo, not JSON: test_http_scans.py
    "/scanned-pairings",  # of codes that the shop has: test_http_scans.py
    *("/paper-tickets", "/paper-tickets/{ticket}"),  # of labels: test_paper_tickets.py
    *("/inspections", "/items/{item}"),  # of labels with products: test_inspections.py
    *("/replacements", "/undo"),  # of labels: test_http_pairings.py
    "/resend",  # of labels: test_http_label_history.py
    "/clock/confirm",  # of a clock that is held
    *("/test", "/redeliver"),  # of a subscription that runs: test_http_subscriptions.py
    "/price-proposals",  # of a store's own engines: test_http_proposals.py
    *("/promotions/{promotion}", "/schedule", "/advance", "/end"),  # test_http_promotions.py
    "/hooks/{source}",  # signed: test_http_hooks.py
    *("/clients/{client}", "/clients/{client}/secrets"),  # test_http_clients.py
    *("/enrolments", "/sources/{source}/login"),  # test_http_enrolment.py
    *("/roles", "/disable", "/enable", "/erase", "/end-sessions"),  # of people: test_http_people.py
    *("/reset-second-factor", "/invitation", "/me/password"),
    *("/second-factor", "/second-factor/confirm", "/second-factor/off"),
    *("/imports", "/apply", "/suggest", "/mappings/try"),  # a file, not JSON: test_http_imports.py
    FETCHING,  # a form, not JSON: test_http_access_times.py
)
_AFTER_PRODUCTS = (
    *("/price-changes", "/hand-prices", "/pairings", "/flips", "/withdrawals", "/lights"),
    "/costs",
)


def _try_example(shop: RunningHouse, method: str, path: str, operation: dict[str, Any]) -> None:
    example = operation["requestBody"]["content"]["application/json"]["example"]
    needed = [p for p in operation.get("parameters", ()) if p["in"] == "header" and p["required"]]
    headers = {parameter["name"]: parameter["example"] for parameter in needed}
    answer = shop.ask(method.upper(), path.format(**PATHS), json=example, headers=headers)
    assert answer.is_success, f"{method} {path}: {answer.text}"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/stores/{store}", STORE_BODY),
        ("/api/v1/stores/{store}/products/{sku}", {"name": "x"}),
    ],
)
def test_what_is_described_as_forbidden_is_refused(
    shop: RunningHouse, document: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    operation = document["paths"][path]["put"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["additionalProperties"] is False
    answer = shop.ask("PUT", path.format(**PATHS), json=body | {"else": 1})
    check_problem(answer, 422, "/else")
    for name in schema["required"]:
        lacking = {key: value for key, value in body.items() if key != name}
        check_problem(shop.ask("PUT", path.format(**PATHS), json=lacking), 422, f"/{name}")
