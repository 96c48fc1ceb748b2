"""What stands around every page: language, colours, the store that was seen last, the menu."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORES = ("zagreb", "split")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A house with two stores."""
    with running_house(tmp_path_factory.mktemp("frame") / "data") as running:
        for store in STORES:
            running.done("PUT", f"/api/v1/stores/{store}", STORE_BODY | {"name": store.title()})
        yield running


@pytest.fixture
def browser(chain: RunningHouse) -> Iterator[httpx2.Client]:
    """Somebody who signed in, and whose browser keeps cookies."""
    made = chain.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=chain.url, headers={"Accept": "text/html"}) as client:
        assert client.get(made["url"]).status_code == 303
        yield client


def prefer(browser: httpx2.Client, **form: str) -> httpx2.Response:
    own = {"Origin": str(browser.base_url).rstrip("/")}
    return browser.post("/preferences", data=form, headers=own)


def test_a_page_speaks_the_browsers_language_until_somebody_chooses(browser: httpx2.Client) -> None:
    german = browser.get("/", headers={"Accept-Language": "de-CH,en;q=0.5"})
    check_headers(german)
    assert '<html lang="de" dir="ltr"' in german.text
    assert "Abmelden" in german.text
    assert "Sign out" not in german.text
    chosen = prefer(browser, language="ar", back="/?store=split")
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/?store=split")
    arabic = browser.get("/", headers={"Accept-Language": "de"})
    assert '<html lang="ar" dir="rtl"' in arabic.text
    assert "تسجيل الخروج" in arabic.text


def test_colours_follow_the_device_until_somebody_chooses(browser: httpx2.Client) -> None:
    assert "data-theme" not in browser.get("/").text
    prefer(browser, theme="dark")
    assert 'data-theme="dark"' in browser.get("/").text
    prefer(browser, theme="auto")
    assert "data-theme" not in browser.get("/").text


@pytest.mark.parametrize(
    "back", ["//elsewhere.example/", "/\\elsewhere.example", "https://x.y/", ""]
)
def test_nobody_is_led_elsewhere(browser: httpx2.Client, back: str) -> None:
    assert prefer(browser, theme="dark", back=back).headers["location"] == "/"


def test_another_sites_page_changes_nothing(browser: httpx2.Client) -> None:
    sent = {"Origin": "https://elsewhere.example"}
    answer = browser.post("/preferences", data={"theme": "dark"}, headers=sent)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("form", [{"language": "xx"}, {"theme": "pink"}, {"theme": "x" * 5000}])
def test_what_is_no_choice_of_ours_is_not_kept(
    browser: httpx2.Client, form: dict[str, str]
) -> None:
    answer = prefer(browser, **form)
    assert answer.status_code in (303, 422)
    assert "set-cookie" not in answer.headers


def test_the_store_that_was_seen_last_is_shown_again(browser: httpx2.Client) -> None:
    assert chosen_store(browser.get("/").text) == "split"  # the first by its name
    assert chosen_store(browser.get("/?store=zagreb").text) == "zagreb"
    assert chosen_store(browser.get("/").text) == "zagreb"


def chosen_store(text: str) -> str:
    """Return the store whose entry is chosen in the page's list."""
    found = re.search(r'<option value="(\w+)" selected>', text)
    assert found is not None
    return found[1]


def test_a_cookie_of_a_store_that_is_not_ours_shows_the_first(browser: httpx2.Client) -> None:
    browser.cookies.set("esl_store", "../../etc")
    assert chosen_store(browser.get("/").text) == "split"


def test_a_person_sees_their_own_stores_alone(chain: RunningHouse) -> None:
    token = chain.token("label:read", stores=("zagreb",))
    answer = chain.ask("GET", "/", token=token, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "Zagreb" in answer.text
    assert "Split" not in answer.text


def test_a_page_that_a_form_drew_leads_back_to_one_with_an_address(
    browser: httpx2.Client,
) -> None:
    drawn = browser.get("/gateways?store=split").text
    csrf = re.search(r'name="csrf" value="(\w+)"', drawn)
    assert csrf is not None
    sent = {"csrf": csrf[1], "store": "split", "gateway": "aisle-1"}
    token = browser.post("/gateways/tokens?store=split", data=sent)
    assert 'id="token"' in token.text
    assert 'name="back" value="/gateways"' in token.text
    assert 'class="switch" action="/gateways"' in token.text
