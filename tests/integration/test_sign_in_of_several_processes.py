"""Wrong passwords count whichever process of the API is asked: the database keeps the count."""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from esl.domain.throttle import FREE_FAILURES
from tests.running_house import RunningHouse, running_house

PATIENCE_S = 60
Houses = tuple[RunningHouse, RunningHouse]


@pytest.fixture
def houses(tmp_path: Path, fresh_postgres_url: str) -> Iterator[Houses]:
    one_folder, two_folder = tmp_path / "one", tmp_path / "two"
    how = {"database_url": fresh_postgres_url, "api_processes": 2}
    with running_house(one_folder, **how) as one:
        shutil.copytree(one_folder / "keys", two_folder / "keys")
        with running_house(two_folder, **how) as two:
            for house in (
                one,
                two,
            ):  # FastAPI makes routes at the first request, and not by threads
                tried(house, "whoever")
            forget(one)
            yield one, two


def forget(house: RunningHouse) -> None:
    house.write(lambda tx: tx.exec_driver_sql("DELETE FROM sign_in_throttle"))


def tried(house: RunningHouse, name: str) -> int:
    answer = httpx2.post(
        f"{house.url}/sign-in",
        headers={
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        content=str(httpx2.QueryParams({"name": name, "password": "a heron by the weir"})),
        trust_env=False,
        timeout=PATIENCE_S,
    )
    return answer.status_code


def test_failures_in_one_process_slow_the_name_down_in_the_other(houses: Houses) -> None:
    answers = [tried(houses[number % 2], "ana") for number in range(FREE_FAILURES + 1)]
    assert answers == [401] * (FREE_FAILURES + 1)
    assert [tried(house, "ana") for house in houses] == [429, 429]


def test_who_asks_both_at_once_gets_no_more_tries(houses: Houses) -> None:
    tried(houses[0], "bea")
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: tried(houses[n % 2], "bea"), range(24)))
    assert answers.count(401) == FREE_FAILURES
    assert answers.count(429) == 24 - FREE_FAILURES


def test_first_tries_at_once_in_both_are_free_and_counted(houses: Houses) -> None:
    gate = threading.Barrier(2)

    def together(house: RunningHouse, name: str) -> int:
        gate.wait(PATIENCE_S)
        return tried(house, name)

    with ThreadPoolExecutor(2) as pool:
        for number in range(12):
            name = f"new {number}"
            assert list(pool.map(together, houses, (name, name))) == [401, 401]
            assert [tried(houses[0], name) for _ in range(FREE_FAILURES)] == [
                *[401] * (FREE_FAILURES - 1),
                429,
            ]
            forget(houses[0])
