"""How many prices of a store changed far within the last minutes: what the breaker counts."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import SourceId, StoreId
from esl.store.bulk import Bulk

WITHIN = timedelta(minutes=10)

_COUNT: Final = Bulk(
    """
    SELECT coalesce(sum(changes), 0) FROM big_change
    WHERE store_id = :store AND source = :source AND minute > :after
    """
)
_COUNTING: Final = 0x62696763  # "bigc"; the first half of the lock's name
_LOCK: Final = Bulk(
    """
    SELECT pg_advisory_xact_lock(CAST(:lock AS int), hashtext(:store || '/' || :source))
    """
)
_ADD: Final = Bulk(
    """
    INSERT INTO big_change (store_id, source, minute, changes)
    SELECT :store, j.value->>0, CAST(:minute AS bigint), CAST(j.value->>1 AS integer)
    FROM {rows} WHERE true
    ON CONFLICT (store_id, source, minute)
        DO UPDATE SET changes = big_change.changes + excluded.changes
    """
)
_FORGET: Final = Bulk("DELETE FROM big_change WHERE store_id = :store AND minute <= :after")
_PRODUCTS: Final = Bulk(
    """
    SELECT count(*) FROM (SELECT 1 FROM product WHERE store_id = :store LIMIT :most) AS few
    """
)


def count_big(tx: Connection, store_id: StoreId, source: SourceId, now: datetime) -> int:
    """Count a source's big changes of the last minutes; who counts next waits for our commit.

    Several processes on PostgreSQL would else each let through as many as one may. Two that wait
    for each other are a deadlock, of which one is done again. SQLite has one writer anyway.
    """
    if tx.dialect.name != "sqlite":
        _LOCK.run(tx, lock=_COUNTING, store=store_id, source=source)
    return int(_COUNT.run(tx, store=store_id, source=source, after=_minute(now - WITHIN))[0][0])


def add_big(
    tx: Connection, store_id: StoreId, counted: Iterable[tuple[SourceId, int]], now: datetime
) -> None:
    """Note big changes that were accepted, and forget those that count no more."""
    rows = [(source, count) for source, count in sorted(counted) if count]
    if rows:
        _FORGET.run(tx, store=store_id, after=_minute(now - WITHIN))
        _ADD.run(tx, rows, store=store_id, minute=_minute(now))


def count_products(tx: Connection, store_id: StoreId, most: int) -> int:
    """Count a store's products, no further than to ``most``."""
    return int(_PRODUCTS.run(tx, store=store_id, most=most)[0][0])


def _minute(instant: datetime) -> int:
    return int(instant.timestamp()) // 60
