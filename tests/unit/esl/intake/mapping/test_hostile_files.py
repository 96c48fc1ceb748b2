"""Hundreds of broken and hostile files: nothing crashes, and no price is another than was sent.

Every product of the lists made here has a price of its own, so that a price under the wrong SKU,
a price with lost digits and a column in the place of another all show.
"""

import json
import random
from collections.abc import Iterator

import pytest

from esl.domain.errors import InvalidInput
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.model import Mapping
from tests.mapping_files import Read, read, xlsx

TRUTH = {f"{4700 + n}": 1009 + n * 173 for n in range(12)}
NAMES = {sku: f"Čokolada {sku} Ž" for sku in TRUTH}
FIELDS = "{sku: sifra, name: naziv, price: cijena, unit_price: jm, brand: marka}"


def said(minor: int, decimal: str = ",") -> str:
    return f"{minor // 100}{decimal}{minor % 100:02d}"


def csv_list(delimiter: str = ";", quote: str = "", end: str = "\n", *, last: bool = False) -> str:
    columns = (
        ["sifra", "naziv", "jm", "marka", "cijena"]
        if last
        else ["sifra", "naziv", "cijena", "jm", "marka"]
    )
    lines = [delimiter.join(columns)]
    for sku, minor in TRUTH.items():
        values = {
            "sifra": sku,
            "naziv": NAMES[sku],
            "cijena": said(minor),
            "jm": said(minor + 5),
            "marka": "M",
        }
        lines.append(delimiter.join(f"{quote}{values[name]}{quote}" for name in columns))
    return end.join(lines) + end


def csv_mapping(delimiter: str = ";", encoding: str = "utf-8") -> Mapping:
    return parse_mapping(
        f'name: h\nformat: csv\nencoding: {encoding}\ndelimiter: "{delimiter}"\ndecimal: ","\n'
        f"fields: {FIELDS}"
    )


def taken(body: bytes, mapping: Mapping) -> Read | None:
    """Read a file; None where it is refused as a whole. Anything else raised is a defect."""
    try:
        found = read(body, mapping)
    except InvalidInput as exc:
        refused = exc.problems
    else:
        refused = ()
    if refused:
        assert all(problem.detail for problem in refused)
        return None
    for problem in found.problems:
        assert problem.reason
        assert problem.row >= 1
    return found


def assert_no_wrong_price(found: Read | None) -> None:
    for entry in found.entries if found is not None else []:
        if isinstance(entry.price_minor, int):
            assert TRUTH.get(entry.sku) == entry.price_minor or (
                entry.sku not in TRUTH and entry.price_minor in TRUTH.values()
            ), entry


def cuts(body: bytes, count: int) -> Iterator[bytes]:
    for step in range(1, count + 1):
        yield body[: len(body) * step // (count + 1)]


def test_a_hundred_and_fifty_cut_csv_files() -> None:
    count = 0
    for last in (False, True):
        for quote in ("", '"'):
            body = csv_list(quote=quote, last=last).encode()
            whole = taken(body, csv_mapping())
            assert whole is not None
            assert whole.prices == TRUTH
            for cut in cuts(body, 100):
                assert_no_wrong_price(taken(cut, csv_mapping()))
                count += 1
    assert count >= 150


def test_signs_put_anywhere_into_csv_files() -> None:
    chance, count = random.Random(5), 0
    for sign in (
        ";",
        '"',
        "\n",
        "\r\n",
        ";;",
        '";"',
        "\x1a",
        "\u200b",
        "\ufeff",
        '""',
        "'",
        "=",
        "\t",
        "\x00",
        "\u2028",
    ):
        for quote in ("", '"'):
            text = csv_list(quote=quote)
            for _ in range(12):
                at = chance.randrange(len(text))
                assert_no_wrong_price(taken((text[:at] + sign + text[at:]).encode(), csv_mapping()))
                count += 1
    assert count >= 300


@pytest.mark.parametrize("row_end", ["", ";"])
@pytest.mark.parametrize("header_end", ["", ";"])
@pytest.mark.parametrize("last", [False, True])
def test_delimiters_and_line_ends_that_are_missing(
    header_end: str, row_end: str, *, last: bool
) -> None:
    for quote in ("", '"'):
        text = csv_list(quote=quote, end=f"{row_end}\n", last=last)
        header, rows = text.split("\n", 1)
        text = f"{header.removesuffix(';')}{header_end}\n{rows}"
        for at, sign in enumerate(text):
            if sign in ";\n":
                assert_no_wrong_price(taken((text[:at] + text[at + 1 :]).encode(), csv_mapping()))


@pytest.mark.parametrize(
    "declared", ["utf-8", "cp1250", "cp1252", "iso-8859-2", "utf-16", "cp852", "ascii", "shift_jis"]
)
@pytest.mark.parametrize(
    "real",
    [
        "utf-8",
        "utf-8-sig",
        "cp1250",
        "iso-8859-2",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "cp852",
        "utf-32",
    ],
)
def test_every_encoding_declared_as_every_other(declared: str, real: str) -> None:
    assert_no_wrong_price(taken(csv_list().encode(real), csv_mapping(encoding=declared)))


@pytest.mark.parametrize(
    "end",
    ["\n", "\r\n", "\r", "\n\r", "\r\r\n", "\n\n", "\x0b\n", ";\n", ";;;\r\n", " \n", "\x1a\n"],
)
def test_ends_of_lines_of_every_kind(end: str) -> None:
    found = taken(csv_list(end=end).encode(), csv_mapping())
    assert_no_wrong_price(found)
    if "\x1a" not in end and "\x0b" not in end:
        assert found is not None
        assert found.prices == TRUTH


@pytest.mark.parametrize("delimiter", [",", "\t", "|", ":", " ", "^"])
def test_another_delimiter_than_declared(delimiter: str) -> None:
    assert taken(csv_list(delimiter=delimiter).encode(), csv_mapping()) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cijena;jm", "jm;cijena"),
        ("cijena;jm", "cijena;cijena"),
        ("cijena;jm", "cijena jm"),
        ("cijena;jm", ";cijena;jm"),
        ("cijena;jm", "cijena"),
        ("sifra", ""),
        ("sifra", "sifra;sifra"),
        ("sifra;naziv;cijena;jm;marka\n", ""),
        ("marka\n", "marka\nsifra;naziv;cijena;jm;marka\n"),
        ("cijena", "CIJENA "),
    ],
)
def test_headers_that_changed(old: str, new: str) -> None:
    found = taken(csv_list().replace(old, new, 1).encode(), csv_mapping())
    if (old, new) == ("cijena;jm", "jm;cijena"):
        assert found is not None
        assert found.prices == {
            sku: minor + 5 for sku, minor in TRUTH.items()
        }  # as its header says
    else:
        assert_no_wrong_price(found)


