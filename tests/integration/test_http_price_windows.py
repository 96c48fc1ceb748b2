"""Prices with a begin and an end through the doors of HTTP, in a whole house."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from esl.services import schedule
from tests.running_house import RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

STORE = "/api/v1/stores/main"
CHANGES = f"{STORE}/price-changes"
NAME = "Kruh"


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


@pytest.fixture
def sku(shop: RunningHouse, request: pytest.FixtureRequest) -> str:
    """A product at 1.00 of this test's own."""
    own = f"w-{abs(hash(request.node.name)) % 10**9}"
    shop.done("PUT", f"{STORE}/products/{own}", {"name": NAME, "price": "1.00"})
    return own


def product(shop: RunningHouse, sku: str) -> dict[str, Any]:
    found: dict[str, Any] = shop.done("GET", f"{STORE}/products/{sku}")
    return found


def the_result(answer: dict[str, Any]) -> dict[str, Any]:
    [result] = answer["results"]
    assert isinstance(result, dict)
    return result


def test_a_price_change_for_later_waits_and_is_listed(shop: RunningHouse, sku: str) -> None:
    before = product(shop, sku)["price"]
    begins, ends = in_hours(1), in_hours(2)
    body = {"sku": sku, "price": before, "valid_from": begins, "valid_to": ends}
    assert the_result(shop.done("POST", CHANGES, body))["decision"] == "accepted"
    assert the_result(shop.done("POST", CHANGES, body))["decision"] == "unchanged"
    found = product(shop, sku)
    assert found["price"] == before
    [planned] = found["planned"]
    assert (planned["price"], planned["holds"]) == (before, False)
    assert datetime.fromisoformat(planned["valid_from"]) == datetime.fromisoformat(begins)
    assert datetime.fromisoformat(planned["valid_to"]) == datetime.fromisoformat(ends)


def test_a_price_that_comes_with_a_product_ends(shop: RunningHouse, sku: str) -> None:
    body = {"name": NAME, "price": "0.95", "valid_to": in_hours(1)}
    shop.done("PUT", f"{STORE}/products/{sku}", body)
    assert product(shop, sku)["price"] == "0.95"
    later = shop.house.clock.now() + timedelta(hours=1)
    assert shop.write(lambda tx: schedule.apply_due(tx, later)).applied >= 1
    assert product(shop, sku)["price"] == "1.00"
    assert product(shop, sku)["planned"] == []


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"valid_from": "2030-01-01T06:00:00"}, "/valid_from"),
        ({"valid_to": "tomorrow"}, "/valid_to"),
        ({"valid_to": 1}, "/valid_to"),
        (
            {"valid_from": "2030-01-02T06:00:00Z", "valid_to": "2030-01-02T07:00:00+01:00"},
            "/valid_to",
        ),
    ],
)
def test_a_moment_that_is_none_is_refused_with_its_fix(
    shop: RunningHouse, sku: str, fields: dict[str, Any], at: str
) -> None:
    answer = shop.ask("POST", CHANGES, json={"sku": sku, "price": "1.00"} | fields)
    problem = check_problem(answer, 422, at)
    assert problem["errors"][0]["fix"]


def test_a_price_that_is_over_is_refused_by_itself(shop: RunningHouse, sku: str) -> None:
    before = product(shop, sku)["price"]
    over = {"sku": sku, "price": "1.00", "valid_to": in_hours(-1)}
    check_problem(shop.ask("POST", CHANGES, json=over), 422, "/valid_to")
    ends = {"sku": sku, "price": before, "valid_to": in_hours(1)}
    results = shop.done("POST", CHANGES, [over, ends])["results"]
    assert [result["decision"] for result in results] == ["rejected", "unchanged"]
    assert results[0]["reasons"][0]["code"] == "over"
    assert product(shop, sku)["price"] == before
    [planned] = product(shop, sku)["planned"]
    assert planned["holds"]


def test_a_moment_without_a_price_and_a_flip_with_two_are_refused(
    shop: RunningHouse, sku: str
) -> None:
    answer = shop.ask(
        "PUT", f"{STORE}/products/{sku}", json={"name": NAME, "valid_from": in_hours(1)}
    )
    check_problem(answer, 422, "/valid_from")
    change = {"sku": sku, "price": "1.00", "valid_from": in_hours(1)}
    answer = shop.ask("POST", f"{STORE}/flips", json={"at": in_hours(2), "changes": [change]})
    assert answer.status_code == 422
    assert "one moment" in answer.text
