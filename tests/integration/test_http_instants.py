"""Instants in answers: one way of writing them, whatever is asked for."""

import re

import pytest

from tests.running_house import STORE_BODY, RunningHouse

pytest_plugins = ["tests.shop_over_http"]

INSTANT = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d[^"]*)"')
Z = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
PLAN = {"selection": {"skus": ["1001"]}, "where": {"stores": ["main"]}, "gives": {"percent": 25}}


@pytest.fixture(scope="module")
def busy(shop: RunningHouse) -> RunningHouse:
    """The shop with a person, a zone that says a price, and a promotion that is to run."""
    roles = [{"store": "main", "role": "manager"}]
    shop.done("POST", "/api/v1/people", {"name": "ana", "display_name": "Ana", "roles": roles})
    shop.done("PUT", "/api/v1/stores/pula", STORE_BODY)
    zone = {"name": "Coast", "currency": "EUR", "stores": ["main"]}
    shop.done("PUT", "/api/v1/zones/coast", zone)
    change = {"changes": [{"sku": "1001", "price": "1.19"}]}
    shop.done("POST", "/api/v1/zones/coast/price-changes", change)
    shop.done("PUT", "/api/v1/stores/main/till", {"channel": "own"})
    token = {"name": "till", "scopes": ["price:read"], "stores": ["main"]}
    shop.done("POST", "/api/v1/tokens", token)
    shop.done("POST", "/api/v1/promotions", PLAN | {"id": "week", "name": "Week"})
    shop.done("POST", "/api/v1/promotions/week/schedule", {})
    return shop


@pytest.mark.parametrize(
    "path",
    [
        "people",
        "zones/coast/prices",
        "zones/coast/price-changes/1",
        "promotions",
        "promotions/week",
        "tokens",
        "audit",
        "stores/main/pairing-steps",
    ],
)
def test_every_instant_of_an_answer_ends_in_z(busy: RunningHouse, path: str) -> None:
    answer = busy.ask("GET", f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    found = INSTANT.findall(answer.text)
    assert found, "an answer without an instant shows nothing"
    assert [one for one in found if not Z.fullmatch(one)] == []
