"""The journal over HTTP and the command line: pages, a file of any length, no formula in it."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from api.private_files import RuntimeFile, runtime_file
from tests.running_house import Command, RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

MAIN = "/api/v1/stores/main"
HERE = f"{MAIN}/journal"
EVER = {"from": "2020-01-01", "to": "2090-01-01"}
EVIL = "=HYPERLINK(1)"


@pytest.fixture(scope="module", autouse=True)
def _changes(shop: RunningHouse) -> None:
    shop.done("PUT", f"{MAIN}/products/1002", {"name": EVIL})
    for price in ("1.01", "1.02", "1.03"):
        shop.done("POST", f"{MAIN}/price-changes", {"sku": "1002", "price": price})


def pages(shop: RunningHouse, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = "0-0"
    while after:
        answer = shop.ask("GET", HERE, **(EVER | query | {"after": after})).json()
        found += answer["lines"]
        after = answer["after"]
    return found


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_pages_and_the_file_say_the_same(shop: RunningHouse) -> None:
    found = pages(shop)
    assert found == pages(shop, limit=1)
    told = [(one["old"], one["new"]) for one in found if one["sku"] == "1002"]
    assert told == [(None, "0.99"), ("0.99", "1.01"), ("1.01", "1.02"), ("1.02", "1.03")]
    answer = shop.ask("GET", HERE, **EVER, format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    listed = rows(answer.text)
    assert [one["new"] for one in listed] == [one["new"] for one in found]
    assert [one["actor"] for one in listed] == [one["actor"] for one in found]


@pytest.mark.asvs("1.2.10")
def test_no_cell_of_the_file_is_a_formula(shop: RunningHouse) -> None:
    listed = rows(shop.ask("GET", HERE, **EVER, format="csv").text)
    assert {one["name"] for one in listed if one["sku"] == "1002"} == {f"'{EVIL}"}
    cells = [cell for one in listed for cell in one.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"from": "yesterday"}, "/from"),
        ({"from": "2026-13-01"}, "/from"),
        ({"from": "2026-01-01T00:00:00"}, "/from"),
        ({"to": "0001-01-01"}, "/to"),
        ({"to": "9999-12-31T23:59:59-23:59"}, "/to"),
        ({"from": "2026-03-01", "to": "2026-03-01"}, "/to"),
        ({"after": "1-x"}, "/after"),
        ({"after": "١-١"}, "/after"),
    ],
)
def test_a_bad_period_is_refused(
    untouched: RunningHouse, query: dict[str, str], pointer: str
) -> None:
    check_problem(untouched.ask("GET", HERE, **(EVER | query)), 422, pointer)


def test_the_command_line_writes_the_file(
    shop: RunningHouse, command: Command, tmp_path: Path
) -> None:
    data = shop.house.settings.data_dir
    period = ["--from", "2020-01-01", "--to", "2090-01-01", "--data", str(data)]
    with runtime_file(data, RuntimeFile(url=shop.url, token=shop.operator, pid=1)):
        output = tmp_path / "journal.csv"
        command("journal", *period, "-o", str(output))
        refused = command("journal", "--from", "soon", "--to", "later", "--data", str(data))
        assert "from" in refused.stderr
    assert [one["new"] for one in rows(output.read_text())] == [one["new"] for one in pages(shop)]
    assert not output.with_name("journal.csv.part").exists()
