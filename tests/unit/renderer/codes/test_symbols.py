"""Which symbol a content becomes, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl.domain.errors import CodeDoesNotFit
from esl.domain.gtin import check_digit
from renderer.codes.symbology import SYMBOLOGIES
from renderer.codes.symbols import Symbol, has_symbol, symbol_of
from tests.unit.renderer.codes.codes import CONTENTS, GTIN_14


def symbol(content: str, symbology: str) -> Symbol:
    found = symbol_of(content, symbology)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("gtin", "name", "digits"),
    [
        ("3850139171587", "ean-13", "3850139171587"),
        ("03850139171587", "ean-13", "3850139171587"),
        ("0036000291452", "ean-13", "0036000291452"),  # as it was given
        ("036000291452", "upc-a", "036000291452"),
        ("00036000291452", "upc-a", "036000291452"),
        ("96385074", "ean-8", "96385074"),
        ("00000096385074", "ean-8", "96385074"),
    ],
)
def test_auto_goes_by_the_digits_of_the_gtin(gtin: str, name: str, digits: str) -> None:
    found = symbol(gtin, "auto")
    assert (found.symbology.name, found.content, found.digits) == (name, digits, digits)
    assert has_symbol(gtin)


def test_auto_draws_nothing_for_a_carton() -> None:
    assert symbol_of("13850139171584", "auto") is None
    assert not has_symbol("13850139171584")


def test_a_gtin_12_has_the_bars_of_its_13_digit_form() -> None:
    short, long = symbol("036000291452", "auto"), symbol("0036000291452", "auto")
    assert short.modules == long.modules
    assert short.symbology.quiet == (9, 0, 9, 0)
    assert long.symbology.quiet == (11, 0, 7, 0)


@pytest.mark.parametrize(
    ("symbology", "modules", "digits"),
    [
        ("ean-13", 95, "9520123456788"),
        ("ean-8", 67, "96385074"),
        ("upc-a", 95, "036000291452"),
        ("upc-e", 51, "01234565"),
        ("itf-14", 135, "13850139171584"),
        ("gs1-128", 222, "(01)09520123456788(10)AB(1)+"),
        ("code-128", 167, "SHELF-07/b 3"),
    ],
)
def test_bars_have_their_standard_width_and_say_their_digits(
    symbology: str, modules: int, digits: str
) -> None:
    found = symbol(CONTENTS[symbology], symbology)
    assert found.modules.shape == (1, modules)
    assert found.digits == digits


@pytest.mark.parametrize("content", ["A", "short text", "(01)09520123456788", "x" * 60, "1" * 300])
def test_a_data_matrix_is_square(content: str) -> None:
    """Options that zxing-cpp does not know are ignored by it, so this must be seen to work."""
    rows, columns = symbol(content, "data-matrix").modules.shape
    assert rows == columns


@pytest.mark.parametrize(
    ("content", "symbology", "reason"),
    [
        *((content, "auto", "not a GTIN") for content in ("3850139171588", "", "385013917158")),
        *((content, "auto", "not a GTIN") for content in ("٣٨٥٠١٣٩١٧١٥٨٧", "36000291452")),
        ("9520123456789", "ean-13", "not a GTIN"),
        ("96385074", "ean-13", "GTIN of 8 digits has no EAN-13"),
        ("96385074", "upc-a", "GTIN of 8 digits has no UPC-A"),
        ("13850139171584", "ean-13", "GTIN of 14 digits has no EAN-13"),
        ("3850139171587", "upc-a", "GTIN of 13 digits has no UPC-A"),
        ("3850139171587", "ean-8", "GTIN of 13 digits has no EAN-8"),
        ("036000291452", "upc-e", "no UPC-E symbol"),
        ("3850139171587", "upc-e", "no UPC-E symbol"),
        ("01234566", "upc-e", "not a UPC-E number"),
        ("ABC", "itf-14", "not a GTIN"),
        ("", "code-128", "printable ASCII"),
        ("Gruß", "code-128", "printable ASCII"),
        ("a\tb", "code-128", "printable ASCII"),
        ("x" * 49, "code-128", "48 characters here, and this has 49"),
        ("ABC", "gs1-128", "element string"),
        ("(01)9520123456788", "gs1-128", r"not a value for \(01\)"),
        (f"(01){GTIN_14}(10)" + "A" * 20 + "(21)" + "B" * 20, "gs1-128", "48 characters here"),
        ("", "data-matrix", "printable ASCII"),
        ("日本", "data-matrix", "printable ASCII"),
        ("x" * 301, "data-matrix", "300 characters here, and this has 301"),
        ("(01)12", "data-matrix", r"not a value for \(01\)"),
        ("1", "qr", "no bar code is called 'qr'; known: ean-13"),
        ("1", "code-39", "no bar code is called 'code-39'"),
    ],
)
def test_a_content_the_symbology_cannot_hold_is_refused_in_words(
    content: str, symbology: str, reason: str
) -> None:
    with pytest.raises(CodeDoesNotFit, match=reason):
        symbol_of(content, symbology)


def test_a_bare_gtin_becomes_an_element_of_gs1_128() -> None:
    assert symbol("9520123456788", "gs1-128").content == f"(01){GTIN_14}"


@pytest.mark.parametrize("content", ["012345000065", "0012345000065", "00012345000065", "01234565"])
def test_upc_e_says_the_whole_gtin_however_it_is_given(content: str) -> None:
    found = symbol(content, "upc-e")
    assert (found.content, found.digits) == ("012345000065", "01234565")


@settings(max_examples=60, deadline=None)
@given(body=st.text("0123456789", min_size=7, max_size=13), name=st.sampled_from(sorted(CONTENTS)))
def test_whatever_the_gtin_a_symbol_says_it_or_it_is_refused(body: str, name: str) -> None:
    gtin = body + str(check_digit(body))
    try:
        found = symbol_of(gtin, name)
    except CodeDoesNotFit:
        return
    assert found is not None
    assert found.symbology is SYMBOLOGIES[name]
    if name == "upc-e" and len(gtin) == 8:
        assert found.digits == gtin
    elif name == "gs1-128":
        assert found.content == f"(01){gtin.zfill(14)}"
    else:
        assert found.content.zfill(14) == gtin.zfill(14)
