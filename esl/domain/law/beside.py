"""What stands beside a price by law: the deposit, the taxes, the price of a fixed day.

Pure; money is in minor units, and formatted by whoever prints it.
"""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from esl.domain.law.profile import Profile


class DepositLine(NamedTuple):
    """A returnable deposit; ``text`` holds ``{amount}`` where the amount goes."""

    minor: int
    text: str


class Anchor(NamedTuple):
    """The price of a fixed day."""

    minor: int
    day: date
    words: str  # what stands before the amount


def deposit_line(deposit_minor: int | None, profile: Profile, language: str) -> DepositLine | None:
    """Say how a deposit is shown; None where there is none.

    It stands beside the price and is added neither to it nor to the unit price (CJEU C-543/21):
    those who compute either take the price without it.
    """
    if not deposit_minor:
        return None
    return DepositLine(deposit_minor, profile.deposit.words_in(language) or "+ {amount}")


def tax_words(profile: Profile) -> str | None:
    """Return what must stand beside a price that does not hold the taxes; None if it does."""
    return None if profile.tax.included else profile.tax.words or None


def anchor_price(
    anchor_minor: int | None, profile: Profile, language: str, *, categories: Collection[str] = ()
) -> Anchor | None:
    """Say which price of a fixed day a label shows; None where none is needed or known.

    ``categories`` are the codes of the profile's categories that the shop says this product is
    in. A price that is not known is never made up: `lacks_anchor` finds it.
    """
    rule = profile.anchor
    if anchor_minor is None or rule.day is None or not needs_anchor(profile, categories):
        return None
    return Anchor(anchor_minor, rule.day, rule.words_in(language))


def needs_anchor(profile: Profile, categories: Collection[str]) -> bool:
    """Say whether a product in these categories shows the price of a fixed day."""
    rule = profile.anchor
    if not rule.required:
        return False
    return not rule.categories or any(each.code in categories for each in rule.categories)


def lacks_anchor(anchor_minor: int | None, profile: Profile, categories: Collection[str]) -> bool:
    """Say whether a label needs the price of a fixed day, and nobody has sent it."""
    return anchor_minor is None and needs_anchor(profile, categories)
