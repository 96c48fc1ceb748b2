"""Zones and groups through the front doors: a word for many stores, told, explained, guarded."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from api.private_files import RuntimeFile, runtime_file
from tests.pages import ROOT, blocks_of
from tests.running_house import STORE_BODY, Command, RunningHouse, check_problem, running_house
from tests.served import wait_until

pytest_plugins = ["tests.shop_over_http"]

COAST = "/api/v1/zones/coast"
CHAIN = "/api/v1/zones/chain"
STORES = ("main", "pula", "zadar")
PRODUCTS = [{"sku": sku, "name": sku} for sku in ("milk", "bread", "eggs", "wine", "salt")]
"""Each test has one of its own."""
PATIENCE_S = 60


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A running application that delivers: stores are told what their zones say."""
    with running_house(tmp_path_factory.mktemp("zones") / "data", with_worker=True) as running:
        for store in STORES:
            running.done("PUT", f"/api/v1/stores/{store}", STORE_BODY)
            running.done("POST", f"/api/v1/stores/{store}/products", PRODUCTS)
        running.done("PUT", "/api/v1/stores/main/gateways/gw-1", {})
        label = {"label": "l-1", "panel": "bwry-296x128", "gateway": "gw-1"}
        running.done("POST", "/api/v1/stores/main/labels", label)
        running.done("POST", "/api/v1/stores/main/pairings", {"label": "l-1", "sku": "milk"})
        body = {"name": "Coast", "currency": "EUR", "stores": ["main", "pula"]}
        running.done("PUT", COAST, body)
        yield running


def say(house: RunningHouse, price: str, zone: str = COAST, **more: Any) -> int:
    body = {"changes": [{"sku": "milk", "price": price} | more]}
    answer = house.done("POST", f"{zone}/price-changes", body)
    assert answer["results"] == ["accepted"]
    return int(answer["change"])


def told(house: RunningHouse, change: int, zone: str = COAST) -> dict[str, Any]:
    """Wait until every store of a zone was told a change."""
    path = f"{zone}/price-changes/{change}"

    def is_done() -> bool:
        found = house.done("GET", path)
        return bool(found["done"] == found["stores"])

    wait_until(is_done, "all stores to be told", PATIENCE_S)
    answer: dict[str, Any] = house.done("GET", path)
    return answer


def level(house: RunningHouse, store: str) -> dict[str, Any]:
    answer: dict[str, Any] = house.done("GET", f"/api/v1/stores/{store}/levels/milk")
    return answer


def test_a_zones_price_is_told_named_and_overruled(house: RunningHouse) -> None:
    of_chain = told(house, say(house, "1.00", CHAIN), CHAIN)
    assert (of_chain["stores"], of_chain["counts"]) == (3, {"accepted": 3})
    found = told(house, say(house, "1.10", badge="Coast"))
    assert found["counts"] == {"accepted": 2}
    assert [one["store"] for one in found["told"]] == ["main", "pula"]
    assert found["told"][0]["labels"] == 1
    assert (level(house, "main")["level"], level(house, "zadar")["level"]) == ("zone", "chain")

    words = house.done("GET", "/api/v1/labels/l-1/explain")["products"][0]
    assert words["base"]["level"] == "zone"
    said = " ".join(words["words"])
    assert "The price zone coast says 1.10 EUR, by operator, since " in said
    assert "The chain says 1.00 EUR, set by operator at " in said
    assert "the price zone coast goes before it" in said

    own = {"sku": "milk", "price": "1.20"}
    house.done("POST", "/api/v1/stores/main/price-changes", own)
    here = level(house, "main")
    assert (here["level"], here["price"], here["source"]) == ("store", "1.20", "api")
    assert [(one["zone"], one["price"]) for one in here["beneath"]] == [
        ("coast", "1.10"),
        ("chain", "1.00"),
    ]
    said = " ".join(house.done("GET", "/api/v1/labels/l-1/explain")["products"][0]["words"])
    assert "The till says 1.20 EUR, source api" in said
    assert "The price zone coast says 1.10 EUR" in said
    again = told(house, say(house, "1.11"))
    assert again["told"][0]["held"] == [{"sku": "milk", "decision": "own_price", "why": "yields"}]

    clear = "/api/v1/stores/main/cleared-prices"
    [cleared] = house.done("POST", clear, {"skus": ["milk"]})["results"]
    assert (cleared["decision"], cleared["zone"]) == ("accepted", "coast")
    assert level(house, "main")["price"] == "1.11"
    gone = house.done("POST", f"{COAST}/cleared-prices", {"skus": ["milk"]})
    assert told(house, gone["change"])["counts"] == {"accepted": 2}
    assert (level(house, "main")["level"], level(house, "main")["price"]) == ("chain", "1.00")


