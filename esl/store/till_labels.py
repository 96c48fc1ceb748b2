"""Which labels may still show less than their product is to cost: rows in and out.

A label counts until it has shown what it was told, by its own word or because it showed the same
before. One that speaks for something else by now counts until it shows that; one of which a person
said that it does not hang counts no more.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import LabelId, Sku, StoreId
from esl.store.bulk import Bulk
from esl.store.tables import absent_labels
from esl.store.upsert import insert_or_update

_MISSING: Final = Bulk(
    """
    SELECT t.sku, p.label_id FROM {rows} CROSS JOIN till_price AS t CROSS JOIN pairing AS p
        CROSS JOIN label AS l
    WHERE t.store_id = :store AND t.sku = {item} AND {no_index}t.least IS NOT NULL
        AND p.store_id = t.store_id AND p.sku = t.sku AND l.label_id = p.label_id
        AND l.shown_rev < t.shelf_rev AND l.settled_rev < t.shelf_rev
        AND NOT EXISTS (SELECT 1 FROM absent_label AS a WHERE a.label_id = l.label_id)
    """
)
_MISSING_FORMER: Final = Bulk(
    """
    SELECT t.sku, f.label_id FROM {rows} CROSS JOIN till_price AS t CROSS JOIN former_pairing AS f
    WHERE t.store_id = :store AND t.sku = {item} AND {no_index}t.least IS NOT NULL
        AND f.store_id = t.store_id AND f.sku = t.sku
    """
)
_CONFIRMED: Final = Bulk(
    """
    SELECT t.sku FROM till_price AS t
    WHERE t.store_id = :store AND t.least IS NOT NULL
        AND NOT EXISTS (
            SELECT 1 FROM pairing AS p JOIN label AS l ON l.label_id = p.label_id
            WHERE p.store_id = t.store_id AND p.sku = t.sku
                AND l.shown_rev < t.shelf_rev AND l.settled_rev < t.shelf_rev
                AND NOT EXISTS (SELECT 1 FROM absent_label AS a WHERE a.label_id = l.label_id)
        )
        AND NOT EXISTS (
            SELECT 1 FROM former_pairing AS f
            WHERE f.store_id = t.store_id AND f.sku = t.sku
        )
    ORDER BY t.sku LIMIT :most
    """
)
"""Every label shows what it is told: by its own word, or because it showed the same before."""

_ANY_UNCONFIRMED: Final = Bulk(
    "SELECT DISTINCT store_id FROM till_price WHERE least IS NOT NULL ORDER BY store_id"
)
_NOTE_FORMER: Final = Bulk(
    """
    INSERT INTO former_pairing (label_id, sku, store_id, rev)
    SELECT p.label_id, p.sku, p.store_id, l.wanted_rev
    FROM {rows} CROSS JOIN pairing AS p JOIN label AS l ON l.label_id = p.label_id
    JOIN till_price AS t ON t.store_id = p.store_id AND t.sku = p.sku
    WHERE p.label_id = {item}
    ON CONFLICT (label_id, sku) DO UPDATE SET rev = excluded.rev
    """
)
_NOTE_FORMER_OF: Final = Bulk(
    """
    INSERT INTO former_pairing (label_id, sku, store_id, rev)
    SELECT p.label_id, p.sku, p.store_id, l.wanted_rev
    FROM {rows} CROSS JOIN pairing AS p JOIN label AS l ON l.label_id = p.label_id
    JOIN till_price AS t ON t.store_id = p.store_id AND t.sku = p.sku
    WHERE p.store_id = :store AND p.sku = {item} AND (:label = '' OR p.label_id = :label)
    ON CONFLICT (label_id, sku) DO UPDATE SET rev = excluded.rev
    """
)
_RETURNED: Final = Bulk("DELETE FROM absent_label WHERE label_id IN (SELECT {item} FROM {rows})")
_END_FORMER: Final = Bulk(
    """
    DELETE FROM former_pairing WHERE EXISTS (
        SELECT 1 FROM label AS l WHERE l.label_id = former_pairing.label_id
            AND (l.shown_rev > former_pairing.rev OR l.settled_rev > former_pairing.rev)
    ) OR EXISTS (
        SELECT 1 FROM absent_label AS a WHERE a.label_id = former_pairing.label_id
    )
    """
)
_ANY_FORMER: Final = Bulk("SELECT 1 FROM former_pairing LIMIT 1")


def missing_labels(
    tx: Connection, store_id: StoreId, skus: Collection[Sku]
) -> dict[Sku, list[LabelId]]:
    """Name the labels that may still show less than their product is to cost."""
    rows = [
        *_MISSING.run(tx, sorted(skus), store=store_id),
        *_MISSING_FORMER.run(tx, sorted(skus), store=store_id),
    ]
    found: dict[Sku, list[LabelId]] = {}
    for sku, label_id in sorted(set(rows)):
        found.setdefault(Sku(sku), []).append(LabelId(label_id))
    return found


def unconfirmed_stores(tx: Connection) -> list[StoreId]:
    """Name the stores in which labels are still on their way to what they are told."""
    return [StoreId(row[0]) for row in _ANY_UNCONFIRMED.run(tx)]


def confirmed_skus(tx: Connection, store_id: StoreId, *, limit: int) -> list[Sku]:
    """List products all of whose labels have come to show what they are told."""
    return [Sku(row[0]) for row in _CONFIRMED.run(tx, store=store_id, most=limit)]


def note_former_pairings(tx: Connection, label_ids: Sequence[LabelId]) -> None:
    """Note what labels may go on showing that are about to speak for something else, or nothing.

    To be called before their pairings go.
    """
    _NOTE_FORMER.run(tx, sorted(set(label_ids)))


def note_former_pairings_of(
    tx: Connection, store_id: StoreId, skus: Collection[Sku], label_id: LabelId | None
) -> None:
    """Note the same of all labels of products, or of one."""
    _NOTE_FORMER_OF.run(tx, sorted(set(skus)), store=store_id, label=label_id or "")


def put_absent(
    tx: Connection,
    store_id: StoreId,
    label_ids: Sequence[LabelId],
    now: datetime,
    *,
    by: str,
    reason: str,
) -> None:
    """Note that labels hang no more: a person said so."""
    rows = [
        {
            "label_id": label_id,
            "store_id": store_id,
            "attested_at": now,
            "attested_by": by[:80],
            "reason": reason[:300],
        }
        for label_id in label_ids
    ]
    insert_or_update(tx, absent_labels, rows)


def note_returned(tx: Connection, label_ids: Sequence[LabelId]) -> None:
    """Note that labels hang again: they are paired anew."""
    _RETURNED.run(tx, sorted(set(label_ids)))


def has_former_pairings(tx: Connection) -> bool:
    """Say whether any label may still show what it does not speak for."""
    return bool(_ANY_FORMER.run(tx))


def end_former_pairings(tx: Connection) -> None:
    """Forget those that show another thing by now, or hang no more."""
    _END_FORMER.run(tx)
