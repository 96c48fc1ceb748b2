"""What every paired label of a store reported to show, and what its till says."""

import json
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.shelf_report import ShelfItem
from esl.store.bulk import Bulk
from esl.store.columns import instant_from

_ITEMS: Final = Bulk(
    """
    SELECT l.label_id, g.sku, p.name, p.category, l.place, l.shown_rev, l.seen_at,
        CASE WHEN l.settled_rev >= l.wanted_rev AND l.due_at IS NULL AND l.sent_rev <= l.shown_rev
            THEN 1 ELSE 0 END,
        CASE WHEN l.refused_rev IS NOT NULL AND l.refused_rev = l.wanted_rev THEN 1 ELSE 0 END,
        c.price_minor, o.price_minor, t.granted, t.held,
        CASE WHEN w.label_id IS NULL THEN 0 ELSE 1 END, w.shows,
        CASE WHEN s.channel = 'own' THEN 1 ELSE 0 END
    FROM label AS l CROSS JOIN pairing AS g
        JOIN product AS p ON p.store_id = g.store_id AND p.sku = g.sku
        LEFT JOIN price AS c ON c.store_id = g.store_id AND c.sku = g.sku
        LEFT JOIN offer AS o ON o.store_id = g.store_id AND o.sku = g.sku
        LEFT JOIN till_price AS t ON t.store_id = g.store_id AND t.sku = g.sku
        LEFT JOIN till_setting AS s ON s.store_id = g.store_id
        LEFT JOIN waiting_label AS w ON w.label_id = g.label_id AND w.sku = g.sku
    WHERE l.store_id = :store AND g.label_id = l.label_id AND l.retired_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM absent_label AS a WHERE a.label_id = l.label_id)
    ORDER BY l.label_id, g.position
    """
)
_BY_REV: Final = Bulk(
    """
    SELECT j.value->>0, j.value->>1, CASE WHEN e.decision = 'withdrawn' THEN NULL
        ELSE e.price_minor END
    FROM {rows} CROSS JOIN price_event AS e
    WHERE e.event_id = (SELECT max(f.event_id) FROM price_event AS f
        WHERE f.store_id = :store AND f.sku = j.value->>1
            AND f.rev <= CAST(j.value->>2 AS bigint) AND f.layer <> 1)
        AND NOT EXISTS (SELECT 1 FROM forgotten_history AS h CROSS JOIN price_event AS n
            WHERE h.kind = 2 AND e.received_at < h.before AND n.received_at < h.before
                AND n.store_id = :store AND n.sku = j.value->>1 AND n.layer <> 1
                AND n.rev > CAST(j.value->>2 AS bigint))
    """
)
"""What held by a revision; nothing where that may be forgotten: see `esl.store.shown_at`."""


def shelf_items(tx: Connection, store_id: StoreId) -> list[ShelfItem]:
    """Load every product that a label of a store speaks for, with both prices.

    The shelf's price is what a settled label is told, for it reported just that; of one that has
    not reported its newest picture, what held by the revision that it did report.
    """
    items: list[ShelfItem] = []
    rows = _ITEMS.run(tx, store=store_id)
    earlier = [[row[0], row[1], row[5]] for row in rows if not row[7] and row[5] > 0]
    by_rev = {
        (label_id, sku): price for label_id, sku, price in _BY_REV.run(tx, earlier, store=store_id)
    }
    for row in rows:
        label_id, sku, name, category, place, shown_rev, seen_at = row[:7]
        is_settled, is_neutral, base, offer, granted, held, waits, shows, tells_itself = row[7:]
        if shown_rev == 0 or (is_settled and is_neutral):
            shelf = None
        elif is_settled:
            shelf = _told(base, offer, held, shows, waits=bool(waits))
        else:
            shelf = by_rev.get((label_id, sku))
        till = base
        if granted is not None:
            till = json.loads(granted)[0]
        elif tells_itself and offer is not None:
            till = offer
        items.append(
            ShelfItem(
                label_id=LabelId(label_id),
                sku=Sku(sku),
                name=name,
                category=category,
                place=place,
                shelf_minor=shelf,
                till_minor=till,
                shown_rev=shown_rev,
                heard_at=instant_from(seen_at),
            )
        )
    return items


def _told(
    base: int | None, offer: int | None, held: str | None, shows: str | None, *, waits: bool
) -> int | None:
    """Return the price that a label is told, as `esl.store.truth` has it."""
    if held is not None:
        return int(json.loads(held)[0])
    if shows is not None:
        return int(json.loads(shows)[0])
    return offer if offer is not None and not waits else base
