"""Sharing gateways between workers: each holds a fair share, and a dead one's pass on.

    every few seconds, each worker:   I am alive ─▶ prolong what I hold
                                                 ─▶ more than my share: give the rest back
                                                 ─▶ less: take what is free or has ended

A fair share is all gateways over all workers alive, rounded up. A lease is for order and windows,
not for safety: two workers that both believe they hold a gateway send the same truth twice, and
counters, revisions and what was issued keep it harmless. PostgreSQL only.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.errors import SetupError
from esl.domain.ids import GatewayId
from esl.store import leases
from esl.store.leases import (
    Leased,
    count_due_of,
    gateways_heard_since,
    held_of,
    time_of_database,
)

__all__ = [
    "Kept",
    "Leased",
    "WorkerRun",
    "count_due_of",
    "gateways_heard_since",
    "held_of",
    "join",
    "keep_leases",
    "leave",
    "time_of_database",
]

_DEAD_FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRun:
    """One run of a worker. ``started_at`` tells it from the next one of the same name."""

    worker_id: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a worker holds now.

    ``given_back`` is what it held until now; ``workers`` how many are alive, it included;
    ``next_end`` in how long the first lease of another ends, None if there is none.
    """

    held: Leased
    given_back: frozenset[GatewayId]
    workers: int
    next_end: timedelta | None


def join(tx: Connection, worker_id: str, *, lease: timedelta) -> WorkerRun:
    """Take a worker's place among the others; a run of the same name loses it."""
    now = leases.time_of_database(tx)
    leases.remove_dead_workers(tx, now - _DEAD_FORGOTTEN_AFTER)
    leases.put_worker(tx, worker_id, started_at=now, alive_until=now + lease)
    return WorkerRun(worker_id=worker_id, started_at=now)


def keep_leases(tx: Connection, run: WorkerRun, *, lease: timedelta) -> Kept:
    """Prolong what a worker holds, and bring it to its fair share.

    Raises:
        SetupError: Another process took this worker's name.
    """
    now = leases.time_of_database(tx)
    until = now + lease
    if not leases.keep_worker(tx, run.worker_id, started_at=run.started_at, alive_until=until):
        raise SetupError(
            f"another process runs as worker {run.worker_id!r}; give each its own --name"
        )
    held = leases.renew_leases(tx, run.worker_id, until)
    workers = max(1, leases.count_workers(tx, now))
    share = -(-leases.count_gateways(tx) // workers)
    given_back = frozenset(sorted(held)[share:])
    if given_back:
        leases.end_leases(tx, run.worker_id, given_back)
        held = {g: store_id for g, store_id in held.items() if g not in given_back}
    elif len(held) < share:
        most = share - len(held)
        held = held | leases.take_leases(tx, run.worker_id, now, until=until, most=most)
    end = leases.first_end(tx, run.worker_id)
    return Kept(
        held=held,
        given_back=given_back,
        workers=workers,
        next_end=None if end is None else max(timedelta(0), end - now),
    )


def leave(tx: Connection, run: WorkerRun) -> None:
    """Give everything back: the others need not wait until the leases end."""
    if leases.remove_worker(tx, run.worker_id, started_at=run.started_at):
        leases.end_leases(tx, run.worker_id)
