"""Products as pages: found, filtered, their price changed by hand, doubted, and taken back."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "aisle"
AT = f"/api/v1/stores/{STORE}"
ODD = "a/b c?"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A guarded store with labels, a product without one, and one that was delisted."""
    with running_house(tmp_path_factory.mktemp("products") / "data") as running:
        body = {name: value for name, value in STORE_BODY.items() if name != "guards"}
        running.done("PUT", AT, body)
        products = [
            {"sku": "p1", "name": "Čaj <od> šipka", "price": "1.29", "gtin": "3850104274862"},
            {"sku": "p2", "name": "Kruh", "price": "2.00"},
            {"sku": "gone", "name": "Stari sir", "price": "3.00"},
            {"sku": ODD, "name": "Odd one", "price": "4.00"},
            {"sku": "never", "name": "Bez cijene"},
        ]
        running.done("POST", f"{AT}/products", products)
        labels = [{"label": f"l-{n}", "panel": "bwry-296x128"} for n in range(3)]
        running.done("POST", f"{AT}/labels", labels)
        pairs = [{"label": "l-0", "sku": "p1"}, {"label": "l-1", "sku": "gone"}]
        running.done("POST", f"{AT}/pairings", [*pairs, {"label": "l-2", "sku": "p1"}])
        running.done("POST", f"{AT}/withdrawals", {"skus": ["gone"], "what": "price"})
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


def change(browser: httpx2.Client, sku: str, **typed: str) -> httpx2.Response:
    """Fill in the form of a product's page and send it."""
    text = look(browser, f"/products/{sku}")
    form = re.search(r'<form[^>]*action="([^"]*/price)".*?</form>', text, re.DOTALL)
    assert form is not None
    tags = [dict(re.findall(r'(\w+)="([^"]*)"', one)) for one in re.findall("<input .*?>", form[0])]
    fields = {tag["name"]: unescape(tag["value"]) for tag in tags}
    return browser.post(unescape(form[1]), data=fields | typed)


def undo(browser: httpx2.Client, text: str) -> httpx2.Response:
    form = re.search(r'<form action="(/products/[^"]*/undo)".*?</form>', text, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'name="([^"]*)" value="([^"]*)"', form[0]))
    return browser.post(unescape(form[1]), data=fields)


def names(text: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'<b dir="auto">(.*?)</b>', text)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["Odd one", "Stari sir", "Bez cijene", "Čaj <od> šipka", "Kruh"]),
        ("?q=caj+SIPKA", ["Čaj <od> šipka"]),
        ("?q=p2", ["Kruh"]),
        ("?q=0104274", ["Čaj <od> šipka"]),
        ("?q=nothing-has-this", []),
        ("?only=without-label", ["Odd one", "Bez cijene", "Kruh"]),
        ("?only=without-price", ["Stari sir", "Bez cijene"]),
        ("?only=delisted", ["Stari sir"]),
        ("?only=delisted&q=kruh", []),
    ],
)
def test_products_are_found_and_filtered(
    browser: httpx2.Client, asked: str, found: list[str]
) -> None:
    text = look(browser, f"/products{asked}")
    assert names(text) == found
    assert ("Nothing found" in text) == (not found)


def test_a_list_says_price_since_when_and_the_labels(browser: httpx2.Client) -> None:
    text = look(browser, "/products?q=p1")
    assert "€1.29" in text
    assert 'href="/labels/l-0"' in text
    assert 'href="/labels/l-2"' in text
    assert re.search(r'data-name="Since"><span>\w', text), "it says since when"


def test_long_lists_come_in_pages(house: RunningHouse, browser: httpx2.Client) -> None:
    many = [{"sku": f"z{n:03}", "name": f"Serija {n}"} for n in range(60)]
    house.done("POST", f"{AT}/products", many)
    first = look(browser, "/products?q=serija")
    assert len(names(first)) == 50
    more = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert more is not None
    second = look(browser, unescape(more[1]))
    assert names(second) == [f"Serija {n}" for n in range(50, 60)]
    assert "From the start" in second


