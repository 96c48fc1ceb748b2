"""CSV in the dialects that shops send: every price exact, every refusal with row and reason."""

import pytest

from esl.domain.face import Unit
from esl.domain.pricing import KEEP
from tests.mapping_files import BASIC, read, refusal

SEMICOLONS = """
name: list
format: csv
delimiter: ";"
decimal: ","
fields: {sku: sku, gtin: {from: barkod, strip: "'"}, name: naziv, price: cijena}
"""
TABS = """
name: tabs
format: csv
encoding: cp1250
delimiter: "\\t"
decimal: ","
thousands: "."
fields: {sku: ŠIFRA, name: NAZIV, price: CIJENA, promotion_price: AKCIJA}
"""


def test_quotes_bom_crlf_trailing_separators_and_cents_without_a_zero() -> None:
    body = (
        "\ufeffsku;barkod;naziv;cijena;\r\n"
        '"1";\'3859888152014\';"VODA ""JANA"" 1;5 L";,69;\r\n'
        " 2 ;\"'3830000620871'\";MLIJEKO; 1,2 ;\r\n"
        "3;;SIR;10;\r\n"
    ).encode()
    found = read(body, SEMICOLONS)
    assert found.prices == {"1": 69, "2": 120, "3": 1000}
    assert found.by_sku["1"].name == 'VODA "JANA" 1;5 L'
    assert found.by_sku["2"].gtins == ("3830000620871",)
    assert found.by_sku["3"].gtins is KEEP
    assert [entry.rows for entry in found.entries] == [(2,), (3,), (4,)]
    assert found.problems == []
    assert found.summary.columns == {
        "sku": "sku",
        "gtin": "barkod",
        "name": "naziv",
        "price": "cijena",
    }


def test_tabs_padded_numbers_and_cp1250() -> None:
    body = (
        "ŠIFRA\tNAZIV\tCIJENA\tAKCIJA\n"
        "000012  \tČOKOLADA ĐURĐA     \t      12,90\t           \n"
        "000013\tŽUTI SIR\t   1.299,00\t0000999,00\n"
    ).encode("cp1250")
    found = read(body, TABS)
    assert found.prices == {"000012": 1290, "000013": 129900}
    assert found.by_sku["000012"].name == "ČOKOLADA ĐURĐA"
    promotion = found.by_sku["000013"].promotion
    assert promotion is not KEEP
    assert promotion is not None
    assert promotion.price_minor == 99900
    assert found.by_sku["000012"].promotion is KEEP


def test_utf_16_with_quoted_line_breaks_and_mixed_ends_of_lines() -> None:
    body = 'sku,price,name\r\nA,1.00,"two\nlines"\rB,2.00,b\n\nC,3.00,c'.encode("utf-16")
    found = read(
        body, "name: w\nformat: csv\nencoding: utf-16\nfields: {sku: sku, price: price, name: name}"
    )
    assert found.prices == {"A": 100, "B": 200, "C": 300}
    assert found.by_sku["A"].name == "two lines"
    assert [entry.rows for entry in found.entries] == [(2,), (4,), (6,)]


def test_a_promotion_without_a_regular_price_keeps_the_regular_one() -> None:
    found = read(
        b"sku;barkod;naziv;cijena;akcija\n1;;A;;1,99\n2;;B;2,49;\n",
        SEMICOLONS.replace("price: cijena", "price: cijena, promotion_price: akcija"),
    )
    first, second = found.entries
    assert first.price_minor is KEEP
    assert first.promotion is not KEEP
    assert first.promotion is not None
    assert first.promotion.price_minor == 199
    assert (second.price_minor, second.promotion) == (249, KEEP)


def test_an_empty_cell_keeps_and_clears_where_the_mapping_says_so() -> None:
    mapping = """
name: c
format: csv
fields:
  sku: sku
  price: price
  promotion_price: {from: promo, clears: true}
  brand: brand
  stock: {from: stock, default: 0}
"""
    found = read(b"sku,price,promo,brand,stock\n1,1.00,,,\n2,1.00,0.50,X,7\n", mapping)
    first, second = found.entries
    assert (first.promotion, first.brand, first.stock) == (None, KEEP, 0)
    assert (second.brand, second.stock) == ("X", 7)


