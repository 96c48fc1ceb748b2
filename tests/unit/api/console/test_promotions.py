"""Promotions as pages: the list, one close up, and what people do with it."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx2
import pytest

from api.console.promotions import gives_in_words, selection_in_words
from esl.store import promotion_rows
from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "vrsar"
AT = f"/api/v1/stores/{STORE}"
PEOPLE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A store with a paired label, and another store."""
    with running_house(tmp_path_factory.mktemp("promotions") / "data") as running:
        for store in (STORE, "pula"):
            running.done("PUT", f"/api/v1/stores/{store}", STORE_BODY | {"name": store.title()})
        running.done("PUT", f"{AT}/till", {"channel": "own"})
        products = [{"sku": "1", "name": "Kruh", "price": "1.29", "category": "Bread"}]
        running.done("POST", f"{AT}/products", products)
        running.done("POST", f"{AT}/labels", {"label": "l-1", "panel": "bwry-296x128"})
        running.done("POST", f"{AT}/pairings", {"label": "l-1", "sku": "1"})
        yield running


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers=PEOPLE) as client:
        assert client.get(made["url"]).status_code == 303
        client.cookies.set("esl_store", STORE)
        yield client


def create(house: RunningHouse, name: str, **changes: Any) -> str:
    body = {
        "id": name,
        "name": f"Weekend <{name}>",
        "gives": {"quantity": 3, "pay_for": 2},
        "selection": {"categories": ["Bread"]},
        "where": {"stores": [STORE]},
        "window": {"begins": "2031-03-06T08:00", "ends": "2031-03-08T20:00"},
    }
    house.done("POST", "/api/v1/promotions", body | changes)
    return name


def look(browser: httpx2.Client, address: str) -> str:
    answer = browser.get(address)
    check_headers(answer)
    assert answer.status_code == 200
    return answer.text


def press(browser: httpx2.Client, text: str, what: str, **typed: str) -> httpx2.Response:
    for form in re.findall(r'<form[^>]*action="([^"]*/act[^"]*)"(.*?)</form>', text, re.DOTALL):
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[1]))
        if fields.get("what") == what:
            sent = {name: unescape(value) for name, value in fields.items()} | typed
            return browser.post(unescape(form[0]), data=sent)
    raise AssertionError(f"the page has no form that does {what}")


def test_without_any_it_is_said_how_they_come(browser: httpx2.Client) -> None:
    assert "No promotion yet" in look(browser, "/promotions")


def test_one_is_scheduled_and_cancelled(house: RunningHouse, browser: httpx2.Client) -> None:
    name = create(house, "bread")
    assert "Weekend &lt;bread&gt;" in look(browser, "/promotions")
    text = look(browser, f"/promotions/{name}")
    assert "3 for 2" in text
    assert "categories: Bread" in text
    assert "2031-03-06 08:00" in text
    assert press(browser, text, "schedule").status_code == 303
    text = look(browser, f"/promotions/{name}")
    assert "It is scheduled" in text
    assert "next change 6 Mar 2031 08:00" in re.sub(r"\s+", " ", text)
    assert press(browser, text, "cancel", reason="rain").status_code == 303
    text = look(browser, f"/promotions/{name}")
    assert "It is cancelled." in text
    assert "/act" not in text, "nothing can be done with it any more"
    assert house.done("GET", f"/api/v1/promotions/{name}")["state"] == "cancelled"


def test_one_that_runs_tells_how_far_it_has_come(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    name = create(house, "now", window={"begins": "2026-01-01T08:00"})
    house.done("POST", f"/api/v1/promotions/{name}/schedule", {})
    house.write(lambda tx: promotion_rows.set_state(tx, name, "active", house.house.clock.now()))
    text = look(browser, f"/promotions/{name}")
    assert "0 of 1 labels show it" in text
    assert 'href="/labels/l-1' in text
    assert "no gateway has heard it" in text
    now = look(browser, f"/promotions/{name}/now")
    assert "<html" not in now


@pytest.mark.parametrize("what", ["", "delete", "../../people", "events"])
def test_a_button_that_nobody_drew_does_nothing(
    house: RunningHouse, browser: httpx2.Client, what: str
) -> None:
    name = create(house, f"odd-{what.strip('./') or 'none'}".replace("/", "-"))
    text = look(browser, f"/promotions/{name}")
    token = re.search(r'name="csrf" value="([^"]*)"', text)
    assert token is not None
    sent = {"csrf": token[1], "what": what}
    answer = browser.post(f"/promotions/{name}/act", data=sent)
    assert answer.status_code in {404, 405}
    assert house.done("GET", f"/api/v1/promotions/{name}")["state"] == "draft"


def test_who_may_not_change_them_has_no_buttons(house: RunningHouse) -> None:
    name = create(house, "seen")
    token = house.token("price:read", stores=(STORE,))
    answer = house.ask("GET", f"/promotions/{name}", token=token, headers=PEOPLE)
    assert answer.status_code == 200
    assert "/act" not in answer.text
    other = house.token("price:read", stores=("pula",))
    assert house.ask("GET", f"/promotions/{name}", token=other, headers=PEOPLE).status_code == 404
    blind = house.token("label:read", stores=(STORE,))
    assert house.ask("GET", "/promotions", token=blind, headers=PEOPLE).status_code == 403


@pytest.mark.parametrize(
    ("gives", "words"),
    [
        ({"percent": 25}, "25 % off"),
        ({"amount": "0.50"}, "0.50 off"),
        ({"quantity": 2, "total": "3.50"}, "2 for 3.50"),
        ({"quantity": 3, "pay_for": 2}, "3 for 2"),
        ({"price": "1.49"}, "1.49 in place of the regular price"),
    ],
)
def test_what_it_gives_is_said_in_words(gives: dict[str, Any], words: str) -> None:
    assert gives_in_words(gives) == words


def test_what_it_is_for_is_said_part_by_part() -> None:
    chosen = {"brands": ["A", "B"], "tags": [], "except_skus": ["7"]}
    assert selection_in_words(chosen) == ["brands: A, B", "but not: 7"]
    assert selection_in_words({"everything": True}) == ["all products"]
