"""The prior price: the lowest that held in the days before a reduction began.

::

           begins                        ends = the reduction was applied      moment asked for
    ─────────┼─────────────────────────────┼────────────────────────────────────────┼──▶
       1.69  │  1.69   │ 1.29 │    1.69    │                1.29, reduced
             └──── the lowest is 1.29 ─────┘

A reduction that grows without a break (100 → 80 → 70) is one reduction that began with its first
step, where the profile has that rule. Of a product without a reduction the days end now: what
might be claimed if one began. Pure; instants are milliseconds since 1970, UTC; money is in minor
units. A call takes about two microseconds.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from esl.domain.law.profile import ALWAYS, NewProducts, PriorPriceRule, Profile
from esl.domain.money import format_minor

DAY_MS: Final = 86_400_000
_MIDNIGHTS_KEPT = 4096


class StepKind(StrEnum):
    """Who could buy at a price, and what was said of it."""

    REGULAR = "regular"  # everybody
    REDUCED = "reduced"  # everybody, announced as a reduction
    SPOILAGE = "spoilage"  # everybody, reduced because it is about to spoil
    MEMBER = "member"  # members of a club, beside the price for everybody
    PERSONAL = "personal"  # one customer


# Looked up for every step: a name of the module costs a fraction of a member's name.
_REGULAR: Final = StepKind.REGULAR
_MEMBER: Final = StepKind.MEMBER
_PERSONAL: Final = StepKind.PERSONAL
_SPOILAGE: Final = StepKind.SPOILAGE


class Step(NamedTuple):
    """A price as it came to hold, until the next. ``price_minor`` None: not on sale."""

    at_ms: int
    price_minor: int | None
    kind: StepKind = StepKind.REGULAR


class Reason(StrEnum):
    """Why there is a prior price, or none."""

    LOWEST = "lowest"
    PROGRESSIVE = "progressive"  # the lowest before the first of several reductions
    SINCE_SOLD = "since_sold"  # the lowest since it is sold, which is for fewer days
    STATED = "stated"  # a source's own word for it: the prices of these days are not known here
    NO_RULE = "no_rule"
    HISTORY_TOO_SHORT = "history_too_short"
    NEW_PRODUCT = "new_product"
    NOT_SOLD_BEFORE = "not_sold_before"


_NONE_CLAIMED: Final = {
    Reason.NO_RULE: "This profile knows no rule for a prior price.",
    Reason.HISTORY_TOO_SHORT: "The prices of these days are not all known; no lowest is claimed.",
    Reason.NEW_PRODUCT: "The product is sold for fewer days than the law looks back.",
    Reason.NOT_SOLD_BEFORE: "The product was not sold in these days.",
}


class PriorPrice(NamedTuple):
    """The prior price and what it rests on; ``price_minor`` None: nothing may be claimed."""

    price_minor: int | None
    reason: Reason
    begins_ms: int  # the days that were looked at: from here …
    ends_ms: int  # … until before here
    held_from_ms: int | None = None  # since when the lowest price held

    def words(self, currency: str) -> str:
        """Say it in a sentence, amounts as decimals with the currency's code."""
        if self.price_minor is None:
            return _NONE_CLAIMED[self.reason]
        amount = f"{format_minor(self.price_minor, currency)} {currency}"
        days = f"from {_day(self.begins_ms)} until before {_day(self.ends_ms)}"
        match self.reason:
            case Reason.PROGRESSIVE:
                return f"{amount} was the lowest {days}, before the first of these reductions."
            case Reason.SINCE_SOLD:
                return f"{amount} was the lowest {days}; the product is not sold for longer."
            case Reason.STATED:
                return (
                    f"{amount} was the lowest of the days before, as its source states; the prices"
                    " of these days are not all known here."
                )
            case _:
                return f"{amount} was the lowest {days}."


