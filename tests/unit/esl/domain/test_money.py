import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.domain.money import (
    MINOR_DIGITS,
    PRICE_MAX_MINOR,
    check_currency,
    format_minor,
    parse_price,
    percent_off,
)

GOOD = [
    ("1.29", "EUR", 129),
    ("0.01", "EUR", 1),
    ("0.10", "EUR", 10),
    ("0.1", "EUR", 10),
    ("1", "EUR", 100),
    ("10", "EUR", 1000),
    ("1290", "EUR", 129_000),
    ("9999999.99", "EUR", PRICE_MAX_MINOR),
    ("129", "JPY", 129),
    ("999999999", "JPY", PRICE_MAX_MINOR),
    ("0.125", "KWD", 125),
    ("1.2", "KWD", 1200),
    ("999999.999", "KWD", PRICE_MAX_MINOR),
    ("0.99", "USD", 99),
]

NOT_A_DECIMAL = [
    # words and exponents that Python's float or Decimal would take
    *("NaN", "nan", "-NaN", "sNaN", "NaN123", "inf", "Infinity", "-Infinity", "+inf", "∞"),
    *("1e999", "1e3", "1E3", "1.5e2", "1e-2", "1e+2", "0e0", "1e", "e1"),
    *("1_000", "1_0.0", "_1", "1_", "1.2_9"),
    # signs
    *("-1", "-1.29", "-0", "-0.01", "+1", "+1.29", "−1.29", "--1", "1-", "±1", "1.-5"),
    # digits of other scripts, which str.isdigit and Decimal believe
    *("１２", "１.２９", "1.２９", "١٢", "١٫٢٩", "۱۲", "१२", "๑๒", "𝟏𝟐", "①", "²", "1²"),
    *("½", "Ⅻ", "〇"),
    # blanks and what looks like none
    *("", " ", "\t", "\n", " 1.29", "1.29 ", "1 29", "1. 29", "1 .29", "1.29\n", "\n1.29"),
    *("1.29\r", "1.29\0", "\0", "\0001.29", "1\0.29", "1.29\u00a0", "\u20071", "1\u2009000"),
    *("\ufeff1.29", "1.29\u200b", "\u202e92.1", "1\u00ad2"),
    # commas, several points, other marks
    *("1,29", "1,000.00", "1.000,00", "1'000", "1’000", "1 000.00", "1٬000", ",5", "5,", "1;29"),
    *(".", "..", ".5", "5.", "1..2", "1.2.3", "1.29.", ".1.29", "1·29", "1．29", "1。29", "1/2"),
    # units, code and markup
    *("€1.29", "1.29€", "1.29 EUR", "EUR 1.29", "$1", "1%", "1.29/kg", "kg", "price", "null"),
    *("None", "true", "False", "0x10", "0b1", "0o7", "1f", "1d", "1L", "1n", "1.29f", "#1"),
    "(1.29)",
    *("1.29;DROP TABLE price", "<b>1</b>", "{{1}}", "${1}", "1+1", "2*3", "1=1", '"1.29"', "'1'"),
    # leading zeros: an EAN or a PLU in the wrong column
    *("01", "00", "001.29", "01.29", "00.10", "0000000001", "0123456789"),
    # whole parts that no shelf has, and more decimals than any currency
    *("1234567890", "9" * 10, "9" * 40, "9" * 5000, "1.0000", "1.2999", "0.00000000001"),
    *("1." + "0" * 5000, "\ud800", "1\udfff", "🤑"),
]  # fmt: skip

WRONG_FOR_THE_CURRENCY = [
    ("1.290", "EUR", "3 decimals"),
    ("1.295", "EUR", "3 decimals"),
    ("0.001", "EUR", "3 decimals"),
    ("1.000", "EUR", "3 decimals"),
    ("1.5", "JPY", "1 decimals"),
    ("1.0", "JPY", "1 decimals"),
    ("1.00", "JPY", "2 decimals"),
    ("129.00", "KRW", "2 decimals"),
    ("1.295", "HUF", "3 decimals"),
    ("0", "EUR", "zero"),
    ("0.0", "EUR", "zero"),
    ("0.00", "EUR", "zero"),
    ("0", "JPY", "zero"),
    ("0.000", "KWD", "zero"),
    ("10000000.00", "EUR", "higher"),
    ("10000000", "EUR", "higher"),
    ("999999999", "EUR", "higher"),
    ("999999999.99", "EUR", "higher"),
    ("1000000.000", "KWD", "higher"),
    ("999999999", "KWD", "higher"),
]


def test_the_table_of_hostile_prices_is_a_long_one() -> None:
    hostile = [*NOT_A_DECIMAL, *(text for text, _, _ in WRONG_FOR_THE_CURRENCY)]
    assert len(set(hostile)) >= 120


@pytest.mark.parametrize(("text", "currency", "minor"), GOOD)
def test_a_plain_decimal_is_read_to_the_minor_unit(text: str, currency: str, minor: int) -> None:
    assert parse_price(text, currency, path="/price") == minor


@pytest.mark.parametrize("text", NOT_A_DECIMAL)
@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_a_hostile_price_is_refused_at_its_path(text: str, currency: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_price(text, currency, path="/3/price")
    [problem] = refused.value.problems
    assert problem.path == "/3/price"
    assert problem.fix
    assert problem.detail == "not a price", "what was sent is never repeated"


@pytest.mark.parametrize(("text", "currency", "words"), WRONG_FOR_THE_CURRENCY)
def test_a_decimal_that_is_no_price_of_this_currency_is_refused(
    text: str, currency: str, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        parse_price(text, currency, path="/price")
    assert refused.value.problems[0].path == "/price"


@given(st.text(max_size=20), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_any_text_is_a_price_in_range_or_refused(text: str, currency: str) -> None:
    try:
        minor = parse_price(text, currency, path="/price")
    except InvalidInput:
        return
    assert 1 <= minor <= PRICE_MAX_MINOR
    assert text.isascii()
    assert set(text) <= set("0123456789.")


@given(st.integers(1, PRICE_MAX_MINOR), st.sampled_from(sorted(MINOR_DIGITS)))
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    assert parse_price(format_minor(minor, currency), currency, path="/price") == minor


@pytest.mark.parametrize(
    ("code", "digits"), [("EUR", 2), ("HUF", 2), ("JPY", 0), ("ISK", 0), ("KWD", 3), ("TND", 3)]
)
def test_a_currency_has_the_decimals_of_iso_4217(code: str, digits: int) -> None:
    assert check_currency(code, path="/currency") == code
    assert MINOR_DIGITS[code] == digits


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XXX", "HRK", "E", "€", "EUR ", "XAU"])
def test_an_unknown_currency_is_refused_at_its_path(code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_currency(code, path="/currency")
    assert refused.value.problems[0].path == "/currency"


@pytest.mark.parametrize(
    ("was", "now", "percent"),
    # The second: "2 for 3.50" of a single price of 1.99 is 12.06 %, floored.
    [(200, 100, 50), (398, 350, 12), (1000, 999, 0), (300, 100, 66), (169, 129, 23), (3, 1, 66)],
)
def test_a_reduction_is_floored_so_that_no_label_claims_too_much(
    was: int, now: int, percent: int
) -> None:
    assert percent_off(was, now) == percent


@given(st.integers(2, PRICE_MAX_MINOR), st.data())
def test_a_claimed_reduction_never_exceeds_the_true_one(was: int, data: st.DataObject) -> None:
    now = data.draw(st.integers(1, was - 1))
    percent = percent_off(was, now)
    assert 0 <= percent <= 99
    assert percent * was <= (was - now) * 100
