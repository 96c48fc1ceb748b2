"""What sources said of prices, what holds by it, and how far each source has come.

Whole batches, in tuples and text SQL: a price change may cost 50 µs in all (see `esl.store.bulk`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Says
from esl.store.bulk import Bulk
from esl.store.columns import instant_from, instant_text

PriceEvent = list[str | int | None]
"""One change as it was received, with what became of it; made by `price_event`. Append only."""

_REV: Final = 6
"""Where the revision of an event stands; until it is taken, `_TO_COME` for one that gets one."""
_TO_COME: Final = -1


class HeldPrice(NamedTuple):
    """The price that holds, and how often it changed on the last day that it did."""

    says: Says
    changed_on: str | None  # ISO 8601, in the zone of the store
    changes_that_day: int


class PricedProduct(NamedTuple):
    """What a price change must know of its product."""

    category: str | None
    content_milli: int | None
    content_unit: str | None
    owners: str | None  # JSON: which source said which field


class SourcePosition(NamedTuple):
    """How far a source's changes of one product have come."""

    last_seq: int | None
    last_time: datetime | None


class SaidPrice(NamedTuple):
    """What a source said of a product, in minor units."""

    price_minor: int
    was_minor: int | None
    unit_price_minor: int | None
    badge: str | None


SaidBy = tuple[SourceId, Sku]
"""A source, and a product it speaks of."""

_LOG: Final = Bulk(
    """
    INSERT INTO price_event (store_id, sku, source, source_seq, source_time, price_minor, currency,
        was_minor, unit_price_minor, badge, decision, rev, actor, received_at, batch_id,
        regular_minor, member_minor, multibuy_quantity, multibuy_minor, multibuy_pay_for,
        member_condition, reasons)
    SELECT :store, j.value->>0, j.value->>1, CAST(j.value->>2 AS bigint), {instant[3]},
        CAST(j.value->>8 AS integer), j.value->>4, CAST(j.value->>9 AS integer),
        CAST(j.value->>10 AS integer), j.value->>11, j.value->>5,
        CAST(j.value->>6 AS bigint), :actor, :now,
        CAST(:batch AS bigint), CAST(j.value->>12 AS integer), CAST(j.value->>13 AS integer),
        CAST(j.value->>14 AS integer), CAST(j.value->>15 AS integer),
        CAST(j.value->>16 AS integer), j.value->>17, j.value->>7
    FROM {rows}
    """
)
_LOCK: Final = Bulk(
    """
    SELECT product.sku, product.category, product.content_milli, product.content_unit,
        product.owners
    FROM {rows} CROSS JOIN product
    WHERE product.store_id = :store AND product.sku = {item}
    ORDER BY product.sku {lock[product]}
    """
)
_HELD: Final = Bulk(
    """
    SELECT price.sku, price.price_minor, price.was_minor, price.unit_price_minor, price.badge,
        price.regular_minor, price.member_minor, price.multibuy_quantity, price.multibuy_minor,
        price.multibuy_pay_for, price.member_condition,
        CAST(price.changed_on AS text), price.changes_that_day
    FROM {rows} CROSS JOIN price WHERE price.store_id = :store AND price.sku = {item}
    """
)
_STORE_OF_REV: Final = Bulk("SELECT store_id FROM price_event WHERE rev = :rev LIMIT 1")
_PUT: Final = Bulk(
    """
    INSERT INTO price
        (store_id, sku, price_minor, currency, was_minor, unit_price_minor, badge, rev,
        regular_minor, member_minor, multibuy_quantity, multibuy_minor, multibuy_pay_for,
        member_condition, changed_on, changes_that_day)
    SELECT :store, j.value->>0, CAST(j.value->>1 AS integer), :currency,
        CAST(j.value->>2 AS integer), CAST(j.value->>3 AS integer), j.value->>4,
        CAST(j.value->>13 AS bigint), CAST(j.value->>5 AS integer), CAST(j.value->>6 AS integer),
        CAST(j.value->>7 AS integer), CAST(j.value->>8 AS integer),
        CAST(j.value->>9 AS integer), j.value->>10, {day[12]}, CAST(j.value->>11 AS integer)
    FROM {rows} WHERE true
    ON CONFLICT (store_id, sku) DO UPDATE SET price_minor = excluded.price_minor,
        currency = excluded.currency, was_minor = excluded.was_minor,
        unit_price_minor = excluded.unit_price_minor, badge = excluded.badge, rev = excluded.rev,
        regular_minor = excluded.regular_minor, member_minor = excluded.member_minor,
        multibuy_quantity = excluded.multibuy_quantity,
        multibuy_minor = excluded.multibuy_minor,
        multibuy_pay_for = excluded.multibuy_pay_for,
        member_condition = excluded.member_condition, changed_on = excluded.changed_on,
        changes_that_day = excluded.changes_that_day
    """
)
_POSITIONS: Final = Bulk(
    """
    SELECT s.source, s.sku, s.last_seq, s.last_time FROM {rows} CROSS JOIN source_position AS s
    WHERE s.store_id = :store AND s.sku = j.value->>1 AND s.source = j.value->>0
    """
)
_POSITIONS_OF_ONE: Final = Bulk(
    """
    SELECT s.sku, s.last_seq, s.last_time FROM {rows} CROSS JOIN source_position AS s
    WHERE s.store_id = :store AND s.sku = {item} AND s.source = :source
    """
)
_PUT_POSITIONS: Final = Bulk(
    """
    INSERT INTO source_position (store_id, sku, source, last_seq, last_time)
    SELECT :store, j.value->>1, j.value->>0, CAST(j.value->>2 AS bigint), {instant[3]}
    FROM {rows} WHERE true
    ON CONFLICT (store_id, sku, source) DO UPDATE SET last_seq = excluded.last_seq,
        last_time = excluded.last_time
    """
)
_NUMBERED: Final = Bulk(
    """
    SELECT e.source, e.sku, e.price_minor, e.was_minor, e.unit_price_minor, e.badge
    FROM {rows} CROSS JOIN price_event AS e
    WHERE e.store_id = :store AND e.sku = j.value->>1 AND e.source = j.value->>0
        AND e.source_seq = CAST(j.value->>2 AS bigint)
    ORDER BY e.event_id
    """
)


