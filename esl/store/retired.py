"""What ends: pairings, prices, products, and labels that leave the shop."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.label import LabelState
from esl.domain.pricing import DEFAULT_SOURCE, Decision
from esl.store import till_labels, tills
from esl.store.bulk import Bulk
from esl.store.labels import labels_by_id
from esl.store.tables import (
    labels,
    missing_products,
    offers,
    pairings,
    pos_promotions,
    prices,
    product_gtins,
    products,
)
from esl.store.upsert import in_batches


def forget_pairings(tx: Connection, label_ids: Sequence[LabelId]) -> None:
    """Let labels speak for nothing."""
    till_labels.note_former_pairings(tx, label_ids)
    for batch in in_batches(label_ids):
        tx.execute(delete(pairings).where(pairings.c.label_id.in_(batch)))


def forget_pairings_of(
    tx: Connection, store_id: StoreId, skus: Sequence[Sku], *, label_id: LabelId | None = None
) -> tuple[LabelId, ...]:
    """Let all labels, or one, speak for these products no more; return those that did.

    What they speak for beside them stays, and moves up: the first place is never empty.
    """
    till_labels.note_former_pairings_of(tx, store_id, skus, label_id)
    touched: set[LabelId] = set()
    for some in in_batches(sorted(set(skus))):
        spoken = delete(pairings).where(pairings.c.store_id == store_id, pairings.c.sku.in_(some))
        if label_id is not None:
            spoken = spoken.where(pairings.c.label_id == label_id)
        found = tx.execute(spoken.returning(pairings.c.label_id))
        touched.update(LabelId(label) for label in found.scalars())
    _close_gaps(tx, sorted(touched))
    return tuple(sorted(touched))


def _close_gaps(tx: Connection, label_ids: Sequence[LabelId]) -> None:
    """Count the products of labels from 0 again."""
    rows: dict[LabelId, list[dict[str, Any]]] = {}
    for batch in in_batches(label_ids):
        query = (
            select(pairings)
            .where(pairings.c.label_id.in_(batch))
            .order_by(pairings.c.label_id, pairings.c.position)
        )
        for row in tx.execute(query).mappings():
            rows.setdefault(LabelId(row["label_id"]), []).append(dict(row))
    moved = [
        row | {"position": place}
        for held in rows.values()
        for place, row in enumerate(held)
        if held[-1]["position"] >= len(held)
    ]
    forget_pairings(tx, sorted({LabelId(row["label_id"]) for row in moved}))
    if moved:
        tx.execute(insert(pairings), moved)


_LOG_WITHDRAWN: Final = Bulk(
    """
    INSERT INTO price_event (store_id, sku, source, price_minor, currency, was_minor,
        unit_price_minor, badge, decision, rev, actor, received_at)
    SELECT price.store_id, price.sku, :source, price.price_minor, price.currency, price.was_minor,
        price.unit_price_minor, price.badge, :decision, CAST(:rev AS bigint), :actor, :now
    FROM {rows} CROSS JOIN price WHERE price.store_id = :store AND price.sku = {item}
    """
)


def log_withdrawals(
    tx: Connection,
    store_id: StoreId,
    skus: Sequence[Sku],
    *,
    rev: int,
    actor: str,
    now: datetime,
) -> None:
    """Write down that the prices which hold are taken away; products without one are left out."""
    _LOG_WITHDRAWN.run(
        tx,
        sorted(set(skus)),
        store=store_id,
        source=DEFAULT_SOURCE,
        decision=Decision.WITHDRAWN.value,
        rev=rev,
        actor=actor[:80],
        now=now,
    )


def forget_prices(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> None:
    """Take products' current prices away; their history stays."""
    for batch in in_batches(skus):
        for table in (offers, prices):
            tx.execute(delete(table).where(table.c.store_id == store_id, table.c.sku.in_(batch)))


def forget_products(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> None:
    """Remove products that have neither price nor pairing any more, and what hangs on them."""
    tills.forget_prices(tx, store_id, skus)
    for batch in in_batches(skus):
        for table in (product_gtins, pos_promotions, missing_products):
            tx.execute(delete(table).where(table.c.store_id == store_id, table.c.sku.in_(batch)))
        tx.execute(
            delete(products).where(products.c.store_id == store_id, products.c.sku.in_(batch))
        )


def mark_retired(tx: Connection, label_ids: Sequence[LabelId], now: datetime) -> None:
    """Note that labels are to leave the shop."""
    for batch in in_batches(label_ids):
        tx.execute(update(labels).where(labels.c.label_id.in_(batch)).values(retired_at=now))


def take_back(tx: Connection, label_ids: Sequence[LabelId]) -> None:
    """Let labels stay that were to leave the shop."""
    for batch in in_batches(label_ids):
        tx.execute(
            update(labels)
            .where(labels.c.label_id.in_(batch), labels.c.retired_at.is_not(None))
            .values(retired_at=None)
        )


def labels_leaving(
    tx: Connection, *, left_before: datetime, limit: int = 500
) -> list[tuple[LabelState, datetime | None]]:
    """List labels that are to leave and hang below a gateway, and since when each waits.

    One that has left and was heard again is left out till it has been gone since ``left_before``.
    """
    # A label that is to leave has wanted to be neutral since then; one that left did so later.
    first = labels.c.wanted_at == labels.c.retired_at
    query = (
        select(labels.c.label_id, labels.c.wanted_at)
        .where(
            labels.c.retired_at.is_not(None),
            labels.c.gateway_id.is_not(None),
            first | (labels.c.retired_at <= left_before),
        )
        .order_by(labels.c.label_id)
        .limit(limit)
    )
    since = {LabelId(row.label_id): row.wanted_at for row in tx.execute(query)}
    return [(state, since[x]) for x, state in labels_by_id(tx, list(since)).items()]


def let_go(tx: Connection, label_ids: Sequence[LabelId], now: datetime) -> None:
    """End labels' binding to the shop: a higher epoch, no gateway, nothing wanted."""
    for batch in in_batches(sorted(label_ids)):
        tx.execute(
            update(labels)
            .where(labels.c.label_id.in_(batch), labels.c.retired_at.is_not(None))
            .values(
                epoch=labels.c.epoch + 1,
                gateway_id=None,
                retired_at=now,
                due_at=None,
                attempts=0,
                problem=None,
                problem_detail=None,
            )
        )
