"""A row's promotion, put together from its parts.

A validity belongs to what the row states: ``valid_from`` to all of it; ``valid_to`` to the
promotion where there is one, because the regular price goes on. ``promotion_from`` and
``promotion_to`` speak of the promotion alone.
"""

from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from esl.domain.entry import NAMELESS, PromotionKind, StatedPromotion, is_nameless
from esl.domain.pricing import KEEP, Keep
from esl.intake.mapping.bad_value import BadValue

_EVER: Final = datetime(1, 1, 1, tzinfo=UTC)
_PARTS = (
    "promotion_id",
    "promotion_kind",
    "promotion_quantity",
    "club",
    "promotion_from",
    "promotion_to",
    "multibuy_quantity",
)
PROMOTED: Final = ("promotion_", "club", "member_", "multibuy_")
"""What the names of targets begin with that are parts of promotions."""


def take_promotion(fields: dict[str, Any]) -> None:
    """Put ``promotion`` and ``more_promotions`` in the place of their parts.

    Raises:
        BadValue: The parts contradict each other.
    """
    parts = {name: fields.pop(name, None) for name in _PARTS}
    price, member = fields.pop("promotion_price", KEEP), fields.pop("member_price", KEEP)
    several = fields.pop("multibuy_price", KEEP)
    if not (isinstance(price, int) or isinstance(member, int) or isinstance(several, int)):
        if price is None or member is None or several is None:
            fields["promotion"] = None
        return
    begin = parts["promotion_from"] or fields.get("valid_from")
    end = parts["promotion_to"]
    if end is None:
        end = fields.pop("valid_to", None)
    if begin is not None and end is not None and end <= begin:
        raise BadValue("the promotion ends before it begins", fix="Correct its dates.")
    stated: list[StatedPromotion] = []
    if isinstance(price, int):
        club = parts["club"] if member is KEEP else None
        stated.append(_promotion_of(price, parts, club, begin, end))
    if isinstance(member, int):
        stated.append(
            StatedPromotion(
                kind=PromotionKind.MEMBER,
                price_minor=member,
                club=parts["club"],
                valid_from=begin,
                valid_to=end,
            )
        )
    if isinstance(several, int):
        quantity = parts["multibuy_quantity"]
        if quantity is None:
            raise BadValue("a multibuy without its pieces", fix="Send multibuy_quantity.")
        stated.append(
            StatedPromotion(
                kind=PromotionKind.MULTIBUY,
                price_minor=several,
                quantity=quantity,
                valid_from=begin,
                valid_to=end,
            )
        )
    if len(stated) == 1:
        fields["promotion"] = stated[0]
        return
    joined = join_promotions(stated)
    if isinstance(joined, str):
        raise BadValue(joined, fix="State each kind once.")
    if isinstance(joined, tuple):
        fields["promotion"], *more = joined
        fields["more_promotions"] = tuple(more)


def _promotion_of(
    price: int,
    parts: Table[str, Any],
    club: str | None,
    begin: datetime | None,
    end: datetime | None,
) -> StatedPromotion:
    named = parts["promotion_id"] or ""
    if named.startswith(NAMELESS):
        raise BadValue(f"a promotion_id that begins with {NAMELESS}", fix="Use another sign.")
    quantity = parts["promotion_quantity"] or 1
    kind = parts["promotion_kind"] or _kind_of(quantity, club)
    if kind is PromotionKind.MULTIBUY and quantity == 1:
        raise BadValue("a multibuy of one piece", fix="Map promotion_quantity.")
    if kind is not PromotionKind.MULTIBUY and quantity > 1:
        raise BadValue(
            f"{quantity} pieces, and the promotion is no multibuy", fix="Correct promotion_kind."
        )
    return StatedPromotion(
        promotion_id=named,
        kind=kind,
        price_minor=price,
        quantity=quantity,
        club=club,
        valid_from=begin,
        valid_to=end,
    )


def _kind_of(quantity: int, club: str | None) -> PromotionKind:
    if quantity > 1:
        return PromotionKind.MULTIBUY
    return PromotionKind.MEMBER if club else PromotionKind.PRICE


def join_promotions(
    stated: Sequence[StatedPromotion | Keep | None],
) -> tuple[StatedPromotion, ...] | Keep | str:
    """Join what the rows of one product say of promotions: several may run at once.

    Each id is one promotion. Those without an id are told apart by what they are: a price for
    everybody, one for members, one for several pieces, and by when they run; two of a kind that
    run at one time contradict each other. Returns words where rows contradict each other; ()
    where they clear.
    """
    said = [_as_said(one) for one in stated if not isinstance(one, Keep)]
    if not said:
        return KEEP
    given = tuple(dict.fromkeys(one for one in said if one is not None))
    wrong = _contradiction(given, has_none=None in said)
    if wrong is not None:
        return wrong
    named = sorted((one for one in given if one.promotion_id), key=lambda one: one.promotion_id)
    nameless = sorted((one for one in given if not one.promotion_id), key=_order_of)
    own = [
        one if place == 0 else replace(one, promotion_id=f"{NAMELESS}{place}")
        for place, one in enumerate(nameless)
    ]
    return (*own, *named)


def _as_said(one: StatedPromotion | None) -> StatedPromotion | None:
    """Take back an id that another row's joining gave."""
    if one is None or not is_nameless(one.promotion_id):
        return one
    return replace(one, promotion_id="")


def _contradiction(given: Sequence[StatedPromotion], *, has_none: bool) -> str | None:
    if has_none and given:
        return "a promotion, and none"
    ids = [one.promotion_id for one in given if one.promotion_id]
    if len(set(ids)) < len(ids):
        return "one promotion_id with two meanings"
    nameless = [one for one in given if not one.promotion_id]
    for place, one in enumerate(nameless):
        if any(_clash(one, other) for other in nameless[place + 1 :]):
            return "two promotions of one kind at one time, without a promotion_id"
    return None


def _order_of(one: StatedPromotion) -> tuple[str, int, datetime, str]:
    return one.kind.value, one.quantity, one.valid_from or _EVER, one.club or ""


def _clash(one: StatedPromotion, other: StatedPromotion) -> bool:
    if (one.kind, one.quantity, one.club) != (other.kind, other.quantity, other.club):
        return False
    ends, other_ends = one.valid_to, other.valid_to
    return (ends is None or (other.valid_from or _EVER) < ends) and (
        other_ends is None or (one.valid_from or _EVER) < other_ends
    )
