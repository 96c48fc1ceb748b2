"""Doubted prices as a page: who sees them, who decides, and what is said of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

import httpx2
import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "waits"
AT = f"/api/v1/stores/{STORE}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A store whose prices are guarded."""
    with running_house(tmp_path_factory.mktemp("held") / "data") as running:
        body = {name: value for name, value in STORE_BODY.items() if name != "guards"}
        running.done("PUT", AT, body)
        products = [{"sku": f"w{n}", "name": f"Kruh <{n}>", "price": "1.29"} for n in range(6)]
        running.done("POST", f"{AT}/products", products)
        yield running


@dataclass(frozen=True, slots=True)
class Browser:
    """Somebody who signed in."""

    client: httpx2.Client

    def look(self) -> httpx2.Response:
        answer = self.client.get("/held")
        check_headers(answer)
        return answer

    def press(self, form: int, button: str, **changes: str) -> httpx2.Response:
        """Send the page's form number ``form``, as pressing one of its buttons does."""
        forms = re.findall(r'<form[^>]*action="/held".*?</form>', self.look().text, re.DOTALL)
        sent = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', forms[form])
        fields = {name: unescape(value) for name, value in sent} | {"decide": button} | changes
        return self.client.post("/held", data=fields)


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[Browser]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers={"Accept": "text/html"}) as client:
        assert client.get(made["url"]).status_code == 303
        yield Browser(client)


def hold_back(house: RunningHouse, *skus: str) -> None:
    """Send prices that the guards doubt, as a till does."""
    changes = [{"sku": sku, "price": "12.90"} for sku in skus]
    house.done("POST", f"{AT}/price-changes", changes, token=house.token("price:write"))


def price_of(house: RunningHouse, sku: str) -> str:
    return str(house.done("GET", f"{AT}/products/{sku}")["price"])


def test_nothing_waits_is_said_so(browser: Browser) -> None:
    assert "No price waits" in browser.look().text


def test_one_price_is_approved_and_another_rejected(house: RunningHouse, browser: Browser) -> None:
    hold_back(house, "w0", "w1")
    text = browser.look().text
    assert "Kruh &lt;0&gt;" in text
    assert "€12.90" in text
    assert "The price rises by more than the limits allow." in text
    assert "2 prices came together, in batch" in text
    answer = browser.press(1, "approve")
    assert (answer.status_code, answer.headers["location"]) == (303, "/held")
    assert "1 price holds now." in browser.look().text
    assert "holds now." not in browser.look().text, "it is told once"
    assert price_of(house, "w0") == "12.90"
    assert browser.press(0, "reject").status_code == 303
    assert "1 price was rejected." in browser.look().text
    assert price_of(house, "w1") == "1.29"


def test_a_batch_is_decided_as_a_whole_with_a_note(house: RunningHouse, browser: Browser) -> None:
    hold_back(house, "w2", "w3")
    assert browser.press(0, "approve", note="spring prices").status_code == 303
    assert "2 prices hold now." in browser.look().text
    held = house.done("GET", f"{AT}/quarantine?state=all")["prices"]
    assert {one["note"] for one in held if one["sku"] in {"w2", "w3"}} == {"spring prices"}


def test_a_second_click_changes_nothing_and_a_late_one_is_told(
    house: RunningHouse, browser: Browser
) -> None:
    hold_back(house, "w4")
    page = browser.look().text
    form = re.findall(r'<form[^>]*action="/held".*?</form>', page, re.DOTALL)[0]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form))
    fields["decide"] = "approve"
    assert browser.client.post("/held", data=fields).status_code == 303
    assert browser.client.post("/held", data=fields).status_code == 303, "the same sending"
    late = browser.client.post("/held", data=fields | {"once": "another-sending-01"})
    assert late.status_code == 409
    assert 'role="alert"' in late.text


@pytest.mark.parametrize(
    "fields",
    [
        {"decide": "approve", "price": "x"},
        {"decide": "approve"},
        {"decide": "approve", "price": "9" * 40},
        {"decide": "approve", "batch": "-1"},
    ],
)
def test_forms_that_nobody_drew_are_refused_in_words(
    browser: Browser, fields: dict[str, str]
) -> None:
    text = browser.look().text
    token = re.search(r'name="csrf" value="([^"]*)"', text)
    sent = fields | ({"csrf": token[1]} if token else {})
    answer = browser.client.post("/held", data=sent)
    assert answer.status_code in {403, 404, 422}
    assert "<h1>" in answer.text


@pytest.mark.asvs("3.5.1")
def test_a_form_of_another_site_decides_nothing(house: RunningHouse, browser: Browser) -> None:
    hold_back(house, "w5")
    held = house.done("GET", f"{AT}/quarantine")["prices"]
    fields = {"decide": "approve", "price": str(held[-1]["price_id"]), "csrf": "guessed"}
    answer = browser.client.post("/held", data=fields)
    assert answer.status_code == 403
    assert price_of(house, "w5") == "1.29"


def test_who_may_not_decide_sees_no_buttons(house: RunningHouse) -> None:
    token = house.token("price:read", "label:read", stores=(STORE,))
    answer = house.ask("GET", "/held", token=token, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert 'action="/held"' not in answer.text
    blind = house.token("label:read", stores=(STORE,))
    refused = house.ask("GET", "/held", token=blind, headers={"Accept": "text/html"})
    assert refused.status_code == 403
