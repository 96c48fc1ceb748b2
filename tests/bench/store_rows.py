"""The same round trip a row at a time: what the store's batches are measured against.

SQLAlchemy Core on the same tables and indexes, a statement for each thing a label needs, and one
transaction for so many labels: not slowed down, only not batched.
"""

import time
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, insert, select, update

from esl.store.database import Database
from esl.store.revisions import take_revision
from esl.store.tables import (
    display_log,
    frames,
    issued,
    labels,
    pairings,
    price_events,
    prices,
    products,
    stores,
)
from tests.builders import GATEWAY, NOON, PANEL, STORE


def row_by_row_us(
    database: Database, label_ids: Sequence[str], skus: Sequence[str], *, batch: int
) -> float:
    """Change, claim, load, record and confirm every label; return CPU in µs a label."""
    began_s = time.thread_time()
    for first in range(0, len(label_ids), batch):
        chosen = range(first, min(first + batch, len(label_ids)))
        for step in (_change, _send, _confirm):
            with database.writing.begin() as tx:
                rev = take_revision(tx) if step is _change else 0
                for n in chosen:
                    step(tx, label_ids[n], skus[n], rev, NOON)
    return (time.thread_time() - began_s) / len(label_ids) * 1e6


def _change(tx: Connection, _label: str, sku: str, rev: int, now: datetime) -> None:
    of_product = and_(prices.c.store_id == STORE, prices.c.sku == sku)
    old = tx.execute(select(prices).where(of_product)).one()
    tx.execute(update(prices).where(of_product).values(price_minor=old.price_minor + 1, rev=rev))
    event = {"store_id": STORE, "sku": sku, "source": "rows", "price_minor": old.price_minor + 1}
    event |= {"currency": "EUR", "decision": "accepted", "rev": rev, "actor": "rows"}
    tx.execute(insert(price_events).values(**event, received_at=now))
    of_label = and_(pairings.c.store_id == STORE, pairings.c.sku == sku)
    for label_id in tx.execute(select(pairings.c.label_id).where(of_label)).scalars().all():
        tx.execute(
            update(labels)
            .where(labels.c.label_id == label_id)
            .values(wanted_rev=rev, due_at=now, attempts=0, lane=2)
        )


def _send(tx: Connection, label_id: str, _sku: str, _rev: int, now: datetime) -> None:
    this = labels.c.label_id == label_id
    tx.execute(update(labels).where(this).values(attempts=1, due_at=now))
    row = tx.execute(select(labels).where(this)).one()
    paired = tx.execute(select(pairings).where(pairings.c.label_id == label_id)).one()
    here = {"store_id": paired.store_id, "sku": paired.sku}
    for table in (products, prices):
        tx.execute(select(table).filter_by(**here)).one()
    tx.execute(select(stores).where(stores.c.store_id == row.store_id)).one()
    digest = f"{label_id}-{row.wanted_rev}"
    kept = {"digest": digest, "panel_id": PANEL, "zlib_pixels": bytes(400)}
    tx.execute(insert(frames).values(**kept))
    told = {"label_id": label_id, "rev": row.wanted_rev, "digest": digest, "gateway_id": GATEWAY}
    tx.execute(insert(issued).values(**told, issued_at=now))
    tx.execute(update(labels).where(this).values(sent_rev=row.wanted_rev))


def _confirm(tx: Connection, label_id: str, _sku: str, _rev: int, now: datetime) -> None:
    this = labels.c.label_id == label_id
    row = tx.execute(select(labels).where(this)).one()
    told = tx.execute(
        select(issued).where(issued.c.label_id == label_id, issued.c.rev == row.wanted_rev)
    ).one()
    shown = {"shown_rev": told.rev, "shown_digest": told.digest, "settled_rev": row.wanted_rev}
    tx.execute(update(labels).where(this).values(**shown, due_at=None, seen_at=now))
    line = {"label_id": label_id, "rev": told.rev, "digest": told.digest, "incarnation": 1}
    line |= {"gateway_id": GATEWAY, "session": "rows", "recorded_at": now}
    tx.execute(insert(display_log).values(**line))
