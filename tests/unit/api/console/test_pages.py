"""The pages over HTTP: who may see what, how errors look to people, and what is kept."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from api.auth import SESSION_COOKIE
from tests.running_house import (
    STORE_BODY,
    RunningHouse,
    check_headers,
    check_problem,
    running_house,
)

PEOPLE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A house without stores."""
    with running_house(tmp_path_factory.mktemp("empty") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A house with the stores ``vrsar`` and ``pula``, a label in each."""
    with running_house(tmp_path_factory.mktemp("chain") / "data") as running:
        for store, product in (("vrsar", "Kruh & <b>sol</b>"), ("pula", "Mlijeko")):
            running.done("PUT", f"/api/v1/stores/{store}", STORE_BODY | {"name": f"Shop {store}"})
            item = {"sku": "1", "name": product, "price": "1.29"}
            running.done("POST", f"/api/v1/stores/{store}/products", [item])
            label = {"label": f"{store}-1", "panel": "bwry-296x128"}
            running.done("POST", f"/api/v1/stores/{store}/labels", [label])
            pair = {"label": f"{store}-1", "sku": "1"}
            running.done("POST", f"/api/v1/stores/{store}/pairings", pair)
        yield running


def page(house: RunningHouse, path: str, token: str | None = "") -> httpx2.Response:
    secret = house.operator if token == "" else token
    answer = house.ask("GET", path, token=secret, headers=PEOPLE)
    check_headers(answer)
    return answer


def check_page(answer: httpx2.Response, status: int, *words: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    for word in words:
        assert word in answer.text


# ── Who sees what ───────────────────────────────────────────────────────────────────────────


def test_the_first_store_is_shown_and_the_others_are_offered(chain: RunningHouse) -> None:
    answer = page(chain, "/wall")
    check_page(answer, 200, "<title>Shop pula", 'id="tile-pula-1"', ">Shop vrsar</option>")
    assert 'id="tile-vrsar-1"' not in answer.text


def test_an_address_may_name_the_store(chain: RunningHouse) -> None:
    check_page(page(chain, "/wall?store=vrsar"), 200, 'id="tile-vrsar-1"')


def test_a_token_of_one_store_sees_that_store_and_hears_of_no_other(chain: RunningHouse) -> None:
    token = chain.token("label:read", stores=("vrsar",))
    answer = page(chain, "/wall", token)
    check_page(answer, 200, 'id="tile-vrsar-1"')
    assert "pula" not in answer.text
    for path in ("/wall", "/wall/tiles", "/wall/events"):
        there = page(chain, f"{path}?store=pula", token)
        nowhere = page(chain, f"{path}?store=nowhere", token)
        check_page(there, 404, "Nothing is here")
        assert there.text == nowhere.text


def test_looking_needs_the_right_to_look(chain: RunningHouse) -> None:
    token = chain.token("price:write")
    for path in ("/wall", "/wall/tiles?store=vrsar", "/wall/events?store=vrsar"):
        check_page(page(chain, path, token), 403, "may not look at this")


@pytest.mark.asvs("1.2.1")
def test_names_are_written_out_and_never_become_part_of_the_page(chain: RunningHouse) -> None:
    text = page(chain, "/wall?store=vrsar").text
    assert "Kruh &amp; &lt;b&gt;sol&lt;/b&gt;" in text
    assert "<b>sol" not in text
    found = page(chain, "/wall?store=vrsar&q=" + "%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "<script>alert" not in found
    assert "Nothing found for" in found


@pytest.mark.asvs("14.2.3")
def test_pages_hold_nothing_that_the_content_security_policy_forbids(chain: RunningHouse) -> None:
    for path in ("/", "/wall?store=vrsar", "/wall?q=nothing", "/wall?show=nonsense"):
        text = page(chain, path).text
        assert not re.search(r"<style|<script(?! src=)|\son\w+=|\sstyle=|javascript:", text)
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), "an address elsewhere"


@pytest.mark.asvs("15.2.3")
def test_a_real_shop_has_no_fault_buttons(chain: RunningHouse) -> None:
    assert "simulated" not in page(chain, "/wall").text
    check_page(page(chain, "/wall/shop"), 404, "Nothing is here")
    answer = chain.ask("POST", "/wall/shop", token=chain.operator)
    check_problem(answer, 404)


# ── Errors ──────────────────────────────────────────────────────────────────────────────────


def test_strangers_get_a_page_and_programs_a_problem(chain: RunningHouse) -> None:
    check_page(page(chain, "/", token=None), 401, "Please sign in", "esl sign-in")
    check_problem(chain.ask("GET", "/", token=None), 401)
    check_problem(chain.ask("GET", "/api/v1/stores", token=None, headers=PEOPLE), 401)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing/here", 404, "Nothing is here"),
        ("/wall?store=Not%20An%20Id", 422, "This address is not complete"),
        ("/wall?show=nonsense", 422, "This address is not complete"),
        ("/wall?most=-1", 422, "This address is not complete"),
        ("/sign-in?link=wrong", 401, "This link no longer works"),
    ],
)
def test_what_goes_wrong_is_told_in_words(
    chain: RunningHouse, path: str, status: int, words: str
) -> None:
    check_page(page(chain, path), status, words)
    check_problem(chain.ask("GET", path), status)


def test_a_wrong_method_keeps_its_allow_header_on_a_page(chain: RunningHouse) -> None:
    answer = chain.ask("POST", "/", headers=PEOPLE)
    check_page(answer, 405, "this address does not take this method")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("fetched_from", "cookie", "is_asked_again"),
    [("cross-site", None, True), ("same-origin", None, False), ("cross-site", "x", False)],
)
def test_who_comes_from_another_site_without_a_cookie_is_asked_once_more(
    chain: RunningHouse, fetched_from: str, cookie: str | None, *, is_asked_again: bool
) -> None:
    headers = PEOPLE | {"Sec-Fetch-Site": fetched_from}
    if cookie:
        headers["Cookie"] = f"{SESSION_COOKIE}={cookie}"
    answer = chain.ask("GET", "/", token=None, headers=headers)
    check_page(answer, 401)
    assert ('http-equiv="refresh"' in answer.text) is is_asked_again


def test_a_house_without_stores_says_how_to_begin(empty: RunningHouse) -> None:
    answer = page(empty, "/")
    check_page(answer, 200, "No stores yet", "esl demo", "/settings/new-store", "esl stores put")


# ── Files ───────────────────────────────────────────────────────────────────────────────────


def test_files_are_kept_for_a_year_at_addresses_that_change_with_them(chain: RunningHouse) -> None:
    addresses = set(re.findall(r'"(/static/[^"]+)"', page(chain, "/wall").text))
    assert {address.rsplit("/", 1)[1] for address in addresses} == {
        *("console.css", "frame.css", "pages.css", "frame.js", "icon.svg"),
        *("console.js", "htmx.min.js", "hx-sse.min.js"),
    }
    types = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    for address in addresses:
        answer = chain.ask("GET", address, token=None)
        check_headers(answer)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].startswith(types[address.rsplit(".", 1)[1]])
        assert chain.ask("HEAD", address, token=None).status_code == 200
        assert chain.ask("POST", address, token=None).status_code == 405
        stale = re.sub(r"/static/\w{16}/", f"/static/{'0' * 16}/", address)
        assert chain.ask("GET", stale, token=None).status_code == 404


@pytest.mark.parametrize("path", ["/static/", "/static/../pages.py", "/static/x/vendor/README.md"])
@pytest.mark.asvs("13.4.3")
def test_nothing_but_the_files_is_served(chain: RunningHouse, path: str) -> None:
    assert chain.ask("GET", path, token=None).status_code == 404


@pytest.mark.asvs("3.6.1")
def test_vendored_files_are_what_their_list_says() -> None:
    vendor = Path(__file__).parents[4] / "api" / "console" / "static" / "vendor"
    listed = dict(
        re.findall(r"`([\w.-]+)` \| `([0-9a-f]{64})`", (vendor / "README.md").read_text())
    )
    files = {f.name for f in vendor.iterdir()} - {"README.md"}
    assert set(listed) == files
    for name, digest in listed.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest
