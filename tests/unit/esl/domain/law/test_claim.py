"""A reduction is announced only against a price that the law accepts, and says why not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.law import (
    Claim,
    ClaimCode,
    PriorPrice,
    Reason,
    StepKind,
    highest_price_for,
    load_profile,
    may_claim,
)
from esl.domain.law.profile import Claims, Spoilage
from esl.domain.money import PRICE_MAX_MINOR, percent_off
from tests.unit.esl.domain.law.own_profiles import with_prior

EU, US = load_profile("eu"), load_profile("us")
UNKNOWN = PriorPrice(None, Reason.HISTORY_TOO_SHORT, 0, 1)
NO_RULE = PriorPrice(None, Reason.NO_RULE, 1, 1)
PRICES = st.integers(1, PRICE_MAX_MINOR)


def lowest(minor: int) -> PriorPrice:
    return PriorPrice(minor, Reason.LOWEST, 0, 1, 0)


@given(price=PRICES, prior=PRICES)
def test_what_is_claimed_is_true(price: int, prior: int) -> None:
    claim = may_claim(price, lowest(prior), EU)
    assert claim.is_allowed is (price < prior)
    if claim.is_allowed:
        assert claim.reference_minor == prior
        percent = claim.percent or 0
        assert percent * prior <= (prior - price) * 100 < (percent + 1) * prior
    else:
        assert (claim.reference_minor, claim.percent) == (None, None)


@given(prior=PRICES, percent=st.integers(0, 100))
def test_the_highest_price_for_a_percentage_is_just_low_enough(prior: int, percent: int) -> None:
    price = highest_price_for(percent, prior)
    assert percent_off(prior, price) >= percent
    assert percent_off(prior, price + 1) < percent or percent == 0


def test_a_price_as_low_as_before_is_no_reduction() -> None:
    assert may_claim(129, lowest(129), EU).code is ClaimCode.NOT_LOWER
    assert may_claim(128, lowest(129), EU) == Claim(
        is_allowed=True,
        code=ClaimCode.ALLOWED,
        price_minor=128,
        reference_minor=129,
        percent=None,  # 0.8 %
        prior=lowest(129),
    )


def test_nothing_is_announced_where_the_past_is_not_known() -> None:
    claim = may_claim(99, UNKNOWN, EU, stated_minor=199)
    assert (claim.is_allowed, claim.code) == (False, ClaimCode.NO_REFERENCE)
    assert "not all known" in claim.words("EUR")


def test_a_shops_own_word_counts_only_where_the_law_has_no_rule() -> None:
    claim = may_claim(99, NO_RULE, US, stated_minor=199)
    assert (claim.is_allowed, claim.code) == (True, ClaimCode.STATED)
    assert (claim.reference_minor, claim.percent) == (199, 50)
    assert "1.99 USD" in claim.words("USD")
    assert may_claim(99, NO_RULE, US).code is ClaimCode.NO_REFERENCE
    assert may_claim(99, NO_RULE, US, stated_minor=99).code is ClaimCode.NOT_LOWER


def test_a_price_for_one_customer_is_no_announcement() -> None:
    claim = may_claim(99, lowest(199), EU, kind=StepKind.PERSONAL)
    assert (claim.code, claim.reference_minor) == (ClaimCode.PERSONAL_EXEMPT, None)


def test_a_price_for_members_needs_a_prior_price_unless_the_profile_exempts_it() -> None:
    assert not may_claim(99, lowest(99), EU, kind=StepKind.MEMBER).is_allowed
    exempt = with_prior(member_claims=Claims.EXEMPT)
    claim = may_claim(99, lowest(99), exempt, kind=StepKind.MEMBER)
    assert (claim.is_allowed, claim.code) == (True, ClaimCode.MEMBER_EXEMPT)


def test_spoiling_goods_show_a_prior_price_where_one_is_known_and_higher() -> None:
    exempt = with_prior(spoilage=Spoilage.EXEMPT)
    for prior, reference, percent in ((199, 199, 50), (99, None, None)):
        claim = may_claim(99, lowest(prior), exempt, kind=StepKind.SPOILAGE)
        assert (claim.is_allowed, claim.reference_minor, claim.percent) == (
            True,
            reference,
            percent,
        )
    unmarked = with_prior(spoilage=Spoilage.EXEMPT, spoilage_mark_required=False)
    assert not may_claim(99, lowest(99), unmarked, kind=StepKind.SPOILAGE).mark_required
    assert may_claim(99, lowest(199), EU, kind=StepKind.SPOILAGE).code is ClaimCode.ALLOWED


@pytest.mark.parametrize("code", list(ClaimCode))
def test_every_code_has_words(code: ClaimCode) -> None:
    refused = code in (ClaimCode.NOT_LOWER, ClaimCode.NO_REFERENCE)
    claim = Claim(
        is_allowed=not refused,
        code=code,
        price_minor=99,
        reference_minor=None if refused else 199,
        percent=50,
        prior=UNKNOWN if code is ClaimCode.NO_REFERENCE else lowest(199),
    )
    words = claim.words("EUR")
    assert words.endswith(".")
    assert "None" not in words
