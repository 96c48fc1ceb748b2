"""People as pages: add, invite, give and take roles, close, erase; and whose accounts are whose."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

PEOPLE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """Two stores."""
    with running_house(tmp_path_factory.mktemp("people") / "data") as running:
        for store in ("vrsar", "pula"):
            body = STORE_BODY | {"name": store.title()}
            running.done("PUT", f"/api/v1/stores/{store}", body)
        yield running


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers=PEOPLE) as client:
        assert client.get(made["url"]).status_code == 303
        client.cookies.set("esl_store", "vrsar")
        yield client


def look(browser: httpx2.Client, address: str) -> str:
    answer = browser.get(address)
    check_headers(answer)
    assert answer.status_code == 200
    return answer.text


def add(browser: httpx2.Client, name: str, **typed: str) -> httpx2.Response:
    """Fill the form that adds somebody."""
    text = look(browser, "/people")
    form = re.search(r'<form class="inline" action="(/people[^"]*)".*?</form>', text, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
    typed = {"name": name, "display_name": "", "mail": "", "role": "manager", "at": "vrsar"} | typed
    return browser.post(unescape(form[1]), data=fields | typed)


def press(browser: httpx2.Client, address: str, button: str, **typed: str) -> httpx2.Response:
    text = look(browser, address)
    for form in re.findall(r'<form[^>]*action="([^"]*/act[^"]*)"(.*?)</form>', text, re.DOTALL):
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[1]))
        if fields.get("what") == button:
            sent = {name: unescape(value) for name, value in fields.items()} | typed
            return browser.post(unescape(form[0]), data=sent)
    raise AssertionError(f"the page has no form that does {button}")


def person_of(house: RunningHouse, name: str) -> dict[str, object]:
    found = house.done("GET", "/api/v1/people?limit=1000")["people"]
    [one] = [one for one in found if one["name"] == name]
    return dict(one)


def test_somebody_is_added_and_comes_in_by_the_invitation(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    made = add(browser, "Ana.Novak", display_name="Ana <b>Novak</b>")
    assert made.status_code == 201
    assert "Ana &lt;b&gt;Novak" in made.text
    link = re.search(r'id="link">([^<]+)<', made.text)
    assert link is not None
    with httpx2.Client(base_url=house.url, headers=PEOPLE) as stranger:
        assert stranger.get(unescape(link[1])).status_code == 200
    person = person_of(house, "ana.novak")
    assert person["roles"] == [{"store": "vrsar", "role": "manager"}]
    assert link[1] not in look(browser, f"/people/{person['id']}"), "it is shown once"
    assert "Ana &lt;b&gt;Novak" in look(browser, "/people")


def test_what_is_wrong_is_told_at_the_field_and_what_was_typed_stays(
    browser: httpx2.Client,
) -> None:
    refused = add(browser, "x", display_name="Somebody <i>")
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text
    assert 'value="Somebody &lt;i&gt;"' in refused.text
    assert add(browser, "ana.novak").status_code == 409


def test_roles_are_given_and_taken(house: RunningHouse, browser: httpx2.Client) -> None:
    add(browser, "bo", role="technician")
    at = f"/people/{person_of(house, 'bo')['id']}"
    assert press(browser, at, "give", role="approver", at="*").status_code == 303
    assert "The roles are changed." in look(browser, at)
    assert press(browser, at, "take", role="technician", at="vrsar").status_code == 303
    assert person_of(house, "bo")["roles"] == [{"store": "*", "role": "approver"}]
    assert press(browser, at, "give", role="owner", at="vrsar").status_code == 422
    assert press(browser, at, "give", role="manager", at="nowhere").status_code in {404, 422}


def test_an_account_is_closed_opened_and_erased(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    add(browser, "cy", display_name="Cy the Gone")
    at = f"/people/{person_of(house, 'cy')['id']}"
    assert press(browser, at, "disable").status_code == 303
    assert "The account is closed" in look(browser, at)
    assert press(browser, at, "enable").status_code == 303
    assert press(browser, at, "end-sessions").status_code == 303
    press(browser, at, "disable")
    gone = press(browser, at, "erase")
    assert (gone.status_code, gone.headers["location"].partition("?")[0]) == (303, "/people")
    assert "Cy the Gone" not in look(browser, "/people")
    assert browser.get(at).status_code == 404


def test_a_button_that_nobody_drew_does_nothing(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    add(browser, "di")
    at = f"/people/{person_of(house, 'di')['id']}"
    assert press(browser, at, "end-sessions", what="../../tokens").status_code == 404


@pytest.mark.asvs("8.2.1")
def test_who_governs_one_store_sees_its_people_alone(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    add(browser, "eva", at="pula", display_name="Eva of Pula")
    add(browser, "fay", at="vrsar", display_name="Fay of Vrsar")
    admin = house.token("user:admin", stores=("pula",))
    page = house.ask("GET", "/people?store=pula", token=admin, headers=PEOPLE)
    assert "Eva of Pula" in page.text
    assert "Fay of Vrsar" not in page.text
    other = house.ask(
        "GET", f"/people/{person_of(house, 'fay')['id']}", token=admin, headers=PEOPLE
    )
    assert other.status_code == 404
    manager = house.token("price:write", "label:read", stores=("pula",))
    assert house.ask("GET", "/people", token=manager, headers=PEOPLE).status_code == 403
