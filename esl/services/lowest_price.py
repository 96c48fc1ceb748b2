"""Load what is known of a product's prices, and say its lowest price of thirty days."""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.ids import Sku
from esl.domain.law.profile_file import PROFILE_NAMES, load_profile
from esl.domain.lowest_price import Held, Lowest, Stated, Told, lowest_of_30_days
from esl.domain.place import Store
from esl.services.promotions.books import profile_of
from esl.store import past_prices

SAID_MOST = 2_000
"""Latest changes of one product that are looked at: more than five a day for a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """A lowest price, and the files that it rests on, by the number of their batch."""

    lowest: Lowest
    files: tuple[tuple[int, str], ...]


def lowest_price_of(tx: Connection, store: Store, sku: Sku, now: datetime) -> Provenance | None:
    """Say the lowest price of a product in the thirty days before, if anybody can."""
    zone = ZoneInfo(store.timezone)
    said = past_prices.said_of(tx, store.store_id, sku, most=SAID_MOST)
    held = [
        Held(at=one.at, price_minor=one.price_minor, is_reduced=one.is_reduced)
        for one in reversed(said)
    ]
    told = [
        Told(
            begins=_midnight(past.dated.day, zone),
            until=_midnight(past.dated.until, zone) if past.dated.until is not None else None,
            dated=past.dated,
            source=past.source,
            batch_id=past.batch_id,
        )
        for past in past_prices.past_prices(tx, store.store_id, [sku]).get(sku, ())
    ]
    low = past_prices.stated_low(tx, store.store_id, sku)
    stated = (
        Stated(price_minor=low.price_minor, source=low.source, day=low.day)
        if low is not None
        else None
    )
    profile = profile_of(store)
    if not profile.prior_price.days:  # no such rule there: told all the same, by the Union's
        profile = load_profile(PROFILE_NAMES[0])
    today = now.astimezone(zone).date()
    found = lowest_of_30_days(held, told, stated, now, today=today, profile=profile, zone=zone)
    if found is None:
        return None
    titles = ((batch, past_prices.title_of_batch(tx, batch)) for batch in found.batches)
    return Provenance(
        lowest=found, files=tuple((batch, title) for batch, title in titles if title is not None)
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
