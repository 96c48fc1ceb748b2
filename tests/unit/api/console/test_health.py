"""Health as a page, and as the API says it: everything is really tried."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.running_house import RunningHouse, check_headers, check_problem, running_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("health") / "data") as running:
        yield running


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers={"Accept": "text/html"}) as client:
        assert client.get(made["url"]).status_code == 303
        yield client


def test_what_is_wrong_stands_first_with_what_to_do(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    well = browser.get("/health")
    check_headers(well)
    assert well.status_code == 200
    assert re.search(r"<b>database</b> SQLite answers", well.text)
    folder = house.house.settings.data_dir
    before = folder.stat().st_mode
    folder.chmod(0o755)
    try:
        broken = browser.get("/health").text
        assert "Something is broken" in broken
        first = re.search(r'<ul class="parts">\s*<li>.*?</li>', broken, re.DOTALL)
        assert first is not None
        assert "others may read" in first[0]
        assert "chmod -R go-rwx" in first[0]
        answer = house.done("GET", "/api/v1/health")
        assert answer["result"] == "fail"
    finally:
        folder.chmod(before)
    assert house.done("GET", "/api/v1/health")["result"] != "fail"


def test_many_who_ask_at_once_are_one_look(house: RunningHouse) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: house.done("GET", "/api/v1/health"), range(8)))
    assert all(answer["findings"] for answer in answers)
    assert house.ask("GET", "/healthz", token=None).status_code == 200


def test_it_is_for_who_runs_all_of_it(house: RunningHouse) -> None:
    reader = house.token("label:read", "price:read")
    check_problem(house.ask("GET", "/api/v1/health", token=reader), 403)
    headers = {"Authorization": f"Bearer {reader}", "Accept": "text/html"}
    answer = httpx2.get(f"{house.url}/health", headers=headers)
    assert answer.status_code == 403