def test_a_request_sent_twice_is_taken_once(house: RunningHouse) -> None:
    path = f"{COAST}/price-changes"
    body = {"changes": [{"sku": "eggs", "price": "1.31"}]}
    key = {"Idempotency-Key": "zones-1"}
    first = house.ask("POST", path, json=body, headers=key)
    second = house.ask("POST", path, json=body, headers=key)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    other = {"changes": [{"sku": "eggs", "price": "1.32"}]}
    check_problem(house.ask("POST", path, json=other, headers=key), 409)
    told(house, first.json()["change"])


def test_who_changes_a_zone_may_in_all_of_its_stores(house: RunningHouse) -> None:
    rights = ("price:write", "price:read")
    both, one, foreign = (
        house.token(*rights, stores=of) for of in (("main", "pula"), ("main",), ("zadar",))
    )
    body = {"changes": [{"sku": "bread", "price": "1.41"}]}
    path = f"{COAST}/price-changes"
    change = house.done("POST", path, body, token=both)["change"]
    told(house, change)
    check_problem(house.ask("POST", path, json=body, token=one), 403)
    problem = check_problem(house.ask("POST", path, json=body, token=foreign), 404)
    nowhere = house.ask("POST", "/api/v1/zones/x/price-changes", json=body, token=foreign)
    assert problem["detail"].replace("coast", "x") == check_problem(nowhere, 404)["detail"]
    check_problem(house.ask("POST", f"{CHAIN}/price-changes", json=body, token=both), 403)
    reader = house.token("price:read", stores=("main", "pula"))
    check_problem(house.ask("POST", path, json=body, token=reader), 403)
    seen = house.done("GET", f"{path}/{change}", token=one)
    assert [store["store"] for store in seen["told"]] == ["main"]
    zones = house.done("GET", "/api/v1/zones", token=foreign)["zones"]
    assert [zone["zone"] for zone in zones] == ["chain"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/changes"),
        ({"changes": {}}, "/changes"),
        ({"changes": []}, "/changes"),
        ({"changes": [{"sku": "milk"}]}, "/changes/0/price"),
        ({"changes": [{"sku": "milk", "price": 1.2}]}, "/changes/0/price"),
        ({"changes": [{"sku": "milk", "price": "0.00"}]}, "/changes/0/price"),
        ({"changes": [{"sku": " ", "price": "1.00"}]}, "/changes/0/sku"),
        (
            {"changes": [{"sku": "milk", "price": "1.00", "valid_from": "2026-03-01T06:00:00Z"}]},
            "/changes/0/valid_from",
        ),
        ({"changes": [{"sku": "milk", "price": "1.00", "currency": "HRK"}]}, "/changes/0/currency"),
        ({"changes": [{"sku": "milk", "price": "1.00", "source": "zone:x"}]}, "/changes/0/source"),
        ({"changes": [{"sku": "milk", "price": "1.00"}], "store": "main"}, "/store"),
    ],
)
def test_what_a_zone_cannot_say_is_refused_with_its_field(
    house: RunningHouse, body: Any, pointer: str
) -> None:
    check_problem(house.ask("POST", f"{COAST}/price-changes", json=body), 422, pointer)


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/zones/chain", {"name": "x", "currency": "EUR", "stores": []}, "/zone"),
        (f"/zones/{'x' * 41}", {"name": "x", "currency": "EUR", "stores": []}, "/zone"),
        ("/zones/new", {"name": "x", "currency": "EUR", "stores": ["nowhere"]}, "/stores"),
        ("/zones/new", {"name": "x", "currency": "USD", "stores": ["zadar"]}, "/stores"),
        ("/zones/new", {"name": "x", "currency": "EUR", "stores": ["main"]}, "/stores"),
        ("/zones/new", {"name": "x", "currency": "EUR"}, "/stores"),
        ("/groups/new", {"name": "x", "stores": ["no store"]}, "/stores/0"),
        ("/groups/new", {"name": "x", "stores": [1]}, "/stores"),
        ("/stores/main/zone", {}, "/zone"),
        ("/stores/main/zone", {"zone": "nowhere"}, "/zone"),
    ],
)
def test_what_no_zone_or_group_can_be_is_refused_with_its_field(
    house: RunningHouse, path: str, body: Any, pointer: str
) -> None:
    check_problem(house.ask("PUT", f"/api/v1{path}", json=body), 422, pointer)