def test_a_row_with_a_shifted_column_is_refused_and_the_next_is_read() -> None:
    found = read(
        b"sku,name,price,unit price\n1,A,1.00,2.00\n2,B,C,1.00,2.00\n3,1.00,2.00\n4,D,4.00,\n",
        "name: s\nformat: csv\n"
        "fields: {sku: sku, name: name, price: price, unit_price: unit price}",
    )
    assert found.prices == {"1": 100, "4": 400}
    assert found.rejected == [(3, ""), (4, "")]
    assert "5 cells where 4" in found.problems[0].reason
    assert found.summary.rows == 4


def test_rows_may_be_short_where_the_mapping_says_so() -> None:
    body = b"sku,price,brand,category\n1,1.00\n2,2.00,B\n"
    mapping = (
        "name: s\nformat: csv\nfields: {sku: sku, price: price, brand: brand, category: category}"
    )
    assert read(body, mapping).entries == []
    found = read(body, mapping.replace("fields", "short_rows: true\nfields"))
    assert found.prices == {"1": 100, "2": 200}


def test_columns_by_letter_and_number_where_headers_are_missing_or_double() -> None:
    body = b"Article,,Price,Price\n1,A,1.00,9.00\n2,B,2.00,9.00\n"
    mapping = 'name: l\nformat: csv\nfields: {sku: 1, name: {column: "B"}, price: {number: 3}}'
    assert read(body, mapping).prices == {"1": 100, "2": 200}
    words = refusal(body, "name: l\nformat: csv\nfields: {sku: Article, price: Price}")
    assert "2 times, in C and D" in words
    assert '{column: "C"}' in words


def test_no_header_at_all() -> None:
    mapping = "name: n\nformat: csv\nheader_row: null\nfields: {sku: 1, price: {column: C}}"
    found = read(b"\xef\xbb\xbf1,A,1.00\n2,B,2.00\n3,C\n", mapping)
    assert found.prices == {"1": 100, "2": 200}
    assert found.rejected == [(3, "")]


def test_a_header_further_down() -> None:
    body = b"Cjenik d.o.o.\nvrijedi od,1.1.2026\n\nsku,price,name\n1,1.00,A\n"
    found = read(body, "name: h\nformat: csv\nheader_row: 4\nfields: {sku: SKU, price: ' Price '}")
    assert (found.prices, found.entries[0].rows) == ({"1": 100}, (5,))


def test_missing_columns_are_all_named_with_the_nearest() -> None:
    words = refusal(
        b"sifra;naziv;cijena\n1;A;1\n",
        'name: m\nformat: csv\ndelimiter: ";"\nfields: {sku: šifre, price: cijene, name: naziv}',
    )
    assert "/fields/price row 1: the header has no column 'cijene' Did you mean 'cijena'?" in words
    assert "/fields/sku" in words
    assert "/fields/name" not in words
    assert "check delimiter" in refusal(
        b"sku;price\n1;1\n", "name: m\nformat: csv\nfields: {sku: sku}"
    )


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (b"sku,price,name\n1,1.00,caf\xe9\n", "utf-8", "row 2, byte 26 from the start: 0xe9"),
        (b"sku,price,name\n1,1.00,\x81\n", "cp1250", "row 2, byte 23 from the start: 0x81"),
        (
            "sku,price,name\n1,1.00,čokolada ž\n".encode(),
            "cp1250",
            "row 2, byte 23 from the start: this is utf-8",
        ),
        ("\ufeffsku,price,name\n".encode("utf-16-le"), "utf-8", "mark of utf-16"),
        ("\ufeffsku,price,name\n".encode(), "cp1252", "mark of utf-8"),
        (b"sku,price,name\n1,1.0\x000,A\n", "utf-8", "row 2, byte 21 from the start: a NUL"),
        (b"s\x00k\x00u\x00", "utf-8", "declare encoding: utf-16"),
    ],
)
def test_a_wrong_encoding_names_row_and_byte(body: bytes, encoding: str, said: str) -> None:
    assert said in refusal(body, f"{BASIC}encoding: {encoding}\n")


def test_a_wrong_byte_far_into_the_file_is_found_before_anything_is_handed_on() -> None:
    rows = b"".join(b"%d,1.00,A\n" % number for number in range(30_000))
    words = refusal(b"sku,price,name\n" + rows + b"x,1.00,\xff\n")
    assert f"row 30002, byte {15 + len(rows) + 8} from the start: 0xff" in words


