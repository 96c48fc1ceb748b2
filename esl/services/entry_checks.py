"""What of an entry can be kept at all, and small readings of it for `esl.services.taking`."""

from collections.abc import Sequence
from dataclasses import replace

from esl.domain.entry import Entry, PromotionKind, StatedPromotion
from esl.domain.face import Unit
from esl.domain.guards import Held, Judgement, Limits, Said, Verdict, judge
from esl.domain.ids import Sku, SourceId
from esl.domain.money import PRICE_MAX_MINOR
from esl.domain.pricing import Keep
from esl.domain.product import NetContent
from esl.services.merging import NotTaken
from esl.store.listed import Listed
from esl.store.promotions import HeldPromotion

BADGE_LONGEST = 40
CLUB_LONGEST = 80
QUANTITY_MOST = 1000
PROMOTIONS_MOST = 20
"""Promotions of one product that a source may state at once."""

_STRICTNESS = (Verdict.PASS, Verdict.QUARANTINE, Verdict.REJECT)


def says_price(entry: Entry) -> bool:
    """Say whether an entry speaks of a price or a promotion."""
    return not (
        isinstance(entry.price_minor, Keep)
        and isinstance(entry.was_minor, Keep)
        and isinstance(entry.unit_price_minor, Keep)
        and isinstance(entry.badge, Keep)
        and isinstance(entry.promotion, Keep)
    )


def promotion_as_price(said: Said, promotion: StatedPromotion | None) -> Said:
    """Let a promotion be judged as a price is, where nobody has ever said a regular one."""
    if (
        promotion is None
        or promotion.kind is not PromotionKind.PRICE
        or said.regular_minor is not None
    ):
        return said
    return replace(
        said, regular_minor=promotion.price_minor, promotion_minor=None, lowest_30d_minor=None
    )


def given(value: int | Keep | None) -> int | None:
    """Return a value that was sent; None where it was cleared or left out."""
    return None if isinstance(value, Keep) else value


def content_of(product: Listed) -> NetContent | None:
    """Return how much is in a pack."""
    if product.content_milli is None or product.content_unit is None:
        return None
    return NetContent(milli=product.content_milli, unit=Unit(product.content_unit))


def held_promotion(sku: Sku, source: SourceId, stated: StatedPromotion) -> HeldPromotion:
    """Make what is kept of a stated promotion."""
    return HeldPromotion(
        sku=sku,
        source=source,
        promotion_id=stated.promotion_id,
        kind=stated.kind,
        price_minor=stated.price_minor,
        quantity=stated.quantity,
        club=stated.club,
        valid_from=stated.valid_from,
        valid_to=stated.valid_to,
    )


def check_entry(entry: Entry) -> None:
    """Refuse what no column holds; the mapping has refused most of it before.

    Raises:
        NotTaken: In words.
    """
    for name in ("price_minor", "was_minor", "unit_price_minor"):
        amount = getattr(entry, name)
        if isinstance(amount, int) and not 0 < amount <= PRICE_MAX_MINOR:
            raise NotTaken(f"{name.removesuffix('_minor')}: not a price")
    if isinstance(entry.badge, str) and not 1 <= len(entry.badge) <= BADGE_LONGEST:
        raise NotTaken(f"badge: not 1 to {BADGE_LONGEST} characters")
    stated = entry.stated_promotions
    for promotion in stated:
        _check_promotion(promotion)
    if len({one.promotion_id for one in stated}) < len(stated) or len(stated) > PROMOTIONS_MOST:
        raise NotTaken(f"promotion: one twice, or more than {PROMOTIONS_MOST}")
    if any(not 0 < dated.price_minor <= PRICE_MAX_MINOR for dated in entry.history):
        raise NotTaken("history: not a price")


def _check_promotion(promotion: StatedPromotion) -> None:
    if not 0 < promotion.price_minor <= PRICE_MAX_MINOR:
        raise NotTaken("promotion: not a price")
    low = 2 if promotion.kind is PromotionKind.MULTIBUY else 1
    if not low <= promotion.quantity <= QUANTITY_MOST:
        raise NotTaken(f"promotion: a quantity not within {low} to {QUANTITY_MOST}")
    if max(len(promotion.promotion_id), len(promotion.club or "")) > CLUB_LONGEST:
        raise NotTaken(f"promotion: an id or club longer than {CLUB_LONGEST} characters")
    begins, ends = promotion.valid_from, promotion.valid_to
    if begins is not None and ends is not None and ends <= begins:
        raise NotTaken("promotion: ends before it begins")


def judge_all(
    said: Said, held: Held | None, limits: Limits, more: Sequence[StatedPromotion]
) -> Judgement:
    """Ask the guards about a price with each of the promotions that come with it."""
    judged = judge(said, held, limits)
    for promotion in more:
        each = replace(
            said, promotion_minor=promotion.price_minor, promotion_quantity=promotion.quantity
        )
        other = judge(each, held, limits)
        if _STRICTNESS.index(other.verdict) > _STRICTNESS.index(judged.verdict):
            judged, other = other, judged
        if other.verdict is judged.verdict and other.reasons:
            reasons = tuple(dict.fromkeys((*judged.reasons, *other.reasons)))
            judged = replace(judged, reasons=reasons)
    return judged