def test_a_price_is_changed_by_hand_and_undone(house: RunningHouse, browser: httpx2.Client) -> None:
    answer = change(browser, "p2", price="2,19", reason="the rival's <sign>")
    assert (answer.status_code, answer.headers["location"]) == (303, "/products/p2")
    text = look(browser, "/products/p2")
    assert "The price holds now" in text
    assert "the rival&#39;s &lt;sign&gt;" in text, "the history tells the reason"
    assert house.done("GET", f"{AT}/products/p2")["price"] == "2.19"
    assert undo(browser, text).status_code == 303
    assert house.done("GET", f"{AT}/products/p2")["price"] == "2.00"
    lines = house.done("GET", f"{AT}/price-history?sku=p2")["lines"]
    assert [one["new"] for one in lines] == ["2.00", "2.19", "2.00"]
    assert lines[1]["source"] == "hand"
    late = undo(browser, text)
    assert late.status_code == 409
    assert 'role="alert"' in late.text


def test_a_doubted_price_is_explained_and_waits(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    answer = change(browser, "p1", price="12.90", reason="typed in a hurry")
    assert answer.status_code == 200
    assert "The price waits: somebody else has to approve it." in answer.text
    assert "The price looks as if its decimal point had moved." in answer.text
    assert 'href="/held"' in answer.text
    assert 'value="12.90"' in answer.text, "what was typed stays"
    assert house.done("GET", f"{AT}/products/p1")["price"] == "1.29"
    assert "€12.90 waits for somebody's approval." in look(browser, "/products/p1")
    assert "waits for somebody's" not in look(browser, "/products/p2"), "that of another product"


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"price": "cheap", "reason": "x"}, "price"),
        ({"price": "", "reason": "x"}, "price"),
        ({"price": "2.10", "reason": ""}, "reason"),
        ({"price": "2.10", "was": "1x", "reason": "x"}, "was"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_field(
    house: RunningHouse, browser: httpx2.Client, typed: dict[str, str], wrong: str
) -> None:
    answer = change(browser, "p2", **typed)
    assert answer.status_code == 422
    field = re.search(rf'<input id="f-{wrong}"[^>]*>', answer.text)
    assert field is not None
    assert 'aria-invalid="true"' in field[0]
    assert house.done("GET", f"{AT}/products/p2")["price"] == "2.00"


def test_the_same_price_changes_nothing_and_makes_no_batch(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    before = house.done("GET", f"{AT}/batches")["batches"]
    assert change(browser, "p2", price="2.00", reason="again").status_code == 303
    assert "This price held already" in look(browser, "/products/p2")
    assert house.done("GET", f"{AT}/batches")["batches"] == before


def test_a_sku_of_any_characters_has_its_page(browser: httpx2.Client) -> None:
    listed = look(browser, "/products?q=odd")
    address = re.search(r'<a href="(/products/[^"]*)"><b', listed)
    assert address is not None
    assert "Odd one" in look(browser, unescape(address[1]))
    answer = browser.get("/products/nobody-has-it")
    assert answer.status_code == 404
    assert "<h1>" in answer.text


def test_another_person_cannot_undo_it(house: RunningHouse) -> None:
    body = {"sku": "p2", "price": "2.05", "reason": "mine"}
    batch = house.done("POST", f"{AT}/hand-prices", body)["batch"]
    other = house.token("price:write", stores=(STORE,))
    refused = house.ask("POST", f"{AT}/hand-prices/{batch}/undo", token=other)
    assert refused.status_code == 403
    assert house.done("GET", f"{AT}/products/p2")["price"] == "2.05"
    assert house.done("POST", f"{AT}/hand-prices/{batch}/undo")["restored"] == 1


@pytest.mark.asvs("8.2.1")
def test_who_may_only_read_sees_no_form(house: RunningHouse) -> None:
    token = house.token("price:read", stores=(STORE,))
    answer = house.ask("GET", "/products/p2", token=token, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "/price" not in re.sub(r"<script.*?</script>", "", answer.text).split("<main")[1]
    blind = house.token("label:read", stores=(STORE,))
    refused = house.ask("GET", "/products", token=blind, headers={"Accept": "text/html"})
    assert refused.status_code == 403
