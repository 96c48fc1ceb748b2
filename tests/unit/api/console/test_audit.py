"""The audit as a page: who did what, narrowed, page by page, and only for whoever may read it."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "vrsar"
AT = f"/api/v1/stores/{STORE}"
PEOPLE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A store in which something was done."""
    with running_house(tmp_path_factory.mktemp("audit") / "data") as running:
        for store in (STORE, "pula"):
            running.done("PUT", f"/api/v1/stores/{store}", STORE_BODY | {"name": store.title()})
        running.done("POST", f"{AT}/freeze", {"reason": "wrong <file>"})
        running.done("POST", f"{AT}/thaw", {"reason": "mended"})
        running.done("POST", "/api/v1/stores/pula/freeze", {"reason": "only in Pula"})
        yield running


def look(house: RunningHouse, address: str, token: str | None = None) -> httpx2.Response:
    secret = house.operator if token is None else token
    answer = house.ask("GET", address, token=secret, headers=PEOPLE)
    check_headers(answer)
    return answer


def test_what_was_done_is_told_with_its_reason(house: RunningHouse) -> None:
    text = look(house, f"/audit?store={STORE}").text
    assert "wrong &lt;file&gt;" in text
    assert text.index("mended") < text.index("wrong &lt;file&gt;"), "the newest first"
    assert "only in Pula" not in text


def test_it_is_narrowed_by_what_one_looks_for(house: RunningHouse) -> None:
    text = look(house, f"/audit?store={STORE}&action=freeze").text
    assert "wrong &lt;file&gt;" in text
    assert "mended" not in text
    assert 'value="freeze"' in text
    assert "Show all" in text
    assert "No entry is like that." in look(house, f"/audit?store={STORE}&actor=nobody").text
    assert "No entry is like that." in look(house, f"/audit?store={STORE}&day=2020-02-29").text


@pytest.mark.parametrize("day", ["2020-02-30", "yesterday", "1999-01-01", "%3Cb%3E"])
def test_a_day_that_is_none_is_told(house: RunningHouse, day: str) -> None:
    answer = look(house, f"/audit?store={STORE}&day={day}")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "<b>" not in re.sub(r"<b[^>]*>[^<]*</b>", "", answer.text)


def test_older_entries_are_on_the_next_page(house: RunningHouse) -> None:
    for number in range(101):
        step = "freeze" if number % 2 == 0 else "thaw"
        house.done("POST", f"{AT}/{step}", {"reason": f"step {number:03}"})
    first = look(house, f"/audit?store={STORE}").text
    assert "step 100" in first
    assert "wrong &lt;file&gt;" not in first
    more = re.search(r'<p class="more"><a class="button" href="([^"]+)"', first)
    assert more is not None
    assert "wrong &lt;file&gt;" in look(house, unescape(more[1])).text


@pytest.mark.asvs("8.2.1")
def test_who_may_not_read_the_audit_does_not(house: RunningHouse) -> None:
    token = house.token("label:read", stores=(STORE,))
    assert look(house, f"/audit?store={STORE}", token).status_code == 403
    assert 'href="/audit"' not in look(house, f"/?store={STORE}", token).text
    reader = house.token("audit:read", stores=(STORE,))
    assert look(house, f"/audit?store={STORE}", reader).status_code == 200
    assert look(house, "/audit?store=pula", reader).status_code == 404
