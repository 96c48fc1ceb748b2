"""Token buckets: who asks too often waits, everybody else does not."""

import json
from typing import Any

import pytest

from api import rate_limits
from api.metrics.meters import Meters
from api.rate_limits import ASKER, Limit, RateLimits, mark_of
from esl.settings import Settings

PRICES = "/api/v1/stores/main/price-changes"
MARK = mark_of({b"authorization": b"Bearer of a till"})


def limits(**settings: Any) -> RateLimits:
    return RateLimits(Settings(**settings), Meters())


def scope(path: str = PRICES, address: str = "192.0.2.7", method: str = "POST") -> dict[str, Any]:
    return {"path": path, "method": method, "client": (address, 1)}


def learned(limits: RateLimits, who: str = "token:1", mark: int = MARK) -> RateLimits:
    limits.learn(scope() | {ASKER: who}, mark, 200)
    return limits


def many(limits: RateLimits, times: int, mark: int = 0, now_s: float = 5.0, **how: Any) -> int:
    """Ask so often at one moment; return how many were let through."""
    return sum(limits.check(scope(**how), mark, now_s) is None for _ in range(times))


def test_a_bucket_gives_what_it_holds_and_fills_again() -> None:
    limit = Limit("client", per_s=10, at_once=5, fix="")
    assert [limit.take("a", 100.0) for _ in range(5)] == [0.0] * 5
    assert limit.take("a", 100.0) == pytest.approx(0.1)
    assert limit.take("b", 100.0) == 0.0
    assert limit.take("a", 100.1) == 0.0
    assert limit.take("a", 100.1) == pytest.approx(0.1)
    assert sum(limit.take("a", 200.0) == 0.0 for _ in range(9)) == 5


def test_nobody_in_ten_seconds_gets_more_than_the_rate_and_what_is_there_at_once() -> None:
    limit = Limit("client", per_s=10, at_once=5, fix="")
    passed = sum(limit.take("a", n / 1000) == 0.0 for n in range(10_000))
    assert 104 <= passed <= 105


def test_buckets_are_bounded_and_the_longest_silent_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_limits, "NAMES_MOST", 100)
    limit = Limit("address", per_s=1, at_once=1, fix="")
    for number in range(1000):
        assert limit.take(f"a{number}", 1.0) == 0.0
        limit.take("always", 1.0 + number)
    assert len(limit) == 100
    assert limit.take("a999", 1.0) > 0
    assert limit.take("a0", 1.0) == 0.0
    known = limits()
    for mark in range(1, 1000):
        learned(known, mark=mark)
    assert len(known._known) == 100


def test_a_token_that_was_right_has_a_bucket_of_its_own() -> None:
    found = limits(client_requests_per_s=10, stranger_requests_per_s=1)
    assert many(found, 30, MARK) == 5, "nobody knows it yet: five times the rate of an address"
    assert many(learned(found), 30, MARK) == 20
    assert many(found, 30, MARK, address="198.51.100.1") == 0, "wherever it comes from"
    other = mark_of({b"x-api-key": b"another"})
    assert many(learned(found, "token:2", other), 30, other) == 20


def test_another_token_of_the_same_client_is_the_same_client() -> None:
    found = learned(limits(client_requests_per_s=10), "client:1")
    fresh = mark_of({b"authorization": b"Bearer of ten minutes later"})
    assert many(found, 30, MARK) == 20
    assert many(learned(found, "client:1", fresh), 30, fresh) == 0


def test_credentials_that_are_refused_count_with_their_address() -> None:
    found = learned(limits(client_requests_per_s=10, stranger_requests_per_s=1))
    found.learn(scope(), MARK, 401)
    assert many(found, 30, MARK) == 5
    for number in range(20):  # a new one each time does not help
        guessed = mark_of({b"authorization": b"Bearer %d" % number})
        assert found.check(scope(), guessed, 5.0) is not None


def test_addresses_of_ipv6_count_by_their_network_of_64_bits() -> None:
    found = limits(stranger_requests_per_s=1)
    assert many(found, 10, address="2001:db8::1") == 5
    assert many(found, 10, address="2001:db8::ffff:2") == 0
    assert many(found, 10, address="2001:db8:0:1::1") == 5
    assert many(found, 10, address="192.0.2.1") == 5
    assert many(found, 10, address="::ffff:192.0.2.1") == 0
    assert many(found, 10, address="192.0.2.2") == 5


