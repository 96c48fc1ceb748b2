"""Home answers the morning's question from what labels say, and only to whom it may."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

PEOPLE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """Stores in several states: no labels; none paired; two labels that no gateway has heard."""
    with running_house(tmp_path_factory.mktemp("home") / "data") as running:
        for store in ("bare", "fresh", "lost"):
            running.done("PUT", f"/api/v1/stores/{store}", STORE_BODY | {"name": store.title()})
        register(running, "fresh", "fresh-1")
        register(running, "lost", "lost-1", "lost-2", "lost-3")
        products = [
            {"sku": "1", "name": "Kruh & <b>sol</b>", "price": "1.29"},
            {"sku": "2", "name": "Mlijeko", "price": "0.99"},
        ]
        running.done("POST", "/api/v1/stores/lost/products", products)
        pairs = [
            {"label": "lost-1", "sku": "1", "place": "2/1"},
            {"label": "lost-2", "sku": "2", "place": "1/4"},
        ]
        running.done("POST", "/api/v1/stores/lost/pairings", pairs)
        yield running


def register(house: RunningHouse, store: str, *labels: str) -> None:
    body = [{"label": label, "panel": "bwry-296x128"} for label in labels]
    house.done("POST", f"/api/v1/stores/{store}/labels", body)


def home(house: RunningHouse, store: str, *, token: str | None = None) -> httpx2.Response:
    secret = house.operator if token is None else token
    answer = house.ask("GET", f"/?store={store}", token=secret, headers=PEOPLE)
    check_headers(answer)
    return answer


def heading(answer: httpx2.Response) -> str:
    found = re.search(r"<h1>([^<]*)</h1>", answer.text)
    assert found is not None
    return found[1]


def numbers(answer: httpx2.Response) -> dict[str, str]:
    parts = re.findall(r'<li data-state="([a-z-]+)"[^>]*>.*?<b>([^<]*)</b>', answer.text, re.DOTALL)
    return dict(parts[:4])


def test_a_shop_without_labels_is_told_how_to_begin(house: RunningHouse) -> None:
    answer = home(house, "bare")
    assert heading(answer) == "No labels yet"
    assert "esl broker token gw-1 --store bare" in answer.text
    assert "/api/v1/stores/bare/labels" in answer.text


def test_labels_without_products_are_no_reason_to_open(house: RunningHouse) -> None:
    answer = home(house, "fresh")
    assert heading(answer) == "No label has a product yet"
    assert "paired with products" in answer.text


def test_shelves_that_are_not_right_are_named_as_one_walks_past_them(house: RunningHouse) -> None:
    answer = home(house, "lost")
    assert heading(answer) == "Not ready to open"
    assert "0 of 2 labels show what they should." in answer.text
    wanted = {"right": "0", "on-its-way": "0", "needs-you": "2", "planned": "0"}
    assert numbers(answer) == wanted
    assert "2 without a gateway" in answer.text
    assert "No gateway has heard it yet." in answer.text
    first, second = answer.text.index("Mlijeko"), answer.text.index("Kruh")
    assert first < second, "aisle 1 comes before aisle 2"
    assert "<b>sol" not in answer.text
    wall = house.ask("GET", "/wall?store=lost&show=attention", headers=PEOPLE)
    assert wall.text.count('class="tile') == 2


def test_a_planned_change_is_counted_with_its_moment(house: RunningHouse) -> None:
    plan = {"at": "2031-05-03T04:00:00Z", "changes": [{"sku": "1", "price": "1.19"}]}
    flip = house.done("POST", "/api/v1/stores/lost/flips", plan)["flip"]
    answer = home(house, "lost")
    assert numbers(answer)["planned"] == "1"
    assert "next: 3 May 2031 06:00" in answer.text  # in the zone of the store
    house.done("DELETE", f"/api/v1/stores/lost/flips/{flip}")
    assert numbers(home(house, "lost"))["planned"] == "0"


def test_who_may_not_look_at_labels_is_told_so(house: RunningHouse) -> None:
    token = house.token("price:write", stores=("lost",))
    answer = home(house, "lost", token=token)
    assert answer.status_code == 200
    assert heading(answer) == "Nothing here for you"
    assert "Mlijeko" not in answer.text
    now = house.ask("GET", "/home/now?store=lost", token=token, headers=PEOPLE)
    assert now.status_code == 403
    assert home(house, "bare", token=token).status_code == 404


def test_the_summary_counts_what_home_says(house: RunningHouse) -> None:
    summary = house.done("GET", "/api/v1/stores/lost/summary")
    assert summary["labels"] == 3
    assert summary["phases"]["unreachable"] == 2
    assert summary["phases"]["unpaired"] == 1
    assert sum(summary["phases"].values()) == summary["labels"]
    page = house.done("GET", "/api/v1/stores/lost/labels?phase=unreachable&q=kruh")
    assert [one["label"] for one in page["labels"]] == ["lost-1"]
    assert page["found"] == 1
    assert house.ask("GET", "/api/v1/stores/lost/labels?phase=nonsense").status_code == 422
