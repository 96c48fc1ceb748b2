"""The doors over PostgreSQL, which knows no NUL, counts in 32 bits and forgives less."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house

CHANGES = "/api/v1/stores/main/price-changes"


@pytest.fixture
def shop(tmp_path: Path, fresh_postgres_url: str) -> Iterator[RunningHouse]:
    """A running application on PostgreSQL, with a store and a product."""
    with running_house(tmp_path / "data", database_url=fresh_postgres_url) as house:
        house.done("PUT", "/api/v1/stores/main", STORE_BODY)
        house.done("PUT", "/api/v1/stores/main/products/1001", {"name": "Kruh", "price": "1.29"})
        yield house


def test_what_postgresql_cannot_store_is_refused_before_it_gets_there(shop: RunningHouse) -> None:
    for method, path in (
        ("GET", "/api/v1/stores/main/labels?after=%00"),
        ("GET", "/api/v1/stores/main/products/%00"),
        ("GET", "/api/v1/stores/%00/labels"),
        ("GET", "/api/v1/labels/%00"),
        ("GET", "/api/v1/labels/l-1/frames/%00.png"),
        ("DELETE", "/api/v1/tokens/%00"),
        ("GET", "/sign-in?link=%00"),
    ):
        assert 400 <= shop.ask(method, path).status_code < 500, path
    body = rb'{"sku": "1001", "price": "1.39", "badge": "\u0000"}'
    check_problem(shop.ask("POST", CHANGES, content=body), 422, "/badge")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x" * 200, "brand": "b" * 80, "category": "c" * 120, "price": "9999999.99"},
        {"name": "č" * 200, "net_content": "999999.999 kg", "priced_per": "kg"},
        {"name": "🥖" * 200, "link": "https://a.example/" + "x" * 182, "gtin": "3850104008306"},
        {"name": "x", "price": "0.01", "was": "9999999.99", "unit_price": "9999999.99"},
        {"name": "x", "price": "1.00", "badge": "é" * 40, "source": "s" * 64},
        {"name": "x", "price": "1.00", "source_seq": 2**53 - 1},
        {"name": "x", "price": "1.00", "source_time": "2000-01-01T00:00:00Z"},
        {"name": "x", "price": "1.00", "source_time": "2099-12-31T23:59:59.999999Z"},
    ],
    ids="-".join,
)
def test_the_largest_values_that_are_accepted_can_be_stored(
    shop: RunningHouse, body: dict[str, object]
) -> None:
    sku = "ш" * 64
    key = {"Idempotency-Key": "k" * 200}
    shop.done("PUT", f"/api/v1/stores/main/products/{sku}", body, headers=key)
    assert shop.done("GET", f"/api/v1/stores/main/products/{sku}")["name"] == body["name"]
    shop.done("PUT", f"/api/v1/stores/main/products/{sku}", body)  # reads back what is stored


def test_concurrent_duplicates_have_one_effect(shop: RunningHouse) -> None:
    bodies = [f'{{"sku": "1001", "price": "{n + 2}.00"}}'.encode() for n in range(4)]
    random = Random(1)
    sent = [n for n in range(4) for _ in range(8)]
    random.shuffle(sent)

    def send(number: int) -> tuple[int, int, bytes]:
        headers = {"Idempotency-Key": f"receipt {number}"}
        answer = shop.ask("POST", CHANGES, content=bodies[number], headers=headers)
        return number, answer.status_code, answer.content

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, sent))
    assert {status for _, status, _ in answers} == {200}
    assert len({(number, content) for number, _, content in answers}) == 4
