"""Pricer's interface, as drivers written for it call it: Odoo's flow, and scripts with Basic."""

import base64
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from esl.domain.ids import StoreId
from esl.store.compat_results import RESULTS_KEPT, keep_result, kept_result
from tests.running_house import STORE_BODY, RunningHouse

pytest_plugins = ["tests.shop_over_http"]

SCOPES = ("price:write", "price:read", "label:read", "label:pair")
LOGIN = "/compat/pricer/api/public/auth/v1/login"
CORE = "/api/public/core/v1"
TAG = "A4000000000000001"


@pytest.fixture(scope="module")
def guarded(house: RunningHouse) -> RunningHouse:
    """Two guarded stores; the first has a gateway and two labels coded as the maker does."""
    body = {name: value for name, value in STORE_BODY.items() if name != "guards"}
    for store in ("p1", "p2"):
        house.done("PUT", f"/api/v1/stores/{store}", body)
    house.done("PUT", "/api/v1/stores/p1/gateways/gw-p", {})
    labels = [
        {"label": f"a400000000000000{n}", "panel": "bwry-296x128", "gateway": "gw-p"}
        for n in (1, 2)
    ]
    house.done("POST", "/api/v1/stores/p1/labels", labels)
    return house


@pytest.fixture
def secret(guarded: RunningHouse) -> str:
    return guarded.token(*SCOPES, stores=("p1",))


def basic(name: str, password: str) -> dict[str, str]:
    text = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def call(
    house: RunningHouse, secret: str, method: str, path: str, json: Any = None, store: str = ""
) -> httpx2.Response:
    """Call as scripts on the premises do: with name and password each time."""
    address = f"/compat/pricer{store}{CORE}{path}"
    return house.ask(method, address, json=json, token=None, headers=basic("a test", secret))


def item(sku: str | int, price: Any, **more: Any) -> dict[str, Any]:
    properties = {"currency": "€", "barcode": "3850334341389"}
    return {
        "itemId": sku,
        "itemName": f"Kruh {sku}",
        "price": price,
        "presentation": "NORMAL",
        "properties": properties,
    } | more


def result(house: RunningHouse, secret: str, answer: httpx2.Response, query: str = "") -> Any:
    assert answer.status_code == 202, answer.text
    number = answer.json()["requestId"]
    told = call(house, secret, "GET", f"/items-result/{number}{query}")
    assert told.status_code == 200, told.text
    return told.json()


def price_of(house: RunningHouse, sku: str | int, store: str = "p1") -> Any:
    return house.done("GET", f"/api/v1/stores/{store}/products/{sku}")["price"]


def test_odoos_flow_logs_in_sends_items_links_tags_and_frees_one(
    guarded: RunningHouse, secret: str
) -> None:
    answer = guarded.ask("GET", LOGIN, token=None, headers=basic("a test", secret))
    assert answer.status_code == 200
    ticket = answer.json()["token"]
    assert answer.text[28:-2] == ticket, "there are drivers that cut it out by position"
    assert answer.json()["tokenType"] == "JWT"
    base = f"/compat/pricer/p1{CORE}"
    products = [item(17, "1.29"), item(18, "0.99")]
    assert guarded.ask("PATCH", f"{base}/items", json=products, token=ticket).status_code == 202
    links = [{"barcode": TAG, "links": [{"barcode": TAG, "itemId": 17}]}]
    assert guarded.ask("PATCH", f"{base}/labels", json=links, token=ticket).status_code == 202
    shown = guarded.ask("GET", f"{base}/labels/{TAG}", token=ticket).json()
    assert shown["links"] == [{"barcode": TAG, "itemId": "17", "displayPosition": 0}]
    found = guarded.done("GET", "/api/v1/stores/p1/products/17")
    assert (found["price"], found["gtin"], found["name"]) == ("1.29", "3850334341389", "Kruh 17")
    freed = guarded.ask("DELETE", f"{base}/labels/{TAG}/links", token=ticket)
    assert freed.is_success
    assert guarded.ask("GET", f"{base}/labels/{TAG}", token=ticket).json()["links"] == []


