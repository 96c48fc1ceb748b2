"""Machines as a page: a secret shown once that works, a second one, and the way out."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest

from api.console.machines import SCOPE_WORDS
from esl.domain.access import Scope
from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

PEOPLE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A store with a product."""
    with running_house(tmp_path_factory.mktemp("machines") / "data") as running:
        running.done("PUT", "/api/v1/stores/vrsar", STORE_BODY | {"name": "Vrsar"})
        yield running


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers=PEOPLE) as client:
        assert client.get(made["url"]).status_code == 303
        yield client


def look(browser: httpx2.Client) -> str:
    answer = browser.get("/machines")
    check_headers(answer)
    assert answer.status_code == 200
    return answer.text


def csrf(browser: httpx2.Client) -> str:
    found = re.search(r'name="csrf" value="([^"]*)"', look(browser))
    assert found is not None
    return found[1]


def add(browser: httpx2.Client, name: str, *scopes: str, at: str = "vrsar") -> httpx2.Response:
    boxes = {f"scope-{scope}": "on" for scope in scopes}
    fields = {"csrf": csrf(browser), "name": name, "at": at} | boxes
    return browser.post("/machines", data=fields)


def shown_in(text: str) -> tuple[str, str]:
    """Return the client id and the secret that a page shows."""
    found = re.search(r"curl -u &#39;([^:]+):<span id=\"secret\">([^<]+)<", text)
    found = found or re.search(r"curl -u '([^:]+):<span id=\"secret\">([^<]+)<", text)
    assert found is not None
    return unescape(found[1]), unescape(found[2])


def token_of(house: RunningHouse, client: str, secret: str) -> httpx2.Response:
    with httpx2.Client(base_url=house.url) as machine:
        body = {"grant_type": "client_credentials"}
        return machine.post("/oauth/token", data=body, auth=(client, secret))


def test_a_machine_comes_in_by_the_secret_that_is_shown_once(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    assert "No machine yet" in look(browser)
    made = add(browser, "till <b>1</b>", "price:write")
    assert made.status_code == 201
    assert "till &lt;b&gt;1" in made.text
    client, secret = shown_in(made.text)
    token = token_of(house, client, secret)
    assert token.status_code == 200
    price = [{"sku": "1", "name": "Kruh", "price": "1.29"}]
    at = "/api/v1/stores/vrsar/products"
    assert house.ask("POST", at, token=token.json()["access_token"], json=price).is_success
    text = look(browser)
    assert secret not in text
    assert "last used" in text


def test_a_secret_is_changed_without_a_gap(house: RunningHouse, browser: httpx2.Client) -> None:
    client, first = shown_in(add(browser, "engine", "price:propose").text)
    at = f"/machines/{client}/act"
    second = browser.post(at, data={"csrf": csrf(browser), "what": "rotate"})
    assert second.status_code == 201
    same, new = shown_in(second.text)
    assert same == client
    assert token_of(house, client, first).status_code == 200
    assert token_of(house, client, new).status_code == 200
    listed = house.done("GET", f"/api/v1/clients/{client}")["secrets"]
    old = {"csrf": csrf(browser), "what": "revoke", "secret": listed[0]["id"]}
    assert browser.post(at, data=old).status_code == 303
    assert {token_of(house, client, one).status_code for one in (first, new)} == {200, 401}
    out = {"csrf": csrf(browser), "what": "disable"}
    assert browser.post(at, data=out).status_code == 303
    assert "The machine is let in no more." in look(browser)
    assert token_of(house, client, new).status_code == 401


def test_what_is_wrong_is_told_and_what_was_ticked_stays(browser: httpx2.Client) -> None:
    refused = add(browser, "", "label:pair", "label:read")
    assert refused.status_code == 422
    boxes = re.findall(r'name="scope-([a-z:]+)" checked', refused.text)
    assert sorted(boxes) == ["label:pair", "label:read"]
    assert add(browser, "nothing").status_code == 422
    assert add(browser, "nowhere", "label:read", at="elsewhere").status_code in {404, 422}
    unknown = {"csrf": csrf(browser), "what": "../secrets"}
    assert browser.post("/machines/0123456789ab/act", data=unknown).status_code == 404


@pytest.mark.asvs("8.2.1")
def test_only_who_manages_the_installation_sees_them(house: RunningHouse) -> None:
    token = house.token("user:admin", "label:read", stores=("vrsar",))
    assert house.ask("GET", "/machines", token=token, headers=PEOPLE).status_code == 403
    assert 'href="/machines"' not in house.ask("GET", "/", token=token, headers=PEOPLE).text


def test_every_scope_has_words() -> None:
    assert set(SCOPE_WORDS) == set(Scope)
