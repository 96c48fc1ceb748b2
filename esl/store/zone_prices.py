"""What zones say of products: rows in and out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from esl.domain.ids import Sku, SourceId
from esl.domain.zone import CHAIN, ZonePrice
from esl.store.bulk import Bulk
from esl.store.columns import instant_from, instant_text
from esl.store.tables import zone_positions, zone_prices

_COLUMNS: Final = """z.zone_id, z.sku, z.price_minor, z.currency, z.was_minor, z.unit_price_minor,
        z.badge, z.change_id, z.source, z.actor, z.said_at"""
_SAID: Final = Bulk(
    f"""
    SELECT {_COLUMNS} FROM {{rows}} CROSS JOIN zone_price AS z
    WHERE z.sku = {{item}} AND z.zone_id IN (:zone, :chain)
    """  # noqa: S608  our own words  # nosec B608
)
_PUT: Final = Bulk(
    """
    INSERT INTO zone_price (zone_id, sku, price_minor, currency, was_minor, unit_price_minor,
        badge, change_id, source, actor, said_at)
    SELECT :zone, j.value->>0, CAST(j.value->>1 AS int), j.value->>2, CAST(j.value->>3 AS int),
        CAST(j.value->>4 AS int), j.value->>5, CAST(j.value->>6 AS bigint), j.value->>7,
        j.value->>8, {instant[9]}
    FROM {rows} WHERE true
    ON CONFLICT (zone_id, sku) DO UPDATE SET price_minor = excluded.price_minor,
        currency = excluded.currency, was_minor = excluded.was_minor,
        unit_price_minor = excluded.unit_price_minor, badge = excluded.badge,
        change_id = excluded.change_id, source = excluded.source, actor = excluded.actor,
        said_at = excluded.said_at
    """
)
_CLEAR: Final = Bulk(
    """
    DELETE FROM zone_price WHERE zone_id = :zone
        AND sku IN (SELECT {item} FROM {rows})
    """
)
_POSITIONS: Final = Bulk(
    """
    SELECT p.sku, p.source, p.last_seq, p.price_minor FROM {rows} CROSS JOIN zone_position AS p
    WHERE p.zone_id = :zone AND p.sku = j.value->>0 AND p.source = j.value->>1
    """
)
_PUT_POSITIONS: Final = Bulk(
    """
    INSERT INTO zone_position (zone_id, sku, source, last_seq, price_minor)
    SELECT :zone, j.value->>0, j.value->>1, CAST(j.value->>2 AS bigint), CAST(j.value->>3 AS int)
    FROM {rows} WHERE true
    ON CONFLICT (zone_id, sku, source) DO UPDATE SET last_seq = excluded.last_seq,
        price_minor = excluded.price_minor
    """
)

Position = tuple[int, int]
"""The last number of a source, and the price it said under it."""


def said_of(tx: Connection, zone_id: str | None, skus: Sequence[Sku]) -> dict[Sku, list[ZonePrice]]:
    """Load what a zone and the chain say of products, the nearest first."""
    found: dict[Sku, list[ZonePrice]] = {}
    for row in _SAID.run(tx, skus, zone=zone_id or CHAIN, chain=CHAIN):
        found.setdefault(Sku(row[1]), []).append(_price(row))
    for said in found.values():
        said.sort(key=lambda one: one.zone_id == CHAIN)
    return found


def list_prices(tx: Connection, zone_id: str, *, after: str, limit: int) -> list[ZonePrice]:
    """List what a zone says, by SKU."""
    query = (
        select(zone_prices)
        .where(zone_prices.c.zone_id == zone_id, zone_prices.c.sku > after)
        .order_by(zone_prices.c.sku)
        .limit(limit)
    )
    return [
        ZonePrice(**(row._asdict() | {"source": SourceId(row.source)})) for row in tx.execute(query)
    ]


def skus_said(tx: Connection, zone_ids: Collection[str], *, after: str, limit: int) -> list[Sku]:
    """List the products of which any of some zones says a price, by SKU."""
    query = (
        select(zone_prices.c.sku)
        .where(zone_prices.c.zone_id.in_(sorted(zone_ids)), zone_prices.c.sku > after)
        .distinct()
        .order_by(zone_prices.c.sku)
        .limit(limit)
    )
    return [Sku(one) for one in tx.execute(query).scalars()]


def all_skus(tx: Connection, zone_id: str) -> list[Sku]:
    """List all products of which a zone says a price, by SKU."""
    query = select(zone_prices.c.sku).where(zone_prices.c.zone_id == zone_id)
    return sorted(Sku(one) for one in tx.execute(query).scalars())


def any_said(tx: Connection, zone_id: str | None = None) -> bool:
    """Say whether a zone, or any zone, says a price."""
    query = select(zone_prices.c.sku).limit(1)
    if zone_id is not None:
        query = query.where(zone_prices.c.zone_id == zone_id)
    return tx.execute(query).first() is not None


def put_prices(tx: Connection, zone_id: str, said: Iterable[ZonePrice]) -> None:
    """Note what a zone says now."""
    rows = [
        (
            *(one.sku, one.price_minor, one.currency, one.was_minor, one.unit_price_minor),
            *(one.badge, one.change_id, one.source, one.actor[:80], instant_text(one.said_at)),
        )
        for one in said
    ]
    _PUT.run(tx, rows, zone=zone_id)


def clear_prices(tx: Connection, zone_id: str, skus: Sequence[Sku]) -> None:
    """Forget what a zone says of products."""
    _CLEAR.run(tx, skus, zone=zone_id)


def positions_of(
    tx: Connection, zone_id: str, said_by: Iterable[tuple[Sku, SourceId]]
) -> dict[tuple[Sku, SourceId], Position]:
    """Load how far sources have come with products of a zone."""
    rows = sorted(set(said_by))
    return {
        (Sku(sku), SourceId(source)): (int(seq), int(price))
        for sku, source, seq, price in _POSITIONS.run(tx, rows, zone=zone_id)
    }


def put_positions(
    tx: Connection, zone_id: str, positions: Mapping[tuple[Sku, SourceId], Position]
) -> None:
    """Note how far sources have come."""
    rows = [(sku, source, *position) for (sku, source), position in sorted(positions.items())]
    _PUT_POSITIONS.run(tx, rows, zone=zone_id)


def _price(row: tuple[Any, ...]) -> ZonePrice:
    said_at = instant_from(row[10])
    if said_at is None:
        raise AssertionError("a zone's price was said some time")
    return ZonePrice(
        zone_id=row[0],
        sku=row[1],
        price_minor=int(row[2]),
        currency=row[3],
        was_minor=row[4],
        unit_price_minor=row[5],
        badge=row[6],
        change_id=int(row[7]),
        source=SourceId(row[8]),
        actor=row[9],
        said_at=said_at,
    )


def forget_zone(tx: Connection, zone_id: str) -> None:
    """Forget all that a zone said, and how far its sources had come."""
    tx.execute(delete(zone_prices).where(zone_prices.c.zone_id == zone_id))
    tx.execute(delete(zone_positions).where(zone_positions.c.zone_id == zone_id))
