"""Element strings are read as people write them and sent as scanners send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.element_string import check_element, message_of, parse_element_string
from esl.domain.errors import InvalidInput

GTIN = "09520123456788"
CSET_82 = (
    "!\"%&'*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"  # no ( )
)


def test_elements_are_read_in_their_order() -> None:
    assert parse_element_string(f"(01){GTIN}(10)AB/C-1(17)201225") == (
        ("01", GTIN),
        ("10", "AB/C-1"),
        ("17", "201225"),
    )


def test_brackets_inside_a_value_belong_to_it() -> None:
    assert parse_element_string("(10)A(B)C(21)(") == (("10", "A(B)C"), ("21", "("))


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "element string"),
        ("0109520123456788", "element string"),
        (f"x(01){GTIN}", "element string"),
        ("(01)", "element string"),
        ("(01)09520123456789", r"not a value for \(01\)"),  # check digit
        ("(01)9520123456788", r"not a value for \(01\)"),  # 13 digits
        ("(17)201325", r"not a value for \(17\)"),  # month 13
        ("(17)201232", r"not a value for \(17\)"),  # day 32
        ("(10)" + "A" * 21, r"not a value for \(10\)"),
        ("(10)two words", r"not a value for \(10\)"),
        ("(10)Gruß", r"not a value for \(10\)"),
        ("(10)1\x1d2", r"not a value for \(10\)"),
        ("(10)1\n", r"not a value for \(10\)"),
        ("(3103)٠٠٠١٩٥", r"not a value for \(3103\)"),
        ("(3106)000195", "that we know"),  # decimals go from 0 to 5
        ("(05)1", "that we know"),
        ("(10)A(10)B", "twice"),
    ],
)
def test_a_wrong_element_string_is_refused_in_words(text: str, detail: str) -> None:
    with pytest.raises(InvalidInput, match=detail) as refused:
        parse_element_string(text, path="/value")
    assert refused.value.problems[0].path == "/value"
    assert refused.value.problems[0].fix


@pytest.mark.parametrize(
    ("identifier", "value"),
    [
        ("00", "952012345678912345"),
        ("02", "09520123456788"),
        ("11", "201200"),  # the last of the month
        ("37", "24"),
        ("235", "x" * 28),
        ("414", "9520123456788"),
        ("3922", "0299"),
        ("3932", "9780299"),
        ("8005", "000299"),
        ("8006", f"{GTIN}0102"),
        ("253", "9520123456788ABC"),
        ("99", "x" * 90),
    ],
)
def test_identifiers_a_shop_meets_are_known(identifier: str, value: str) -> None:
    check_element(identifier, value, path="")


def test_a_scanner_needs_a_separator_only_behind_open_ends() -> None:
    elements = parse_element_string(f"(01){GTIN}(3103)000195(3922)0299(17)201225(10)A(21)B")
    assert message_of(elements, separator="^") == (
        "0109520123456788310300019539220299^1720122510A^21B"
    )


@given(
    lot=st.text(CSET_82, min_size=1, max_size=20), serial=st.text(CSET_82, min_size=1, max_size=20)
)
def test_what_was_written_is_what_is_read(lot: str, serial: str) -> None:
    elements = (("01", GTIN), ("10", lot), ("21", serial))
    text = "".join(f"({identifier}){value}" for identifier, value in elements)
    assert parse_element_string(text) == elements
    assert message_of(elements) == f"01{GTIN}10{lot}\x1d21{serial}"
