"""Profiles for tests: a bundled one with other rules."""

from dataclasses import replace
from typing import Any

from esl.domain.law import Profile, load_profile
from esl.domain.law.profile import PriorPriceRule, UnitPriceRule


def with_prior(name: str = "eu", **rules: Any) -> Profile:
    profile = load_profile(name)
    prior: PriorPriceRule = replace(profile.prior_price, **rules)
    return replace(profile, prior_price=prior)


def with_unit_price(name: str = "eu", **rules: Any) -> Profile:
    profile = load_profile(name)
    unit_price: UnitPriceRule = replace(profile.unit_price, **rules)
    return replace(profile, unit_price=unit_price)
