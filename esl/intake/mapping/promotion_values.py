"""A row's promotion, put together from its parts.

A validity belongs to what the row states: ``valid_from`` to all of it; ``valid_to`` to the
promotion where there is one, because the regular price goes on. ``promotion_from`` and
``promotion_to`` speak of the promotion alone.
"""

from typing import Any

from esl.domain.entry import PromotionKind, StatedPromotion
from esl.intake.mapping.bad_value import BadValue

_PARTS = (
    "promotion_id",
    "promotion_kind",
    "promotion_quantity",
    "club",
    "promotion_from",
    "promotion_to",
)


def take_promotion(fields: dict[str, Any]) -> None:
    """Put ``promotion`` in the place of its parts, where the row has a promotion price.

    Raises:
        BadValue: The parts contradict each other.
    """
    parts = {name: fields.pop(name, None) for name in _PARTS}
    if "promotion_price" not in fields:
        return
    price = fields.pop("promotion_price")
    if price is None:
        fields["promotion"] = None
        return
    begin = parts["promotion_from"] or fields.get("valid_from")
    end = parts["promotion_to"]
    if end is None:
        end = fields.pop("valid_to", None)
    if begin is not None and end is not None and end <= begin:
        raise BadValue("the promotion ends before it begins", fix="Correct its dates.")
    quantity = parts["promotion_quantity"] or 1
    kind = parts["promotion_kind"] or _kind_of(quantity, parts["club"])
    if kind is PromotionKind.MULTIBUY and quantity == 1:
        raise BadValue("a multibuy of one piece", fix="Map promotion_quantity.")
    if kind is not PromotionKind.MULTIBUY and quantity > 1:
        raise BadValue(
            f"{quantity} pieces, and the promotion is no multibuy", fix="Correct promotion_kind."
        )
    fields["promotion"] = StatedPromotion(
        promotion_id=parts["promotion_id"] or "",
        kind=kind,
        price_minor=price,
        quantity=quantity,
        club=parts["club"],
        valid_from=begin,
        valid_to=end,
    )


def _kind_of(quantity: int, club: str | None) -> PromotionKind:
    if quantity > 1:
        return PromotionKind.MULTIBUY
    return PromotionKind.MEMBER if club else PromotionKind.PRICE
