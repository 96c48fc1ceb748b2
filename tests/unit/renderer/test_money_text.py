"""Money reads as its locale writes it, and our own formatting is Babel's."""

import unicodedata
from datetime import date
from decimal import Decimal

import pytest
from babel import Locale
from babel.numbers import format_currency, get_decimal_symbol
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.face import Unit
from esl.domain.money import MINOR_DIGITS, PRICE_MAX_MINOR
from renderer.money_text import DateStyle, MoneyWriter
from renderer.text.fonts import Fonts

FONTS = Fonts()
WRITER = MoneyWriter(FONTS.can_draw)
NBSP, NNBSP = "\u00a0", "\u202f"


@pytest.mark.parametrize(
    ("locale", "currency", "minor", "text"),
    [
        ("hr_HR", "EUR", 123450, f"1.234,50{NBSP}€"),
        ("de_DE", "EUR", 99, f"0,99{NBSP}€"),
        ("de_AT", "EUR", 123450, f"€{NBSP}1.234,50"),
        ("en_GB", "GBP", 123450, "£1,234.50"),
        ("fr_FR", "EUR", 123450, f"1{NNBSP}234,50{NBSP}€"),
        ("de_CH", "CHF", 123450, f"CHF{NBSP}1’234.50"),
        ("hu_HU", "HUF", 1249900, f"12{NBSP}499{NBSP}Ft"),
        ("hu_HU", "HUF", 1249950, f"12{NBSP}499,50{NBSP}Ft"),
        ("pl_PL", "PLN", 123450, f"1{NBSP}234,50{NBSP}zł"),
        ("da_DK", "DKK", 123450, f"1.234,50{NBSP}kr."),
        ("hi_IN", "INR", 12345678, "₹1,23,456.78"),
        ("ja_JP", "JPY", 1234, "¥1,234"),  # CLDR's full-width sign is not in the fonts
        ("is_IS", "ISK", 1290, f"1.290{NBSP}kr."),
        ("en_KW", "KWD", 1250, f"KWD{NBSP}1.250"),  # not in CLDR: the language's
        ("ar_KW", "KWD", 1250, f"1.250{NBSP}د.ك."),  # no direction marks
        ("he_IL", "ILS", 1290, f"12.90{NBSP}₪"),
        ("xx_XX", "EUR", 129, "€1.29"),
    ],
)
def test_money_is_written_as_the_locale_does(
    locale: str, currency: str, minor: int, text: str
) -> None:
    assert WRITER.style(locale, currency).text(minor) == text
    assert FONTS.can_draw(text)


@pytest.mark.parametrize(
    ("locale", "currency", "text"),
    [
        ("de_DE", "EUR", "1.234,50\u00a0€"),
        ("fr_FR", "EUR", "1\u202f234,50\u00a0€"),
        ("en_GB", "GBP", "£1,234.50"),
        ("nl_NL", "EUR", "€\u00a01.234,50"),
        ("de_AT", "EUR", "€\u00a01.234,50"),
        ("de_CH", "CHF", "CHF\u00a01\u2019234.50"),
        ("it_CH", "CHF", "CHF\u00a01\u2019234.50"),
        ("pl_PL", "PLN", "1\u00a0234,50\u00a0zł"),
        ("sv_SE", "SEK", "1\u00a0234,50\u00a0kr"),
        ("da_DK", "DKK", "1.234,50\u00a0kr."),
        ("nb_NO", "NOK", "1\u00a0234,50\u00a0kr"),
        ("fi_FI", "EUR", "1\u00a0234,50\u00a0€"),
        ("hr_HR", "EUR", "1.234,50\u00a0€"),
        ("it_IT", "EUR", "1.234,50\u00a0€"),
        ("cs_CZ", "CZK", "1\u00a0234,50\u00a0Kč"),
        ("ro_RO", "RON", "1.234,50\u00a0RON"),
        ("el_GR", "EUR", "1.234,50\u00a0€"),
        ("uk_UA", "UAH", "1\u00a0234,50\u00a0₴"),
        ("tr_TR", "TRY", "₺1.234,50"),
        ("en_US", "USD", "$1,234.50"),
        ("pt_BR", "BRL", "R$\u00a01.234,50"),
        ("ja_JP", "JPY", "¥123,450"),  # CLDR's sign is U+FFE5; the fonts have U+00A5
        ("ar_BH", "BHD", "123.450\u00a0د.ب."),
        ("ar_TN", "TND", "123,450\u00a0د.ت."),
    ],
)
def test_every_code_point_is_the_locales(locale: str, currency: str, text: str) -> None:
    """Code points of CLDR, as Babel 2.18 has them; blanks that look alike are told apart."""
    written = WRITER.style(locale, currency).text(123450)
    assert [f"{ord(c):04X}" for c in written] == [f"{ord(c):04X}" for c in text]
    assert FONTS.can_draw(written)
    digits = MINOR_DIGITS[currency]
    babel = format_currency(Decimal(123450).scaleb(-digits), currency, locale=locale)
    said = "".join(c for c in babel if unicodedata.category(c) != "Cf")
    assert written == unicodedata.normalize("NFKC", said) or written == said


@pytest.mark.parametrize(
    ("locale", "currency", "tenths", "text"),
    [
        ("en_US", "USD", 253, "$0.253"),
        ("en_US", "USD", 7, "$0.007"),
        ("en_GB", "GBP", 584, "£0.584"),
        ("de_DE", "EUR", 12_345_678, f"12.345,678{NBSP}€"),
        ("ja_JP", "JPY", 253, "¥25.3"),
        ("ar_BH", "BHD", 12_345, f"1.2345{NBSP}د.ب."),
        ("hu_HU", "HUF", 1000, f"1,000{NBSP}Ft"),
    ],
)
def test_tenths_have_one_decimal_more(locale: str, currency: str, tenths: int, text: str) -> None:
    assert WRITER.style(locale, currency).tenths_text(tenths) == text


