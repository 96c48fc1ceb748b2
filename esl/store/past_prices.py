"""Prices from before our time, as another system knew them, and since when we know ourselves."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from esl.domain.entry import DatedPrice, PastKind
from esl.domain.ids import Sku, SourceId, StoreId
from esl.store.bulk import Bulk
from esl.store.columns import instant_from

_LOAD: Final = Bulk(
    """
    SELECT p.sku, p.kind, CAST(p.day AS text), CAST(p.until AS text), p.price_minor, p.source,
        p.batch_id
    FROM {rows} CROSS JOIN past_price AS p
    WHERE p.store_id = :store AND p.sku = {item} ORDER BY p.sku, p.day, p.kind
    """
)
_PUT: Final = Bulk(
    """
    INSERT INTO past_price (store_id, sku, kind, day, until, price_minor, source, batch_id)
    SELECT :store, j.value->>0, j.value->>1, {day[2]}, {day[3]}, CAST(j.value->>4 AS integer),
        :source, CAST(:batch AS bigint)
    FROM {rows} WHERE true
    ON CONFLICT (store_id, sku, kind, day) DO UPDATE SET until = excluded.until,
        price_minor = excluded.price_minor, source = excluded.source, batch_id = excluded.batch_id
    """
)
_FIRST: Final = Bulk(
    """
    SELECT e.sku, min(e.received_at) FROM {rows} CROSS JOIN price_event AS e
    WHERE e.store_id = :store AND e.sku = {item} AND e.decision = 'accepted' GROUP BY e.sku
    """
)
_SAID: Final = Bulk(
    """
    SELECT received_at, price_minor, was_minor, decision FROM price_event
    WHERE store_id = :store AND sku = :sku AND decision IN ('accepted', 'withdrawn')
        AND layer <> 1
    ORDER BY event_id DESC LIMIT :most
    """
)
_FORGET_BATCH: Final = Bulk("DELETE FROM past_price WHERE store_id = :store AND batch_id = :batch")
_STATED: Final = Bulk(
    """
    SELECT lowest_30d_minor, lowest_30d_source, CAST(lowest_30d_day AS text) FROM product
    WHERE store_id = :store AND sku = :sku
    """
)
_STATED_OF: Final = Bulk(
    """
    SELECT p.sku, p.lowest_30d_minor, p.lowest_30d_source, CAST(p.lowest_30d_day AS text)
    FROM {rows} CROSS JOIN product AS p
    WHERE p.store_id = :store AND p.sku = {item} AND p.lowest_30d_minor IS NOT NULL
        AND p.lowest_30d_source IS NOT NULL AND p.lowest_30d_day IS NOT NULL
    """
)
_TITLE: Final = Bulk("SELECT title FROM batch WHERE batch_id = :batch")


class PastPrice(NamedTuple):
    """A price of the past, and whose word it is."""

    dated: DatedPrice
    source: SourceId
    batch_id: int | None


class Said(NamedTuple):
    """A price as it came to hold here, or went."""

    at: datetime
    price_minor: int | None  # None: withdrawn
    is_reduced: bool


class StatedLow(NamedTuple):
    """A source's own word for the lowest price of 30 days."""

    price_minor: int
    source: str
    day: date


def past_prices(
    tx: Connection, store_id: StoreId, skus: Sequence[Sku]
) -> dict[Sku, list[PastPrice]]:
    """Load the past of products, the earliest first; those without one are left out."""
    found: dict[Sku, list[PastPrice]] = {}
    for sku, kind, day, until, minor, source, batch in _LOAD.run(tx, skus, store=store_id):
        dated = DatedPrice(
            day=date.fromisoformat(day),
            until=date.fromisoformat(until) if until is not None else None,
            price_minor=minor,
            kind=PastKind(kind),
        )
        found.setdefault(Sku(sku), []).append(PastPrice(dated, SourceId(source), batch))
    return found


def put_past_prices(
    tx: Connection,
    store_id: StoreId,
    put: Iterable[tuple[Sku, DatedPrice]],
    *,
    source: SourceId,
    batch_id: int | None,
) -> None:
    """Keep prices of the past, one a product, kind and day."""
    rows = sorted(
        (
            sku,
            dated.kind.value,
            dated.day.isoformat(),
            dated.until.isoformat() if dated.until is not None else None,
            dated.price_minor,
        )
        for sku, dated in put
    )
    _PUT.run(tx, rows, store=store_id, source=source, batch=batch_id)


def forget_past_of_batch(tx: Connection, store_id: StoreId, batch_id: int) -> None:
    """Forget the past that a batch told."""
    _FORGET_BATCH.run(tx, store=store_id, batch=batch_id)


def first_heard(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, datetime]:
    """Say since when we know the prices of products ourselves."""
    found: dict[Sku, datetime] = {}
    for sku, at in _FIRST.run(tx, skus, store=store_id):
        instant = instant_from(at)
        if instant is not None:
            found[Sku(sku)] = instant
    return found


def said_of(tx: Connection, store_id: StoreId, sku: Sku, *, most: int) -> list[Said]:
    """Load how a product's price came and went here, the latest first."""
    said: list[Said] = []
    for at, minor, was, decision in _SAID.run(tx, store=store_id, sku=sku, most=most):
        instant = instant_from(at)
        if instant is not None:
            is_here = decision == "accepted"
            is_reduced = was is not None and minor is not None and was > minor
            said.append(Said(instant, minor if is_here else None, is_here and is_reduced))
    return said


def stated_low(tx: Connection, store_id: StoreId, sku: Sku) -> StatedLow | None:
    """Load what a source says of the lowest price of 30 days, and when it said so."""
    for minor, source, day in _STATED.run(tx, store=store_id, sku=sku):
        if minor is not None and source is not None and day is not None:
            return StatedLow(minor, source, date.fromisoformat(day))
    return None


def stated_lows(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, StatedLow]:
    """Load what sources say of the lowest prices of products; those without are left out."""
    return {
        Sku(sku): StatedLow(minor, source, date.fromisoformat(day))
        for sku, minor, source, day in _STATED_OF.run(tx, skus, store=store_id)
    }


def title_of_batch(tx: Connection, batch_id: int) -> str | None:
    """Return the name of the file that a batch was."""
    return next((title for (title,) in _TITLE.run(tx, batch=batch_id)), None) or None
