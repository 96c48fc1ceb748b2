"""Prices as sources write them: exact or refused. At least 500 hostile ones, and a round trip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.money import MINOR_DIGITS, PRICE_MAX_MINOR
from esl.intake.mapping.bad_value import BadValue
from esl.intake.mapping.money_values import money_reader
from tests.mapping_files import read

POINT = money_reader(decimal=".", thousands=None, minor_units=False, currency="EUR")
COMMA = money_reader(decimal=",", thousands=".", minor_units=False, currency="EUR")
BLANK = money_reader(decimal=",", thousands=" ", minor_units=False, currency="CZK")
MINOR = money_reader(decimal=".", thousands=None, minor_units=True, currency="EUR")
YEN = money_reader(decimal=".", thousands=",", minor_units=False, currency="JPY")
DINAR = money_reader(decimal=".", thousands=None, minor_units=False, currency="KWD")


@pytest.mark.parametrize(
    ("read_money", "text", "minor"),
    [
        (POINT, "1.29", 129),
        (POINT, ".69", 69),
        (POINT, "5", 500),
        (POINT, "5.9", 590),
        (POINT, "0005.90", 590),
        (POINT, "5.9900", 599),
        (POINT, "0.01", 1),
        (POINT, "9999999.99", PRICE_MAX_MINOR),
        (COMMA, ",69", 69),
        (COMMA, "1.299,90", 129990),
        (COMMA, "1299,90", 129990),
        (COMMA, "1.299", 129900),
        (COMMA, "1.234.567,00", 123456700),
        (BLANK, "1 299,90", 129990),
        (BLANK, "1\u00a0299,90", 129990),
        (BLANK, "1\u202f299", 129900),
        (MINOR, "129", 129),
        (MINOR, "0000129", 129),
        (YEN, "1,299", 1299),
        (YEN, "129.00", 129),
        (DINAR, "1.290", 1290),
        (DINAR, "1.2900", 1290),
    ],
)
def test_what_is_a_price(read_money: object, text: str, minor: int) -> None:
    assert read_money(text) == minor  # type: ignore[operator]


NEVER = [
    *"- + . , , . .. ,, ., ,. '".split(),
    *"NaN nan inf -inf Infinity 1e3 1E3 1e-2 1e999 1.5e1 0x10 0b1 0o7".split(),
    *"1_000 1__0 1.2_3 ½ ² ① Ⅷ".split(),
    *"１２ １.29 1.２9 ١٢ ١٫٥٠ १.२० 1．29 1，29 𝟏.𝟐𝟗".split(),
    *"-1.29 +1.29 −1.29 –1.29 1.29- (1.29) -0.00 -0".split(),
    *"1.29€ €1.29 $1.29 1.29EUR EUR1.29 1.29kn 1,29.- 1.— 1.29* ~1.29 ca.1 1:29 1/2 1=1".split(),
    *"=1.29 =A1 #N/A #REF!".split(),
    *"null None none true false undefined n/a N/A TBD xxx abc 12a a12 1o0 l.29 O.99".split(),
    "1.29 1.39",
    "1 .29",
    "1. 29",
    "1.29\u200b",
    "\u200e1.29",
    "1.29\x00",
    "1\n29",
    "1.29;",
    "1..29",
    "1.2.9",
    "1'299.00",
    "1\u2019299",
    "1 299",
    "1.29 €",
    "1.29 / kg",
    "99999999999999999999",
    "1" * 400,
    "0" * 30,
    "10000000.00",
]
ZEROS = ["0", "0.0", "0.00", "00", ".0", ".00", "0.", "000.000", "0.000", "0.0000"]
EXACT = [
    f"1.{digits}" for digits in ("001", "999", "290", "000", "2901", "29001", "0001", "12345678")
]


def hostile() -> list[str]:
    made = [*NEVER, *ZEROS, *EXACT]
    for number in range(80):
        whole, cents = number * 37 % 1000, number * 7 % 100
        made += [
            f"{whole},{cents:02d}",
            f"{whole}.{cents:02d}{number % 9 + 1}",
            f"{whole} {cents:02d}",
            f"-{whole}.{cents:02d}",
            f"{whole}.{cents:02d}e{number % 5}",
        ]
    return list(dict.fromkeys(made))


def test_five_hundred_hostile_prices_are_no_price() -> None:
    prices = hostile()
    assert len(prices) >= 500
    for text in prices:
        with pytest.raises(BadValue) as caught:
            POINT(text)
        assert caught.value.reason
        assert caught.value.fix


def test_hostile_prices_in_a_file_cost_their_own_rows_only() -> None:
    rows = [
        f'{number},"{text.replace(chr(34), "")}",A'
        for number, text in enumerate(hostile())
        if "\n" not in text and "\0" not in text
    ]
    body = "sku,price,name\n" + "".join(f"{row}\ngood-{at},1.29,B\n" for at, row in enumerate(rows))
    found = read(body.encode())
    assert set(found.prices.values()) == {129}
    assert len(found.entries) == len(rows)
    assert {problem.field for problem in found.problems} == {"price"}
    assert len(found.problems) == len(rows)


@pytest.mark.parametrize(
    ("read_money", "text"),
    [
        (COMMA, "1.29"),
        (COMMA, "12.99"),
        (COMMA, "1.2999,00"),
        (COMMA, "1299.000,00"),
        (COMMA, ".299,00"),
        (COMMA, "1..299"),
        (COMMA, "1,299"),
        (COMMA, "1,000"),
        (COMMA, "1.29,9,9"),
        (BLANK, "1.299,90"),
        (BLANK, "12 99,90"),
        (MINOR, "1.29"),
        (MINOR, "129.0"),
        (MINOR, "-129"),
        (MINOR, "0"),
        (MINOR, "1000000000"),
        (MINOR, "²"),
        (YEN, "1.5"),
        (YEN, "1.000"),
        (DINAR, "1.2905"),
    ],
)
def test_signs_are_never_guessed_and_nothing_is_rounded(read_money: object, text: str) -> None:
    with pytest.raises(BadValue):
        read_money(text)  # type: ignore[operator]


def test_the_words_say_what_is_wrong() -> None:
    said = {}
    for text in ("1,29", "1.290", "-1", "3.85E+12", "１２", "0.00", "99999999", "1 €", "\u202e1"):
        with pytest.raises(BadValue) as caught:
            POINT(text)
        said[text] = f"{caught.value.reason} {caught.value.fix}"
    assert "decimal is '.', and no thousands sign is declared" in said["1,29"]
    assert "3 decimals, and EUR has 2" in said["1.290"]
    assert "negative" in said["-1"]
    assert "exponent" in said["3.85E+12"]
    assert "digits other than 0 to 9" in said["１２"]
    assert 'map: {"0.00": null}' in said["0.00"]
    assert "highest is 9999999.99 EUR" in said["99999999"]
    assert 'strip: "€ "' in said["1 €"]
    assert "\\u202e" in said["\u202e1"]


@given(
    minor=st.integers(1, PRICE_MAX_MINOR),
    currency=st.sampled_from(sorted(MINOR_DIGITS)),
    signs=st.sampled_from(
        [(".", None), (",", None), (",", "."), (".", ","), (",", " "), (".", "'")]
    ),
    grouped=st.booleans(),
    zeros=st.integers(0, 3),
)
def test_every_price_reads_back_as_it_was_written(
    minor: int, currency: str, signs: tuple[str, str | None], *, grouped: bool, zeros: int
) -> None:
    decimal, thousands = signs
    digits = MINOR_DIGITS[currency]
    whole, fraction = divmod(minor, 10**digits)
    text = (
        f"{whole:,}".replace(",", thousands) if grouped and thousands else "0" * zeros + str(whole)
    )
    if digits:
        text += f"{decimal}{fraction:0{digits}d}"
    reader = money_reader(
        decimal=decimal, thousands=thousands, minor_units=False, currency=currency
    )
    assert reader(text) == minor


@given(st.text(max_size=12), st.sampled_from([POINT, COMMA, BLANK, YEN, DINAR]))
def test_any_text_is_exact_or_refused(text: str, reader: object) -> None:
    try:
        minor = reader(text)  # type: ignore[operator]
    except BadValue:
        return
    plain = text
    assert all(character in "0123456789., \u00a0\u202f\u2009" for character in plain)
    assert 1 <= minor <= PRICE_MAX_MINOR
