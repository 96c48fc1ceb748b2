from datetime import UTC, datetime
from typing import Any

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.pricing import DEFAULT_SOURCE, KEEP, PriceChange
from esl.intake.price_json import MAX_CHANGES, parse_each, parse_price_changes
from esl.intake.strict_json import JsonFraction, parse_strict_json
from tests.builders import STORE

GOOD = {"sku": "4711", "price": "1.29"}


def parse(value: Any) -> list[PriceChange]:
    return parse_price_changes(value, store_id=STORE, currency="EUR")


def problems(value: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        parse(value)
    return [(p.path, p.detail) for p in refused.value.problems]


def test_a_single_change_keeps_what_it_does_not_name() -> None:
    [change] = parse(GOOD)
    assert change == PriceChange(
        store_id=STORE, sku="4711", price_minor=129, currency="EUR", source=DEFAULT_SOURCE
    )
    assert change.was_minor is KEEP
    assert change.unit_price_minor is KEEP
    assert change.badge is KEEP


def test_a_change_may_say_everything() -> None:
    body = b"""{"sku": "4711", "price": "1.29", "was": "1.79", "unit_price": "3.23",
      "badge": "AKCIJA", "source": "till-3", "source_seq": 812, "currency": "EUR",
      "source_time": "2026-03-01T06:00:00Z"}"""
    assert parse(parse_strict_json(body)) == [
        PriceChange(
            store_id=STORE,
            sku="4711",
            price_minor=129,
            currency="EUR",
            was_minor=179,
            unit_price_minor=323,
            badge="AKCIJA",
            source="till-3",
            source_seq=812,
            source_time=datetime(2026, 3, 1, 6, tzinfo=UTC),
        )
    ]


def test_null_clears() -> None:
    [change] = parse(GOOD | {"was": None, "unit_price": None, "badge": None})
    assert (change.was_minor, change.unit_price_minor, change.badge) == (None, None, None)


def test_changes_of_an_array_know_their_place() -> None:
    assert [c.path for c in parse([GOOD, GOOD])] == ["/0", "/1"]
    assert [c.path for c in parse(GOOD)] == [""]


BAD = [
    ({"sku": None}, "sku", "null, and a value is needed"),
    ({"sku": 4711}, "sku", "a number, and a string is wanted"),
    ({"sku": " "}, "sku", "not a valid SKU"),
    ({"sku": "x" * 65}, "sku", "not a valid SKU"),
    ({"price": None}, "price", "null, and a value is needed"),
    ({"price": 1}, "price", "a number, and a string is wanted"),
    ({"price": JsonFraction("NaN")}, "price", "a number, and a string is wanted"),
    ({"price": JsonFraction("1e999")}, "price", "a number, and a string is wanted"),
    ({"price": "NaN"}, "price", "not a price"),
    ({"price": "1e999"}, "price", "not a price"),
    ({"price": "-1"}, "price", "not a price"),
    ({"price": "１２"}, "price", "not a price"),
    ({"price": "1.290"}, "price", "3 decimals, and EUR has 2"),
    ({"price": "0"}, "price", "a price of zero"),
    ({"price": "99999999"}, "price", "higher than any price this installation accepts"),
    ({"was": "1,79"}, "was", "not a price"),
    ({"was": 2}, "was", "a number, and a string is wanted"),
    ({"unit_price": "x"}, "unit_price", "not a price"),
    ({"badge": ""}, "badge", "empty"),
    ({"badge": "x" * 41}, "badge", "longer than 40 characters"),
    ({"badge": "a\ue000b"}, "badge", "holds private, unassigned or broken characters"),
    ({"source": "Till 3"}, "source", "not a valid source id"),
    ({"source_seq": "1"}, "source_seq", "not an integer"),
    ({"source_seq": -1}, "source_seq", "not within 0 to 9007199254740991"),
    ({"source_time": "noon"}, "source_time", "not an instant"),
    ({"source_time": "2026-03-01T06:00:00"}, "source_time", "an instant without an offset"),
    ({"currency": "HUF"}, "currency", "not the store's currency, EUR"),
    ({"currency": None}, "currency", "not the store's currency, EUR"),
    ({"prise": "1.29"}, "prise", "unknown field"),
]


@pytest.mark.parametrize(("changes", "name", "detail"), BAD)
def test_a_bad_field_is_named_by_its_pointer(
    changes: dict[str, object], name: str, detail: str
) -> None:
    assert problems(GOOD | changes) == [(f"/{name}", detail)]
    assert problems([GOOD, GOOD | changes]) == [(f"/1/{name}", detail)]


@pytest.mark.parametrize("name", ["sku", "price"])
def test_a_missing_field_is_named(name: str) -> None:
    value = {k: v for k, v in GOOD.items() if k != name}
    assert problems(value) == [(f"/{name}", "missing")]


@pytest.mark.parametrize("value", [None, 5, "x", True, JsonFraction("NaN")])
def test_what_is_neither_object_nor_array_is_refused(value: object) -> None:
    assert problems(value) == [("", "neither an object nor an array")]
    assert problems([value]) == [("/0", "not a JSON object")]


@pytest.mark.parametrize("count", [0, MAX_CHANGES + 1])
def test_too_many_or_no_changes_are_refused(count: int) -> None:
    assert problems([GOOD] * count) == [("", f"{count} items")]


def test_the_largest_request_is_taken() -> None:
    assert len(parse([GOOD] * MAX_CHANGES)) == MAX_CHANGES


def test_problems_of_all_items_are_gathered_up_to_a_limit() -> None:
    bad = GOOD | {"price": "x", "badge": ""}
    found = problems([GOOD, bad, GOOD, bad])
    assert [path for path, _ in found] == ["/1/price", "/1/badge", "/3/price", "/3/badge"]
    assert len(problems([bad] * 1000)) == 50


def test_an_item_reader_of_another_kind_is_gathered_too() -> None:
    def even(item: int, path: str) -> int:
        if item % 2:
            raise InvalidInput.at(path, "odd")
        return item

    assert parse_each([2, 4], even) == [2, 4]
    with pytest.raises(InvalidInput, match="/0: odd; /2: odd"):
        parse_each([1, 2, 3], even)
