"""What sources said of prices: every event, and how far each source has come."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Decision, PriceChange
from esl.store.bulk import Bulk
from esl.store.columns import instant_from, instant_text


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEvent:
    """One change as it was received, with what became of it. Append only."""

    change: PriceChange
    was_minor: int | None
    unit_price_minor: int | None
    badge: str | None
    decision: Decision
    rev: int | None


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
        was_minor, unit_price_minor, badge, decision, rev, actor, received_at)
    SELECT j.value->>0, j.value->>1, j.value->>2, CAST(j.value->>3 AS bigint), {instant[4]},
        CAST(j.value->>5 AS integer), j.value->>6, CAST(j.value->>7 AS integer),
        CAST(j.value->>8 AS integer), j.value->>9, j.value->>10, CAST(j.value->>11 AS bigint),
        :actor, :now
    FROM {rows}
    """
)
_POSITIONS: Final = Bulk(
    """
    SELECT s.source, s.sku, s.last_seq, s.last_time FROM {rows} CROSS JOIN source_position AS s
    WHERE s.store_id = :store AND s.sku = j.value->>1 AND s.source = j.value->>0
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


def log_price_events(
    tx: Connection, events: Sequence[PriceEvent], *, actor: str, now: datetime
) -> None:
    """Write down what was received, once each, in its order, with what became of it."""
    rows: list[list[str | int | None]] = []
    for e in events:
        c = e.change
        time = None if c.source_time is None else instant_text(c.source_time)
        rows.append(
            [
                *(c.store_id, c.sku, c.source, c.source_seq, time, c.price_minor, c.currency),
                *(e.was_minor, e.unit_price_minor, e.badge, e.decision.value, e.rev),
            ]
        )
    _LOG.run(tx, rows, actor=actor, now=now)


def source_positions(
    tx: Connection, store_id: StoreId, said_by: Iterable[SaidBy]
) -> dict[SaidBy, SourcePosition]:
    """Load how far sources have come with these products."""
    return {
        (SourceId(source), Sku(sku)): SourcePosition(last_seq, instant_from(last_time))
        for source, sku, last_seq, last_time in _POSITIONS.run(
            tx, sorted(set(said_by)), store=store_id
        )
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
