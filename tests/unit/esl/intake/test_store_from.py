"""The store of a file by its name: ``prices_{store}_*.csv``."""

import time

import pytest

from esl.domain.errors import InvalidInput
from esl.intake.routing import parse_store_from


@pytest.mark.parametrize(
    ("pattern", "name", "store"),
    [
        ("prices_{store}_*.csv", "prices_0007_20261122.csv", "0007"),
        ("prices_{store}_*.csv", "/in/till/prices_0007_2026_11_22.csv", "0007"),
        ("prices_{store}_*.csv", "PRICES_Pula_1.CSV", "Pula"),
        ("prices_{store}_*.csv", "C:\\till\\prices_0007_.csv", "0007"),
        ("prices_{store}_*.csv", "prices__1.csv", None),
        ("prices_{store}_*.csv", "prices_0007.csv", None),
        ("prices_{store}_*.csv", "old_prices_0007_1.csv", None),
        ("prices_{store}_*.csv", "prices_0007_1.csv.bak", None),
        ("*_{store}.csv", "export_2026_0007.csv", "0007"),
        ("prices-{store}.csv", "prices-zagreb-1.csv", "zagreb-1"),
        ("cjenik {store}.xml", "cjenik Šibenik.xml", "Šibenik"),
        ("{store}.csv", "0007.csv", "0007"),
        ("{store}.csv", "a.b.csv", None),
        ("{store}/prices*.csv", "in/0007/prices_1.csv", "0007"),
        ("{store}/prices*.csv", "prices_1.csv", None),
        ("{store}/*/p?.csv", "0007/a/p1.csv", "0007"),
        ("a(b)[c]^_{store}.csv", "a(b)[c]^_7.csv", "7"),
        ("{store}]x.csv", "7]x.csv", "7"),
        ("{store}^x.csv", "7^x.csv", "7"),
        ("{store}.csv", "x\ny.csv", "x\ny"),  # no store is called so; it is refused by its name
    ],
)
def test_the_store_is_what_stands_in_its_place(pattern: str, name: str, store: str | None) -> None:
    assert parse_store_from(pattern).find(name) == store


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "not 1 to"),
        ("x" * 300, "not 1 to"),
        ("a\n{store}", "printed"),
        ("prices.csv", "does not have {store} once"),
        ("{store}_{store}.csv", "does not have {store} once"),
        ("{shop}_{store}.csv", "braces"),
        ("{store}*.csv", "beside"),
        ("*{store}.csv", "beside"),
        ("?{store}.csv", "beside"),
        ("/in/{store}.csv", "parted"),
        ("in//{store}.csv", "parted"),
        ("in\\{store}.csv", "parted"),
        ("*a*a*a*a_{store}.csv", "more than 3"),
    ],
)
def test_what_is_no_pattern_is_refused_with_its_place_and_a_fix(pattern: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_store_from(pattern)
    problem = refused.value.problems[0]
    assert problem.path == "/settings/store_from"
    assert words in problem.detail
    assert problem.fix


def test_no_name_keeps_a_reader_busy() -> None:
    pattern = parse_store_from("*a*a*a_{store}_b.csv")
    began_s = time.monotonic()
    assert pattern.find("a" * 255) is None
    assert pattern.find(("a_" * 127) + "a") is None
    assert pattern.find("a" * 256) is None
    assert time.monotonic() - began_s < 10