def test_a_big_price_in_tenths_is_taken_apart_with_one_decimal_more() -> None:
    parts = WRITER.style("en_US", "USD").tenths_parts(253)
    assert parts[:5] == ("0", ".", "253", "$", True)
    assert WRITER.style("de_DE", "EUR").tenths_parts(7)[:3] == ("0", ",", "007")


@pytest.mark.parametrize("locale", ["hr_HR", "de_DE", "en_GB", "fr_FR", "de_CH", "nl_NL", "sv_SE"])
@pytest.mark.parametrize("currency", ["EUR", "GBP", "JPY", "KWD"])
@given(minor=st.integers(0, PRICE_MAX_MINOR))
def test_money_equals_what_babel_writes(locale: str, currency: str, minor: int) -> None:
    digits = MINOR_DIGITS[currency]
    ours = WRITER.style(locale, currency).text(minor)
    babel = format_currency(Decimal(minor).scaleb(-digits), currency, locale=locale)
    if currency not in ours:  # CLDR's blank before letters is ours alone
        assert ours == babel
    assert ours.replace(NBSP, "") == babel.replace(NBSP, "")


@pytest.mark.parametrize("currency", sorted(MINOR_DIGITS))
def test_every_currency_has_printable_money_with_its_decimals(currency: str) -> None:
    for locale in ("hr_HR", "en_GB", "ja_JP", "ar_EG"):
        style = WRITER.style(locale, currency)
        text = style.text(1_234_567)
        assert FONTS.can_draw(text)
        _, _, fraction = text.partition(get_decimal_symbol(Locale.parse(locale)))
        if MINOR_DIGITS[currency]:
            assert fraction[: MINOR_DIGITS[currency]].isdigit()


def test_a_big_price_comes_in_parts() -> None:
    parts = WRITER.style("de_DE", "EUR").parts(123405)
    assert (parts.whole, parts.mark, parts.fraction) == ("1.234", ",", "05")
    assert (parts.symbol, parts.symbol_left) == ("€", False)
    parts = WRITER.style("ja_JP", "JPY").parts(1298)
    assert (parts.whole, parts.mark, parts.fraction) == ("1,298", "", "")
    assert (parts.symbol, parts.symbol_left) == ("¥", True)
    assert WRITER.style("en", "KWD").parts(1250).fraction == "250"


@pytest.mark.parametrize(
    ("unit", "locale", "text"),
    [
        (Unit.KILOGRAM, "hr_HR", "kg"),
        (Unit.SQUARE_METRE, "de_DE", "m²"),
        (Unit.PIECE, "hr_HR", "kom"),
        (Unit.PIECE, "de_AT", "Stk."),
        (Unit.PIECE, "en_GB", "pc."),
    ],
)
def test_a_unit_is_written_in_the_language(unit: Unit, locale: str, text: str) -> None:
    assert WRITER.unit_text(unit, locale) == text


@pytest.mark.parametrize(
    ("locale", "text"),
    [("hr_HR", f"−25{NBSP}%"), ("en_GB", "−25%"), ("tr_TR", "−%25"), ("ar_EG", "−25%")],
)
def test_a_reduction_is_written_as_the_locale_does(locale: str, text: str) -> None:
    assert WRITER.percent_less(25, locale) == text


@pytest.mark.parametrize(
    ("locale", "short", "medium", "day"),
    [
        ("de_DE", "31.12.26", "31.12.2026", "31.12."),
        ("hr_HR", "31. 12. 2026.", "31. pro 2026.", "31. 12."),
        ("en_GB", "31/12/2026", "31 Dec 2026", "31/12"),
        ("en_US", "12/31/26", "Dec 31, 2026", "12/31"),
        ("sv_SE", "2026-12-31", "31 dec. 2026", "31/12"),
        ("ar_EG", "31/12/2026", "31/12/2026", "31/12"),  # without its direction marks
    ],
)
def test_a_day_reads_as_its_locale_writes_it(
    locale: str, short: str, medium: str, day: str
) -> None:
    end = date(2026, 12, 31)
    styles = (DateStyle.SHORT, DateStyle.MEDIUM, DateStyle.DAY)
    assert [WRITER.date_text(end, locale, style) for style in styles] == [short, medium, day]


def test_a_count_is_grouped_as_its_locale_does() -> None:
    assert WRITER.count_text(12345, "de_DE") == "12.345"
    assert WRITER.count_text(12345, "fr_FR") == f"12{NNBSP}345"
    assert WRITER.count_text(-3, "en") == "-3"


@given(
    minor=st.integers(0, PRICE_MAX_MINOR),
    locale=st.sampled_from(["de_DE", "de_CH", "hi_IN", "en_GB", "fr_FR", "ja_JP"]),
    currency=st.sampled_from(["EUR", "JPY", "KWD", "INR"]),
)
def test_an_amount_is_the_price_without_its_currency(
    minor: int, locale: str, currency: str
) -> None:
    style = WRITER.style(locale, currency)
    parts = style.parts(minor)
    assert style.amount(minor) == f"{parts.whole}{parts.mark}{parts.fraction}"
    assert style.text(minor) == f"{style.before}{style.amount(minor)}{style.behind}"
