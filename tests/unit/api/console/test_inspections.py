"""Inspections: over HTTP and by the thumb, from the sample to the verdict and the audit."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx2
import pytest

from tests.running_house import (
    STORE_BODY,
    RunningHouse,
    check_headers,
    check_problem,
    running_house,
)

AT = "/api/v1/stores/vrsar"
WALKS = f"{AT}/inspections"


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("inspections") / "data") as running:
        running.done("PUT", AT, STORE_BODY)
        yield running


@pytest.fixture
def stocked(house: RunningHouse) -> RunningHouse:
    """A store with three labels, of which the last by id hangs first."""
    names = ["a", "b", "c"]
    products = [{"sku": x, "name": f"Kruh <{x}>", "price": "1.29"} for x in names]
    house.done("POST", f"{AT}/products", products)
    house.done("POST", f"{AT}/labels", [{"label": x, "panel": "bwry-296x128"} for x in names])
    places = {"a": "2/1", "b": "1/2", "c": "1/1"}
    pairings = [{"label": x, "sku": x, "place": places[x]} for x in names]
    house.done("POST", f"{AT}/pairings", pairings)
    return house


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers={"Accept": "text/html"}) as client:
        assert client.get(made["url"]).status_code == 303
        yield client


def see(house: RunningHouse, walk: dict[str, Any], item: int, **said: Any) -> Any:
    return house.done("PUT", f"{WALKS}/{walk['inspection']}/items/{item}", said)


def test_a_walk_from_sample_to_verdict(stocked: RunningHouse) -> None:
    walk = stocked.done("POST", WALKS, {"size": 50, "seed": 7})
    assert [one["label"] for one in walk["items"]] == ["c", "b", "a"], "as one walks"
    assert {one["till"] for one in walk["items"]} == {"1.29"}
    assert walk["counts"]["passes"] is None
    counts = see(stocked, walk, 1, seen="right")["counts"]
    assert (counts["done"], counts["percent_right"], counts["passes"]) == (1, "100.00", True)
    wrong = see(stocked, walk, 2, seen="wrong", price="1.39", note="old label")
    assert (wrong["price"], wrong["counts"]["percent_right"]) == ("1.39", "50.00")
    counts = see(stocked, walk, 3, seen="damaged")["counts"]
    assert (counts["done"], counts["percent_right"]) == (3, "50.00"), "it says nothing of a price"
    see(stocked, walk, 3, seen=None)
    read = stocked.done("GET", f"{WALKS}/{walk['inspection']}")
    assert [one["seen"] for one in read["items"]] == ["right", "wrong", None]
    assert read["items"][2]["seen_at"] is None
    ended = stocked.done("POST", f"{WALKS}/{walk['inspection']}/end")
    assert ended["ended_at"] is not None
    assert ended["counts"]["passes"] is False
    at = f"{WALKS}/{walk['inspection']}/items/3"
    check_problem(stocked.ask("PUT", at, json={"seen": "right"}), 409)
    again = stocked.done("POST", f"{WALKS}/{walk['inspection']}/end")
    assert again["ended_at"] == ended["ended_at"]
    [listed] = stocked.done("GET", WALKS)["inspections"]
    assert listed == ended
    subject = f"inspection/{walk['inspection']}"
    told = stocked.done("GET", f"/api/v1/audit?store=vrsar&subject={subject}")["entries"]
    assert [one["action"] for one in told][::-1] == [
        *("inspection_begin", "inspection_seen", "inspection_seen", "inspection_seen"),
        *("inspection_seen", "inspection_end"),
    ]
    assert told[-3]["detail"]["seen_minor"] == 139
    assert told[-3]["reason"] == "old label"


def test_the_sample_stays_as_it_was_drawn(stocked: RunningHouse) -> None:
    walk = stocked.done("POST", WALKS, {"seed": 7})
    [changed] = stocked.done("POST", f"{AT}/price-changes", [{"sku": "a", "price": "1.49"}])[
        "results"
    ]
    assert changed["decision"] == "accepted"
    read = stocked.done("GET", f"{WALKS}/{walk['inspection']}")
    assert {one["till"] for one in read["items"]} == {"1.29"}
    other = stocked.done("POST", WALKS, {"seed": 7})
    assert [one["label"] for one in other["items"]] == [one["label"] for one in walk["items"]]
    first = stocked.done("GET", f"{WALKS}?limit=1")
    assert [one["inspection"] for one in first["inspections"]] == [other["inspection"]]
    rest = stocked.done("GET", f"{WALKS}?limit=5&before={first['before']}")
    assert [one["inspection"] for one in rest["inspections"]] == [walk["inspection"]]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/seen"),
        ({"seen": "fine"}, "/seen"),
        ({"seen": "right", "price": "1.29"}, "/price"),
        ({"seen": "wrong", "price": "1,29"}, "/price"),
        ({"seen": "wrong", "price": 1.29}, "/price"),
        ({"seen": "wrong", "note": "x" * 201}, "/note"),
        ({"seen": "wrong", "who": "me"}, "/who"),
    ],
)
def test_what_cannot_be_seen_is_refused(
    stocked: RunningHouse, body: dict[str, Any], pointer: str
) -> None:
    walk = stocked.done("POST", WALKS, {})
    answer = stocked.ask("PUT", f"{WALKS}/{walk['inspection']}/items/1", json=body)
    assert [one["pointer"] for one in check_problem(answer, 422)["errors"]] == [pointer]
    assert stocked.done("GET", f"{WALKS}/{walk['inspection']}")["counts"]["done"] == 0


def test_what_is_not_there_is_not_found(stocked: RunningHouse) -> None:
    check_problem(stocked.ask("POST", WALKS, json={"size": 7}), 422)
    check_problem(stocked.ask("GET", f"{WALKS}/1"), 404)
    walk = stocked.done("POST", WALKS, {})
    at = f"{WALKS}/{walk['inspection']}"
    check_problem(stocked.ask("PUT", f"{at}/items/4", json={"seen": "right"}), 404)
    check_problem(stocked.ask("PUT", f"{at}/items/0", json={"seen": "right"}), 404)
    check_problem(stocked.ask("GET", f"{WALKS}/x"), 404)
    stocked.done("PUT", "/api/v1/stores/pula", STORE_BODY)
    elsewhere = f"/api/v1/stores/pula/inspections/{walk['inspection']}"
    check_problem(stocked.ask("GET", elsewhere), 404)
    check_problem(stocked.ask("PUT", f"{elsewhere}/items/1", json={"seen": "right"}), 404)
    check_problem(stocked.ask("POST", f"{elsewhere}/end"), 404)


def test_an_empty_shop_has_nothing_to_inspect(house: RunningHouse, browser: httpx2.Client) -> None:
    check_problem(house.ask("POST", WALKS, json={}), 409)
    page = browser.get("/inspections")
    check_headers(page)
    assert "Nothing was inspected yet" in page.text
    form = fields_of(page.text, "/inspections")
    answer = browser.post("/inspections", data=form | {"size": "50"})
    assert answer.status_code == 409
    assert "no label has a product" in unescape(answer.text)


def fields_of(text: str, action: str) -> dict[str, str]:
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', text, re.DOTALL)
    assert form is not None, action
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))


def test_by_the_thumb(stocked: RunningHouse, browser: httpx2.Client) -> None:
    page = browser.get("/inspections").text
    begun = browser.post("/inspections", data=fields_of(page, "/inspections") | {"size": "50"})
    assert begun.status_code == 303
    walk = begun.headers["location"]
    for seen, typed in (("right", {}), ("wrong", {"price": "1,39"}), ("missing", {"note": "hm"})):
        text = browser.get(walk).text
        sent = fields_of(text, f"{walk}/seen") | {"seen": seen, "price": "", "note": ""} | typed
        assert browser.post(f"{walk}/seen", data=sent).status_code == 303
    text = browser.get(walk).text
    assert "All of them are looked at" in text
    assert "3 of 3 looked at" in text
    assert "Kruh &lt;a&gt;" in text
    refused = {"item": "1", "seen": "wrong", "price": "cheap", "note": ""}
    sent = fields_of(browser.get(f"{walk}?item=1").text, f"{walk}/seen") | refused
    answer = browser.post(f"{walk}/seen", data=sent)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert browser.post(f"{walk}/end", data=fields_of(text, f"{walk}/end")).status_code == 303
    text = browser.get(walk).text
    assert "Failed" in text
    assert f"{walk}/seen" not in text, "what was seen stays as it is"
    read = stocked.done("GET", f"{WALKS}/{walk.rpartition('/')[2]}")
    assert [one["seen"] for one in read["items"]] == ["right", "wrong", "missing"]
    assert read["items"][1]["price"] == "1.39"


def test_who_only_reads_looks_on(stocked: RunningHouse) -> None:
    walk = stocked.done("POST", WALKS, {})
    reader = stocked.token("label:read", "price:read")
    headers = {"Authorization": f"Bearer {reader}", "Accept": "text/html"}
    with httpx2.Client(base_url=stocked.url, headers=headers) as client:
        text = client.get(f"/inspections/{walk['inspection']}").text
        assert "Something else" not in text
        assert "Begin with" not in client.get("/inspections").text
        assert client.post("/inspections", data={"size": "50"}).status_code == 403
        sent = {"item": "1", "seen": "right"}
        assert client.post(f"/inspections/{walk['inspection']}/seen", data=sent).status_code == 403
