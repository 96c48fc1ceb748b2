"""What a law profile has to say of a label beside its claims, in words: for people who ask why."""

from typing import Final

from esl.domain.law.beside import needs_anchor
from esl.domain.law.goods import Goods, anchor_codes
from esl.domain.law.profile import Profile
from esl.domain.law.unit_price import UnitPriceCode

_LEFT_OUT: Final = {
    UnitPriceCode.SAME_AS_PRICE: "it would repeat the price",
    UnitPriceCode.NO_CONTENT: "nobody said how much is in it",
    UnitPriceCode.TOO_SMALL: "so small a content needs none",
    UnitPriceCode.NO_BASIS: "the profile does not know what to count for it",
}


def notes_of(
    profile: Profile, unit: UnitPriceCode, goods: Goods | None, anchor_minor: int | None
) -> list[str]:
    """Say why there is no unit price, and what is not known of the price of a fixed day."""
    notes: list[str] = []
    law = f"Law profile {profile.name} {profile.version}"
    if unit is UnitPriceCode.EXEMPT and goods is not None:
        of = [e.words for e in profile.unit_price.exemptions if e.code in goods.codes]
        notes.append(f"{law}: it shows no unit price, as goods of this kind need none ({of[0]}).")
    elif unit in _LEFT_OUT:
        notes.append(f"{law}: it shows no unit price, as {_LEFT_OUT[unit]}.")
    rule = profile.anchor
    if rule.required and rule.day is not None and anchor_minor is None:
        day = rule.day.isoformat()
        names = {each.code for each in rule.categories}
        if goods is None or not goods.is_told or not names & goods.knows:
            notes.append(
                f"{law}: some goods show the price of {day}. Nobody has sent one for this, and"
                " whether it needs one is not known: say which of the store's categories do"
                " (law_goods)."
            )
        elif needs_anchor(profile, anchor_codes(profile, goods)):
            notes.append(f"{law}: it should show the price of {day}, and nobody has sent it.")
    return notes
