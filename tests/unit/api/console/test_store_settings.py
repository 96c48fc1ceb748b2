"""Settings as a page: a first store, what it is told, its guards and its tills."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest

from tests.running_house import RunningHouse, check_headers, running_house

STORE = {
    "name": "Vrsar",
    "currency": "EUR",
    "locale": "hr_HR",
    "timezone": "Europe/Zagreb",
}


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("settings") / "data") as running:
        yield running


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers={"Accept": "text/html"}) as client:
        assert client.get(made["url"]).status_code == 303
        yield client


def look(browser: httpx2.Client, address: str) -> str:
    answer = browser.get(address)
    check_headers(answer)
    assert answer.status_code == 200
    return answer.text


def fields_of(text: str, action: str, **typed: str) -> dict[str, str]:
    """Return what a form of the page sends as it stands, and what was typed over it."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', text, re.DOTALL)
    assert form is not None, action
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", form[0]):
        known = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if known.get("type") != "checkbox" or " checked" in tag:
            sent[known["name"]] = unescape(known.get("value", ""))
    for name, body in re.findall(r'<select[^>]*name="(\w+)">(.*?)</select>', form[0], re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', body)
        sent[name] = (chosen[1] or chosen[2] if chosen[1] is None else chosen[1]) if chosen else ""
    return sent | typed


def send(browser: httpx2.Client, page: str, action: str, **typed: str) -> httpx2.Response:
    return browser.post(action, data=fields_of(look(browser, page), action, **typed))


def test_the_first_store_is_added_and_changed(house: RunningHouse, browser: httpx2.Client) -> None:
    assert 'href="/settings/new-store"' in look(browser, "/")
    new = "/settings/new-store"
    refused = send(browser, new, new, store_id="vrsar", **(STORE | {"locale": "qq_HR"}))
    assert refused.status_code == 422
    assert "No language is known as" in unescape(refused.text)
    assert 'value="Europe/Zagreb"' in refused.text, "what was typed stays"
    added = send(browser, new, new, store_id="vrsar", **STORE)
    assert (added.status_code, added.headers["location"]) == (303, "/gateways?store=vrsar")
    assert send(browser, new, new, store_id="vrsar", **STORE).status_code == 412, "never replaced"

    kept = send(browser, "/settings", "/settings/store", name="Vrsar & Sons", law="hr")
    assert kept.status_code == 303
    read = house.done("GET", "/api/v1/stores/vrsar")
    assert (read["name"], read["law"], read["locale"]) == ("Vrsar & Sons", "hr", "hr_HR")
    told = look(browser, "/settings")
    assert "Vrsar &amp; Sons" in told
    undo = fields_of(told, "/settings/store")
    assert browser.post("/settings/store", data=undo).status_code == 303
    read = house.done("GET", "/api/v1/stores/vrsar")
    assert (read["name"], read["law"]) == ("Vrsar", None), "the first such form is the undo"


def test_what_the_form_does_not_show_stays(house: RunningHouse, browser: httpx2.Client) -> None:
    whole = STORE | {"law": "hr", "law_goods": {"food": ["HRANA"]}, "read_back_percent": 7}
    house.done("PUT", "/api/v1/stores/vrsar", whole)
    assert send(browser, "/settings", "/settings/store", name="Poreč").status_code == 303
    read = house.done("GET", "/api/v1/stores/vrsar")
    assert (read["law_goods"], read["read_back_percent"]) == ({"food": ["HRANA"]}, 7)
    assert read["name"] == "Poreč"


def test_two_people_who_edit_at_once_overwrite_nothing(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    house.done("PUT", "/api/v1/stores/vrsar", STORE)
    mine = fields_of(look(browser, "/settings"), "/settings/store", name="Mine")
    house.done("PUT", "/api/v1/stores/vrsar", STORE | {"name": "Theirs"})
    answer = browser.post("/settings/store", data=mine)
    assert answer.status_code == 412
    assert house.done("GET", "/api/v1/stores/vrsar")["name"] == "Theirs"
    assert 'value="Mine"' in answer.text


def test_guards_are_set_switched_off_and_on(house: RunningHouse, browser: httpx2.Client) -> None:
    at = "/api/v1/stores/vrsar/guards"
    house.done("PUT", "/api/v1/stores/vrsar", STORE)
    own = {"categories": {"Voće": {"rise_percent": 300}}}
    house.done("PUT", at, own)
    typed = {"rise_percent": "80", "changes_a_day": ""}
    assert send(browser, "/settings", "/settings/guards", **typed).status_code == 303
    read = house.done("GET", at)
    assert read["limits"]["rise_percent"] == 80
    assert read["limits"]["changes_a_day"] is None
    assert read["limits"]["lowest_30d"] is True
    assert read["limits"]["highest_minor"] == 9_999_999
    assert read["categories"]["Voće"]["rise_percent"] == 300
    refused = send(browser, "/settings", "/settings/guards", rise_percent="a lot")
    assert refused.status_code == 422
    assert "/limits/rise_percent" not in refused.text
    assert 'aria-invalid="true"' in refused.text

    off = {"what": "off", "reason": "relabelling"}
    assert send(browser, "/settings", "/settings/guards", **off).status_code == 303
    assert house.done("GET", at)["on"] is False
    told = look(browser, "/settings")
    assert "whatever is sent goes to the shelf" in told
    assert "Guard prices with these limits" in told
    assert send(browser, "/settings", "/settings/guards").status_code == 303
    read = house.done("GET", at)
    assert (read["on"], read["limits"]["rise_percent"]) == (True, 80)


def test_tills_are_told_how_to_hear(house: RunningHouse, browser: httpx2.Client) -> None:
    house.done("PUT", "/api/v1/stores/vrsar", STORE)
    refused = send(browser, "/settings", "/settings/till", channel="webhook", url="ftp://x")
    assert refused.status_code == 422
    typed = {"channel": "pull", "increase_safe": "1"}
    assert send(browser, "/settings", "/settings/till", **typed).status_code == 303
    read = house.done("GET", "/api/v1/stores/vrsar/till")
    assert (read["channel"], read["increase_safe"], read["price_owner"]) == ("pull", True, "till")


def test_who_may_not_does_not(house: RunningHouse) -> None:
    house.done("PUT", "/api/v1/stores/vrsar", STORE)
    reader = house.token("label:read", "price:read")
    headers = {"Authorization": f"Bearer {reader}", "Accept": "text/html"}
    with httpx2.Client(base_url=house.url, headers=headers) as client:
        page = client.get("/settings").text
        assert "Keep" not in page
        assert client.post("/settings/store", data=STORE).status_code == 403
        assert (
            client.post("/settings/guards", data={"what": "off", "reason": "x"}).status_code == 403
        )
        assert client.post("/settings/till", data={"channel": "own"}).status_code == 403
        assert client.post("/settings/new-store", data=STORE | {"store_id": "x"}).status_code == 403