def test_an_open_quote_costs_its_rows_and_says_which() -> None:
    body = (
        b'sku,price,name\n1,1.00,A\n2,2.00,"B\n3,3.00,C"\n4,4.00,D\n5,5.00,"E" x\n6,6.00,F\n'
        b'7,7.00,"G\n'
    )
    found = read(body)
    assert found.prices == {"1": 100, "4": 400, "6": 600}
    assert found.rejected == [(3, ""), (6, ""), (8, "")]
    assert "rows 3 to 4" in found.problems[0].reason


def test_quotes_may_be_plain_characters() -> None:
    mapping = "name: q\nformat: csv\nquote: null\nfields: {sku: sku, price: price, name: name}"
    found = read(b'sku,price,name\n1,1.00,"TV" 32"\n', mapping)
    assert found.by_sku["1"].name == '"TV" 32"'


def test_a_file_that_ends_within_its_last_price_loses_that_row() -> None:
    mapping = "name: t\nformat: csv\nfields: {sku: sku, price: price}"
    for tail in (b"2,12", b"2,12.", b"2,12.9"):
        found = read(b"sku,price\n1,10.00\n" + tail, mapping)
        assert found.prices == {"1": 1000}
        assert found.rejected == [(3, "")]
    assert read(b"sku,price\n1,10.00\n2,12.99", mapping).prices == {"1": 1000, "2": 1299}


def test_bad_values_cost_the_row_or_only_the_field() -> None:
    mapping = """
name: b
format: csv
fields:
  sku: sku
  gtin: gtin
  price: price
  stock: {from: stock, on_error: reject}
  deposit: deposit
  priced_per: {from: unit, map: {KG: kg, "*": null}}
"""
    body = (
        b"sku,gtin,price,stock,deposit,unit\n"
        b"1,3850139171588,1.00,5,0.00,KG\n"
        b",3850139171587,1.00,5,,ko\n"
        b"3,3.85E+12,1.00,5,0.10,ko\n"
        b"4,,1.00,many,,\n"
        b"5,,,5,,\n"
        b"4.0E+05,,1.00,,,\n"
        b",,,,,\n"
    )
    found = read(body, mapping)
    assert found.prices == {"1": 100, "3": 100, "5": KEEP}
    assert (found.by_sku["1"].deposit_minor, found.by_sku["3"].deposit_minor) == (None, 10)
    assert (found.by_sku["1"].priced_per, found.by_sku["3"].priced_per) == (Unit.KILOGRAM, KEEP)
    assert found.rejected == [(3, "sku"), (5, "stock"), (7, "sku")]
    left_out = [(p.row, p.field, p.sku) for p in found.problems if not p.rejects]
    assert left_out == [(2, "gtin", "1"), (4, "gtin", "3")]
    assert "spreadsheet has rounded" in found.problems[2].reason
    assert found.summary.rows == 6


def test_several_bar_codes_in_a_cell_and_excels_way_to_keep_zeros() -> None:
    mapping = "name: g\nformat: csv\nfields: {sku: sku, gtin: gtin}"
    found = read(
        b'sku,gtin\n"=""010102""",3859888152014; 3830000620871|3859888152014\n'
        b'2,"=""3859888152113"""\n=1+1,\n',
        mapping,
    )
    assert found.by_sku["010102"].gtins == ("3859888152014", "3830000620871")
    assert found.by_sku["2"].gtins == ("3859888152113",)
    assert found.rejected == [(4, "sku")]


def test_a_line_of_a_million_columns_and_an_endless_line_are_refused() -> None:
    assert "16384 columns" in refusal(b"a," * 500_000 + b"\n1,2\n")
    assert "a line of more than" in refusal(b"sku,price,name\n" + b"x" * 3_000_000)
    found = read(b"sku,price,name\n1,1.00,A\n" + b"," * 1_000_000 + b"x\n2,2.00,B\n")
    assert found.prices == {"1": 100, "2": 200}
    assert found.rejected == [(3, "")]


@pytest.mark.parametrize("body", [b"", b"\n\n\n", b"\xef\xbb\xbf"])
def test_a_file_of_nothing_is_refused(body: bytes) -> None:
    assert "ends before row 1" in refusal(body)


def test_a_header_alone_is_a_list_of_nothing() -> None:
    found = read(b"sku,price,name\n")
    assert (found.entries, found.problems, found.summary.rows) == ([], [], 0)


