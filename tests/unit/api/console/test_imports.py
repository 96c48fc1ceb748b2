"""Price lists as pages: tried first with faults by line, applied, and a batch taken back."""

import re
import time
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "lists"
AT = f"/api/v1/stores/{STORE}"
MAPPING = """name: till
format: csv
decimal: ","
delimiter: ";"
currency: EUR
fields: {sku: sku, name: name, price: price}
"""
LIST = """sku;name;price
1;Kruh <b>;1,49
2;Mlijeko 2,8 %;0,99
3;Sir;4x99
4;Novo;2,50
5;Jaja;25,00
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A guarded store with three products, and a mapping for its lists."""
    with running_house(tmp_path_factory.mktemp("lists") / "data", with_worker=True) as running:
        body = {name: value for name, value in STORE_BODY.items() if name != "guards"}
        running.done("PUT", AT, body)
        running.ask("PUT", "/api/v1/mappings/till", content=MAPPING).raise_for_status()
        yield running


@pytest.fixture(autouse=True)
def products(house: RunningHouse) -> None:
    """The same prices before every test."""
    found = [
        {"sku": "1", "name": "Kruh <b>", "price": "1.29"},
        {"sku": "2", "name": "Mlijeko 2,8 %", "price": "0.99"},
        {"sku": "5", "name": "Jaja", "price": "2.50"},
    ]
    house.done("POST", f"{AT}/products", found)


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


