"""The past of products as the law reads it: what held here, and what was told of before.

::

    told by another system   │ first heard here                      the moment asked for
    ──────────1.69───────────┼────1.69────│────1.29────────────────────────┼──▶
                             └ from here on what held here counts alone
    neither reaches back     a source's own word for the lowest, not older than thirty days

Whole batches: a handful of queries, however many products.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.ids import Sku
from esl.domain.law.prior_price import Step, StepKind
from esl.domain.lowest_price import DAYS, Held, Told, history_of
from esl.domain.place import Store
from esl.store import past_prices, promoted
from esl.store.past_prices import PastPrice
from esl.store.promoted import Past

LOOK_BACK: Final = timedelta(days=120)
"""How far back prices are looked at: thirty days before the first of several reductions."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_KINDS: Final = {kind.value: kind for kind in StepKind}


class History(NamedTuple):
    """What is known of a product's past at a moment."""

    steps: list[Step]
    last_at: datetime | None  # since when what held last holds
    on_sale_from_ms: int | None  # first moment it was ever sold; None: not known
    stated_minor: int | None  # the lowest price by a source's own word


def histories_of(
    tx: Connection, store: Store, skus: Sequence[Sku], at: datetime
) -> dict[Sku, History]:
    """Load the past of products, each of which gets an entry."""
    store_id, zone = store.store_id, ZoneInfo(store.timezone)
    past = promoted.past_of(tx, store_id, skus, at - LOOK_BACK)
    since = promoted.sold_since(tx, store_id, skus)
    told = past_prices.past_prices(tx, store_id, skus)
    stated = past_prices.stated_lows(tx, store_id, skus)
    today = at.astimezone(zone).date()
    found: dict[Sku, History] = {}
    for sku in skus:
        here = past.get(sku, [])
        before = steps_before(told.get(sku, ()), here, at, zone)
        low = stated.get(sku)
        low_minor = low.price_minor if low is not None and today - low.day <= DAYS else None
        sold = since.get(sku)
        # Who told of the past, or of the lowest price, knew the product before we did.
        is_older = bool(before) or low_minor is not None
        found[sku] = History(
            [*before, *steps_of(here)],
            here[-1].at if here else None,
            (sold - _EPOCH) // _MS if sold is not None and not is_older else None,
            low_minor,
        )
    return found


def steps_before(
    told: Sequence[PastPrice], here: Sequence[Past], at: datetime, zone: ZoneInfo
) -> list[Step]:
    """Write what was told of the days before the first that is known here, without a gap."""
    if not told:
        return []
    words = [
        Told(
            begins=_midnight(one.dated.day, zone),
            until=_midnight(one.dated.until, zone) if one.dated.until is not None else None,
            dated=one.dated,
            source=one.source,
            batch_id=one.batch_id,
        )
        for one in told
    ]
    first = [Held(at=one.at, price_minor=one.price_minor, is_reduced=False) for one in here[:1]]
    steps = history_of(first, words, at)
    return steps[:-1] if first else steps


def steps_of(past: Sequence[Past]) -> list[Step]:
    """Write the history of a product as the law reads it."""
    return [
        Step(
            (one.at - _EPOCH) // _MS,
            one.price_minor,
            _KINDS.get(one.kind, StepKind.REDUCED)
            if one.kind is not None
            else StepKind.REDUCED
            if one.is_reduced
            else StepKind.REGULAR,
        )
        for one in past
    ]


def one_history(tx: Connection, store: Store, sku: Sku, at: datetime) -> History:
    """Load the past of one product."""
    found: Mapping[Sku, History] = histories_of(tx, store, [sku], at)
    return found[sku]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
