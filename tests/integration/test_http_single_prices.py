"""Many senders of single prices at once: each has its own answer, and nobody waits for another."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.single_prices import SinglePrices
from tests.running_house import STORE_BODY, RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

STORE = "/api/v1/stores/single"
CHANGES = f"{STORE}/price-changes"
SENDERS = 16


@pytest.fixture(scope="module")
def shop(house: RunningHouse) -> RunningHouse:
    """A store with a product for each sender."""
    house.done("PUT", STORE, STORE_BODY)
    products = [{"sku": f"s{n}", "name": f"Kruh {n}", "price": "1.00"} for n in range(SENDERS)]
    house.done("POST", f"{STORE}/products", products)
    return house


@pytest.fixture
def senders() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(SENDERS) as pool:
        yield pool


def test_senders_at_once_each_get_their_own_answer(
    shop: RunningHouse, senders: ThreadPoolExecutor
) -> None:
    def send(number: int) -> list[Any]:
        lost = number % 4 == 3
        sku = "nowhere" if lost else f"s{number}"
        told: list[Any] = []
        for turn in range(8):
            answer = shop.ask("POST", CHANGES, json={"sku": sku, "price": f"1.{turn + 1:02d}"})
            told.append(answer.json() if answer.is_success else answer.status_code)
        return told

    revs: list[int] = []
    for number, told in enumerate(senders.map(send, range(SENDERS))):
        if number % 4 == 3:
            assert told == [422] * 8
            continue
        results = [one["results"][0] for one in told]
        assert {r["sku"] for r in results} == {f"s{number}"}
        assert [r["decision"] for r in results] == ["accepted"] * 8
        mine = [r["rev"] for r in results]
        assert mine == sorted(set(mine))
        revs += mine
        assert shop.done("GET", f"{STORE}/products/s{number}")["price"] == "1.08"
    assert len(set(revs)) == len(revs)


def test_one_key_sent_many_times_at_once_changes_one_price_once(
    shop: RunningHouse, senders: ThreadPoolExecutor
) -> None:
    def send(_: int) -> tuple[Any, bool]:
        answer = shop.ask(
            "POST",
            CHANGES,
            json={"sku": "s0", "price": "2.50"},
            headers={"Idempotency-Key": "at-once"},
        )
        return answer.json()["results"][0]["rev"], "idempotency-replayed" in answer.headers

    told = list(senders.map(send, range(SENDERS)))
    assert len({rev for rev, _ in told}) == 1
    assert sorted(replayed for _, replayed in told) == [False] + [True] * (SENDERS - 1)
    other = shop.ask(
        "POST",
        CHANGES,
        json={"sku": "s0", "price": "2.51"},
        headers={"Idempotency-Key": "at-once"},
    )
    check_problem(other, 409)


@pytest.mark.parametrize(("price", "held"), [("1.29", "1.290"), ("1.295", "1.295")])
def test_a_store_that_has_just_changed_its_currency_takes_prices_in_it(
    shop: RunningHouse, price: str, held: str
) -> None:
    """The first is right in euros, too, by which it is read first; the second is not."""
    store = f"/api/v1/stores/moves-{len(price)}"
    shop.done("PUT", store, STORE_BODY)
    shop.done("PUT", f"{store}/products/p", {"name": "Kruh"})
    lost = {"sku": "lost", "price": "1.29"}
    check_problem(shop.ask("POST", f"{store}/price-changes", json=lost), 422)
    shop.done("PUT", store, STORE_BODY | {"currency": "KWD", "locale": "en_US"})
    said = {"sku": "p", "price": price}
    [then] = shop.done("POST", f"{store}/price-changes", said)["results"]
    assert then["decision"] == "accepted"
    assert shop.done("GET", f"{store}/products/p")["price"] == held


BAD: list[tuple[str, dict[str, Any]]] = [
    (CHANGES, {"json": {"sku": "s1", "price": "1.29"}, "token": None}),
    (CHANGES, {"json": {"sku": "s1", "price": "1.29"}, "token": "esl_wrong"}),
    (CHANGES, {"json": {"sku": "s1", "price": "12,9"}}),
    (CHANGES, {"json": {"sku": "s1"}}),
    (CHANGES, {"json": []}),
    (CHANGES, {"json": [{"sku": "s1", "price": "1.00", "more": 1}]}),
    (CHANGES, {"content": b"{"}),
    (CHANGES, {"content": b'{"sku": "s1", "price": 1e999}'}),
    (CHANGES, {"content": b""}),
    (CHANGES, {"json": {"sku": "gone", "price": "1.29"}}),
    (CHANGES, {"json": {"sku": "s1", "price": "1.29"}, "headers": {"Idempotency-Key": "x" * 300}}),
    (CHANGES, {"content": b" " * (2 * 1024 * 1024)}),
    ("/api/v1/stores/nowhere/price-changes", {"json": {"sku": "s1", "price": "1.29"}}),
    ("/api/v1/stores/No Slug!/price-changes", {"json": {"sku": "s1", "price": "1.29"}}),
    ("/api/v1/stores/%2F/price-changes", {"json": {"sku": "s1", "price": "1.29"}}),
    (f"{CHANGES}/", {"json": {"sku": "s1", "price": "1.29"}}),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_the_short_way_refuses_as_the_long_one_does(shop: RunningHouse, number: int) -> None:
    path, how = BAD[number]
    short = shop.ask("POST", path, **how)
    way = shop.application._app
    shop.application._app = shop.app
    try:
        long = shop.ask("POST", path, **how)
    finally:
        shop.application._app = way
    check_problem(short, long.status_code)
    assert short.content == long.content
    changing = {"date", "content-length"}
    assert {k: v for k, v in short.headers.items() if k not in changing} == {
        k: v for k, v in long.headers.items() if k not in changing
    }


@pytest.mark.asvs("16.5.4")
def test_a_fault_of_ours_is_told_as_one_and_harms_nobody_after(
    shop: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(SinglePrices, "take", break_down)
    fault = shop.ask("POST", CHANGES, json={"sku": "s2", "price": "3.00"})
    check_problem(fault, 500)
    monkeypatch.undo()
    [result] = shop.done("POST", CHANGES, {"sku": "s2", "price": "3.00"})["results"]
    assert result["decision"] == "accepted"
