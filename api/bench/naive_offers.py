"""Offers as a first version would compute them: the yardstick of ``esl bench offers``.

For each product every promotion is asked, its window turned into the store's zone each time;
money is `decimal.Decimal`, and the lowest price is sought in the whole history. The same rules
for the selling price and the former price, and none of the rest: no unit price, no members, no
pieces, no reasons. Nothing in it is slowed down on purpose.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo

from esl.domain.law import Step
from esl.domain.product import Product
from esl.domain.promotion.offer import Base
from esl.domain.promotion.promotion import AmountOff, PercentOff, Promotion

_CENT = Decimal("0.01")
_DAYS = timedelta(days=30)


def naive_prices(
    shop: Sequence[tuple[Product, Base, list[Step]]],
    promotions: Sequence[Promotion],
    moment: datetime,
    zone: ZoneInfo,
) -> list[tuple[int, int | None]]:
    """Return the selling price and the former price of every product, in minor units."""
    return [_price_of(*one, promotions, moment, zone) for one in shop]


def _price_of(
    product: Product,
    base: Base,
    history: list[Step],
    promotions: Sequence[Promotion],
    moment: datetime,
    zone: ZoneInfo,
) -> tuple[int, int | None]:
    price = Decimal(base.says.price_minor) / 100
    found: list[tuple[int, Decimal, datetime, str]] = []
    for promotion in promotions:
        gives = promotion.gives
        if promotion.club is not None or not isinstance(gives, PercentOff | AmountOff):
            continue
        begins = _begins(promotion, moment, zone)
        if begins is None or not _selects(promotion, product):
            continue
        if isinstance(gives, PercentOff):
            left = price * (1000 - gives.permille) / 1000
        else:
            left = price - Decimal(gives.amount_minor) / 100
        left = left.quantize(_CENT, rounding=ROUND_FLOOR)
        if Decimal(0) < left < price:
            found.append((-promotion.priority, left, begins, promotion.promotion_id))
    if not found:
        return int(price * 100), None
    found.sort(key=lambda one: (one[0], one[1], -one[2].timestamp(), one[3]))
    left, begins = found[0][1], found[0][2]
    lowest = _lowest(history, begins, zone)
    former = int(lowest * 100) if lowest is not None and left < lowest else None
    return int(left * 100), former


def _begins(promotion: Promotion, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when the run that holds began; None where it does not run."""
    window = promotion.window
    shown = moment.astimezone(zone)
    if window.begins is None or shown < window.begins.replace(tzinfo=zone):
        return None
    if window.ends is not None and shown >= window.ends.replace(tzinfo=zone):
        return None
    if not window.hours:
        return window.begins.replace(tzinfo=zone).astimezone(UTC)
    for hours in window.hours:
        if hours.begins <= shown.time() < hours.ends:
            today = datetime.combine(shown.date(), hours.begins, tzinfo=zone)
            return max(today, window.begins.replace(tzinfo=zone)).astimezone(UTC)
    return None


def _selects(promotion: Promotion, product: Product) -> bool:
    chosen = promotion.selection
    if chosen.skus and product.sku not in chosen.skus:
        return False
    if chosen.categories and product.category not in chosen.categories:
        return False
    if chosen.brands and product.brand not in chosen.brands:
        return False
    return not chosen.tags or any(tag in chosen.tags for tag in product.tags)


def _lowest(history: list[Step], begins: datetime, zone: ZoneInfo) -> Decimal | None:
    day = begins.astimezone(zone).date() - _DAYS
    first = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    prices: list[Decimal] = []
    for place, step in enumerate(history):
        since = datetime.fromtimestamp(step.at_ms / 1000, tz=UTC)
        until = (
            datetime.fromtimestamp(history[place + 1].at_ms / 1000, tz=UTC)
            if place + 1 < len(history)
            else begins
        )
        if step.price_minor is not None and since < begins and until > first:
            prices.append(Decimal(step.price_minor) / 100)
    return min(prices, default=None)
