"""Gateways as a page: their state, a token shown once, and who may let one in."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "vrsar"
AT = f"/api/v1/stores/{STORE}"
PEOPLE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A store without gateways."""
    with running_house(tmp_path_factory.mktemp("gateways") / "data") as running:
        running.done("PUT", AT, STORE_BODY | {"name": "Vrsar"})
        yield running


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers=PEOPLE) as client:
        assert client.get(made["url"]).status_code == 303
        yield client


def send(browser: httpx2.Client, path: str, **fields: str) -> httpx2.Response:
    page = browser.get("/gateways")
    check_headers(page)
    token = re.search(r'name="csrf" value="([^"]*)"', page.text)
    assert token is not None
    return browser.post(path, data={"csrf": token[1]} | fields)


def test_the_first_gateway_comes_by_a_token_that_is_shown_once(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    assert "No gateway yet" in browser.get("/gateways").text
    made = send(browser, "/gateways/tokens", gateway="aisle-1")
    assert made.status_code == 201
    found = re.search(r'id="token">(esl-enrol-[^<]+)<', made.text)
    assert found is not None
    assert f"esl broker enrol {house.url} --to" in made.text
    assert found[1] not in browser.get("/gateways").text
    enrolled = house.ask("POST", "/api/v1/enrolments", token=None, json={"token": found[1]})
    assert enrolled.status_code == 200
    assert "never heard" in browser.get("/gateways").text


def test_a_bad_name_is_told_at_its_field_and_kept(browser: httpx2.Client) -> None:
    refused = send(browser, "/gateways/tokens", gateway="Aisle 1 <b>")
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert 'value="Aisle 1 &lt;b&gt;"' in refused.text
    assert send(browser, "/gateways/tokens", gateway="").status_code == 422


def test_one_is_asked_and_one_is_shut_out(house: RunningHouse, browser: httpx2.Client) -> None:
    house.done("PUT", f"{AT}/gateways/aisle-2", {})
    asked = send(browser, "/gateways/ask", gateway="aisle-2")
    assert asked.status_code == 303
    assert "aisle-2 was asked what its labels show." in browser.get("/gateways").text
    out = send(browser, "/gateways/shut-out", gateway="aisle-2")
    assert out.status_code == 303
    assert "aisle-2 is shut out." in browser.get("/gateways").text
    nobody = send(browser, "/gateways/ask", gateway="nobody")
    assert nobody.status_code == 404
    assert 'role="alert"' in nobody.text


def test_how_much_each_has_to_do_is_counted(house: RunningHouse, browser: httpx2.Client) -> None:
    house.done("PUT", f"{AT}/gateways/aisle-3", {})
    labels = [{"label": f"l-{n}", "panel": "bwry-296x128", "gateway": "aisle-3"} for n in range(3)]
    house.done("POST", f"{AT}/labels", labels)
    house.done("POST", f"{AT}/products", [{"sku": "1", "name": "Kruh", "price": "1.29"}])
    house.done("POST", f"{AT}/pairings", {"label": "l-0", "sku": "1"})
    [one] = [
        one
        for one in house.done("GET", f"{AT}/gateways")["gateways"]
        if one["gateway"] == "aisle-3"
    ]
    assert (one["labels"], one["waiting"]) == (3, 1)
    assert house.done("GET", f"{AT}/gateways/aisle-3")["labels"] == 3
    row = re.search(r"<b>aisle-3</b>.*?</tr>", browser.get("/gateways").text, re.DOTALL)
    assert row is not None
    assert "<span>3</span>" in row[0]


def test_who_may_not_enrol_sees_no_forms_and_is_refused(house: RunningHouse) -> None:
    token = house.token("label:read", stores=(STORE,))
    page = house.ask("GET", "/gateways", token=token, headers=PEOPLE)
    assert page.status_code == 200
    assert "/gateways/tokens" not in page.text
    refused = house.ask(
        "POST",
        "/gateways/tokens",
        token=token,
        content=b"gateway=aisle-9",
        headers=PEOPLE | {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert refused.status_code == 403
    names = [one["gateway"] for one in house.done("GET", f"{AT}/gateways")["gateways"]]
    assert "aisle-9" not in names