def lowest_price(
    history: Sequence[Step],
    at_ms: int,
    profile: Profile,
    *,
    on_sale_from_ms: int | None = None,
    zone: ZoneInfo | None = None,
) -> PriorPrice:
    """Find the prior price of what holds at a moment.

    ``history`` is of one product, store and channel, in the order of its moments, and holds the
    price that is asked about: for a reduction that is only planned, put it behind. Where the law
    counts members' prices they are among those that the lowest is sought in; others are passed
    over, and none of them ends a price for everybody.

    ``on_sale_from_ms`` is when the product was first sold here, if that is known: what goes
    before is then no gap. With a ``zone`` the days begin at the store's midnight, and are never
    shorter than so many times 24 hours; without one they are just that.
    """
    rule = profile.prior_price
    if not rule.days:
        return PriorPrice(None, Reason.NO_RULE, at_ms, at_ms)
    place, ends_ms, is_progressive = _reduction_began(history, at_ms, rule)
    begins_ms = ends_ms - rule.days * DAY_MS
    if zone is not None:  # an hour is missing in spring, and whole days are owed
        begins_ms = min(begins_ms, _days_before(ends_ms, rule.days, zone))
    lowest, held_from_ms, since_ms = _lowest_within(history, place, begins_ms, ends_ms, rule)
    if rule.member_prices_count:
        lowest, held_from_ms = _with_members(history, begins_ms, ends_ms, lowest, held_from_ms)
    reason = Reason.PROGRESSIVE if is_progressive else Reason.LOWEST
    if since_ms > begins_ms:
        if on_sale_from_ms is None or since_ms > on_sale_from_ms:
            return PriorPrice(None, Reason.HISTORY_TOO_SHORT, begins_ms, ends_ms)
        if lowest is not None and rule.new_products is NewProducts.NONE_CLAIMED:
            return PriorPrice(None, Reason.NEW_PRODUCT, begins_ms, ends_ms)
        begins_ms, reason = min(on_sale_from_ms, ends_ms), Reason.SINCE_SOLD
    if lowest is None:
        return PriorPrice(None, Reason.NOT_SOLD_BEFORE, begins_ms, ends_ms)
    return PriorPrice(lowest, reason, begins_ms, ends_ms, held_from_ms)


def _reduction_began(
    history: Sequence[Step], at_ms: int, rule: PriorPriceRule
) -> tuple[int, int, bool]:
    """Find when the reduction that runs was first applied.

    Returns the place of the last step before it, the instant, and whether it grew on the way.
    Where none runs: the place of what holds, and the moment itself.
    """
    place = len(history) - 1
    while place >= 0:
        from_ms, price, kind = history[place]
        if from_ms <= at_ms and kind is not _MEMBER and kind is not _PERSONAL:
            break
        place -= 1
    else:
        return -1, at_ms, False
    if price is None or kind is _REGULAR:
        return place, at_ms, False
    since = first = (place, from_ms)  # of this amount, and of all that grew into it
    grew = False
    while place > 0:
        place -= 1
        earlier_ms, earlier, kind = history[place]
        if kind is _MEMBER or kind is _PERSONAL or earlier_ms >= from_ms:
            continue
        if kind is _REGULAR or earlier is None or earlier < price:
            break
        grew = grew or earlier > price
        price, from_ms = earlier, earlier_ms
        first = (place, from_ms)
        if not grew:
            since = first
    days = rule.progressive_days
    if grew and days and (days == ALWAYS or at_ms - first[1] < days * DAY_MS):
        return first[0] - 1, first[1], True
    return since[0] - 1, since[1], False


def _lowest_within(
    history: Sequence[Step], place: int, begins_ms: int, ends_ms: int, rule: PriorPriceRule
) -> tuple[int | None, int | None, int]:
    """Find the lowest price for everybody, and since when it held, from ``place`` backwards.

    The third is since when the prices are known: of what holds as the days begin, or later.
    """
    lowest: int | None = None
    held_from_ms: int | None = None
    since_ms = ends_ms  # also the end of the step that is looked at
    while place >= 0 and since_ms > begins_ms:
        from_ms, price, kind = history[place]
        place -= 1
        if kind is _MEMBER or kind is _PERSONAL or from_ms >= since_ms:
            continue  # not for everybody, or it never held
        counts = rule.spoilage_counts or kind is not _SPOILAGE
        if price is not None and counts and (lowest is None or price <= lowest):
            lowest, held_from_ms = price, from_ms
        since_ms = from_ms
    return lowest, held_from_ms, since_ms


def _with_members(
    history: Sequence[Step],
    begins_ms: int,
    ends_ms: int,
    lowest: int | None,
    held_from_ms: int | None,
) -> tuple[int | None, int | None]:
    """Seek the lowest among members' prices too; each holds until the next of its kind."""
    until_ms = ends_ms
    for from_ms, price, kind in reversed(history):
        if kind is not _MEMBER or from_ms >= until_ms:
            continue
        if price is not None and (lowest is None or price < lowest):
            lowest, held_from_ms = price, from_ms
        until_ms = from_ms
        if from_ms <= begins_ms:
            break
    return lowest, held_from_ms


@lru_cache(maxsize=_MIDNIGHTS_KEPT)
def _days_before(ends_ms: int, days: int, zone: ZoneInfo) -> int:
    """Return midnight of the day that lies so many days before an instant's own."""
    day = _instant(ends_ms).astimezone(zone).date() - timedelta(days=days)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight - _EPOCH) // timedelta(milliseconds=1)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def _day(ms: int) -> str:
    return f"{_instant(ms):%Y-%m-%d %H:%M} UTC"
