"""How stores' tills are told of prices: rows in and out."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select, update

from esl.domain.ids import StoreId
from esl.domain.till_channel import FOLLOWED, PriceOwner, TillChannel, TillSetting, TillTold
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.tables import till_settings
from esl.store.upsert import insert_or_update

_FOLLOWED: Final = Bulk(
    "SELECT is_safe FROM till_setting"
    " WHERE store_id = :store AND channel IN ('pull', 'webhook') LIMIT 1"
)
"""As `FOLLOWED`; asked with each price, so it is a statement made once."""

_SETTING = (
    till_settings.c.store_id,
    till_settings.c.price_owner,
    till_settings.c.channel,
    till_settings.c.is_safe,
    till_settings.c.url,
    till_settings.c.allow_private,
    till_settings.c.within_s,
)


def is_followed(tx: Connection, store_id: StoreId) -> bool:
    """Say whether it is kept what a store's tills may charge: the cheap question."""
    return bool(_FOLLOWED.run(tx, store=store_id))


def setting_of(tx: Connection, store_id: StoreId) -> TillSetting:
    """Load how a store's tills are told; of one that never said it, the usual."""
    query = select(*_SETTING).where(till_settings.c.store_id == store_id)
    row = tx.execute(query).one_or_none()
    return _setting(row) if row is not None else TillSetting(store_id=store_id)


def lock_setting(tx: Connection, store_id: StoreId) -> TillSetting:
    """Load it, and let nobody else change what a store's tills may charge till the commit.

    Labels are locked before it. What tills hear is numbered under this lock alone, so the
    order of the numbers is that of the commits.
    """
    query = select(*_SETTING).where(till_settings.c.store_id == store_id).with_for_update()
    row = tx.execute(query).one_or_none()
    return _setting(row) if row is not None else TillSetting(store_id=store_id)


def put_setting(tx: Connection, put: TillSetting, *, sealed: bytes | None) -> None:
    """Replace how a store's tills are told; ``sealed`` None keeps the secret."""
    row: dict[str, Any] = {
        "store_id": put.store_id,
        "price_owner": put.price_owner.value,
        "channel": put.channel.value,
        "is_safe": put.is_safe,
        "url": put.url,
        "allow_private": put.allow_private,
        "within_s": int(put.acknowledge_within.total_seconds()),
        "attempts": 0,
        "next_at": None,
        "failing_since": None,
        "error": None,
    }
    if sealed is not None:
        row["sealed"] = sealed
    insert_or_update(tx, till_settings, [row])


def sealed_of(tx: Connection, store_id: StoreId) -> bytes | None:
    """Load what messages to a store's tills are signed with."""
    query = select(till_settings.c.sealed).where(till_settings.c.store_id == store_id)
    sealed: bytes | None = tx.execute(query).scalar_one_or_none()
    return sealed


def followed_stores(tx: Connection) -> list[TillSetting]:
    """List the stores whose tills are followed."""
    query = (
        select(*_SETTING)
        .where(till_settings.c.channel.in_([one.value for one in FOLLOWED]))
        .order_by(till_settings.c.store_id)
    )
    return [_setting(row) for row in tx.execute(query)]


def safe_stores(tx: Connection) -> frozenset[StoreId]:
    """Name the stores that want the safe order."""
    return frozenset(one.store_id for one in followed_stores(tx) if one.is_safe)


def told_of(tx: Connection, store_id: StoreId) -> TillTold:
    """Load how far a store's tills were told by messages."""
    query = select(
        till_settings.c.told_rev,
        till_settings.c.attempts,
        till_settings.c.next_at,
        till_settings.c.failing_since,
        till_settings.c.error,
    ).where(till_settings.c.store_id == store_id)
    row = tx.execute(query).one_or_none()
    return TillTold(**row._asdict()) if row is not None else TillTold()


def claim_telling(tx: Connection, store_id: StoreId, now: datetime, *, until: datetime) -> bool:
    """Keep other processes from telling a store's tills for a while; False: another does."""
    claimed = tx.execute(
        update(till_settings)
        .where(
            till_settings.c.store_id == store_id,
            till_settings.c.next_at.is_(None) | (till_settings.c.next_at <= now),
        )
        .values(next_at=until)
    )
    return claimed.rowcount == 1


def note_told(tx: Connection, store_id: StoreId, rev: int) -> None:
    """Note that the tills took a message about all up to a revision."""
    tx.execute(
        update(till_settings)
        .where(till_settings.c.store_id == store_id)
        .values(told_rev=rev, attempts=0, next_at=None, failing_since=None, error=None)
    )


def note_failed(
    tx: Connection, store_id: StoreId, told: TillTold, now: datetime, *, error: str, again: datetime
) -> None:
    """Note that a message was not taken, why, and when it is tried again."""
    tx.execute(
        update(till_settings)
        .where(till_settings.c.store_id == store_id)
        .values(
            attempts=told.attempts + 1,
            next_at=again,
            failing_since=told.failing_since or now,
            error=error[:300],
        )
    )


def _setting(row: AnyRow) -> TillSetting:
    return TillSetting(
        store_id=StoreId(row.store_id),
        price_owner=PriceOwner(row.price_owner),
        channel=TillChannel(row.channel),
        is_safe=bool(row.is_safe),
        url=row.url,
        allow_private=bool(row.allow_private),
        acknowledge_within=timedelta(seconds=row.within_s),
    )
