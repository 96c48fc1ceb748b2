"""Which worker speaks with which gateway: rows in and out. PostgreSQL only.

    gateway   leased_by, leased_until, lease_epoch       one holder, or nobody
    worker    worker_id, started_at, alive_until         who is there to share with

Leases are measured by the database's clock, the one that all machines share: with their own, the
worker whose clock is fast would take from the others all the time.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, Select, Update, and_, delete, func, or_, select, text, update

from esl.domain.ids import GatewayId, StoreId
from esl.domain.label import Lane
from esl.store.broker_logins import REVOKED
from esl.store.deliveries import DueCount
from esl.store.tables import gateways, workers
from esl.store.upsert import insert_or_update

_COUNT_DUE_OF = text(
    """
    SELECT ours.gateway_id, due.lane, count(*)
    FROM unnest(CAST(:ids AS text[]), CAST(:rooms AS int[])) AS ours(gateway_id, room)
    CROSS JOIN LATERAL (
        SELECT label.lane FROM label
        WHERE label.gateway_id = ours.gateway_id AND label.due_at <= :now
            AND label.quarantine = 0
        ORDER BY label.lane LIMIT ours.room
    ) AS due
    GROUP BY ours.gateway_id, due.lane
    """
)

Leased = dict[GatewayId, StoreId]
"""Gateways, each with its store."""


def time_of_database(tx: Connection) -> datetime:
    """Return the database server's time at this moment, not at the transaction's beginning."""
    now: datetime = tx.execute(select(func.clock_timestamp())).scalar_one()
    return now


def put_worker(
    tx: Connection, worker_id: str, *, started_at: datetime, alive_until: datetime
) -> None:
    """Add a worker, or a new run of one; the run before it loses its place."""
    row = {"worker_id": worker_id, "started_at": started_at, "alive_until": alive_until}
    insert_or_update(tx, workers, [row])


def keep_worker(
    tx: Connection, worker_id: str, *, started_at: datetime, alive_until: datetime
) -> bool:
    """Note that a worker is alive; False if its place is another run's now."""
    kept = tx.execute(
        update(workers)
        .where(workers.c.worker_id == worker_id, workers.c.started_at == started_at)
        .values(alive_until=alive_until)
    )
    return kept.rowcount == 1


def remove_worker(tx: Connection, worker_id: str, *, started_at: datetime) -> bool:
    """Remove a worker's run; False if its place is another run's."""
    gone = tx.execute(
        delete(workers).where(workers.c.worker_id == worker_id, workers.c.started_at == started_at)
    )
    return gone.rowcount == 1


def remove_dead_workers(tx: Connection, before: datetime) -> None:
    """Forget workers that have not been alive since."""
    tx.execute(delete(workers).where(workers.c.alive_until < before))


def count_workers(tx: Connection, now: datetime) -> int:
    """Count the workers that are alive."""
    return tx.execute(
        select(func.count()).select_from(workers).where(workers.c.alive_until > now)
    ).scalar_one()


def count_gateways(tx: Connection) -> int:
    """Count the gateways of the installation."""
    return tx.execute(select(func.count()).select_from(gateways)).scalar_one()


def renew_leases(tx: Connection, worker_id: str, until: datetime) -> Leased:
    """Prolong all that a worker holds, and return it.

    A lease that has ended and that nobody took is the holder's still.
    """
    held = _held_by(worker_id)
    return _leased(
        tx, update(gateways).where(gateways.c.gateway_id.in_(held)).values(leased_until=until)
    )


def take_leases(
    tx: Connection, worker_id: str, now: datetime, *, until: datetime, most: int
) -> Leased:
    """Take up to ``most`` gateways that nobody holds, or whose lease has ended.

    Gateways of a store lie side by side, so a store's tend to one worker. Workers that look at
    the same moment skip each other's rows.
    """
    free = (
        select(gateways.c.gateway_id)
        .where(or_(gateways.c.leased_by.is_(None), gateways.c.leased_until <= now))
        .where(~REVOKED.exists())
        .order_by(gateways.c.store_id, gateways.c.gateway_id)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("free")
    )
    return _leased(
        tx,
        update(gateways)
        .where(gateways.c.gateway_id.in_(select(free.c.gateway_id)))
        .values(leased_by=worker_id, leased_until=until, lease_epoch=gateways.c.lease_epoch + 1),
    )


def end_leases(
    tx: Connection, worker_id: str, gateway_ids: Iterable[GatewayId] | None = None
) -> None:
    """Give gateways back that a worker holds; without any named, all."""
    held = _held_by(worker_id)
    if gateway_ids is not None:
        held = held.where(gateways.c.gateway_id.in_(list(gateway_ids)))
    tx.execute(
        update(gateways)
        .where(gateways.c.gateway_id.in_(held))
        .values(leased_by=None, leased_until=None)
    )


def first_end(tx: Connection, worker_id: str) -> datetime | None:
    """Return when the first lease of another worker ends; None if no other holds one."""
    query = select(func.min(gateways.c.leased_until)).where(gateways.c.leased_by != worker_id)
    end: datetime | None = tx.execute(query).scalar_one()
    return end


def held_of(
    tx: Connection, worker_id: str, gateway_ids: Iterable[GatewayId]
) -> frozenset[GatewayId]:
    """Say which of these gateways a worker holds."""
    query = select(gateways.c.gateway_id).where(
        gateways.c.leased_by == worker_id, gateways.c.gateway_id.in_(list(gateway_ids))
    )
    return frozenset(GatewayId(row.gateway_id) for row in tx.execute(query))


def count_due_of(tx: Connection, now: datetime, room: Mapping[GatewayId, int]) -> list[DueCount]:
    """Count what is due to some gateways by lane, to each no more than it has room for.

    With many workers on millions of labels, a count of all that is due is what a worker would
    spend its time on: after a change of everything it is as long as the chain is large.
    """
    found = tx.execute(_COUNT_DUE_OF, {"ids": list(room), "rooms": list(room.values()), "now": now})
    return [
        DueCount(gateway_id=GatewayId(gateway_id), lane=Lane(lane), count=count)
        for gateway_id, lane, count in found
    ]


def gateways_heard_since(tx: Connection, moment: datetime) -> frozenset[GatewayId]:
    """Return the gateways that are on the line by their holders' word, and were heard since.

    A holder that was killed leaves the word standing; the moment takes it back.
    """
    query = select(gateways.c.gateway_id).where(
        and_(gateways.c.online, gateways.c.heard_at > moment)
    )
    return frozenset(GatewayId(row.gateway_id) for row in tx.execute(query))


def _held_by(worker_id: str) -> Select[tuple[str]]:
    """Lock a worker's gateways, in the order in which everyone locks them."""
    return (
        select(gateways.c.gateway_id)
        .where(gateways.c.leased_by == worker_id)
        .order_by(gateways.c.gateway_id)
        .with_for_update()
    )


def _leased(tx: Connection, statement: Update) -> Leased:
    found = tx.execute(statement.returning(gateways.c.gateway_id, gateways.c.store_id))
    return {GatewayId(row.gateway_id): StoreId(row.store_id) for row in found}
