"""Mappings and sources as pages: proposed, tried with rows shown, saved; sources changed."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "maps"
LIST = "Šifra;Naziv;MPC\n" + "".join(f"{n};Kruh <{n}>;{n},95\n" for n in range(1001, 1031))
MAPPING = """name: till
format: csv
delimiter: ";"
decimal: ","
fields: {sku: "Šifra", name: Naziv, price: MPC}
"""


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("maps") / "data") as running:
        running.done("PUT", f"/api/v1/stores/{STORE}", STORE_BODY)
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
    assert answer.status_code == 200, answer.text[:300]
    return answer.text


def document_in(text: str) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", text, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def press(
    browser: httpx2.Client, text: str, do: str, document: str, file: str = LIST, **more: str
) -> httpx2.Response:
    """Send the editor's form as it stands in ``text``, with what was written in it."""
    form = re.search(r'<form[^>]*action="/imports/mapping".*?</form>', text, re.DOTALL)
    assert form is not None
    sent = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form[0])
    fields = {name: unescape(value) for name, value in sent} | {"document": document} | more
    files = {"file": ("cjenik.csv", file)}
    return browser.post(f"/imports/mapping?do={do}", data=fields, files=files)


def test_a_mapping_is_proposed_tried_on_twenty_rows_and_saved(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    empty = look(browser, "/imports/mapping")
    proposed = press(browser, empty, "suggest", "")
    assert proposed.status_code == 200
    assert 'sku: "Šifra"' in document_in(proposed.text)
    assert "Save it as" not in proposed.text, "nothing was tried yet"
    tried = press(browser, proposed.text, "try", MAPPING)
    assert "30 products from 30 rows; 0 rows refused" in tried.text
    assert tried.text.count("Kruh &lt;") == 20
    assert "1001.95" in tried.text
    assert house.done("GET", "/api/v1/mappings")["mappings"] == []
    saved = press(browser, tried.text, "save", MAPPING, file="")
    assert (saved.status_code, saved.headers["location"]) == (303, "/imports")
    assert house.done("GET", "/api/v1/mappings/till")["document"] == MAPPING
    assert "The mapping till is saved, as version 1." in look(browser, "/imports")
    assert document_in(look(browser, "/imports/mapping?name=till")) == MAPPING


def test_what_was_changed_after_the_trial_is_tried_again_before_it_is_saved(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    tried = press(browser, look(browser, "/imports/mapping"), "try", MAPPING)
    other = MAPPING.replace("price: MPC", "price: Naziv")
    again = press(browser, tried.text, "save", other)
    assert again.status_code == 200
    assert "0 products from 30 rows; 30 rows refused" in again.text
    assert "Save it as" not in again.text
    assert house.done("GET", "/api/v1/mappings")["mappings"] == []


@pytest.mark.parametrize(
    ("document", "file", "told"),
    [
        ("name: till\nformat: csv\nfields: {prise: x}\n", LIST, "/fields/prise"),
        ("name: [", LIST, "YAML"),
        ("", LIST, "/"),
        (MAPPING, "", "Choose a list to try it on."),
        (MAPPING, "a;b\n1;2\n", "Šifra"),
    ],
)
def test_what_is_wrong_stands_beside_the_document(
    browser: httpx2.Client, document: str, file: str, told: str
) -> None:
    answer = press(browser, look(browser, "/imports/mapping"), "try", document, file)
    assert answer.status_code == 422
    alert = answer.text.split('role="alert"', 1)[1].split("</section>", 1)[0]
    assert told in unescape(alert)
    assert document_in(answer.text) == document, "what was typed stays"
    assert "Save it as" not in answer.text


def test_a_version_that_somebody_saved_meanwhile_is_not_overwritten(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    house.ask("PUT", "/api/v1/mappings/till", content=MAPPING).raise_for_status()
    mine = MAPPING + "# mine\n"
    tried = press(browser, look(browser, "/imports/mapping?name=till"), "try", mine)
    theirs = MAPPING + "# theirs\n"
    house.ask("PUT", "/api/v1/mappings/till", content=theirs).raise_for_status()
    late = press(browser, tried.text, "save", mine)
    assert late.status_code == 422
    assert 'role="alert"' in late.text
    assert document_in(late.text) == mine
    assert house.done("GET", "/api/v1/mappings/till")["document"] == theirs


def test_htmx_gets_the_editor_alone(browser: httpx2.Client) -> None:
    token = re.search(r'name="csrf" value="([^"]*)"', look(browser, "/imports/mapping"))
    assert token is not None
    answer = browser.post(
        "/imports/mapping?do=try",
        data={"csrf": token[1], "document": MAPPING},
        files={"file": ("a.csv", "")},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200, "htmx swaps nothing in for a refusal"
    assert answer.text.lstrip().startswith('<div class="stack" id="editor">')
    assert 'role="alert"' in answer.text


@pytest.mark.asvs("3.5.1")
def test_a_form_of_another_site_saves_nothing(house: RunningHouse, browser: httpx2.Client) -> None:
    tried = press(browser, look(browser, "/imports/mapping"), "try", MAPPING)
    assert press(browser, tried.text, "save", MAPPING, csrf="guessed").status_code == 403
    assert house.done("GET", "/api/v1/mappings")["mappings"] == []


def test_a_source_is_added_and_changed_and_keeps_what_the_form_does_not_show(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    house.ask("PUT", "/api/v1/mappings/till", content=MAPPING).raise_for_status()

    def send(page: str, **typed: str) -> httpx2.Response:
        sent = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
        return browser.post(
            "/imports/sources", data={name: unescape(value) for name, value in sent} | typed
        )

    typed = {"source": "erp", "name": "ERP <1>", "kind": "file", "mapping": "till"}
    added = send(look(browser, "/imports/sources"), **typed, priority="60", accepts_full="1")
    assert added.status_code == 303
    assert "ERP &lt;1&gt;" in look(browser, "/imports/sources")
    source = house.done("GET", "/api/v1/sources/erp")
    assert (source["store"], source["priority"], source["accepts_full"]) == (STORE, 60, True)
    again = send(look(browser, "/imports/sources"), **typed, priority="60")
    assert again.status_code == 412, "an id that is taken is not overwritten"
    body = {"name": "ERP", "kind": "file", "settings": {"store_from": "p_{store}.csv"}}
    house.done("PUT", "/api/v1/sources/erp", body | {"mapping": "till"})
    page = look(browser, "/imports/sources?source=erp")
    changed = send(page, name="ERP", kind="file", mapping="till", priority="50", disabled="1")
    assert changed.status_code == 303, changed.text
    source = house.done("GET", "/api/v1/sources/erp")
    assert source["disabled"]
    assert source["settings"] == {"store_from": "p_{store}.csv"}
    stale = send(page, name="Late", kind="file", mapping="till", priority="50")
    assert stale.status_code == 412
    wrong = send(look(browser, "/imports/sources?source=erp"), name="", kind="file", priority="x")
    assert wrong.status_code == 422
    assert wrong.text.count('aria-invalid="true"') == 2


def test_who_may_not_map_sees_neither_page(house: RunningHouse) -> None:
    token = house.token("price:write", "price:read", stores=(STORE,))
    for page in ("/imports/mapping", "/imports/sources"):
        answer = house.ask("GET", page, token=token, headers={"Accept": "text/html"})
        assert answer.status_code == 403