@pytest.mark.parametrize(
    ("path", "method", "setting", "at_once"),
    [
        ("/sign-in", "POST", "sign_ins_per_minute", 10),
        ("/sign-in/code", "POST", "sign_ins_per_minute", 10),
        ("/oauth/token", "POST", "sign_ins_per_minute", 10),
        ("/api/v1/enrolments", "POST", "sign_ins_per_minute", 10),
        ("/compat/pricer/api/public/auth/v1/login", "GET", "sign_ins_per_minute", 10),
        ("/api/v1/render", "POST", "drawings_per_minute", 10),
        ("/api/v1/templates/a/preview.png", "GET", "drawings_per_minute", 10),
        ("/api/v1/promotions/a/preview", "GET", "drawings_per_minute", 10),
        ("/api/v1/promotions/a/pictures/b.png", "GET", "drawings_per_minute", 10),
        ("/api/v1/stores/a/shelf-report", "GET", "exports_per_minute", 10),
        ("/api/v1/labels/a/shown/bundle", "GET", "exports_per_minute", 10),
        ("/sign-in", "GET", "sign_ins_per_minute", 100),
        ("/api/v1/labels/a/frames/b.png", "GET", "drawings_per_minute", 100),
        ("/static/0/a.png", "GET", "drawings_per_minute", 100),
        (PRICES, "POST", "drawings_per_minute", 100),
    ],
)
@pytest.mark.asvs("2.4.1", "15.2.2")
def test_what_costs_more_has_a_narrower_bucket(
    path: str, method: str, setting: str, at_once: int
) -> None:
    found = learned(limits(**{setting: 6}))
    assert many(found, 100, MARK, path=path, method=method) == at_once
    assert many(learned(limits(**{setting: 0})), 100, MARK, path=path, method=method) == 100


def test_sign_ins_count_by_address_whoever_asks() -> None:
    found = limits(sign_ins_per_minute=6)
    one, two = mark_of({b"cookie": b"a"}), mark_of({b"cookie": b"b"})
    learned(learned(found, "person:1", one), "person:2", two)
    assert many(found, 10, one, path="/sign-in") == 10
    assert many(found, 10, two, path="/sign-in") == 0
    assert many(found, 10, two, path="/sign-in", address="198.51.100.1") == 10


def test_the_operator_and_the_question_of_life_are_free() -> None:
    found = learned(limits(client_requests_per_s=1, stranger_requests_per_s=1), "operator")
    assert many(found, 100, MARK) == 100
    assert many(found, 100, path="/healthz", method="GET") == 100


def test_limits_can_be_turned_off() -> None:
    off = learned(limits(client_requests_per_s=0, stranger_requests_per_s=0))
    assert many(off, 10_000, MARK) == many(off, 10_000) == 10_000


async def test_a_refusal_says_how_long_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "HELD_S", 0.0)
    meters = Meters()
    found = RateLimits(Settings(stranger_requests_per_s=1), meters)
    assert many(found, 5) == 5
    refusal = found.check(scope(), 0, 5.0)
    assert refusal is not None
    answer = await found.answer(scope(), refusal)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["ratelimit-policy"] == '"address";q=5;w=5'
    assert answer.headers["ratelimit"] == '"address";r=0;t=1'
    said = json.loads(bytes(answer.body))
    assert said["detail"].endswith("; nothing was stored")
    assert said["fix"].startswith("Wait as long as Retry-After says")
    refused = meters.registry.get_sample_value("esl_http_refused_total", {"limit": "address"})
    assert refused == 1
    libraries_read = json.loads(bytes((await found.answer(scope("/oauth/token"), refusal)).body))
    assert libraries_read["error"] == "temporarily_unavailable"


async def test_refusals_are_held_back_and_how_many_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    async def sleeping(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) < 5:  # each comes while those before are held
            await found.answer(scope(), refusal)

    monkeypatch.setattr("asyncio.sleep", sleeping)
    monkeypatch.setattr(rate_limits, "HELD_MOST", 2)
    found = limits(stranger_requests_per_s=1)
    many(found, 5)
    refused = found.check(scope(), 0, 5.0)
    assert refused is not None
    refusal = refused
    await found.answer(scope(), refusal)
    assert waits == [rate_limits.HELD_S] * 2
    assert found._held == 0


def test_of_several_processes_each_allows_its_share() -> None:
    settings = {"stranger_requests_per_s": 20, "sign_ins_per_minute": 600}
    whole = limits(**settings)
    parts = [limits(**settings, api_processes=4) for _ in range(4)]
    alone = many(whole, 1000)
    assert sum(many(part, 1000) for part in parts) == alone == 100
    again = [many(part, 1000, now_s=7.0) for part in parts]
    assert sum(again) == many(whole, 1000, now_s=7.0) == 40


def test_a_share_is_never_nothing_and_none_stays_none() -> None:
    assert many(limits(stranger_requests_per_s=1, api_processes=100), 5) == 1
    assert many(limits(stranger_requests_per_s=0, api_processes=4), 1000) == 1000
