"""The short way for plain changes says what the long way says, or nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.intake import price_json
from esl.intake.plain_changes import PlainChanges
from esl.intake.strict_json import JsonFraction
from tests.builders import STORE

SKUS = st.sampled_from(
    ["4711", "a b", " 1", "", "x" * 64, "x" * 65, "é", "1\u202e", "a\nb", 5, None, "0\ud800"]
)
PRICES = st.sampled_from(
    ["1.29", "1", "0.00", "1.290", "-1", "\u0661", "1e3", "99999999.99", 5, None, True, "1_000"]
) | st.decimals(0, 1000, places=2).map(str)
SOURCES = st.sampled_from(["till-3", "TILL", " x", "", None, 4, "a" * 65])
NUMBERS = st.sampled_from([0, 1, -1, 2**53 - 1, 2**53, True, None, "1", JsonFraction("1.0")])
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "sku": SKUS,
        "price": PRICES,
        "source": SOURCES,
        "source_seq": NUMBERS,
        "was": st.sampled_from(["1.79", None]),
        "unknown": st.just(1),
    },
)


def the_long_way(item: Any) -> Any:
    """Read it as everything that is not plain is read: None where it is refused."""
    try:
        return price_json._parse_change(item, "/3", store_id=STORE, currency="EUR")
    except InvalidInput:
        return None


@given(st.lists(ITEMS, max_size=20))
def test_the_short_way_says_the_same_or_nothing(items: list[dict[str, Any]]) -> None:
    short = PlainChanges(STORE, "EUR")  # one for all, so that what it keeps is used again
    for item in items:
        read = short.read(item, "/3")
        assert read is None or read == the_long_way(item)


@pytest.mark.parametrize(
    "item",
    [
        {"sku": "4711", "price": "1.29"},
        {"sku": "4711", "price": "0.01", "source": "till-3", "source_seq": 812},
        {"sku": "x" * 64, "price": "12", "source_seq": 0},
    ],
)
def test_plain_changes_take_the_short_way(item: dict[str, Any]) -> None:
    read = PlainChanges(STORE, "EUR").read(item, "/3")
    assert read is not None
    assert read == the_long_way(item)


@pytest.mark.parametrize("item", [None, [], "4711", {"sku": "1", "price": "1", "badge": "A"}])
def test_what_is_not_plain_takes_the_long_way(item: Any) -> None:
    assert PlainChanges(STORE, "EUR").read(item, "/3") is None
