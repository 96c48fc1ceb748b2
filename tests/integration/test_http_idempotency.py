"""One key, one effect, one answer: a till that sends again after a lost answer changes nothing."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx2
import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

CHANGES = "/api/v1/stores/main/price-changes"
REPLAYED = "idempotency-replayed"

_keys = (f"till-3 receipt {number}" for number in count())
_prices = (f"{number}.49" for number in count(2))


@pytest.fixture
def key() -> str:
    """A key that nobody has used."""
    return next(_keys)


@pytest.fixture
def body() -> bytes:
    """A price change that changes something."""
    return f'{{"sku": "1001", "price": "{next(_prices)}"}}'.encode()


def _send(shop: RunningHouse, body: bytes, key: str | None, **how: str) -> httpx2.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return shop.ask("POST", CHANGES, content=body, headers=headers, **how)


def _events(shop: RunningHouse) -> int:
    [(events,)] = shop.read("SELECT count(*) FROM price_event")
    return int(events)


def test_the_same_request_again_gets_the_same_bytes_and_stores_nothing(
    shop: RunningHouse, key: str, body: bytes
) -> None:
    before = _events(shop)
    first = _send(shop, body, key)
    assert first.status_code == 200
    assert REPLAYED not in first.headers
    stored = shop.everything_stored()
    for _ in range(3):
        again = _send(shop, body, key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["content-type"] == first.headers["content-type"]
        assert again.headers[REPLAYED] == "true"
    assert shop.everything_stored() == stored
    assert _events(shop) == before + 1


def test_a_replay_comes_even_after_a_later_price_and_does_not_undo_it(
    shop: RunningHouse, key: str
) -> None:
    first = _send(shop, b'{"sku": "1002", "price": "5.01"}', key)
    _send(shop, b'{"sku": "1002", "price": "5.02"}', None)
    assert _send(shop, b'{"sku": "1002", "price": "5.01"}', key).content == first.content
    assert shop.done("GET", "/api/v1/stores/main/products/1002")["price"] == "5.02"


def test_without_a_key_each_request_is_its_own(shop: RunningHouse, body: bytes) -> None:
    first, second = _send(shop, body, None), _send(shop, body, None)
    assert first.json()["results"][0]["decision"] == "accepted"
    assert second.json()["results"][0]["decision"] == "unchanged"
    assert REPLAYED not in second.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", CHANGES),
        ("PUT", "/api/v1/stores/main/products/1001"),
        ("POST", "/api/v1/stores/main/products"),
        ("PUT", "/api/v1/stores/main"),
        ("POST", "/api/v1/stores/main/labels"),
        ("POST", "/api/v1/stores/main/pairings"),
    ],
)
def test_another_request_under_a_used_key_is_a_conflict_everywhere(
    shop: RunningHouse, key: str, body: bytes, method: str, path: str
) -> None:
    assert _send(shop, body, key).is_success
    stored = shop.everything_stored()
    good = {
        CHANGES: b'{"sku": "1001", "price": "8.88"}',
        "/api/v1/stores/main/products/1001": b'{"name": "Kruh", "price": "8.88"}',
        "/api/v1/stores/main/products": b'[{"sku": "1001", "name": "Kruh", "price": "8.88"}]',
        "/api/v1/stores/main": json.dumps(STORE_BODY).encode(),
        "/api/v1/stores/main/labels": b'{"label": "l-77", "panel": "bwry-296x128"}',
        "/api/v1/stores/main/pairings": b'{"label": "l-2", "sku": "1002"}',
    }[path]
    answer = shop.ask(method, path, content=good, headers={"Idempotency-Key": key})
    check_problem(answer, 409)
    assert shop.everything_stored() == stored


def test_one_byte_more_is_another_request(shop: RunningHouse, key: str, body: bytes) -> None:
    assert _send(shop, body, key).is_success
    check_problem(_send(shop, body + b" ", key), 409)


@pytest.mark.parametrize(
    "bad",
    [
        b'{"sku": "1001", "price": "1_000"}',
        b'{"sku": "9999", "price": "1.29"}',
        b"not JSON",
        b'[{"sku": "1001", "price": "9.01"}, {"sku": "9999", "price": "9,02"}]',
    ],
)
def test_a_refused_request_does_not_burn_its_key(
    shop: RunningHouse, key: str, body: bytes, bad: bytes
) -> None:
    before = _events(shop)
    check_problem(_send(shop, bad, key), 422)
    assert _events(shop) == before
    mended = _send(shop, body, key)
    assert mended.status_code == 200
    assert REPLAYED not in mended.headers


def test_a_key_belongs_to_whoever_sent_it(shop: RunningHouse, key: str, body: bytes) -> None:
    one = shop.token("price:write", stores=("main",))
    other = shop.token("price:write", stores=("main",))
    before = _events(shop)
    first = _send(shop, body, key, token=one)
    foreign = _send(shop, body, key, token=other)
    assert first.status_code == foreign.status_code == 200
    assert REPLAYED not in foreign.headers
    assert _events(shop) == before + 2
    check_problem(_send(shop, body + b" ", key, token=one), 409)


@pytest.mark.asvs("15.4.2")
def test_eight_threads_with_one_key_have_one_effect(
    shop: RunningHouse, key: str, body: bytes
) -> None:
    before = _events(shop)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: _send(shop, body, key), range(32)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum(REPLAYED not in answer.headers for answer in answers) == 1
    assert _events(shop) == before + 1


def test_eight_threads_with_eight_bodies_and_one_key_have_one_effect(
    shop: RunningHouse, key: str
) -> None:
    before = _events(shop)
    bodies = [f'{{"sku": "1001", "price": "{next(_prices)}"}}'.encode() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: _send(shop, body, key), bodies))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert _events(shop) == before + 1
    [won] = [body for body, answer in zip(bodies, answers, strict=True) if answer.is_success]
    price = shop.done("GET", "/api/v1/stores/main/products/1001")["price"]
    assert f'"{price}"'.encode() in won


def test_eight_threads_of_changes_are_each_stored_once_in_one_order(shop: RunningHouse) -> None:
    before = _events(shop)
    wanted = [f"{cents // 100}.{cents % 100:02d}" for cents in range(30_000, 30_080)]

    def send(price: str) -> int:
        answer = _send(shop, f'{{"sku": "1002", "price": "{price}"}}'.encode(), f"key {price}")
        return int(answer.json()["results"][0]["rev"])

    with ThreadPoolExecutor(8) as pool:
        revs = list(pool.map(send, wanted))
    assert len(set(revs)) == len(wanted)
    assert _events(shop) == before + len(wanted)
    last = wanted[revs.index(max(revs))]
    assert shop.done("GET", "/api/v1/stores/main/products/1002")["price"] == last


def test_an_edit_of_another_version_is_another_request(shop: RunningHouse, key: str) -> None:
    """Else an edit that was never made would be answered as one that was."""
    path = "/api/v1/stores/main"
    headers = {"Idempotency-Key": key}

    def put(name: str, **more: str) -> httpx2.Response:
        return shop.ask("PUT", path, json=STORE_BODY | {"name": name}, headers=headers | more)

    etag = shop.ask("GET", path).headers["etag"]
    assert put("Mine", **{"If-Match": etag}).status_code == 200
    assert put("Mine", **{"If-Match": etag}).headers[REPLAYED] == "true", "the same again"
    shop.done("PUT", path, STORE_BODY | {"name": "Another's"})
    now = shop.ask("GET", path).headers["etag"]
    check_problem(put("Mine", **{"If-Match": now}), 409)
    check_problem(put("Mine"), 409)
    assert shop.done("GET", path)["name"] == "Another's"
