"""What `esl.domain.guards.judge` says of a plain price, without the objects that it is asked with.

A list has a million of them, and nearly all come without a promotion, in the store's currency.
"""

from esl.domain.guards import (
    PASSED,
    PASSED_BIG,
    Judgement,
    Limits,
    Reason,
    Verdict,
    doubt_unit_price,
    doubts_of,
    is_big,
)
from esl.domain.product import NetContent


def judge_plain(
    price_minor: int,
    unit_price_minor: int | None,
    lowest_30d_minor: int | None,
    content: NetContent | None,
    held: tuple[int, int | None, int] | None,
    limits: Limits,
) -> Judgement:
    """Say what `judge` says of a regular price without a promotion, in the store's currency.

    Without objects: lists have a million of them. ``held`` is a `Held`'s price, regular price and
    changes of today.
    """
    if price_minor <= 0 or (unit_price_minor is not None and unit_price_minor <= 0):
        return Judgement(verdict=Verdict.REJECT, reasons=(Reason.NOT_POSITIVE,))
    if not limits.lowest_minor <= price_minor <= limits.highest_minor:
        high = [Reason.TOO_HIGH] if price_minor > limits.highest_minor else []
        low = [Reason.TOO_LOW] if price_minor < limits.lowest_minor else []
        return Judgement(verdict=Verdict.REJECT, reasons=(*high, *low))
    held_minor, regular_minor, changes = held or (None, None, 0)
    reasons = doubts_of(price_minor, held_minor, regular_minor, changes, limits)
    base = regular_minor if regular_minor is not None else held_minor
    if unit_price_minor is not None and content is not None:
        reasons += doubt_unit_price((price_minor,), unit_price_minor, content, limits)
    if base is not None and lowest_30d_minor is not None and limits.lowest_30d:
        reasons += (Reason.LOWEST_30D,) if lowest_30d_minor > base else ()
    big = base is not None and is_big(price_minor, base, limits)
    if reasons:
        return Judgement(verdict=Verdict.QUARANTINE, reasons=reasons, big=big)
    return PASSED_BIG if big else PASSED
