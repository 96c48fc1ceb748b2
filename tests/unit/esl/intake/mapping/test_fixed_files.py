"""Columns by position, record types, and control totals that decide whether anything is taken."""

from esl.domain.pricing import KEEP
from tests.mapping_files import read, refusal

TRAILER = """\
  trailer: T
  count: {start: 2, length: 6}
  total: {start: 8, length: 10, of: price}
"""
FIXED = """
name: till
format: fixed
encoding: cp852
minor_units: true
records:
  type: {start: 1, length: 1}
  header: H
  item: D
@TRAILER@fields:
  sku: {start: 2, length: 6}
  price: {start: 8, length: 8}
  name: {start: 16, length: 20}
""".replace("@TRAILER@", TRAILER)


def lines(*rows: str) -> bytes:
    return "\r\n".join(rows).encode("cp852") + b"\r\n\x1a"


GOOD = (
    "H20260301  ",
    "D000012    1290ČOKOLADA",
    "D00001300000099ŽVAKAĆA             ",
    "T0000020000001389",
)


def test_items_between_header_and_a_right_trailer() -> None:
    found = read(lines(*GOOD), FIXED)
    assert found.prices == {"000012": 1290, "000013": 99}
    assert found.by_sku["000013"].name == "ŽVAKAĆA"
    assert found.summary.totals_checked
    assert found.summary.columns["price"] == "characters 8 to 15"


def test_a_wrong_or_missing_trailer_applies_nothing() -> None:
    assert "ends without its trailer 'T'" in refusal(lines(*GOOD[:3]), FIXED)
    assert "says '000003' items, and there are 2" in refusal(
        lines(*GOOD[:3], "T0000030000001389"), FIXED
    )
    assert "says a total of 1388 in minor units, and the items have 1389" in refusal(
        lines(*GOOD[:3], "T0000020000001388"), FIXED
    )
    assert "follows the trailer" in refusal(lines(*GOOD, GOOD[1]), FIXED)
    assert "says 'xx'" in refusal(lines(*GOOD[:3], "Txx"), FIXED)
    assert "cannot be read in row 2" in refusal(
        lines("H", "D000012    12x0", GOOD[2], "T0000020000001389"), FIXED
    )


def test_a_line_cut_within_its_price_is_no_lower_price() -> None:
    words = refusal(lines("H", "D000012   1290", "D00001300000099", "T0000020000000099"), FIXED)
    assert "price cannot be read in row 2" in words
    plain = (
        "name: p\nformat: fixed\nminor_units: true\n"
        "fields: {sku: {start: 1, length: 4}, price: {start: 5, length: 6}}"
    )
    found = read(b"0001  1290\n0002  129\n\n0003\n", plain)
    assert found.prices == {"0001": 1290, "0003": KEEP}
    assert found.rejected == [(2, "")]
    assert read(b"0002129\n", plain.replace("fields", "short_rows: true\nfields")).prices == {
        "0002": 129
    }


def test_unknown_types_of_records_are_reported() -> None:
    mapping = FIXED.replace(
        TRAILER,
        "",
    )
    found = read(lines(*GOOD[:3], "X123"), mapping)
    assert len(found.entries) == 2
    assert found.rejected == [(4, "")]
    assert not found.summary.totals_checked


RECORDS = """
name: csvrec
format: csv
delimiter: "|"
header_row: null
records: {type: 1, header: H, item: D, trailer: T, count: 2}
fields: {sku: 2, price: 3, name: 4}
"""


def test_record_types_in_csv() -> None:
    body = b"H|2026\nD|1|1.00|A\nD|2|2.50|B\nT|2|3.50\n"
    mapping = RECORDS.replace("count: 2", "count: 2, total: {number: 3, of: price}")
    assert read(body, mapping).prices == {"1": 100, "2": 250}
    assert "there are 2" in refusal(body.replace(b"T|2", b"T|3"), mapping)
    assert "the items have 350" in refusal(body.replace(b"|3.50", b"|3.51"), mapping)


def test_a_broken_item_is_counted_and_only_it_is_refused() -> None:
    body = b"H|2026\nD|9|A|3|1.00|\nD|1|1.00|A\nD|2|2.50|B\nD|3|1.00\nT|4\n"
    found = read(body, RECORDS)
    assert found.prices == {"1": 100, "2": 250}
    assert found.rejected == [(2, ""), (5, "")]
    assert "there are 4" in refusal(body.replace(b"T|4", b"T|2"), RECORDS)
