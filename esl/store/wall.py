"""The wall: every label with its product, as people look at it. One query a page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import Connection, and_, case, select

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.label import LabelState
from esl.store.columns import AnyRow
from esl.store.labels import STATE_COLUMNS, label_from
from esl.store.tables import labels, offers, pairings, prices, products, waiting_labels
from esl.store.truth_beside import skus_behind
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
    more: tuple[Sku, ...] = ()  # its products behind the first

    @property
    def skus(self) -> tuple[Sku, ...]:
        """Return its products in their order on the label."""
        return (self.sku, *self.more) if self.sku is not None else ()


_IS_PROMOTED = and_(offers.c.sku.is_not(None), waiting_labels.c.label_id.is_(None))
_QUERY = (
    select(
        *STATE_COLUMNS,
        products.c.sku,
        products.c.name,
        case((_IS_PROMOTED, offers.c.price_minor), else_=prices.c.price_minor).label("price_minor"),
        prices.c.currency,
        case((_IS_PROMOTED, offers.c.badge), else_=prices.c.badge).label("badge"),
        waiting_labels.c.shows.label("meanwhile"),
    )
    .outerjoin(pairings, and_(pairings.c.label_id == labels.c.label_id, pairings.c.position == 0))
    .outerjoin(
        products,
        and_(products.c.store_id == pairings.c.store_id, products.c.sku == pairings.c.sku),
    )
    .outerjoin(
        prices, and_(prices.c.store_id == pairings.c.store_id, prices.c.sku == pairings.c.sku)
    )
    .outerjoin(offers, and_(offers.c.store_id == prices.c.store_id, offers.c.sku == prices.c.sku))
    .outerjoin(
        waiting_labels,
        and_(
            waiting_labels.c.label_id == labels.c.label_id,
            waiting_labels.c.sku == pairings.c.sku,
        ),
    )
)


def wall_of(tx: Connection, store_id: StoreId, *, after: str = "", limit: int = 500) -> list[Tile]:
    """List a store's labels by id, those after ``after``.

    Their ids first: the rows of all others would be put together for the sake of their order.
    """
    ids = (
        select(labels.c.label_id)
        .where(labels.c.store_id == store_id, labels.c.label_id > after)
        .order_by(labels.c.label_id)
        .limit(limit)
    )
    return sorted(tiles_of(tx, tx.execute(ids).scalars().all()), key=lambda one: one.label.label_id)


def tiles_of(tx: Connection, label_ids: Sequence[LabelId]) -> list[Tile]:
    """Load these labels' tiles; unknown ids are left out."""
    found: list[Tile] = []
    for batch in in_batches(sorted(set(label_ids))):
        rows = tx.execute(_QUERY.where(labels.c.label_id.in_(batch))).all()
        found.extend(_tile(row) for row in rows)
    return _with_more(tx, found)


def tiles_after(
    tx: Connection, order: Sequence[LabelId], *, after: str = "", limit: int = 500
) -> list[Tile]:
    """Load the tiles of labels in this order, those behind ``after``; all, where it is no more."""
    begins = order.index(LabelId(after)) + 1 if after in order else 0
    page = order[begins : begins + limit]
    found = {tile.label.label_id: tile for tile in tiles_of(tx, page)}
    return [found[label_id] for label_id in page if label_id in found]


def _with_more(tx: Connection, tiles: Sequence[Tile]) -> list[Tile]:
    more = skus_behind(tx, [tile.label.label_id for tile in tiles])
    return [
        replace(tile, more=more[tile.label.label_id]) if tile.label.label_id in more else tile
        for tile in tiles
    ]


def _tile(row: AnyRow) -> Tile:
    price_minor, badge = row.price_minor, row.badge
    if row.meanwhile is not None:  # a promotion does not reach it, and another one holds there
        price_minor, _, _, badge, *_ = msgspec.json.decode(row.meanwhile)
    return Tile(
        label=label_from(row),
        sku=Sku(row.sku) if row.sku is not None else None,
        name=row.name,
        price_minor=price_minor,
        currency=row.currency,
        badge=badge,
    )
