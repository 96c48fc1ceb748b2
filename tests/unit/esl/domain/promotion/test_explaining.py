"""Every reason has words, in every language that there is, and no placeholder stays open."""

import tomllib
from datetime import UTC, datetime
from importlib.resources import files
from string import Formatter

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.face import Unit
from esl.domain.promotion import explaining
from esl.domain.promotion.explaining import LANGUAGES, explain
from esl.domain.promotion.offer import Lost, Offer, Why
from esl.domain.promotion.promotion import (
    Absolute,
    AmountOff,
    PayFor,
    PercentOf,
    PercentOff,
    Stacking,
    TotalFor,
)
from tests.offers import BERLIN, base, offer, product, promotion

WINNER = promotion("winner", Absolute(price_minor=700), priority=9)


def sentences(language: str) -> dict:
    text = files(explaining.__package__).joinpath("sentences", f"{language}.toml")
    return tomllib.loads(text.read_text(encoding="utf-8"))


def with_lost(why: Why) -> Offer:
    found = offer([WINNER])
    loser = promotion("loser", PercentOff(permille=125), priority=3)
    lost = Lost(loser, why, WINNER, 875, datetime(2026, 6, 2, tzinfo=UTC))
    return found._replace(reason=found.reason._replace(lost=(lost,)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("why", list(Why))
def test_every_loser_is_told_why(why: Why, language: str) -> None:
    (line,) = [one for one in explain(with_lost(why), BERLIN, language=language) if "loser" in one]
    assert "{" not in line
    assert line.endswith("2026-06-02 02:00.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys_and_placeholders(language: str) -> None:
    def shape(part: object) -> object:
        if isinstance(part, dict):
            return {key: shape(value) for key, value in part.items()}
        return sorted({field for _, field, _, _ in Formatter().parse(str(part)) if field})

    assert shape(sentences(language)) == shape(sentences("en"))
    assert set(sentences(language)["lost"]) == {why.value for why in Why}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (promotion("p", Absolute(price_minor=700)), "7.00 EUR a piece, so 7.00 EUR instead of"),
        (promotion("p", PercentOff(permille=125)), "12.5 % less, so 8.75 EUR instead of 10.00"),
        (
            promotion("p", PercentOff(permille=100, of=PercentOf.LOWEST)),
            "10 % less than the lowest price before, so 9.00 EUR",
        ),
        (promotion("p", AmountOff(amount_minor=50)), "0.50 EUR less, so 9.50 EUR instead of"),
        (
            promotion("p", AmountOff(amount_minor=50), stacking=Stacking.ON_TOP),
            "is taken off on top: 0.50 EUR less, so 9.50 EUR instead of 10.00 EUR",
        ),
        (
            promotion("p", TotalFor(quantity=2, total_minor=1500)),
            "holds for several: 2 for 15.00 EUR, so 15.00 EUR instead of 20.00 EUR",
        ),
        (
            promotion("p", PayFor(quantity=3, pay_for=2)),
            "3 for the price of 2, so 20.00 EUR instead of 30.00 EUR",
        ),
        (
            promotion("p", PercentOff(permille=100), club="Gold"),
            "for members of Gold: 10 % less, so 9.00 EUR for them; everybody else pays 10.00 EUR",
        ),
    ],
)
def test_what_holds_is_said_with_its_numbers(one, words: str) -> None:
    assert any(words in line for line in explain(offer([one]), BERLIN))


def test_the_tills_own_and_the_deposit_are_said() -> None:
    till = base(900, regular_minor=1000, member_minor=800, multibuy_quantity=2, multibuy_minor=1500)
    told = " ".join(explain(offer(till=till, of=product(deposit_minor=25)), BERLIN))
    for words in (
        "a promotion of its own on the regular 10.00 EUR",
        "No promotion runs for it now.",
        "The till itself sells 2 for 15.00 EUR.",
        "The till itself sells it to members for 8.00 EUR.",
        "A deposit of 0.25 EUR stands beside the price",
        "Its unit price is 18.00 EUR/kg.",
    ):
        assert words in told


def test_goods_by_weight_and_money_without_decimals_are_said() -> None:
    by_weight = offer(of=product(priced_per=Unit.KILOGRAM))
    assert not any("unit price" in line for line in explain(by_weight, BERLIN))
    yen = explain(offer(till=base(500, currency="JPY")), BERLIN)
    assert "Its unit price is 1000 JPY/kg." in yen


def test_a_language_that_nobody_wrote_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no sentences"):
        explain(offer(), BERLIN, language="../en")