def hidden(text: str, action: str) -> dict[str, str]:
    """Return what the page's form sends by itself."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', text, re.DOTALL)
    assert form is not None, action
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form[0])
    return {name: unescape(value) for name, value in found}


def hand_in(
    browser: httpx2.Client, body: str = LIST, *, by: str = "mapping:till", **changes: str
) -> httpx2.Response:
    fields = hidden(look(browser, "/imports"), "/imports") | {"by": by, "mode": "delta"} | changes
    return browser.post("/imports", data=fields, files={"file": ("../cjenik <1>.csv", body)})


def ended(browser: httpx2.Client, answer: httpx2.Response) -> tuple[str, str]:
    """Wait for an import as the page does; return its address and the page."""
    assert answer.status_code == 303, answer.text[:500]
    address = answer.headers["location"]
    for _ in range(300):
        if 'hx-trigger="every 1s"' not in look(browser, f"{address}/now"):
            return address, look(browser, address)
        time.sleep(0.05)
    raise AssertionError("it does not end")


def press(browser: httpx2.Client, address: str, **typed: str) -> httpx2.Response:
    fields = hidden(look(browser, address), f"{address}/act")
    return browser.post(f"{address}/act", data=fields | typed)


def price_of(house: RunningHouse, sku: str) -> str:
    return str(house.done("GET", f"{AT}/products/{sku}")["price"])


def rows(text: str) -> list[str]:
    """Return the rows of the table of lines, as text."""
    body = text.split("<tbody>", 1)[1].split("</tbody>", 1)[0]
    return [
        " ".join(unescape(re.sub(r"<[^>]*>", " ", row)).split())
        for row in re.findall(r"<tr>.*?</tr>", body, re.DOTALL)
    ]


def test_a_list_is_tried_applied_and_taken_back(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    address, text = ended(browser, hand_in(browser))
    assert "Only tried: nothing was stored." in text
    assert "cjenik &lt;1&gt;.csv" in text, "without its folders"
    assert rows(text) == [
        "Kruh <b> 1 2 changes 1.29 → 1.49 EUR",
        (
            "3 4 refused price : '4x99' is no price. Send digits; signs of a currency go with "
            'strip: "€ ", words for none with map:.'
        ),
        "4 5 changes no price → 2.50 EUR",
        (
            "Jaja 5 6 doubted price : 2.50 → 25.00 EUR; the price looks as if its decimal "
            "point had moved; the price rises by more than the limits allow"
        ),
    ]
    assert "Apply: 2 products change" in text
    assert price_of(house, "1") == "1.29"
    assert rows(look(browser, f"{address}?only=rejected"))[0].startswith("3 4 refused")
    applied, text = ended(browser, press(browser, address, what="apply"))
    assert applied != address
    assert "Taken. Labels that want it follow." in text
    assert (price_of(house, "1"), price_of(house, "4")) == ("1.49", "2.50")
    held = house.done("GET", f"{AT}/quarantine")["prices"]
    assert [one["sku"] for one in held] == ["5"]
    batch = held[0]["batch"]
    action = f"/imports/batches/{batch}/roll-back"
    assert action in text
    listed = look(browser, "/imports")
    fields = hidden(listed, action)
    assert browser.post(action, data=fields | {"reason": ""}).status_code == 422
    answer = browser.post(action, data=fields | {"reason": "wrong file", "once": "another-1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/imports")
    again = look(browser, "/imports")
    assert f"Batch {batch} is taken back. Prices that hold as before: 1;" in again
    assert action not in again, "it cannot be taken back twice"
    assert (price_of(house, "1"), price_of(house, "4")) == ("1.29", "None")
    assert house.done("GET", f"{AT}/quarantine")["prices"] == []


def test_a_dry_run_is_applied_once(house: RunningHouse, browser: httpx2.Client) -> None:
    address, text = ended(browser, hand_in(browser, "sku;name;price\n1;Kruh <b>;1,39\n"))
    fields = hidden(text, f"{address}/act") | {"what": "apply"}
    ended(browser, browser.post(f"{address}/act", data=fields))
    assert price_of(house, "1") == "1.39"
    late = browser.post(f"{address}/act", data=fields | {"once": "another-sending"})
    assert late.status_code == 409
    assert 'role="alert"' in late.text
    assert "kept no longer" in late.text
    assert "Apply:" not in look(browser, address)


def test_a_file_that_cannot_be_believed_says_so(browser: httpx2.Client) -> None:
    _, text = ended(browser, hand_in(browser, "sku;cijena\n1;2\n"))
    assert "not taken" in text
    assert "Apply:" not in text
    assert rows(text)


def test_a_list_that_changes_nothing_offers_nothing_to_apply(browser: httpx2.Client) -> None:
    _, text = ended(browser, hand_in(browser, "sku;name;price\n1;Kruh <b>;1,29\n"))
    assert "Nothing changes" in text
    assert "Apply:" not in text


@pytest.mark.parametrize(
    ("by", "mode", "status"),
    [
        ("mapping:nobody", "delta", 422),
        ("", "delta", 422),
        ("mapping:till", "sideways", 422),
        ("source:nobody", "delta", 422),
    ],
)
def test_what_the_form_lacks_is_said_on_the_page(
    browser: httpx2.Client, by: str, mode: str, status: int
) -> None:
    answer = hand_in(browser, by=by, mode=mode)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert 'action="/imports"' in answer.text


def test_an_empty_file_is_refused(browser: httpx2.Client) -> None:
    answer = hand_in(browser, "")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


@pytest.mark.asvs("3.5.1")
def test_a_form_of_another_site_hands_in_nothing(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    before = house.done("GET", "/api/v1/imports")["imports"]
    assert hand_in(browser, csrf="guessed").status_code == 403
    fields = {"by": "mapping:till", "mode": "delta"}
    assert browser.post("/imports", data=fields).status_code == 422, "no file"
    late = {"file": ("a.csv", LIST)}
    assert browser.post("/imports", files=late).status_code == 403, "no token before the file"
    assert house.done("GET", "/api/v1/imports")["imports"] == before


def test_who_may_only_read_hands_in_nothing_and_takes_nothing_back(house: RunningHouse) -> None:
    token = house.token("price:read", "label:read", stores=(STORE,))
    answer = house.ask("GET", "/imports", token=token, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert 'type="file"' not in answer.text
    assert "roll-back" not in answer.text
    assert "/imports/mapping" not in answer.text


def test_an_import_of_another_store_is_not_shown_in_this_one(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    address, _ = ended(browser, hand_in(browser))
    house.done("PUT", "/api/v1/stores/other", STORE_BODY)
    assert browser.get(f"{address}?store=other").status_code == 404
    assert browser.get("/imports/nobody").status_code == 404
    assert browser.get(f"{address}?store={STORE}").status_code == 200


def test_a_list_of_several_stores_says_what_it_did_in_this_one(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    for name in ("north", "south"):
        house.done("PUT", f"/api/v1/stores/{name}", STORE_BODY)
    mapping = (
        "name: chain\nformat: csv\ncurrency: EUR\nfields: {store: s, sku: k, price: p, name: n}\n"
    )
    body = mapping.encode()
    house.ask("PUT", "/api/v1/mappings/chain", content=body).raise_for_status()
    rows = "s,k,p,n\nnorth,1,1.29,Kruh\n"
    made = house.ask("POST", "/api/v1/imports", content=rows, mapping="chain").json()
    for store, is_there in (("north", True), ("south", False)):
        for _ in range(300):
            text = look(browser, f"/imports/{made['id']}?store={store}")
            if "every 1s" not in text:
                break
            time.sleep(0.05)
        assert "Taken." in text
        assert ("/roll-back" in text) == is_there