def json_list() -> bytes:
    items = [
        {"sifra": sku, "naziv": NAMES[sku], "cijena": said(minor)} for sku, minor in TRUTH.items()
    ]
    return json.dumps({"a": {"b": items}}, ensure_ascii=False).encode()


def xml_list() -> bytes:
    items = "".join(
        f"<I><sifra>{sku}</sifra><naziv>{NAMES[sku]}</naziv><cijena>{said(minor)}</cijena></I>"
        for sku, minor in TRUTH.items()
    )
    return f"<L>{items}</L>".encode()


def fixed_list() -> bytes:
    lines = [f"D{sku:>6}{minor:08d}{NAMES[sku]:<20}" for sku, minor in TRUTH.items()]
    return "\n".join([*lines, f"T{len(TRUTH):06d}{sum(TRUTH.values()):010d}"]).encode() + b"\n"


JSON = parse_mapping(
    'name: h\nformat: json\ndecimal: ","\nitems: a.b\n'
    "fields: {sku: item.sifra, name: item.naziv, price: item.cijena}"
)
XML = parse_mapping(
    'name: h\nformat: xml\ndecimal: ","\nitems: L/I\n'
    "fields: {sku: sifra, name: naziv, price: cijena}"
)
FIXED = parse_mapping("""
name: h
format: fixed
minor_units: true
records:
  type: {start: 1, length: 1}
  item: D
  trailer: T
  count: {start: 2, length: 6}
  total: {start: 8, length: 10, of: price}
fields: {sku: {start: 2, length: 6}, price: {start: 8, length: 8}, name: {start: 16, length: 20}}
""")
XLSX = parse_mapping(
    'name: h\nformat: xlsx\ndecimal: ","\nfields: {sku: sifra, name: naziv, price: cijena}'
)


def xlsx_list() -> bytes:
    return xlsx(
        [
            ["sifra", "naziv", "cijena"],
            *([sku, NAMES[sku], minor / 100] for sku, minor in TRUTH.items()),
        ]
    )


@pytest.mark.parametrize(
    ("body", "mapping"),
    [(json_list(), JSON), (xml_list(), XML), (fixed_list(), FIXED), (xlsx_list(), XLSX)],
    ids=["json", "xml", "fixed", "xlsx"],
)
def test_what_tells_its_own_end_is_refused_as_a_whole_when_cut(
    body: bytes, mapping: Mapping
) -> None:
    whole = taken(body, mapping)
    assert whole is not None
    assert whole.prices == TRUTH
    for cut in cuts(body.rstrip(), 60):
        assert taken(cut, mapping) is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("body", "mapping"),
    [
        (csv_list().encode(), csv_mapping()),
        (json_list(), JSON),
        (xml_list(), XML),
        (fixed_list(), FIXED),
        (xlsx_list(), XLSX),
    ],
    ids=["csv", "json", "xml", "fixed", "xlsx"],
)
def test_bytes_put_in_and_taken_out_never_crash(body: bytes, mapping: Mapping, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        spoilt = bytearray(body)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(spoilt))
            match chance.randrange(3):
                case 0:
                    spoilt[at] = chance.randrange(256)
                case 1:
                    spoilt[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(9)))
                case _:
                    del spoilt[at : at + chance.randrange(9)]
        taken(bytes(spoilt), mapping)
        taken(bytes(chance.randrange(256) for _ in range(200)), mapping)