def price_event(
    sku: Sku,
    source: SourceId,
    *,
    seq: int | None,
    time: str | None,
    currency: str,
    decision: str,
    is_accepted: bool,
    reasons: str | None,
    says: Says,
) -> PriceEvent:
    """Make the row of an event, in the order in which it is written.

    ``time`` is text of `instant_text`, ``reasons`` are separated by blanks. An accepted event
    gets a revision when it is written.
    """
    rev = _TO_COME if is_accepted else None
    return [sku, source, seq, time, currency, decision, rev, reasons, *says]


def log_price_events(
    tx: Connection,
    store_id: StoreId,
    events: Sequence[PriceEvent],
    *,
    revs: Iterator[int],
    actor: str,
    now: datetime,
    batch_id: int | None = None,
) -> None:
    """Write down what was received, once each, in its order, with what became of it.

    Each event that was accepted takes the next of ``revs``.
    """
    for event in events:
        if event[_REV] is not None:
            event[_REV] = next(revs)
    _LOG.run(tx, events, store=store_id, actor=actor, now=now, batch=batch_id)


def lock_priced(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, PricedProduct]:
    """Lock the rows of products as `esl.store.products.lock_products`; return what is known.

    ``skus`` are sorted, and stand there once.
    """
    found = _LOCK.run(tx, skus, store=store_id)
    return {row[0]: PricedProduct._make(row[1:]) for row in found}


def held_prices(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, HeldPrice]:
    """Load the prices that hold; read them after the products are locked."""
    return {
        row[0]: HeldPrice(Says._make(row[1:11]), row[11], row[12])
        for row in _HELD.run(tx, skus, store=store_id)
    }


def store_of_rev(tx: Connection, rev: int) -> StoreId | None:
    """Say in which store price changes were accepted as a revision; None: in none."""
    found = _STORE_OF_REV.run(tx, rev=rev)
    return StoreId(found[0][0]) if found else None


def put_held(
    tx: Connection,
    store_id: StoreId,
    held: Iterable[tuple[Sku, HeldPrice, int]],
    *,
    currency: str,
) -> None:
    """Set the prices that hold from now on, each under its revision."""
    rows = [
        (sku, *price.says, price.changes_that_day, price.changed_on, rev)
        for sku, price, rev in held
    ]
    _PUT.run(tx, rows, store=store_id, currency=currency)


def source_positions(
    tx: Connection, store_id: StoreId, said_by: Iterable[SaidBy]
) -> dict[SaidBy, SourcePosition]:
    """Load how far sources have come with these products."""
    wanted = set(said_by)
    if len(of := {source for source, _ in wanted}) == 1:  # a list, or a long request
        [one] = of
        skus = sorted([sku for _, sku in wanted])
        return {
            (one, sku): SourcePosition(last_seq, instant_from(last_time))
            for sku, last_seq, last_time in _POSITIONS_OF_ONE.run(
                tx, skus, store=store_id, source=one
            )
        }
    return {
        (SourceId(source), Sku(sku)): SourcePosition(last_seq, instant_from(last_time))
        for source, sku, last_seq, last_time in _POSITIONS.run(tx, sorted(wanted), store=store_id)
    }


def put_source_positions(
    tx: Connection, store_id: StoreId, reached: Mapping[SaidBy, SourcePosition]
) -> None:
    """Note how far sources have come."""
    rows = [
        (
            source,
            sku,
            at.last_seq,
            None if at.last_time is None else instant_text(at.last_time),
        )
        for (source, sku), at in sorted(reached.items())
    ]
    _PUT_POSITIONS.run(tx, rows, store=store_id)


def prices_numbered(
    tx: Connection, store_id: StoreId, numbers: Mapping[SaidBy, int]
) -> dict[SaidBy, SaidPrice]:
    """Load what sources said first of products under these sequence numbers."""
    rows = [(source, sku, number) for (source, sku), number in sorted(numbers.items())]
    found: dict[SaidBy, SaidPrice] = {}
    for source, sku, *said in _NUMBERED.run(tx, rows, store=store_id):
        found.setdefault((SourceId(source), Sku(sku)), SaidPrice(*said))
    return found