def test_what_is_null_or_empty_is_not_said(guarded: RunningHouse, secret: str) -> None:
    call(guarded, secret, "PATCH", "/items", item("n1", "1.29"))
    said = {"itemId": "n1", "itemName": None, "price": "", "properties": {"barcode": ""}}
    told = result(guarded, secret, call(guarded, secret, "PATCH", "/items", said))
    assert told["itemErrorCount"] == 0
    found = guarded.done("GET", "/api/v1/stores/p1/products/n1")
    assert (found["name"], found["price"], found["gtin"]) == ("Kruh n1", "1.29", "3850334341389")


def test_each_item_of_a_request_has_its_result(guarded: RunningHouse, secret: str) -> None:
    first = [item("r1", "1.29"), item("r2", 1.29)]
    assert result(guarded, secret, call(guarded, secret, "PATCH", "/items", first)) == {
        "status": "COMPLETED",
        "itemErrorCount": 0,
        "itemResults": [
            {"itemId": "r1", "status": "OK", "errors": []},
            {"itemId": "r2", "status": "OK", "errors": []},
        ],
    }
    second = [item("r1", "12.90"), item("r2", "1.39"), item("r3", "free"), item("", "1")]
    answer = call(guarded, secret, "PATCH", "/items", second)
    told = result(guarded, secret, answer)
    assert told["itemErrorCount"] == 3
    errors = [(one["errors"] or [{}])[0] for one in told["itemResults"]]
    assert [error.get("error") for error in errors] == [
        "ERROR_ITEM_HELD_FOR_APPROVAL",
        None,
        "ERROR_INVALID_ITEM_PROPERTY",
        "ERROR_INVALID_ITEM_PROPERTY",
    ]
    assert [error.get("property") for error in errors] == ["price", None, "price", "itemId"]
    assert (price_of(guarded, "r1"), price_of(guarded, "r2")) == ("1.29", "1.39")
    short = result(guarded, secret, answer, "?excludeItemResults=true")
    assert set(short) == {"status", "itemErrorCount"}


def test_a_result_is_told_to_its_sender_alone(guarded: RunningHouse, secret: str) -> None:
    number = call(guarded, secret, "PATCH", "/items", item("s1", "1.29")).json()["requestId"]
    other = guarded.token(*SCOPES, stores=("p1",))
    assert call(guarded, other, "GET", f"/items-result/{number}").status_code in {401, 404}
    assert call(guarded, secret, "GET", "/items-result/none").status_code == 404


def test_results_are_apart_from_keys_of_senders_and_are_dropped_in_time(
    guarded: RunningHouse, secret: str
) -> None:
    address = f"/compat/pricer{CORE}/items"
    headers = basic("a test", secret) | {"Idempotency-Key": "p1 abc"}
    guarded.ask("PATCH", address, json=item("k1", "1.29"), token=None, headers=headers)
    assert call(guarded, secret, "GET", "/items-result/abc").status_code == 404
    who, now = f"token:{secret.split('_')[1]}", guarded.house.clock.now()
    long_ago = now - RESULTS_KEPT - timedelta(seconds=1)
    store = StoreId("p1")
    guarded.write(lambda tx: keep_result(tx, who, store, "old", "{}", long_ago))
    assert guarded.write(lambda tx: kept_result(tx, who, store, "old")) == "{}"
    call(guarded, secret, "PATCH", "/items", item("k1", "1.29"))
    assert guarded.write(lambda tx: kept_result(tx, who, store, "old")) is None


def test_a_price_for_later_waits_for_its_moment(guarded: RunningHouse, secret: str) -> None:
    call(guarded, secret, "PATCH", "/items", item("v1", "1.29"))
    later = item("v1", "1.39", validFrom="2090-12-24 10:00:00")
    told = result(guarded, secret, call(guarded, secret, "PATCH", "/items", later))
    assert told["itemErrorCount"] == 0
    assert price_of(guarded, "v1") == "1.29"
    planned = guarded.read("SELECT sku FROM scheduled_price WHERE sku = 'v1'")
    assert planned == [("v1",)]


def test_a_link_may_come_with_its_item(guarded: RunningHouse, secret: str) -> None:
    with_link = item("w1", "1.29", links=[{"barcode": "A4000000000000002"}])
    assert call(guarded, secret, "PATCH", "/items", [with_link]).status_code == 202
    listed = call(guarded, secret, "GET", "/labels?projection=M&start=0&limit=10").json()
    links = {label["barcode"]: [x["itemId"] for x in label["links"]] for label in listed}
    assert links["A4000000000000002"] == ["w1"]
    one = call(guarded, secret, "GET", "/items/w1").json()
    assert one["links"] == [{"barcode": "A4000000000000002"}]


