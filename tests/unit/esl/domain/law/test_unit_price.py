"""Unit prices are exact until the last step, and left out only where the law says so."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.face import Unit
from esl.domain.law import (
    Measure,
    UnitPriceCode,
    load_profile,
    measure_of,
    multibuy_unit_price,
    parse_profile,
    unit_price,
)
from esl.domain.law.profile import Basis
from esl.domain.law.profile_file import profile_text
from esl.domain.money import PRICE_MAX_MINOR
from esl.domain.product import NetContent
from tests.unit.esl.domain.law.own_profiles import with_unit_price

EU, DE, US = load_profile("eu"), load_profile("de"), load_profile("us")
HALF_KILOGRAM = NetContent(milli=500, unit=Unit.KILOGRAM)
UNITS = st.sampled_from(Unit)


@given(price=st.integers(1, PRICE_MAX_MINOR), milli=st.integers(1, 10**7), unit=UNITS)
def test_it_is_the_exact_quotient_rounded_half_up(price: int, milli: int, unit: Unit) -> None:
    content = NetContent(milli=milli, unit=unit)
    exact = Decimal(price) * 1000 / Decimal(milli)
    expected = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    found = unit_price(price, content, "EUR", EU)
    assert found.code is (UnitPriceCode.SAME_AS_PRICE if expected == price else UnitPriceCode.SHOWN)
    assert found.minor == (None if expected == price else expected)


@pytest.mark.parametrize(
    ("price", "milli", "unit", "expected"),
    # Field notes, standards G.7; the last ones are ties and their neighbours.
    [
        (129, 80, Unit.KILOGRAM, 1613),  # 16.125 EUR/kg
        (89, 1500, Unit.LITRE, 59),  # 0.5933
        (300, 500, Unit.KILOGRAM, 600),
        (300, 2000, Unit.KILOGRAM, 150),
        (199, 6000, Unit.PIECE, 33),
        (1, 2001, Unit.KILOGRAM, 0),
        (3, 2000, Unit.PIECE, 2),
    ],
)
def test_the_worked_examples_come_out(price: int, milli: int, unit: Unit, expected: int) -> None:
    assert unit_price(price, NetContent(milli=milli, unit=unit), "EUR", EU).minor == expected


@given(price=st.integers(1, 10**6), milli=st.integers(1, 10**6))
def test_tenths_are_shown_below_one_and_never_at_one(price: int, milli: int) -> None:
    tenths = with_unit_price(tenths_below_one=True, same_may_be_left_out=False)
    found = unit_price(price, NetContent(milli=milli, unit=Unit.LITRE), "GBP", tenths)
    assert found.amount is not None
    exact = Decimal(price) * 1000 / Decimal(milli)
    if found.digits == 3:
        assert found.amount < 1000
        assert found.amount == int((exact * 10).quantize(Decimal(1), ROUND_HALF_UP))
    else:
        assert (found.digits, found.amount) == (2, found.minor)
        assert found.amount >= 100


@pytest.mark.parametrize(
    ("price", "amount", "digits"),
    [(9994, 999, 3), (9995, 100, 2), (9999, 100, 2), (10_000, 100, 2), (10_049, 100, 2)],
)
def test_what_rounds_to_one_whole_has_the_usual_decimals(
    price: int, amount: int, digits: int
) -> None:
    hundred_litres = NetContent(milli=100_000, unit=Unit.LITRE)
    tenths = with_unit_price(tenths_below_one=True)
    found = unit_price(price, hundred_litres, "GBP", tenths)
    assert (found.amount, found.digits) == (amount, digits)


@pytest.mark.parametrize(
    ("currency", "price", "amount", "digits"),
    [("JPY", 298, 596, 0), ("EUR", 298, 596, 2), ("KWD", 1250, 2500, 3)],
)
def test_currencies_keep_their_decimals(
    currency: str, price: int, amount: int, digits: int
) -> None:
    found = unit_price(price, HALF_KILOGRAM, currency, EU)
    assert (found.amount, found.digits, found.minor) == (amount, digits, amount)


def test_the_same_as_the_price_is_left_out_where_the_law_lets_it() -> None:
    kilogram = NetContent(milli=1000, unit=Unit.KILOGRAM)
    assert unit_price(199, kilogram, "EUR", EU).code is UnitPriceCode.SAME_AS_PRICE
    pound = measure_of("1", "lb")
    shown = unit_price(199, pound, "USD", US)
    assert (shown.code, shown.amount) == (UnitPriceCode.SHOWN, 199)
    tenths = with_unit_price(tenths_below_one=True)
    assert unit_price(99, kilogram, "GBP", tenths).code is UnitPriceCode.SAME_AS_PRICE


def test_of_several_together_it_is_shown_even_where_the_number_is_the_same() -> None:
    found = multibuy_unit_price(350, 2, HALF_KILOGRAM, "EUR", EU)
    assert (found.code, found.minor) == (UnitPriceCode.SHOWN, 350)
    assert multibuy_unit_price(350, 2, None, "EUR", EU).code is UnitPriceCode.NO_CONTENT
    without = with_unit_price(for_multibuy=False)
    found = multibuy_unit_price(350, 2, HALF_KILOGRAM, "EUR", without)
    assert found.code is UnitPriceCode.EXEMPT


def test_goods_by_weight_have_no_other_price() -> None:
    found = unit_price(1299, None, "EUR", EU, priced_per=Unit.KILOGRAM)
    assert (found.code, found.per, found.amount) == (UnitPriceCode.BULK, "kg", None)


@pytest.mark.parametrize(
    ("milli", "unit", "code"),
    [
        (9, Unit.KILOGRAM, UnitPriceCode.TOO_SMALL),  # PAngV § 4(3) no. 1
        (9, Unit.LITRE, UnitPriceCode.TOO_SMALL),
        (10, Unit.LITRE, UnitPriceCode.SHOWN),
        (9, Unit.METRE, UnitPriceCode.SHOWN),
        (0, Unit.KILOGRAM, UnitPriceCode.NO_CONTENT),
    ],
)
def test_tiny_packs_need_none_in_germany(milli: int, unit: Unit, code: UnitPriceCode) -> None:
    assert unit_price(199, NetContent(milli=milli, unit=unit), "EUR", DE).code is code


def test_an_exemption_must_be_one_of_the_profile() -> None:
    exempt = unit_price(199, HALF_KILOGRAM, "EUR", DE, exemptions=("perfume",))
    assert exempt.code is UnitPriceCode.EXEMPT
    for profile, codes in ((DE, ("wine",)), (EU, ("perfume",))):
        found = unit_price(199, HALF_KILOGRAM, "EUR", profile, exemptions=codes)
        assert found.code is UnitPriceCode.SHOWN


def test_loose_goods_may_have_a_basis_of_their_own() -> None:
    kilogram = Basis(unit=Unit.KILOGRAM, text="kg", size_num=1000, size_den=1)
    hundred = Basis(unit=Unit.KILOGRAM, text="100 g", size_num=100, size_den=1, is_loose=True)
    profile = with_unit_price(bases=(hundred, kilogram))
    loose = unit_price(200, HALF_KILOGRAM, "EUR", profile, is_loose=True)
    packed = unit_price(200, HALF_KILOGRAM, "EUR", profile)
    assert (loose.per, loose.minor) == ("100 g", 40)
    assert (packed.per, packed.minor) == ("kg", 400)
    metre = NetContent(milli=500, unit=Unit.METRE)
    assert unit_price(200, metre, "EUR", profile).code is UnitPriceCode.NO_BASIS
    only_loose = with_unit_price(bases=(hundred,))
    assert unit_price(200, HALF_KILOGRAM, "EUR", only_loose).code is UnitPriceCode.NO_BASIS


@pytest.mark.parametrize(
    ("amount", "size", "cents"),
    [("16", "oz", 199), ("1", "us_gal", 50), ("32", "us_fl_oz", 199), ("2", "us_pt", 199)],
)
def test_american_sizes_are_exact(amount: str, size: str, cents: int) -> None:
    found = unit_price(199, measure_of(amount, size), "USD", US)
    assert found.minor == cents
    assert (found.per, found.digits) == (("lb", 2) if size == "oz" else ("qt", found.digits))


def test_grams_are_priced_by_the_pound() -> None:
    found = unit_price(499, NetContent(milli=454, unit=Unit.KILOGRAM), "USD", US)
    assert (found.minor, found.per) == (499, "lb")  # 4.9855…


@pytest.mark.parametrize(
    ("amount", "size", "error"),
    [
        ("1", "stone", KeyError),
        ("one", "lb", InvalidOperation),
    ],
)
def test_a_size_that_nobody_knows_is_an_error(
    amount: str, size: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        measure_of(amount, size)


def test_a_content_of_nothing_has_no_unit_price() -> None:
    assert unit_price(199, Measure(Unit.LITRE, 0), "EUR", EU).code is UnitPriceCode.NO_CONTENT


def test_a_profile_of_ones_own_may_count_100_grams() -> None:
    text = profile_text("eu").replace('size = "1000"\ntext = "kg"', 'size = "100"\ntext = "100 g"')
    found = unit_price(200, HALF_KILOGRAM, "EUR", parse_profile(text, name="grams"))
    assert (found.minor, found.per) == (40, "100 g")
