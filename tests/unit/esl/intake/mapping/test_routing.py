"""One source, many stores: by column, or by the name of the file."""

import io
from dataclasses import replace

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.ids import StoreId
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.patterns import check_file_pattern
from esl.intake.mapping.reading import read_entries
from esl.intake.mapping.store_context import Place, StoreContext
from tests.mapping_files import ONE_STORE, ZAGREB, read, refusal

SPLIT = replace(ZAGREB, store_id=StoreId("split"))
BUDAPEST = replace(ZAGREB, store_id=StoreId("budapest"), currency="HUF")
STORES: dict[str, Place] = {"0123": ZAGREB, "0124": SPLIT, "0200": BUDAPEST}
ROUTED = StoreContext(route=STORES.get)
BY_COLUMN = (
    "name: r\nformat: csv\ncurrency: EUR\nfields: {sku: sku, price: price, store: poslovnica}"
)
BY_FILE = """
name: f
format: csv
currency: EUR
store_from: {file: "prices_(?P<store>[0-9]+)_.*\\\\.csv"}
fields: {sku: sku, price: price}
"""


def test_the_store_of_a_row_is_in_its_column() -> None:
    body = b"sku,price,poslovnica\n1,1.00,0123\n1,1.20,0124\n1,1.20,9\n1,1.20,\n1,500,0200\n"
    found = read(body, BY_COLUMN, store=ROUTED)
    assert [(e.store_id, e.price_minor) for e in found.entries] == [("zagreb", 100), ("split", 120)]
    assert found.rejected == [(4, "store"), (5, "store"), (6, "store")]
    assert "'9' is no store of this source" in found.problems[0].reason
    assert "sells in HUF" in found.problems[2].reason
    assert found.summary.repeated == 0


def test_the_store_of_a_file_is_in_its_name() -> None:
    body = b"sku,price\n1,1.00\n"
    found = read(body, BY_FILE, store=ROUTED, file_name="/in/2026/prices_0124_20260301.csv")
    assert found.entries[0].store_id == "split"
    assert "does not fit" in refusal(body, BY_FILE, store=ROUTED, file_name="prices_x_1.csv")
    assert "does not fit" in refusal(body, BY_FILE, store=ROUTED)
    lost = read(body, BY_FILE, store=ROUTED, file_name="prices_7_1.csv")
    assert lost.rejected == [(2, "store")]


def test_a_store_is_asked_for_once() -> None:
    asked: list[str] = []

    def route(name: str) -> Place | None:
        asked.append(name)
        return STORES.get(name)

    body = b"sku,price,poslovnica\n" + b"".join(
        b"%d,1.00,0123\n%d,1.00,8\n" % (n, n) for n in range(50)
    )
    assert len(read(body, BY_COLUMN, store=StoreContext(route=route)).entries) == 50
    assert asked == ["0123", "8"]


def test_a_list_in_another_currency_is_refused_as_a_whole() -> None:
    mapping = "name: c\nformat: csv\ncurrency: HUF\nfields: {sku: sku}"
    assert "HUF, and the store sells in EUR" in refusal(b"sku\n1\n", mapping)
    assert "/currency missing" in refusal(
        b"sku\n1\n", mapping.replace("currency: HUF\n", ""), store=ROUTED
    )


def test_a_file_is_read_from_where_it_stands(tmp_path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"junk sku,price\n1,1.00\n")
    with path.open("rb") as file:
        file.seek(5)
        mapping = parse_mapping("name: c\nformat: csv\nfields: {sku: sku, price: price}")
        assert len(list(read_entries(file, mapping, store=ONE_STORE))) == 1


@pytest.mark.parametrize(
    "pattern",
    [
        "(?P<store>(a+)+)",
        "(?P<store>.*)(.*)*",
        "(?P<store>x*)*y",
        "(?P<store>((ab)*c)+)",
        "(?P<shop>.)",
        "(",
        "(?P<store>a)" + "b*" * 10,
    ],
)
@pytest.mark.asvs("1.3.12")
def test_patterns_that_could_run_for_hours_are_refused(pattern: str) -> None:
    assert check_file_pattern(pattern)


def test_a_file_that_changes_while_it_is_read_is_refused() -> None:
    body = bytearray(b"sku\n" + b"1\n" * 10)
    source = io.BytesIO(body)
    reading = read_entries(
        source, parse_mapping("name: c\nformat: csv\nfields: {sku: sku}"), store=ONE_STORE
    )
    source.getbuffer()[4:6] = b"\xff\xfe"
    with pytest.raises(InvalidInput, match="changed while it was read"):
        list(reading)