def test_a_promotion_runs_in_the_stores_of_its_groups(house: RunningHouse) -> None:
    group = "/api/v1/groups/north"
    house.done("PUT", group, {"name": "North", "stores": ["zadar"]})
    promotion = {
        "id": "north-week",
        "name": "Week",
        "gives": {"percent": 50},
        "selection": {"skus": ["wine"]},
        "where": {"groups": ["north"]},
    }
    made = house.done("POST", "/api/v1/promotions", promotion)
    assert made["stores"] == ["zadar"]
    problem = check_problem(house.ask("DELETE", group), 409)
    assert "north-week" in problem["detail"]
    house.done("PUT", group, {"name": "North", "stores": ["zadar", "pula"]})
    for store in ("zadar", "pula"):
        house.done("PUT", f"/api/v1/stores/{store}/till", {"channel": "own"})
        own = {"sku": "wine", "price": "2.00"}
        house.done("POST", f"/api/v1/stores/{store}/price-changes", own)
    scheduled = house.done("POST", "/api/v1/promotions/north-week/schedule", {})
    assert scheduled["stores"] == ["pula", "zadar"]
    for store, status in (("pula", 403), ("main", 404)):  # who is not near may not learn of it
        secret = house.token("price:read", stores=(store,))
        answer = house.ask("GET", "/api/v1/promotions/north-week", token=secret)
        assert answer.status_code == status

    def offers() -> bool:
        found = [
            house.done("GET", f"/api/v1/stores/{store}/products/wine").get("offer")
            for store in ("zadar", "pula")
        ]
        return all(found) and {one["price"] for one in found} == {"1.00"}

    wait_until(offers, "the promotion in both stores", PATIENCE_S)
    house.done("POST", "/api/v1/promotions/north-week/end", {})
    for where in ({"groups": ["nowhere"]}, {"stores": ["main"], "groups": ["nowhere"]}):
        other = promotion | {"id": "nowhere-week", "where": where}
        answer = house.ask("POST", "/api/v1/promotions", json=other)
        check_problem(answer, 422, "/where/groups")
    house.done("DELETE", group)


def test_the_examples_of_the_page_are_taken_and_answered_as_it_says(house: RunningHouse) -> None:
    for store in ("pula", "vrsar"):
        house.done("PUT", f"/api/v1/stores/{store}", STORE_BODY)
        house.done("PUT", f"/api/v1/stores/{store}/zone", {"zone": None})
        house.done("POST", f"/api/v1/stores/{store}/products", [{"sku": "4711", "name": "Kava"}])
    house.done("PUT", "/api/v1/zones/inland", {"name": "I", "currency": "EUR", "stores": []})
    own = {"sku": "4711", "price": "1.35"}
    house.done("POST", "/api/v1/stores/vrsar/price-changes", own)
    blocks = [block.text for block in blocks_of(ROOT / "docs" / "zones.md")]
    calls = [text for text in blocks if re.match("(PUT|POST) /api/", text)]
    assert len(calls) == 5
    for call in calls:
        line, _, body = call.partition("\n")
        method, path = line.split()
        answer = house.done(method, path, json.loads(body))
        if path == COAST and answer["change"] is not None:
            told(house, answer["change"])
        if path.endswith("/coast/price-changes"):
            assert answer | {"change": 17} == _answer(blocks, '{"zone": "coast", "change": 17')
            progress = told(house, int(answer["change"]))
            as_said = _answer(blocks, '{"change": 17')
            varies = {"change": 17, "said_by": "token:3", "said_at": as_said["said_at"]}
            for store in (*progress["told"], *as_said["told"]):
                store["labels"] = 0
            assert progress | varies == as_said
    assert house.done("GET", "/api/v1/stores/vrsar/levels/4711")["zone"] == "inland"
    body = {"name": "Coast", "currency": "EUR", "stores": ["main"]}
    house.done("PUT", COAST, body)
    house.done("PUT", "/api/v1/stores/pula/zone", {"zone": "coast"})


def _answer(blocks: list[str], begins: str) -> dict[str, Any]:
    [text] = [block for block in blocks if block.startswith(begins)]
    answer: dict[str, Any] = json.loads(text)
    return answer


def test_the_command_line_does_it_all(house: RunningHouse, command: Command) -> None:
    data = house.house.settings.data_dir

    def esl(*words: str) -> str:
        ran = command(*words, "--data", str(data))
        assert ran.status in (0, None), ran.stderr
        return ran.stdout

    with runtime_file(data, RuntimeFile(url=house.url, token=house.operator, pid=1)):
        assert "1 store(s)" in esl("zones", "put", "city", "--currency", "EUR", "--stores", "zadar")
        words = esl("zones", "price", "city", "salt", "1.77")
        assert words.startswith("accepted: city says 1.77 for salt, 1 store(s).")
        number = words.split()[-1]
        assert "All of 1 store(s) were told." in esl("zones", "watch", "city", number)
        esl("zones", "follow", "zadar", "salt")
        assert "salt costs 1.77 EUR in zadar: said at the level zone." in esl(
            "zones", "level", "zadar", "salt"
        )
        assert "1.77 EUR" in esl("zones", "prices", "city")
        assert "city" in esl("zones", "list")
        assert "salt: accepted" in esl("zones", "clear", "city", "salt")
        assert "zadar is in no zone" in esl("zones", "move", "zadar")
        assert "city is gone" in esl("zones", "delete", "city")
        assert "2 store(s)" in esl("groups", "put", "two", "--stores", "main, pula")
        assert "main, pula" in esl("groups", "list")
        assert "two is gone" in esl("groups", "delete", "two")
