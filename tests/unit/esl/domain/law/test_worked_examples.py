"""Examples that courts, authorities and regulations work out themselves, one test for each.

The numbers are theirs; the source stands beside each.
"""

from datetime import UTC, datetime

import pytest

from esl.domain.face import Unit
from esl.domain.law import (
    ClaimCode,
    Measure,
    Profile,
    Reason,
    Step,
    StepKind,
    deposit_line,
    highest_price_for,
    load_profile,
    lowest_price,
    may_claim,
    measure_of,
    multibuy_unit_price,
    unit_price,
)
from esl.domain.law.inspection import passes_inspection
from esl.domain.money import percent_off
from esl.domain.product import NetContent
from tests.unit.esl.domain.law.own_profiles import with_prior, with_unit_price

REDUCED, SPOILAGE = StepKind.REDUCED, StepKind.SPOILAGE
FINLAND = {"progressive_days": 60}  # progressive reductions in campaigns of 60 days at most
NORTHERN_IRELAND = {"tenths_below_one": True}


def ms(month: int, day: int, hour: int = 0) -> int:
    return int(datetime(2026, month, day, hour, tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize("name", ["eu", "hr", "de", "fr"])
def test_minus_23_percent_from_the_last_price_is_refused(name: str) -> None:
    """CJEU C-330/23, Aldi Süd: 1.29, then 1.69, then "-23 %" at 1.29 again."""
    profile = load_profile(name)
    history = [
        Step(ms(3, 1), 129, REDUCED),
        Step(ms(4, 20), 169),
        Step(ms(5, 2), 129, REDUCED),
    ]
    prior = lowest_price(history, ms(5, 3), profile)
    assert (prior.price_minor, prior.held_from_ms) == (129, ms(3, 1))
    claim = may_claim(129, prior, profile)
    assert (claim.is_allowed, claim.code) == (False, ClaimCode.NOT_LOWER)
    assert (claim.reference_minor, claim.percent) == (None, None)
    assert percent_off(169, 129) == 23  # what was claimed


@pytest.mark.parametrize("name", ["eu", "hr", "de", "fr"])
def test_a_price_raised_for_two_days_is_no_prior_price(name: str) -> None:
    """Gazeta Prawna, 2022: 400 until 10 May, 500 on two days, then "-10 %" at 450."""
    profile = load_profile(name)
    history = [
        Step(ms(1, 1), 400_00),
        Step(ms(5, 10), 500_00),
        Step(ms(5, 12), 450_00, REDUCED),
    ]
    prior = lowest_price(history, ms(5, 12), profile)
    assert prior.price_minor == 400_00
    assert may_claim(450_00, prior, profile).code is ClaimCode.NOT_LOWER


def test_50_percent_off_counts_from_the_lowest_price_and_not_from_the_last() -> None:
    """Commission Notice 2021/C 526/02, 2.1: lowest 100, last 160, "50 % off" is 50 at most."""
    eu = load_profile("eu")
    history = [Step(ms(1, 1), 160_00), Step(ms(4, 20), 100_00), Step(ms(4, 25), 160_00)]
    at = ms(5, 10)
    prior = lowest_price([*history, Step(at, 80_00, REDUCED)], at, eu)
    assert prior.price_minor == 100_00
    assert highest_price_for(50, 100_00) == 50_00
    assert may_claim(80_00, prior, eu).percent == 20
    assert may_claim(50_00, prior, eu).percent == 50


@pytest.mark.parametrize("name", ["de", "fr"])
def test_a_reduction_that_grows_without_a_break_keeps_its_first_prior_price(name: str) -> None:
    """PAngV § 11(2); code de la consommation L112-1-1: 100, 80, 70."""
    profile = load_profile(name)
    history = [Step(ms(1, 1), 100), Step(ms(5, 1), 80, REDUCED), Step(ms(5, 8), 70, REDUCED)]
    for at in (ms(5, 1), ms(5, 7), ms(5, 8), ms(9, 1)):
        prior = lowest_price(history, at, profile)
        assert (prior.price_minor, prior.ends_ms) == (100, ms(5, 1))
    assert prior.reason is Reason.PROGRESSIVE
    assert may_claim(70, prior, profile).percent == 30


@pytest.mark.parametrize("name", ["eu", "hr", "de", "fr"])
def test_a_reduction_that_grows_after_a_break_counts_from_what_was_cheaper(name: str) -> None:
    """The same with a gap between: 80 counts."""
    profile = load_profile(name)
    history = [
        Step(ms(1, 1), 100),
        Step(ms(5, 1), 80, REDUCED),
        Step(ms(5, 8), 100),
        Step(ms(5, 9), 70, REDUCED),
    ]
    assert lowest_price(history, ms(5, 9), profile).price_minor == 80


def test_a_growing_reduction_of_more_than_60_days_falls_back_to_the_30_days() -> None:
    """Finland, as Fondia sums it up: the rule holds for campaigns of up to 60 days."""
    finland = with_prior(**FINLAND)
    history = [Step(ms(1, 1), 100), Step(ms(3, 1), 80, REDUCED), Step(ms(4, 20), 70, REDUCED)]
    day_60 = ms(3, 1) + 60 * 86_400_000 - 1
    assert lowest_price(history, day_60, finland).price_minor == 100
    assert lowest_price(history, day_60 + 1, finland).price_minor == 80


def test_goods_about_to_spoil_need_no_prior_price_in_germany_and_a_mark() -> None:
    """PAngV § 11(4) no. 2."""
    de = load_profile("de")
    history = [Step(ms(5, 1), 300), Step(ms(5, 3, 18), 150, SPOILAGE)]
    prior = lowest_price(history, ms(5, 3, 19), de)
    assert prior.reason is Reason.HISTORY_TOO_SHORT
    claim = may_claim(150, prior, de, kind=SPOILAGE)
    assert (claim.is_allowed, claim.code) == (True, ClaimCode.SPOILAGE_EXEMPT)
    assert (claim.mark_required, claim.reference_minor) == (True, None)
    assert not may_claim(150, prior, load_profile("hr"), kind=SPOILAGE).is_allowed


def test_a_deposit_stands_beside_the_price_and_outside_the_unit_price() -> None:
    """CJEU C-543/21 and the Advocate General's opinion, 1: 1.00 and "zzgl. 0,25 € Pfand"."""
    de = load_profile("de")
    line = deposit_line(25, de, "de_DE")
    assert line is not None
    assert line.text.format(amount="0,25 €") == "zzgl. 0,25 € Pfand"
    litre_and_a_half = NetContent(milli=1500, unit=Unit.LITRE)
    assert unit_price(100, litre_and_a_half, "EUR", de).minor == 67  # of 1.00, not 1.25


@pytest.mark.parametrize(("milli", "minor"), [(500, 600), (2000, 150)])
def test_cereal_costs_6_and_1_50_a_kilogram(milli: int, minor: int) -> None:
    """United Kingdom, government guidance of 22 September 2025: £3 for 500 g and for 2 kg."""
    content = NetContent(milli=milli, unit=Unit.KILOGRAM)
    found = unit_price(300, content, "GBP", load_profile("eu"))
    assert (found.minor, found.per) == (minor, "kg")


@pytest.mark.parametrize(
    ("minor", "content", "amount", "digits"),
    [
        (253, measure_of("10", "lb"), 253, 3),  # 25.3 ¢/lb
        (1674, measure_of("10", "lb"), 167, 2),  # 1.674 → $1.67
        (1675, measure_of("10", "lb"), 168, 2),  # 1.675 → $1.68
    ],
)
def test_connecticut_rounds_to_tenths_below_a_dollar_and_to_cents_above(
    minor: int, content: Measure, amount: int, digits: int
) -> None:
    """Connecticut, Regulations 21a-75-4: three digits under $1, else nearest cent, .005 up."""
    found = unit_price(minor, content, "USD", load_profile("us"))
    assert (found.amount, found.digits, found.per) == (amount, digits, "lb")


def test_northern_ireland_rounds_to_a_tenth_of_a_penny_below_a_pound() -> None:
    """NISR 2004/368, art. 13: 58.35 p is 58.4 p."""
    hundred_kilograms = Measure(Unit.KILOGRAM, 100_000)
    found = unit_price(5835, hundred_kilograms, "GBP", with_unit_price(**NORTHERN_IRELAND))
    assert (found.amount, found.digits) == (584, 3)


@pytest.mark.parametrize(
    ("minor", "milli", "unit", "expected"),
    [
        (129, 80, Unit.KILOGRAM, 1613),  # exactly 16.125
        (89, 1500, Unit.LITRE, 59),  # 0.59333…
    ],
)
def test_unit_prices_round_half_up(minor: int, milli: int, unit: Unit, expected: int) -> None:
    """Computed: 1.29 € for 80 g is 16.13 €/kg, 0.89 € for 1.5 l is 0.59 €/l."""
    found = unit_price(minor, NetContent(milli=milli, unit=unit), "EUR", load_profile("de"))
    assert (found.minor, found.amount, found.digits) == (expected, expected, 2)


def test_two_for_3_50_instead_of_1_99_each_is_12_percent() -> None:
    """Computed: 12.06 %, rounded down; 1.75 each, 3.50 for a kilogram of two halves."""
    assert percent_off(2 * 199, 350) == 12
    half = NetContent(milli=500, unit=Unit.KILOGRAM)
    found = multibuy_unit_price(350, 2, half, "EUR", load_profile("eu"))
    assert (found.minor, found.per) == (350, "kg")


@pytest.mark.parametrize(("wrong", "passes"), [(0, True), (2, True), (3, False)])
def test_an_inspection_of_100_items_fails_with_the_third_wrong_one(
    wrong: int, *, passes: bool
) -> None:
    """NIST Handbook 130, Examination Procedure for Price Verification: 98 %."""
    assert passes_inspection(100, wrong) is passes


def test_a_percentage_is_never_rounded_up() -> None:
    """Computed: 1.69 to 1.29 is 23.67 %, and a label says 23."""
    eu: Profile = load_profile("eu")
    history = [Step(ms(1, 1), 169), Step(ms(5, 1), 129, REDUCED)]
    assert may_claim(129, lowest_price(history, ms(5, 1), eu), eu).percent == 23
