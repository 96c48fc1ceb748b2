"""How much is in a pack, from what its cell, the cell of its unit, its name and prices say."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from esl.domain.entry import StatedPromotion
from esl.domain.product import NetContent
from esl.intake.mapping.bad_value import BadValue, shorten
from esl.intake.quantity import parse_quantity
from esl.intake.quantity_evidence import PriceEvidence, stands_in
from esl.intake.quantity_evidence import read_content as weigh_content

_ONE_MINOR = Decimal(1)


def read_content(
    text: str,
    *,
    decimal: str,
    unit: str | None,
    name: str | None = None,
    prices: tuple[int, ...] = (),
    unit_price: int | None = None,
) -> NetContent | None:
    """Read a net content; ``prices`` and ``unit_price`` are in minor units.

    Most rows agree with themselves, and are taken on a short way: lists have a million of them.
    ``text`` may be empty: then it is what the name says and the unit price agrees with, or None.

    Raises:
        BadValue: It is unknown, with the reason.
    """
    cell = parse_quantity(text, decimal=decimal, unit_hint=unit) if text else None
    if (
        isinstance(cell, NetContent)
        and (name is None or stands_in(cell, name))
        and (unit_price is None or _follows(unit_price, cell.milli, prices))
    ):
        return cell
    evidence = PriceEvidence(
        prices=tuple(map(Decimal, prices)),
        unit_price=None if unit_price is None else Decimal(unit_price),
        step=_ONE_MINOR,
    )
    read = weigh_content(text, name=name, evidence=evidence, decimal=decimal, unit_hint=unit)
    if isinstance(read, NetContent):
        return read
    if not text.strip():
        return None
    raise BadValue(f"{shorten(text)}: {read.reason}")


def _follows(unit_price: int, milli: int, prices: tuple[int, ...]) -> bool:
    """Say whether a unit price is that of one of the prices, to half a minor unit."""
    return any(abs(unit_price * milli - price * 1000) * 2 <= milli for price in prices)


def prices_in(fields: Mapping[str, Any]) -> tuple[int, ...]:
    """List the prices that a row's unit price may have been worked out from."""
    price, promotion = fields.get("price_minor"), fields.get("promotion")
    prices: tuple[int, ...] = (price,) if isinstance(price, int) else ()
    if isinstance(promotion, StatedPromotion) and promotion.quantity == 1:
        prices += (promotion.price_minor,)
    return prices
