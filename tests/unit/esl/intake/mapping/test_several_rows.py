"""Several rows of one product are one entry, wherever they stand, or an error that names them."""

from datetime import UTC, datetime

import pytest

from esl.domain.pricing import KEEP
from esl.intake.mapping import reading
from esl.intake.mapping.repeats import Noted
from tests.mapping_files import read

MAPPING = "name: m\nformat: csv\nfields: {sku: sku, gtin: gtin, price: price, name: name}"
HEAD = b"sku,gtin,price,name\n"


def test_several_bar_codes_become_one_product() -> None:
    body = HEAD + b"1,3859888152014,1.00,A\n2,,2.00,B\n1,3830000620871,,\n1,3859888152113,1.00,A\n"
    found = read(body, MAPPING)
    entry = found.by_sku["1"]
    assert entry.gtins == ("3859888152014", "3830000620871", "3859888152113")
    assert (entry.price_minor, entry.name, entry.rows) == (100, "A", (2, 4, 5))
    assert (found.summary.rows, found.summary.repeated, len(found.entries)) == (4, 1, 2)
    assert found.problems == []


def test_conflicting_prices_are_an_error_that_names_the_rows() -> None:
    found = read(HEAD + b"1,,1.00,A\n2,,2.00,B\n1,,1.10,A\n1,,1.00,A\n", MAPPING)
    assert found.prices == {"2": 200}
    assert found.rejected == [(2, "price"), (4, "price"), (5, "price")]
    assert {p.reason for p in found.problems} == {
        "rows 2, 4, 5 have one SKU and contradict each other: 100, 110 in minor units"
    }


def test_of_conflicting_texts_the_first_is_taken_and_said() -> None:
    found = read(HEAD + b"1,,1.00,A\n1,,1.00,B\n", MAPPING)
    assert found.by_sku["1"].name == "A"
    assert [(p.row, p.field, p.rejects) for p in found.problems] == [(3, "name", False)]


def test_a_row_that_is_refused_does_not_hold_up_its_product() -> None:
    found = read(HEAD + b"1,,x,A\n1,,1.00,A\n3,,1.00,A\n", MAPPING)
    assert found.prices == {"1": 100, "3": 100}
    assert found.rejected == [(2, "price")]


def test_todays_and_tomorrows_price_are_two_statements() -> None:
    mapping = MAPPING.replace("name: name", "valid_from: name")
    found = read(HEAD + b"1,3859888152014,1.00,\n1,,1.20,2026-03-02\n", mapping)
    assert [(e.price_minor, e.valid_from, e.gtins) for e in found.entries] == [
        (100, None, ("3859888152014",)),
        (120, datetime(2026, 3, 1, 23, tzinfo=UTC), ("3859888152014",)),
    ]


@pytest.mark.parametrize("most", [1, 3, 10, 20_000])
def test_more_rows_than_may_wait_only_cost_passes(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "WAITING_MOST", most)
    rows = [f"{number % 50},,{number % 50 + 1}.00,A\n" for number in range(150)]
    rows += [f"single-{number},,1.00,A\n" for number in range(20)] + ["x,,bad,A\n", "0,,bad,A\n"]
    found = read(HEAD + "".join(rows).encode(), MAPPING)
    assert found.prices == {str(n): (n + 1) * 100 for n in range(50)} | {
        f"single-{n}": 100 for n in range(20)
    }
    assert all(len(found.by_sku[str(n)].rows) == 3 for n in range(50))
    assert found.rejected == [(172, "price"), (173, "price")]


def test_one_sku_in_all_rows_is_a_wrong_column() -> None:
    found = read(HEAD + b"HRANA,,1.00,A\n" * 3_000 + b"2,,1.00,B\n", MAPPING)
    assert found.prices == {"2": 100}
    assert len(found.rejected) == 3_000
    assert "3000 rows have this SKU" in found.problems[0].reason


def test_equal_hashes_are_told_apart() -> None:
    class Same:
        def __hash__(self) -> int:
            return 7

    noted = Noted()
    for _ in range(3):
        noted.add(Same())
    noted.add("other")
    repeats = noted.find_repeats()
    place = repeats.find(Same())
    assert place is not None
    assert (repeats.rows_of(place), repeats.count, repeats.find("other")) == (3, 1, None)


def test_a_product_of_two_stores_is_two_products() -> None:
    assert read(HEAD + b"1,,1.00,\n", MAPPING).entries[0].name is KEEP
