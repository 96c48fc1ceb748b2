"""Shelf = till as a page: counts, the sample that is asked for, and its spreadsheet."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest

from api.console.languages import language
from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "vrsar"
AT = f"/api/v1/stores/{STORE}"
PEOPLE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A store with sixty paired labels that have reported nothing, and one without labels."""
    with running_house(tmp_path_factory.mktemp("report") / "data") as running:
        for store in (STORE, "bare"):
            running.done("PUT", f"/api/v1/stores/{store}", STORE_BODY | {"name": store})
        numbers = range(60)
        products = [{"sku": f"s{n}", "name": f"Kruh <{n}>", "price": "1.29"} for n in numbers]
        running.done("POST", f"{AT}/products", products)
        labels = [{"label": f"l-{n}", "panel": "bwry-296x128"} for n in numbers]
        running.done("POST", f"{AT}/labels", labels)
        running.done(
            "POST", f"{AT}/pairings", [{"label": f"l-{n}", "sku": f"s{n}"} for n in numbers]
        )
        yield running


def look(house: RunningHouse, query: str, token: str | None = None) -> httpx2.Response:
    secret = house.operator if token is None else token
    answer = house.ask("GET", f"/shelf-report?{query}", token=secret, headers=PEOPLE)
    check_headers(answer)
    return answer


def labels_in(text: str) -> list[str]:
    return re.findall(r"<td [^>]*>(l-\d+)</td>", text)


def test_what_was_not_reported_is_neither_right_nor_wrong(house: RunningHouse) -> None:
    text = look(house, f"store={STORE}").text
    assert "60 more reported nothing" in text
    assert "Kruh &lt;" in text
    assert text.count("nothing reported") == 50


def test_the_sample_is_the_one_that_was_asked_for(house: RunningHouse) -> None:
    one = labels_in(look(house, f"store={STORE}&seed=1").text)
    assert one == labels_in(look(house, f"store={STORE}&seed=1").text)
    assert one != labels_in(look(house, f"store={STORE}&seed=2").text)
    assert len(labels_in(look(house, f"store={STORE}&sample=100").text)) == 60
    link = re.search(r'href="([^"]*format=csv)"', look(house, f"store={STORE}&seed=7").text)
    assert link is not None
    sheet = house.ask("GET", unescape(link[1]))
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(sheet.text.splitlines()) == 51


@pytest.mark.parametrize("query", ["sample=51", "sample=0", "seed=-1", "seed=x"])
def test_a_sample_that_is_none_is_told(house: RunningHouse, query: str) -> None:
    assert look(house, f"store={STORE}&{query}").status_code == 422


def test_a_store_without_labels_is_told_what_comes_here(house: RunningHouse) -> None:
    assert "Nothing to compare yet" in look(house, "store=bare").text


def test_only_who_may_read_prices_sees_it(house: RunningHouse) -> None:
    token = house.token("label:read", stores=(STORE,))
    assert look(house, f"store={STORE}", token).status_code == 403


def test_percentages_are_in_the_readers_way_and_never_rounded_up() -> None:
    assert language("en").percent("98.00") == "98\N{NO-BREAK SPACE}%"
    assert language("de").percent("99.99") == "99,99\N{NO-BREAK SPACE}%"
