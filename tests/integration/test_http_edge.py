"""The edge over real HTTP: who asks too often waits alone, and forged addresses are nobody's."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.auth import SESSION_COOKIE_OF_TLS
from api.client import Client, Retries
from api.doctor.finding import Result
from api.doctor.running import look_at_running
from api.private_files import RuntimeFile, runtime_file
from tests.running_house import (
    STORE_BODY,
    RunningHouse,
    check_headers,
    check_problem,
    running_house,
)

STORES = "/api/v1/stores"
PRICES = f"{STORES}/main/price-changes"
HAMMERS = 16
HAMMERED_S = 4.0
RATE = 50


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[RunningHouse]:
    """A shop with narrow limits, and no proxy that is trusted."""
    settings: dict[str, Any] = {
        "client_requests_per_s": RATE,
        "stranger_requests_per_s": 20,
        "trusted_proxies": [],
    }
    with running_house(tmp_path / "data", **settings) as house:
        house.done("PUT", f"{STORES}/main", STORE_BODY)
        products = [{"sku": "1001", "name": "Kruh", "price": "1.29"}]
        house.done("POST", f"{STORES}/main/products", products)
        yield house


def counted(house: RunningHouse, name: str) -> float:
    lines = house.ask("GET", "/metrics", token=None).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@pytest.mark.asvs("2.4.1")
def test_one_client_that_hammers_waits_and_another_does_not_notice(narrow: RunningHouse) -> None:
    bad, good = narrow.token("price:write"), narrow.token("price:write")
    change = {"sku": "1001", "price": "1.39"}
    answers: Counter[int] = Counter()
    stop = threading.Event()

    def hammer(http: httpx2.Client) -> None:
        while not stop.is_set():
            answers[http.post(PRICES, json=change, timeout=30).status_code] += 1

    def quiet(seconds: float) -> list[float]:
        took: list[float] = []
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            began = time.monotonic()
            narrow.done("POST", PRICES, change, token=good)
            took.append(time.monotonic() - began)
            time.sleep(0.03)
        return sorted(took)

    narrow.done("POST", PRICES, change, token=good)
    headers = {"Authorization": f"Bearer {bad}"}
    began = time.monotonic()
    with httpx2.Client(base_url=narrow.url, headers=headers, trust_env=False) as http:
        threads = [threading.Thread(target=hammer, args=(http,)) for _ in range(HAMMERS)]
        for thread in threads:
            thread.start()
        try:
            took = quiet(HAMMERED_S)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    lasted_s = time.monotonic() - began
    assert len(took) > 20, took
    assert took[int(len(took) * 0.99)] < 0.5, took[-5:]
    assert answers.keys() == {200, 429}
    # All that its bucket held, and what came since; first ones count with its address.
    assert answers[200] <= RATE * (lasted_s + 2) + 5 * 20 + HAMMERS
    assert answers[429] <= HAMMERS * (lasted_s / 0.4 + 2), "a refusal is held back"
    assert counted(narrow, 'esl_http_refused_total{limit="client"}') >= answers[429] - HAMMERS


def test_a_refusal_is_a_problem_with_every_header(narrow: RunningHouse) -> None:
    token = narrow.token("price:read")
    narrow.done("GET", STORES, token=token)
    limit = narrow.application.limits.client
    limit._full_at_s[f"token:{token.split('_')[1]}"] = time.monotonic() + 1000
    answer = narrow.ask("GET", STORES, token=token)
    problem = check_problem(answer, 429)
    check_headers(answer)
    assert "client_requests_per_s" in problem["fix"]
    assert int(answer.headers["retry-after"]) in range(990, 1000)
    assert answer.headers["ratelimit-policy"] == f'"client";q={2 * RATE};w=2'
    assert answer.headers["ratelimit"].startswith('"client";r=0;t=9')


def test_the_client_comes_back_when_it_was_told_to(narrow: RunningHouse) -> None:
    token = narrow.token("price:read")
    with Client(narrow.url, token, retries=Retries(tries=4, first_s=0.01)) as client:
        client.get(STORES)
        limit = narrow.application.limits.client
        limit._full_at_s[f"token:{token.split('_')[1]}"] = time.monotonic() + 2 + 1.2
        began = time.monotonic()
        assert client.get(STORES)["stores"]
        assert 1.0 <= time.monotonic() - began < 10


@pytest.mark.asvs("4.1.3")
def test_forged_addresses_make_no_new_client_and_are_told_of(narrow: RunningHouse) -> None:
    stranger = narrow.application.limits.stranger
    assert narrow.ask("GET", "/sign-in", token=None).status_code == 200
    stranger._full_at_s["127.0.0.1"] = time.monotonic() + 1000
    for number in range(5):
        forged = f"198.51.100.{number}"
        headers = {"X-Forwarded-For": forged, "Forwarded": f"for={forged}", "X-Real-IP": forged}
        assert narrow.ask("GET", "/sign-in", token=None, headers=headers).status_code == 429
    assert list(stranger._full_at_s) == ["127.0.0.1"]
    del stranger._full_at_s["127.0.0.1"]
    assert counted(narrow, "esl_http_proxy_headers_ignored_total") == 5
    runtime = RuntimeFile(url=narrow.url, token=narrow.operator, pid=1, key_id="0", certificate="")
    settings = narrow.house.settings
    with runtime_file(settings.data_dir, runtime):
        found = {one.name: one for one in look_at_running(settings)}["proxies"]
    assert found.result is Result.WARN
    assert "trusted_proxies" in found.fix


def test_doctor_is_content_where_nobody_speaks_for_others(narrow: RunningHouse) -> None:
    runtime = RuntimeFile(url=narrow.url, token=narrow.operator, pid=1, key_id="0", certificate="")
    with runtime_file(narrow.house.settings.data_dir, runtime):
        found = {one.name: one for one in look_at_running(narrow.house.settings)}["proxies"]
    assert found.result is Result.PASS


@pytest.mark.parametrize("value", ["\x7f", "1" * 3000, "for=;;,;", '"', ",,,,", "::::", "%00"])
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Forwarded-Proto"])
def test_hostile_headers_of_a_trusted_proxy_are_no_fault(
    both: tuple[RunningHouse, RunningHouse], header: str, value: str
) -> None:
    for house in both:
        answer = house.ask("GET", STORES, headers={header: value})
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningHouse, RunningHouse]]:
    """Two houses that trust this machine, by the one header and by the other."""
    base = tmp_path_factory.mktemp("both")
    with (
        running_house(base / "one", stranger_requests_per_s=200) as one,
        running_house(base / "other", proxy_header="forwarded") as other,
    ):
        yield one, other


@pytest.mark.asvs("3.3.1")
def test_behind_a_trusted_proxy_with_tls_the_cookie_is_secure(
    both: tuple[RunningHouse, RunningHouse],
) -> None:
    said = (
        {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"},
        {"Forwarded": "for=203.0.113.9;proto=https"},
    )
    for house, headers in zip(both, said, strict=True):
        for sent, is_secure in ((headers, True), ({}, False)):
            url = house.done("POST", "/api/v1/sign-in-links")["url"]
            path = "/sign-in" + url.partition("/sign-in")[2]
            cookie = house.ask("GET", path, token=None, headers=sent).headers["set-cookie"]
            assert cookie.startswith(SESSION_COOKIE_OF_TLS) == is_secure
            assert ("; secure" in cookie.lower()) == is_secure


@pytest.mark.asvs("15.3.4")
def test_visitors_of_a_trusted_proxy_count_each_for_itself(
    both: tuple[RunningHouse, RunningHouse],
) -> None:
    house = both[0]
    before = len(house.application.limits.stranger)
    for number in range(5):
        headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        house.ask("GET", "/sign-in", token=None, headers=headers)
    assert len(house.application.limits.stranger) - before == 5
    ends = list(house.application.limits.stranger._full_at_s.values())
    assert all(one <= other for one, other in pairwise(ends[-5:]))
