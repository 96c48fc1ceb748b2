"""Several products on one label, over HTTP and by the drop-in doors."""

from typing import Any

import pytest

from tests.running_house import RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

MAIN = "/api/v1/stores/main"


def test_over_http_a_label_is_paired_with_several_and_let_go_of_one(shop: RunningHouse) -> None:
    shop.done("POST", f"{MAIN}/pairings", {"label": "l-1", "skus": ["1001", "1002"]})
    label = shop.done("GET", "/api/v1/labels/l-1")
    assert [label["face"]["sku"], *(one["sku"] for one in label["face"]["products"])] == [
        "1001",
        "1002",
    ]
    [listed] = [
        one for one in shop.done("GET", f"{MAIN}/labels")["labels"] if one["label"] == "l-1"
    ]
    assert (listed["sku"], listed["skus"]) == ("1001", ["1001", "1002"])
    once = {"idempotency-key": "let-go-1"}
    gone = shop.ask("DELETE", f"{MAIN}/pairings/l-1?sku=1001", headers=once)
    assert gone.json() == {"unpaired": 1}
    assert shop.done("GET", "/api/v1/labels/l-1")["face"]["sku"] == "1002"
    check_problem(shop.ask("DELETE", f"{MAIN}/pairings/l-1?sku=1001"), 404)
    other = shop.ask("DELETE", f"{MAIN}/pairings/l-1?sku=1002", headers=once)
    assert other.status_code == 409, "another product is another request"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"label": "l-1", "skus": []}, "/skus"),
        ({"label": "l-1", "skus": "1001"}, "/skus"),
        ({"label": "l-1", "skus": ["1001", "1001"]}, "/skus/1"),
        ({"label": "l-1", "skus": ["1001", 7]}, "/skus/1"),
        ({"label": "l-1", "skus": ["1001", "a\u0000"]}, "/skus/1"),
        ({"label": "l-1", "skus": [str(n) for n in range(17)]}, "/skus"),
        ({"label": "l-1", "sku": "1001", "skus": ["1002"]}, "/sku"),
        ({"label": "l-1", "skus": ["1001", "nobody"]}, "/skus/1"),
        ([{"label": "l-1", "skus": ["1001", "nobody"]}], "/0/skus/1"),
        ({"label": "l-1"}, "/sku"),
        ({"label": "l-1", "skus": None}, "/sku"),
    ],
)
def test_what_cannot_be_paired_is_refused_by_its_path(
    shop: RunningHouse, body: Any, path: str
) -> None:
    before = shop.everything_stored()
    check_problem(shop.ask("POST", f"{MAIN}/pairings", json=body), 422, path)
    assert shop.everything_stored() == before


def test_solum_links_several_articles_to_a_label(shop: RunningHouse) -> None:
    path = "/compat/solum/common/api/v2/common/labels"
    two = {"assignList": [{"labelCode": "L-1", "articleIdList": ["1002", "1001"]}]}
    assert shop.ask("POST", f"{path}/link?store=main", json=two).is_success
    listed = shop.ask("GET", f"{path}?store=main").json()["labelList"]
    [label] = [one for one in listed if one["labelCode"] == "L-1"]
    assert [one["articleId"] for one in label["articleList"]] == ["1002", "1001"]
    assert shop.done("GET", "/api/v1/labels/l-1")["face"]["products"][0]["sku"] == "1001"


def test_pricer_links_items_by_their_display_positions(shop: RunningHouse) -> None:
    path = "/compat/pricer/main/api/public/core/v1"
    links = [{"itemId": "1001", "displayPosition": 2}, {"itemId": "1002", "displayPosition": 1}]
    body = [{"barcode": "L-1", "links": links}]
    assert shop.ask("PATCH", f"{path}/labels", json=body).is_success
    shown = shop.ask("GET", f"{path}/labels/L-1").json()
    shown = shown.get("data", shown)
    assert [(one["itemId"], one["displayPosition"]) for one in shown["links"]] == [
        ("1002", 0),
        ("1001", 1),
    ]
