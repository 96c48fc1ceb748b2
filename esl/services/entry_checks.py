"""What of an entry can be kept at all, and small readings of it for `esl.services.taking`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final

from esl.domain.entry import Entry, PromotionKind, StatedPromotion
from esl.domain.face import Unit
from esl.domain.guards import WORDS, Held, Judgement, Limits, Reason, Said, Verdict, judge
from esl.domain.ids import Sku, SourceId
from esl.domain.money import PRICE_MAX_MINOR
from esl.domain.pricing import KEEP, Keep, Says
from esl.domain.product import NetContent
from esl.services.merging import NotTaken
from esl.store import words
from esl.store.listed import Listed
from esl.store.price_intake import SourcePosition
from esl.store.promotions import HeldPromotion
from esl.store.quarantine import NewHeld

BADGE_LONGEST = 40
CLUB_LONGEST = 80
QUANTITY_MOST = 1000
PROMOTIONS_MOST = 20
"""Promotions of one product that a source may state at once."""

_AMOUNTS: Final = ("price_minor", "was_minor", "unit_price_minor")
_amounts_of: Final = attrgetter(*_AMOUNTS)
_STRICTNESS = (Verdict.PASS, Verdict.QUARANTINE, Verdict.REJECT)


def says_price(entry: Entry) -> bool:
    """Say whether an entry speaks of a price or a promotion."""
    return not (
        entry.price_minor is KEEP
        and entry.was_minor is KEEP
        and entry.unit_price_minor is KEEP
        and entry.badge is KEEP
        and entry.promotion is KEEP
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


def price_meant(entry: Entry) -> int:
    """Return the price that an entry for later is about: the regular one, or its promotion's."""
    if isinstance(entry.price_minor, int):
        return entry.price_minor
    promotion = entry.promotion
    return promotion.price_minor if isinstance(promotion, StatedPromotion) else 0


def held_entry(
    entry: Entry, source: SourceId, old: Says | None, new: Says, reasons: Iterable[Reason]
) -> NewHeld:
    """Make what is kept of an entry that the guards doubt."""
    return NewHeld(
        sku=entry.sku,
        source=source,
        said=words.text_of_entry(entry),
        price_minor=new.price_minor,
        held_minor=old.price_minor if old is not None else None,
        reasons=" ".join(reasons),
    )


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
    for name, amount in zip(_AMOUNTS, _amounts_of(entry), strict=True):
        if amount is not KEEP and amount is not None and not 0 < amount <= PRICE_MAX_MINOR:
            raise NotTaken(f"{name.removesuffix('_minor')}: not a price")
    if isinstance(entry.badge, str) and not 1 <= len(entry.badge) <= BADGE_LONGEST:
        raise NotTaken(f"badge: not 1 to {BADGE_LONGEST} characters")
    if entry.promotion is not KEEP and entry.promotion is not None:
        _check_promotions(entry.stated_promotions)
    if entry.history and any(
        not 0 < dated.price_minor <= PRICE_MAX_MINOR for dated in entry.history
    ):
        raise NotTaken("history: not a price")


def check_room(*, is_there: bool) -> None:
    """Refuse a price with a begin or an end of a product that has too many of them.

    Raises:
        NotTaken: There is no room.
    """
    if not is_there:
        raise NotTaken(f"valid_from: {WORDS[Reason.TOO_MANY_PLANS]}")


def _check_promotions(stated: Sequence[StatedPromotion]) -> None:
    for promotion in stated:
        _check_promotion(promotion)
    if len({one.promotion_id for one in stated}) < len(stated) or len(stated) > PROMOTIONS_MOST:
        raise NotTaken(f"promotion: one twice, or more than {PROMOTIONS_MOST}")


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


def came_late(entry: Entry, before: SourcePosition | None) -> bool:
    """Say whether the source said something newer of this product, price or not."""
    if before is None:
        return False
    seq, time = entry.source_seq, entry.source_time
    if seq is not None and before.last_seq is not None:
        return seq < before.last_seq
    return time is not None and before.last_time is not None and time < before.last_time
