"""The wall: every label with its product, as people look at it. One query a page."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.label import LabelState
from esl.store.columns import AnyRow
from esl.store.labels import STATE_COLUMNS, label_from
from esl.store.tables import labels, pairings, prices, products
from esl.store.upsert import in_batches


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One label on the wall: its state, and what it should speak of."""

    label: LabelState
    sku: Sku | None
    name: str | None
    price_minor: int | None
    currency: str | None
    badge: str | None


_QUERY = (
    select(
        *STATE_COLUMNS,
        products.c.sku,
        products.c.name,
        prices.c.price_minor,
        prices.c.currency,
        prices.c.badge,
    )
    .outerjoin(pairings, and_(pairings.c.label_id == labels.c.label_id, pairings.c.position == 0))
    .outerjoin(
        products,
        and_(products.c.store_id == pairings.c.store_id, products.c.sku == pairings.c.sku),
    )
    .outerjoin(
        prices, and_(prices.c.store_id == pairings.c.store_id, prices.c.sku == pairings.c.sku)
    )
)


def wall_of(tx: Connection, store_id: StoreId, *, after: str = "", limit: int = 500) -> list[Tile]:
    """List a store's labels by id, those after ``after``."""
    query = (
        _QUERY.where(labels.c.store_id == store_id, labels.c.label_id > after)
        .order_by(labels.c.label_id)
        .limit(limit)
    )
    return [_tile(row) for row in tx.execute(query)]


def tiles_of(tx: Connection, label_ids: Sequence[LabelId]) -> list[Tile]:
    """Load these labels' tiles; unknown ids are left out."""
    found: list[Tile] = []
    for batch in in_batches(sorted(set(label_ids))):
        found.extend(_tile(row) for row in tx.execute(_QUERY.where(labels.c.label_id.in_(batch))))
    return found


def _tile(row: AnyRow) -> Tile:
    return Tile(
        label=label_from(row),
        sku=Sku(row.sku) if row.sku is not None else None,
        name=row.name,
        price_minor=row.price_minor,
        currency=row.currency,
        badge=row.badge,
    )