def test_unknown_labels_and_items_and_second_places_are_refused(
    guarded: RunningHouse, secret: str
) -> None:
    call(guarded, secret, "PATCH", "/items", item("x1", "1.29"))
    before = guarded.read("SELECT * FROM pairing ORDER BY label_id")
    for bad, status in (
        ({"barcode": "A4999999999999999", "links": [{"itemId": "x1"}]}, 404),
        ({"barcode": TAG, "links": [{"itemId": "nobody"}]}, 400),
        ({"barcode": TAG, "links": [{"itemId": "x1"}, {"itemId": "x1"}]}, 400),
        ({"barcode": TAG, "links": [{"itemId": "x1", "displayPosition": 3}]}, 400),
        ({"links": []}, 400),
        ([], 400),
        ("x", 400),
    ):
        answer = call(guarded, secret, "PATCH", "/labels", bad)
        assert answer.status_code == status, (bad, answer.text)
        assert answer.json()["message"]
    assert guarded.read("SELECT * FROM pairing ORDER BY label_id") == before
    for path in ("/labels/A4999999999999999", "/items/nobody", "/zones"):
        assert call(guarded, secret, "GET", path).status_code == 404


def test_items_are_deleted_by_name_and_never_all_at_once(
    guarded: RunningHouse, secret: str
) -> None:
    call(guarded, secret, "PATCH", "/items", [item("d1", "1.29"), item("d2", "1.29"), item(3, "1")])
    for body in (None, [], {}):
        assert call(guarded, secret, "DELETE", "/items", body).status_code == 400, body
    assert call(guarded, secret, "DELETE", "/items", ["d1", "nobody"]).is_success
    assert call(guarded, secret, "DELETE", "/items", [{"itemId": 3}]).is_success
    assert call(guarded, secret, "DELETE", "/items/d2").is_success
    left = guarded.read("SELECT sku FROM product WHERE sku IN ('d1', 'd2', '3')")
    assert left == []


def test_client_credentials_give_a_bearer_token(guarded: RunningHouse, secret: str) -> None:
    form = f"grant_type=client_credentials&client_id=a+test&client_secret={secret}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    path = "/compat/pricer/api/v2/oauth/token"
    answer = guarded.ask("POST", path, content=form, token=None, headers=headers)
    assert answer.json()["token_type"] == "Bearer"
    ticket = answer.json()["access_token"]
    assert guarded.ask("GET", f"/compat/pricer{CORE}/items", token=ticket).is_success
    wrong = guarded.ask("POST", path, content=form + "x", token=None, headers=headers)
    assert wrong.status_code == 401


def test_wrong_logins_are_refused_in_the_makers_shape(guarded: RunningHouse, secret: str) -> None:
    wrong = [
        basic("a test", secret + "x"),
        basic("another", secret),
        basic("a test\0", secret),
        basic("a test", "esl_\0_x"),
        {"Authorization": "Basic %%%"},
        {"Authorization": "Basic YQ=="},
        {"Authorization": "Basic " + "A" * 5000},
        {"Authorization": "Bearer x"},
        {},
    ]
    for headers in wrong:
        for path in (LOGIN, f"/compat/pricer{CORE}/items"):
            answer = guarded.ask("GET", path, token=None, headers=headers)
            assert answer.status_code == 401, headers
            assert set(answer.json()) == {"status", "error", "message"}
            assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_store_is_named_by_its_path_and_rights_are_by_store(guarded: RunningHouse) -> None:
    both = guarded.token(*SCOPES, stores=("p1", "p2"))
    assert call(guarded, both, "PATCH", "/items", item("y", "1.29"), store="/p2").status_code == 202
    assert price_of(guarded, "y", "p2") == "1.29"
    nameless = call(guarded, both, "PATCH", "/items", item("y", "1.29"))
    assert nameless.status_code == 400
    assert "store" in nameless.json()["message"]
    one = guarded.token(*SCOPES, stores=("p1",))
    assert call(guarded, one, "PATCH", "/items", item("y", "9.29"), store="/p2").status_code == 404
    assert price_of(guarded, "y", "p2") == "1.29"