def test_a_cut_price_shows_though_rows_end_with_a_separator_or_an_empty_cell() -> None:
    mapping = "name: t\nformat: csv\nfields: {sku: sku, price: price, promotion_price: promo}"
    body = b"sku,price,promo,\n1,10.00,9.00,\n2,12.99,\n3,1"
    assert read(body, mapping.replace("fields", "short_rows: true\nfields")).prices == {
        "1": 1000,
        "2": 1299,
    }
    assert read(b"sku,price,promo\n1,10.00,9.00\n2,12.99,", mapping).prices == {
        "1": 1000,
        "2": 1299,
    }
    assert read(b"sku,price,promo\n1,10,", mapping).rejected == [(2, "")]


def test_the_line_in_which_a_spreadsheet_names_its_separator_is_no_header() -> None:
    found = read("\ufeffsep=;\r\nsku;barkod;naziv;cijena\r\n1;;A;1,29\r\n".encode(), SEMICOLONS)
    assert (found.prices, found.entries[0].rows) == ({"1": 129}, (3,))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_mark_before_a_quote_leaves_it_a_quote(encoding: str) -> None:
    mark = "" if encoding in ("utf-8-sig", "utf-16") else "\ufeff"
    body = f'{mark}"sku","price","name"\n"1","1.00","A"\n'.encode(encoding)
    assert read(body, f"{BASIC}encoding: {encoding}").prices == {"1": 100}
    headless = f'{mark}"1","1.00"\n'.encode(encoding)
    mapping = "name: h\nformat: csv\nheader_row: null\nfields: {sku: 1, price: 2}\nencoding: "
    assert read(headless, mapping + encoding).prices == {"1": 100}


def test_a_row_that_is_shifted_into_the_place_of_its_last_separator_is_refused() -> None:
    rows = b"".join(b"%d;Baterije;7,99;8,00;\n" % number for number in range(3, 30))
    body = b"sku;naziv;cijena;jm;\n" + b"1;Baterije 1;5;7,99;8,00\n2;Sok;1,00;;\n" + rows
    mapping = SEMICOLONS.replace('gtin: {from: barkod, strip: "\'"}, ', "unit_price: jm, ")
    found = read(body, mapping)
    assert (found.rejected, len(found.entries)) == ([(2, "")], 28)
    nameless = body.replace(b";\n", b";x\n").replace(b"cijena;jm;x", b"cijena;jm;")
    assert len(read(nameless, mapping).entries) == 29


HEAD = b"sku;naziv;cijena;akcija"
PROMOTED = SEMICOLONS.replace('gtin: {from: barkod, strip: "\'"}, ', "promotion_price: akcija, ")


@pytest.mark.parametrize(
    ("header_end", "row_end", "bad"),
    [
        (b"", b"", b"2;Baterije 1;5;7,99;"),
        (b"", b";", b"2;Baterije 1;5;7,99;;"),
        (b"", b";", b"2;Baterije 1;5;7,99;6,99;"),
        (b";", b";", b"2;Baterije 1;5;7,99;;"),
        (b";", b"", b"2;Baterije 1;5;7,99;"),
        (b";", b"", b"2;Baterije 1;5;7,99;6,99"),
        (b"", b";", b"2;Baterije;5;7,99;6,99"),
        (b";", b";", b"2;Baterije7,99;6,99;"),
        (b"", b";", b"2;Baterije7,99;6,99;"),
        (b"", b"", b"2;Baterije7,99;6,99"),
        (b";", b"", b"2;Baterije7,99;6,99"),
    ],
)
def test_a_separator_too_many_or_too_few_never_gives_another_price(
    header_end: bytes, row_end: bytes, bad: bytes
) -> None:
    good = [b"1;A;1,00;" + row_end, b"3;B;3,00;2,00" + row_end, b"4;C;4,00;" + row_end]
    body = b"\n".join([HEAD + header_end, good[0], bad, *good[1:]]) + b"\n"
    found = read(body, PROMOTED)
    assert found.prices == {"1": 100, "3": 300, "4": 400}
    assert found.rejected == [(3, "")]


def test_one_row_that_is_longer_than_its_header_is_no_rule() -> None:
    assert read(HEAD + b"\n2;Baterije 1;5;7,99;\n", PROMOTED).entries == []
    assert read(HEAD + b";\n2;Baterije;7,99;;\n", PROMOTED).prices == {"2": 799}
    assert read(HEAD + b";\n2;Baterije;7,99;\n", PROMOTED).prices == {"2": 799}
    two = b"\n1;A;1,00;;\n2;Baterije;7,99;;\n"
    assert read(HEAD + two, PROMOTED).prices == {"1": 100, "2": 799}
