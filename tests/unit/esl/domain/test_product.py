from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.face import Unit
from esl.domain.money import PRICE_MAX_MINOR
from esl.domain.product import NetContent, unit_price_minor


@pytest.mark.parametrize(
    ("price_minor", "milli", "unit", "expected"),
    # Field notes, standards G.7; the last ones are ties and their neighbours.
    [
        (129, 80, Unit.KILOGRAM, 1613),  # 16.125 EUR/kg
        (89, 1500, Unit.LITRE, 59),  # 0.5933
        (300, 500, Unit.KILOGRAM, 600),
        (300, 2000, Unit.KILOGRAM, 150),
        (199, 6000, Unit.PIECE, 33),
        (1, 2000, Unit.PIECE, 1),
        (1, 2001, Unit.KILOGRAM, 0),
        (3, 2000, Unit.PIECE, 2),
        (129, 1000, Unit.LITRE, 129),
    ],
)
def test_a_unit_price_is_rounded_half_up(
    price_minor: int, milli: int, unit: Unit, expected: int
) -> None:
    assert unit_price_minor(price_minor, NetContent(milli=milli, unit=unit)) == expected


@given(st.integers(1, PRICE_MAX_MINOR), st.integers(1, 10**9))
def test_a_unit_price_is_within_half_a_minor_unit_of_the_exact_one(price: int, milli: int) -> None:
    exact = Fraction(price * 1000, milli)
    difference = unit_price_minor(price, NetContent(milli=milli, unit=Unit.KILOGRAM)) - exact
    assert Fraction(-1, 2) < difference <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("milli", "unit", "text"),
    [
        (400, Unit.KILOGRAM, "400 g"),
        (1, Unit.KILOGRAM, "1 g"),
        (1000, Unit.KILOGRAM, "1 kg"),
        (1500, Unit.LITRE, "1.5 l"),
        (330, Unit.LITRE, "330 ml"),
        (10_000, Unit.KILOGRAM, "10 kg"),
        (100_000, Unit.LITRE, "100 l"),
        (1005, Unit.KILOGRAM, "1.005 kg"),
        (6000, Unit.PIECE, "6 ×"),
        (2500, Unit.METRE, "2.5 m"),
        (500, Unit.METRE, "0.5 m"),
        (12_000, Unit.SQUARE_METRE, "12 m²"),
    ],
)
def test_a_content_is_written_as_labels_print_it(milli: int, unit: Unit, text: str) -> None:
    assert NetContent(milli=milli, unit=unit).as_text() == text
