"""Problems as a page: what is wrong with what to do about it, and tasks that a person ends."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2
import pytest
from sqlalchemy import update

from api.console.problem_words import TITLES
from esl.domain.ids import LabelId, StoreId
from esl.domain.problem import Finding, ProblemKind
from esl.store import problems, remove_tasks
from esl.store.tables import labels as label_rows
from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "vrsar"
AT = f"/api/v1/stores/{STORE}"
PEOPLE = {"Accept": "text/html"}
NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A store with two labels, and another store."""
    with running_house(tmp_path_factory.mktemp("problems") / "data") as running:
        for store in (STORE, "pula"):
            running.done("PUT", f"/api/v1/stores/{store}", STORE_BODY | {"name": store})
        labels = [{"label": f"l-{n}", "panel": "bwry-296x128"} for n in range(2)]
        running.done("POST", f"{AT}/labels", labels)
        running.write(lambda tx: tx.execute(update(label_rows).values(shown_digest="5" * 64)))
        yield running


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers=PEOPLE) as client:
        assert client.get(made["url"]).status_code == 303
        client.cookies.set("esl_store", STORE)
        yield client


def found(house: RunningHouse, *subjects: str, store: str = STORE) -> list[int]:
    """Write problems down as the watch does; return their numbers."""
    findings = [
        Finding(
            store_id=StoreId(store),
            kind=ProblemKind.BATTERY_LOW,
            subject=subject,
            reason="the battery is at 2,300 mV & falls",
            what_to_do="Change the battery.",
        )
        for subject in subjects
    ]
    house.write(lambda tx: problems.open_findings(tx, findings, NOON))
    listed = house.done("GET", f"/api/v1/stores/{store}/problems?limit=1000")["problems"]
    return [one["problem"] for one in listed if one["subject"] in subjects]


def look(browser: httpx2.Client, address: str = "/problems") -> str:
    answer = browser.get(address)
    check_headers(answer)
    assert answer.status_code == 200
    return answer.text


def test_nothing_is_wrong_is_said_so(browser: httpx2.Client) -> None:
    assert "Nothing is wrong" in look(browser)


def test_a_problem_is_told_with_what_to_do_and_stays_when_it_is_over(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    numbers = found(house, "l-<0>")
    found(house, "elsewhere", store="pula")
    text = look(browser)
    assert "l-&lt;0&gt;" in text
    assert "2,300 mV &amp; falls" in text
    assert "Change the battery." in text
    assert "23 Nov 2026 12:00" in text  # in the zone of the store
    assert "elsewhere" not in text
    house.write(lambda tx: problems.close_problems(tx, numbers, NOON))
    assert "l-&lt;0&gt;" not in look(browser)
    over = re.search(r'href="(/problems[^"]*ended=true[^"]*)"', look(browser))
    assert over is not None
    later = look(browser, over[1].replace("&amp;", "&"))
    assert "l-&lt;0&gt;" in later
    assert "over since" in later
    assert "Change the battery." not in later


def test_a_long_list_goes_on(house: RunningHouse, browser: httpx2.Client) -> None:
    numbers = found(house, *(f"l-{n:03}" for n in range(101)))
    first = look(browser)
    more = re.search(r'<p class="more"><a class="button" href="([^"]+)"', first)
    assert more is not None
    assert "l-099" in first
    assert "l-100" not in first
    assert "l-100" in look(browser, more[1].replace("&amp;", "&"))
    house.write(lambda tx: problems.close_problems(tx, numbers, NOON))


def test_a_label_is_taken_off_the_shelf(house: RunningHouse, browser: httpx2.Client) -> None:
    wanted = [(LabelId("l-1"), "its product is gone, and it does not answer")]
    house.write(lambda tx: remove_tasks.open_tasks(tx, wanted, NOON))
    text = look(browser)
    assert "its product is gone" in text
    form = re.search(r'<form action="(/problems/taken-off[^"]*)".*?</form>', text, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[0]))
    assert browser.post(form[1].replace("&amp;", "&"), data=fields).status_code == 303
    text = look(browser)
    assert "l-1 is off the shelf." in text
    assert "its product is gone" not in text
    gone = browser.post("/problems/taken-off", data=fields | {"task": "99", "once": "k" * 20})
    assert gone.status_code == 404
    assert 'role="alert"' in gone.text


def test_who_only_looks_has_no_buttons(house: RunningHouse) -> None:
    wanted = [(LabelId("l-0"), "it does not answer")]
    house.write(lambda tx: remove_tasks.open_tasks(tx, wanted, NOON))
    token = house.token("label:read", stores=(STORE,))
    answer = house.ask("GET", "/problems", token=token, headers=PEOPLE)
    assert "it does not answer" in answer.text
    assert "taken-off" not in answer.text
    blind = house.token("price:read", stores=(STORE,))
    assert house.ask("GET", "/problems", token=blind, headers=PEOPLE).status_code == 403


def test_every_kind_of_problem_has_a_title() -> None:
    assert set(TITLES) == set(ProblemKind)
    assert len(set(TITLES.values())) == len(TITLES)
