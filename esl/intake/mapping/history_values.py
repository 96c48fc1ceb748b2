"""A row of the past, put together from its parts: what it says holds no more, and never again.

    history (a day), history_to, history_kind, price, promotion  ──▶  dated prices

Whatever else the row says of prices is of that day too, and is left out; of the product itself
(name, category …) it speaks as every other row.
"""

from datetime import date, timedelta
from typing import Any

from esl.domain.entry import DatedPrice, PastKind, PromotionKind, StatedPromotion
from esl.intake.mapping.bad_value import BadValue, shorten

_OF_THAT_DAY = ("was_minor", "unit_price_minor", "badge", "lowest_30d_minor", "stock")
_VALIDITY = ("valid_from", "valid_to")
_KINDS = {
    PromotionKind.PRICE: PastKind.PROMOTION,
    PromotionKind.MEMBER: PastKind.MEMBER,
}  # a price of several pieces is no price of one


def read_past_kind(text: str) -> PastKind:
    """Read who could buy at a price, after the mapping's own words were applied."""
    try:
        return PastKind(text.casefold())
    except ValueError:
        raise BadValue(
            f"{shorten(text)} is none of {', '.join(PastKind)}",
            fix='Say map: {"N": regular, "A": promotion}.',
        ) from None


def take_history(fields: dict[str, Any], row: int) -> None:
    """Put ``history`` in the place of a row's parts, where the row has a day for it.

    Raises:
        BadValue: The row has no price, or ends before it begins.
    """
    until = fields.pop("history_to", None)
    kind = fields.pop("history_kind", None) or PastKind.REGULAR
    history = fields.get("history")
    if history is None or isinstance(history, tuple):
        return
    del fields["history"]
    price, promotion = fields.pop("price_minor", None), fields.pop("promotion", None)
    more = fields.pop("more_promotions", ())
    for name in (*_OF_THAT_DAY, *_VALIDITY):
        fields.pop(name, None)
    if until is not None:
        until = _day_after(until)
    dated: list[DatedPrice] = []
    if price is not None:
        dated.append(_dated(history(price), until, kind, row))
    for one in (promotion, *more):
        if isinstance(one, StatedPromotion) and one.kind in _KINDS:
            own = _KINDS[one.kind]
            dated.append(_dated(history(one.price_minor), until, own, row))
    if not dated:
        raise BadValue("a day of the price history without a price", fix="Send its price.")
    fields["history"] = tuple(dated)


def _dated(said: DatedPrice, until: date | None, kind: PastKind, row: int) -> DatedPrice:
    if until is not None and until <= said.day:
        raise BadValue(
            f"the price of {said.day} ends before it begins", fix="Correct history or history_to."
        )
    return DatedPrice(day=said.day, price_minor=said.price_minor, until=until, kind=kind, row=row)


def _day_after(last: date) -> date:
    """Return the first day on which a price held no longer."""
    return last + timedelta(days=1)
