"""How much a request may bring, by what it is for."""

import pytest

from api.edge import BODY_LARGEST_BYTES, _room_for


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/promotions"),
        ("POST", "/api/v1/promotions/preview"),
        ("PUT", "/api/v1/promotions/weekend"),
    ],
)
def test_a_promotion_of_a_hundred_thousand_products_fits(method: str, path: str) -> None:
    assert _room_for(method, path).bytes >= 100_000 * len('"3850139171587",')


def test_what_is_done_with_a_promotion_needs_no_more_than_others() -> None:
    assert _room_for("POST", "/api/v1/promotions/weekend/cancel").bytes == BODY_LARGEST_BYTES
