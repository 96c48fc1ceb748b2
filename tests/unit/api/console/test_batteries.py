"""Batteries that will be empty: the forecast over HTTP, and the page of it."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx2
import pytest
from sqlalchemy import Connection, insert

from esl.domain.ids import LabelId
from esl.store.tables import battery_samples
from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "/api/v1/stores/vrsar"
TODAY = datetime.now(UTC).date()
FALLS = {"fast": (2700, 20), "slow": (2950, 2), "steady": (3000, 0)}
"""Label: its voltage today, and how much it falls a day, in mV."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("batteries") / "data") as running:
        running.done("PUT", STORE, STORE_BODY)
        names = [*FALLS, "unheard"]
        labels = [{"label": name, "panel": "bwry-296x128"} for name in names]
        running.done("POST", f"{STORE}/labels", labels)
        products = [{"sku": name, "name": name, "price": "1.00"} for name in names]
        running.done("POST", f"{STORE}/products", products)
        places = {"fast": "2/1", "slow": "1/1"}
        pairings = [
            {"label": name, "sku": name} | ({"place": places[name]} if name in places else {})
            for name in names
        ]
        running.done("POST", f"{STORE}/pairings", pairings)
        running.write(note_voltages)
        yield running


def note_voltages(tx: Connection) -> None:
    rows = [
        {
            "label_id": LabelId(name),
            "on_day": TODAY - timedelta(days=ago),
            "millivolts": millivolts + ago * falls,
            "temperature_c": 20,
        }
        for name, (millivolts, falls) in FALLS.items()
        for ago in range(30)
    ]
    tx.execute(insert(battery_samples), rows)


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers={"Accept": "text/html"}) as client:
        assert client.get(made["url"]).status_code == 303
        yield client


def test_those_that_fall_are_listed_as_one_walks(house: RunningHouse) -> None:
    found = house.done("GET", f"{STORE}/battery-forecast?within_days=3650")
    assert [one["label"] for one in found["labels"]] == ["slow", "fast"], "aisle 1, then 2"
    slow, fast = found["labels"]
    assert fast["mv_per_day"] == -20.0
    assert fast["battery_mv"] == 2700
    assert fast["days_left"] < slow["days_left"]
    empty = TODAY + timedelta(days=fast["days_left"])
    assert abs(date.fromisoformat(fast["empty_on"]) - empty) <= timedelta(days=1)
    assert (found["fading"], found["steady"], found["unknown"]) == (2, 1, 1)
    soon = house.done("GET", f"{STORE}/battery-forecast?within_days={fast['days_left']}")
    assert [one["label"] for one in soon["labels"]] == ["fast"]
    assert soon["found"] == 1
    first = house.done("GET", f"{STORE}/battery-forecast?within_days=3650&limit=1")
    assert (first["found"], len(first["labels"])) == (2, 1)


def test_the_list_is_a_spreadsheet(house: RunningHouse) -> None:
    answer = house.ask("GET", f"{STORE}/battery-forecast?within_days=3650&format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["label"] for row in rows] == ["slow", "fast"]
    assert rows[1]["mv_per_day"] == "-20.0"
    assert rows[1]["replaced"] == ""


def test_the_page_shows_it(house: RunningHouse, browser: httpx2.Client) -> None:
    answer = browser.get("/batteries?days=3650")
    check_headers(answer)
    assert answer.text.index(">slow<") < answer.text.index(">fast<")
    assert "2 batteries fall" in answer.text
    assert "1 is steady" in answer.text
    assert "No battery will be empty by then" in browser.get("/batteries?days=0").text
    assert browser.get("/batteries?days=9999").status_code == 422
    reader = house.token("price:read")
    headers = {"Authorization": f"Bearer {reader}", "Accept": "text/html"}
    assert httpx2.get(f"{house.url}/batteries", headers=headers).status_code == 403
