"""A label's page: what it wants and why, what people do with it, and the way back."""

import re
from collections.abc import Iterator
from html import unescape
from xml.etree import ElementTree as ET

import httpx2
import pytest

from api.console.sparkline import HEIGHT_PX, WIDTH_PX, line_of
from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "vrsar"
AT = f"/api/v1/stores/{STORE}"
PEOPLE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A store with a paired label and spare ones, and another store."""
    with running_house(tmp_path_factory.mktemp("label") / "data") as running:
        for store in (STORE, "pula"):
            running.done("PUT", f"/api/v1/stores/{store}", STORE_BODY | {"name": store.title()})
        products = [{"sku": "1", "name": "Kruh & <b>sol</b>", "price": "1.29"}]
        running.done("POST", f"{AT}/products", products)
        for number in range(1, 5):
            label = {"label": f"l-{number}", "panel": "bwry-296x128"}
            running.done("POST", f"{AT}/labels", label)
        for number in (1, 2, 3):
            pair = {"label": f"l-{number}", "sku": "1", "place": "2/1"}
            running.done("POST", f"{AT}/pairings", pair)
        yield running


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers=PEOPLE) as client:
        assert client.get(made["url"]).status_code == 303
        client.cookies.set("esl_store", STORE)
        yield client


def look(browser: httpx2.Client, label: str) -> str:
    answer = browser.get(f"/labels/{label}")
    check_headers(answer)
    assert answer.status_code == 200
    return answer.text


def press(browser: httpx2.Client, text: str, what: str, **typed: str) -> httpx2.Response:
    """Send the form of a page that does ``what``, with what was typed into it."""
    for form in re.findall(r'<form[^>]*action="([^"]*/act[^"]*)"(.*?)</form>', text, re.DOTALL):
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[1]))
        if fields.get("what") == what:
            sent = {name: unescape(value) for name, value in fields.items()} | typed
            return browser.post(unescape(form[0]), data=sent)
    raise AssertionError(f"the page has no form that does {what}")


def test_it_tells_what_it_wants_and_why(browser: httpx2.Client) -> None:
    text = look(browser, "l-1")
    assert "Kruh &amp; &lt;b&gt;sol&lt;/b&gt;" in text
    assert "No gateway has heard it yet." in text
    assert "Blank glass" in text
    assert "The till says 1.29 EUR" in text
    picture = re.search(r'src="(/api/v1/labels/l-1/wanted.png[^"]*)"', text)
    assert picture is not None
    assert browser.get(unescape(picture[1])).content.startswith(b"\x89PNG")


def test_a_label_is_moved_and_moved_back(house: RunningHouse, browser: httpx2.Client) -> None:
    moved = press(browser, look(browser, "l-1"), "move", place="3/2")
    assert moved.status_code == 303
    text = look(browser, "l-1")
    assert "Moved to 3/2." in text
    assert house.done("GET", "/api/v1/labels/l-1")["place"] == "3/2"
    assert press(browser, text, "undo").status_code == 303
    assert house.done("GET", "/api/v1/labels/l-1")["place"] == "2/1"


def test_a_label_is_unpaired_and_paired_again(house: RunningHouse, browser: httpx2.Client) -> None:
    assert press(browser, look(browser, "l-2"), "unpair").status_code == 303
    text = look(browser, "l-2")
    assert "Unpaired: it will show no price." in text
    assert "It speaks for no product." in text
    assert press(browser, text, "undo").status_code == 303
    assert "Undone." in look(browser, "l-2")
    assert house.done("GET", "/api/v1/labels/l-2")["face"]["name"] == "Kruh & <b>sol</b>"


def test_a_broken_label_is_replaced_by_a_new_one(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    done = press(browser, look(browser, "l-3"), "replace", new=" L-4 ")
    assert done.status_code == 303
    assert done.headers["location"].startswith("/labels/l-4")
    assert "l-4 takes its products and its place." in look(browser, "l-4")
    assert house.done("GET", "/api/v1/labels/l-4")["place"] == "2/1"
    refused = press(browser, look(browser, "l-1"), "replace", new="nobody <b>")
    assert refused.status_code in {404, 422}
    assert 'role="alert"' in refused.text
    assert 'value="nobody &lt;b&gt;"' in refused.text


def test_it_is_sent_again_and_found_by_light(browser: httpx2.Client) -> None:
    text = look(browser, "l-1")
    assert press(browser, text, "resend").status_code == 303
    assert "Its picture is sent once more." in look(browser, "l-1")
    assert press(browser, text, "light").status_code == 303
    assert "it cannot blink" in look(browser, "l-1")


def test_a_place_that_is_none_is_told_and_kept(browser: httpx2.Client) -> None:
    refused = press(browser, look(browser, "l-1"), "move", place="1/2/3/4/5/6/7")
    assert refused.status_code == 422
    assert 'value="1/2/3/4/5/6/7"' in refused.text


def test_a_label_of_another_store_is_not_told_of(house: RunningHouse) -> None:
    answer = house.ask("GET", "/labels/l-1?store=pula", headers=PEOPLE)
    assert answer.status_code == 404
    token = house.token("label:read", stores=("pula",))
    assert house.ask("GET", "/labels/l-1", token=token, headers=PEOPLE).status_code == 404
    assert house.ask("GET", "/labels/nobody", headers=PEOPLE).status_code == 404
    reader = house.token("label:read", "price:read", stores=(STORE,))
    only_looks = house.ask("GET", "/labels/l-1", token=reader, headers=PEOPLE)
    assert only_looks.status_code == 200
    assert "/act" not in only_looks.text


@pytest.mark.parametrize(
    "numbers", [[3000], [3000, 3000], list(range(3000, 2400, -1)), [0, 2**31], [-5, 5]]
)
def test_a_line_stays_within_its_picture(numbers: list[int]) -> None:
    line = line_of(numbers, least_span=200)
    assert line is not None
    assert (line.first, line.last) == (numbers[0], numbers[-1])
    ET.fromstring(f'<polyline points="{line.points}"/>')  # noqa: S314  ours
    points = [tuple(map(float, point.split(","))) for point in line.points.split()]
    assert all(0 <= x <= WIDTH_PX and 0 <= y <= HEIGHT_PX for x, y in points)
    assert len(points) <= 202


def test_no_numbers_are_no_line() -> None:
    assert line_of([], least_span=200) is None
