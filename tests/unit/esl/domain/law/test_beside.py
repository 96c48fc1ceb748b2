"""Deposits, taxes and the price of a fixed day stand beside the price, where the law wants them."""

from datetime import date

import pytest

from esl.domain.law import Anchor, anchor_price, deposit_line, load_profile, tax_words
from esl.domain.law.beside import lacks_anchor, needs_anchor

HR, DE, US = load_profile("hr"), load_profile("de"), load_profile("us")


@pytest.mark.parametrize(
    ("profile", "language", "text"),
    [
        ("de", "de_AT", "zzgl. {amount} Pfand"),
        ("de", "ja", "zzgl. {amount} Pfand"),
        ("eu", "en_IE", "plus {amount} deposit"),
        ("hr", "hr", "+ {amount} povratna naknada"),
        ("fr", "fr-FR", "consigne {amount} en sus"),
    ],
)
def test_a_deposit_is_shown_beside_the_price(profile: str, language: str, text: str) -> None:
    line = deposit_line(7, load_profile(profile), language)
    assert line is not None
    assert (line.minor, line.text) == (7, text)


@pytest.mark.parametrize("deposit", [None, 0])
def test_without_a_deposit_nothing_is_shown(deposit: int | None) -> None:
    assert deposit_line(deposit, DE, "de") is None


def test_a_price_without_its_taxes_says_so() -> None:
    assert tax_words(US) == "plus tax"
    assert tax_words(DE) is None


def test_croatian_food_shows_the_price_of_2_may_2025() -> None:
    """NN 75/2025."""
    anchor = anchor_price(199, HR, "hr_HR", categories=("food",))
    assert anchor == Anchor(199, date(2025, 5, 2), "cijena na dan 2. 5. 2025.")


def test_an_anchor_price_is_neither_made_up_nor_shown_where_no_law_wants_it() -> None:
    assert anchor_price(None, HR, "hr", categories=("food",)) is None
    assert lacks_anchor(None, HR, ("food",))
    assert not lacks_anchor(199, HR, ("food",))
    assert anchor_price(199, HR, "hr", categories=("toys",)) is None
    assert anchor_price(199, DE, "de", categories=("food",)) is None
    assert not needs_anchor(HR, ())
