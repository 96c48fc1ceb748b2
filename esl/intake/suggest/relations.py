"""What prices of one row say of each other: a promotion is lower, a unit price follows.

Headers can be swapped, and "promo price" can hold discounts; numbers cannot agree by chance in
most rows of a list.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from esl.domain.product import NetContent
from esl.intake.suggest.evidence import agreement_of

_HARDLY = 0.3
"""Part of the rows that may contradict: lists hold errors."""

_ENOUGH = 5
"""Rows that a relation is judged by, at least."""

_TINY = Decimal("0.25")
"""Promotions below this part of the price are rare; a column full of them holds discounts."""

_UNIT_MARKS = ("kg", "jm", "mjere", "grundpreis")
"""What a header says of a unit price that cannot be the price of the piece."""

_ORDER = (("promotion_price", True), ("was", False), ("lowest_price_30d", True))
"""Prices beside the regular one, and whether they are below it."""

Numbers = Sequence[Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a relation says of a target; ``sure`` False makes it unsure."""

    target: str
    why: str
    sure: bool = False
    needed: bool = False


def weigh_prices(numbers: Mapping[str, Numbers]) -> Iterator[Verdict]:
    """Compare the prices of each row with the regular one; a contradiction doubts both."""
    price = numbers.get("price")
    if price is None:
        return
    for target, is_lower in _ORDER:
        other = numbers.get(target)
        if other is None:
            continue
        pairs = [(a, b) for a, b in zip(price, other, strict=True) if a and b]
        if len(pairs) < _ENOUGH:
            continue
        wrong = sum((b > a) if is_lower else (b < a) for a, b in pairs)
        tiny = sum(b < a * _TINY for a, b in pairs) if target == "promotion_price" else 0
        if tiny > len(pairs) * _HARDLY:
            why = f"in {tiny} of {len(pairs)} rows it is less than a quarter of the price"
            yield Verdict(target=target, why=why, needed=True)
        if wrong > len(pairs) * _HARDLY:
            side = "above" if is_lower else "below"
            why = f"in {wrong} of {len(pairs)} rows it is {side} the price"
            yield Verdict(target=target, why=why, needed=target == "promotion_price")
            if target != "lowest_price_30d":
                why = f"{target} is {side} it in {wrong} rows"
                yield Verdict(target="price", why=why, needed=True)


def weigh_unit_price(
    numbers: Mapping[str, Numbers],
    contents: Sequence[NetContent | None],
    *,
    header: str,
    price_is_narrow: bool,
) -> Iterator[Verdict]:
    """Prove a unit price by price and content, or doubt it; ``header`` is its own."""
    price = numbers.get("price")
    if price is None:
        yield Verdict(target="unit_price", why="no price is known that could prove it")
        return
    promoted = numbers.get("promotion_price")
    if promoted is not None:
        price = [regular or other for regular, other in zip(price, promoted, strict=True)]
    agrees, disagrees = agreement_of(price, numbers["unit_price"], contents)
    if agrees + disagrees < _ENOUGH:
        folded = header.casefold()
        if "100" in folded or not any(mark in folded for mark in _UNIT_MARKS):
            why = "too few rows have price, content and it to prove it"
            yield Verdict(target="unit_price", why=why)
    elif agrees < disagrees:
        why = f"it follows from price and content in {agrees} rows, and not in {disagrees}"
        yield Verdict(target="unit_price", why=why)
        if disagrees > 2 * agrees + _ENOUGH and not price_is_narrow:
            why = f"the unit price does not follow from it in {disagrees} rows"
            yield Verdict(target="price", why=why, needed=True)
    else:
        why = f"by its header; it follows from price and content in {agrees} rows"
        why += f", and not in {disagrees}" if disagrees else ""
        yield Verdict(target="unit_price", why=why, sure=True)
