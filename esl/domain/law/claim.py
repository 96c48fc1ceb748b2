"""May this reduction be announced; and if not, why the label shows the plain price.

A percentage is counted from the prior price and rounded down (CJEU C-330/23, Aldi Süd). Pure;
money is in minor units.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from esl.domain.law.prior_price import PriorPrice, Reason, StepKind
from esl.domain.law.profile import Claims, PriorPriceRule, Profile, Spoilage
from esl.domain.money import format_minor, percent_off


class ClaimCode(StrEnum):
    """What became of a reduction that was to be announced."""

    ALLOWED = "allowed"
    STATED = "stated"  # no rule for a prior price: the shop's own former price stands
    SPOILAGE_EXEMPT = "spoilage_exempt"
    PERSONAL_EXEMPT = "personal_exempt"
    MEMBER_EXEMPT = "member_exempt"
    NOT_LOWER = "not_lower_than_prior"  # from here on the plain price is shown
    NO_REFERENCE = "no_prior_price"


_EXEMPT: Final = {
    ClaimCode.SPOILAGE_EXEMPT: "Goods that are about to spoil need no prior price",
    ClaimCode.PERSONAL_EXEMPT: "A price for one customer is no announcement",
    ClaimCode.MEMBER_EXEMPT: "A price for members needs no prior price here",
}
_WHOLE: Final = 100


class Claim(NamedTuple):
    """What a label may say of a reduced price.

    ``reference_minor`` is struck through and ``percent`` counted from it; None: the price is
    announced without. Where ``is_allowed`` is False the label shows the plain price.
    """

    is_allowed: bool
    code: ClaimCode
    price_minor: int
    reference_minor: int | None = None
    percent: int | None = None  # rounded down; None below 1 %
    mark_required: bool = False  # it must be marked as reduced because it is about to spoil
    prior: PriorPrice | None = None

    def words(self, currency: str) -> str:
        """Say in a sentence or two why it may or may not be announced."""
        price = f"{format_minor(self.price_minor, currency)} {currency}"
        basis = ""
        if self.prior is not None and self.prior.reason is not Reason.NO_RULE:
            basis = f" {self.prior.words(currency)}"
        match self.code:
            case ClaimCode.NOT_LOWER:
                return f"{price} is not below the prior price: no reduction is announced.{basis}"
            case ClaimCode.NO_REFERENCE:
                return f"No reduction is announced without a prior price.{basis}"
            case ClaimCode.STATED:
                former = f"{format_minor(self.reference_minor or 0, currency)} {currency}"
                return f"{price} instead of {former}, the former price as the shop states it."
            case ClaimCode.ALLOWED:
                less = f", {self.percent} % less" if self.percent else ""
                return f"{price} is below the prior price{less}.{basis}"
            case _:
                mark = "; it must be marked as such" if self.mark_required else ""
                return f"{_EXEMPT[self.code]}{mark}."


def may_claim(
    price_minor: int,
    prior: PriorPrice,
    profile: Profile,
    *,
    kind: StepKind = StepKind.REDUCED,
    stated_minor: int | None = None,
) -> Claim:
    """Say whether a price may be announced as reduced, and from which price.

    ``kind`` is that of the reduced price; ``stated_minor`` is the former price by the shop's own
    word, used only where the law has no rule for it. A recommended price of the maker is no prior
    price and does not belong here.
    """
    rule = profile.prior_price
    reference = prior.price_minor
    if (exempt := _exempt(kind, rule)) is not None:
        is_higher = reference is not None and reference > price_minor
        return _allowed(
            price_minor,
            exempt,
            reference if is_higher and exempt is not ClaimCode.PERSONAL_EXEMPT else None,
            prior,
            mark_required=exempt is ClaimCode.SPOILAGE_EXEMPT and rule.spoilage_mark_required,
        )
    code = ClaimCode.ALLOWED
    if prior.reason is Reason.NO_RULE:
        code, reference = ClaimCode.STATED, stated_minor
    if reference is not None and reference > price_minor:
        return _allowed(price_minor, code, reference, prior)
    code = ClaimCode.NO_REFERENCE if reference is None else ClaimCode.NOT_LOWER
    return Claim(is_allowed=False, code=code, price_minor=price_minor, prior=prior)


def highest_price_for(percent: int, prior_minor: int) -> int:
    """Return the highest price that is so many percent below the prior price.

    "50 % off" of a prior price of 100 is 50 at most, whatever the last price was.
    """
    return prior_minor * (_WHOLE - percent) // _WHOLE


def _exempt(kind: StepKind, rule: PriorPriceRule) -> ClaimCode | None:
    """Say why a price of this kind needs no prior price; None: it does."""
    if kind is StepKind.PERSONAL:
        return ClaimCode.PERSONAL_EXEMPT
    if kind is StepKind.SPOILAGE and rule.spoilage is Spoilage.EXEMPT:
        return ClaimCode.SPOILAGE_EXEMPT
    if kind is StepKind.MEMBER and rule.member_claims is Claims.EXEMPT:
        return ClaimCode.MEMBER_EXEMPT
    return None


def _allowed(
    price_minor: int,
    code: ClaimCode,
    reference: int | None,
    prior: PriorPrice,
    *,
    mark_required: bool = False,
) -> Claim:
    percent = percent_off(reference, price_minor) or None if reference is not None else None
    return Claim(
        is_allowed=True,
        code=code,
        price_minor=price_minor,
        reference_minor=reference,
        percent=percent,
        mark_required=mark_required,
        prior=prior,
    )
