"""Walk and fix: what wants hands comes in the order of a walk, and goes when it is mended."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from esl.domain.ids import LabelId, StoreId
from esl.domain.problem import Finding, ProblemKind
from esl.store import problems
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house

AT = "/api/v1/stores/vrsar"
LIST = f"{AT}/walk-list"
PLACES = {"a": "2/1", "b": "1/2", "c": "1/1", "d": "10/1"}


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """Four labels whose gateway was never heard: none of them is right."""
    with running_house(tmp_path_factory.mktemp("walk") / "data") as running:
        running.done("PUT", AT, STORE_BODY)
        products = [{"sku": x, "name": f"Kruh <{x}>", "price": "1.29"} for x in PLACES]
        running.done("POST", f"{AT}/products", products)
        labels = [{"label": x, "panel": "bwry-296x128"} for x in (*PLACES, "spare")]
        running.done("POST", f"{AT}/labels", labels)
        pairings = [{"label": x, "sku": x, "place": place} for x, place in PLACES.items()]
        running.done("POST", f"{AT}/pairings", pairings)
        yield running


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers={"Accept": "text/html"}) as client:
        assert client.get(made["url"]).status_code == 303
        yield client


def names(found: dict[str, Any]) -> list[str]:
    return [one["label"] for one in found["labels"]]


def trouble(house: RunningHouse, label: str, kind: ProblemKind) -> None:
    finding = Finding(
        store_id=StoreId("vrsar"),
        kind=kind,
        subject=label,
        reason="2.31 V",
        what_to_do="Change the battery.",
    )
    house.write(lambda tx: problems.open_findings(tx, [finding], datetime.now(UTC)))


def test_problems_come_as_one_walks_past_them(house: RunningHouse) -> None:
    settle(house)
    assert house.done("GET", LIST) == {"labels": [], "after": None, "found": 0, "passed": 0}
    for label in ("a", "b", "d"):
        trouble(house, label, ProblemKind.BATTERY_LOW)
    trouble(house, "b", ProblemKind.HARDWARE_FAULT)
    trouble(house, "gateway-7", ProblemKind.GATEWAY_AWAY)
    found = house.done("GET", LIST)
    assert names(found) == ["b", "a", "d"], "aisle 10 comes behind aisle 2"
    assert [one["kind"] for one in found["labels"][0]["problems"]] == [
        "battery_low",
        "hardware_fault",
    ]
    assert (found["found"], found["passed"], found["labels"][0]["place"]) == (3, 0, "1/2")
    first = house.done("GET", LIST, limit=1)
    assert (names(first), first["after"]) == (["b"], "b")
    behind = house.done("GET", LIST, after="b")
    assert (names(behind), behind["found"], behind["passed"]) == (["a", "d"], 3, 1)
    assert names(house.done("GET", LIST, after="c")) == ["b", "a", "d"], (
        "c is right, and hangs first"
    )
    assert names(house.done("GET", LIST, aisle="1")) == ["b"]
    check_problem(house.ask("GET", f"{LIST}?after=A%20B"), 422)


def settle(house: RunningHouse) -> None:
    """Let every label show what it should: take their pictures away."""
    for label in PLACES:
        house.done("DELETE", f"{AT}/pairings/{label}")


def test_what_an_inspection_saw_stays_until_it_is_mended(house: RunningHouse) -> None:
    walk = house.done("POST", f"{AT}/inspections", {"size": 50})
    at = f"{AT}/inspections/{walk['inspection']}/items"
    items = {
        one["label"]: one["item"] for one in house.done("GET", at.removesuffix("/items"))["items"]
    }
    for label, seen in (("a", "damaged"), ("c", "misplaced"), ("d", "right")):
        house.done(
            "PUT", f"{at}/{items[label]}", {"seen": seen, "note": "torn" if label == "a" else None}
        )
    listed = {one["label"]: one for one in house.done("GET", LIST)["labels"]}
    assert listed["a"]["seen"]["seen"] == "damaged"
    assert listed["a"]["seen"]["note"] == "torn"
    assert listed["c"]["seen"]["seen"] == "misplaced"
    assert all(listed[one]["seen"] is None for one in listed if one not in "ac")
    house.done("POST", f"{AT}/places", {"rows": [{"label": "c", "place": "3/1"}]})
    house.done("POST", f"{AT}/replacements", {"broken": "a", "new": "spare"})
    listed = {one["label"]: one for one in house.done("GET", LIST)["labels"]}
    assert "a" not in listed, "it has left the shop"
    assert all(one["seen"] is None for one in listed.values())


def test_one_walks_from_label_to_label(house: RunningHouse, browser: httpx2.Client) -> None:
    settle(house)
    empty = browser.get("/walk")
    assert "No label needs you" in empty.text
    for label in ("a", "c"):
        trouble(house, label, ProblemKind.BATTERY_LOW)
    page = browser.get("/walk")
    assert "1 of 2" in page.text
    assert 'href="/walk?after=c' in page.text
    assert "The battery is nearly empty" in page.text
    page = browser.get("/walk?after=c")
    assert "2 of 2" in page.text
    assert ">a</bdi>" in page.text
    end = browser.get("/walk?after=a")
    assert "The end of the walk" in end.text
    assert "2 labels still need you." in end.text
    assert "No label needs you there" in browser.get("/walk?aisle=77").text


def test_a_label_is_replaced_by_a_scan(house: RunningHouse, browser: httpx2.Client) -> None:
    trouble(house, "b", ProblemKind.HARDWARE_FAULT)
    page = browser.get("/walk").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    form = {"csrf": csrf, "label": "b", "what": "replace", "after": "c"}
    nobody = browser.post("/walk", data=form | {"new": "nobody"})
    assert nobody.status_code == 404
    assert "nobody" in nobody.text
    scanned = form | {"new": "https://shop.example/?label=SPARE"}
    done = browser.post("/walk", data=scanned)
    assert done.status_code == 303
    assert done.headers["location"].startswith("/walk?after=c")
    listed = {one["label"]: one for one in house.done("GET", f"{AT}/labels")["labels"]}
    assert (listed["spare"]["skus"], listed["spare"]["place"]) == (["b"], "1/2")
    assert LabelId("b") not in names(house.done("GET", LIST))
    again = browser.get(done.headers["location"]).text
    step = again.split('name="step" value="')[1].split('"')[0]
    back = {"csrf": csrf, "label": "b", "what": "undo", "step": step, "after": "c"}
    assert 'action="/walk"' in again.split('name="step"')[0].rsplit("<form", 1)[1]
    undone = browser.post("/walk", data=back)
    assert undone.headers["location"].startswith("/walk?after=c"), "one stays on the walk"
    listed = {one["label"]: one for one in house.done("GET", f"{AT}/labels")["labels"]}
    assert (listed["b"]["skus"], listed["b"]["place"]) == (["b"], "1/2")
    assert "spare" not in listed or listed["spare"]["skus"] == []
