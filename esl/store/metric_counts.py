"""What a whole installation's metrics are made of: counted for all stores at once, from indexes.

::

    how labels stand    three partial indexes: due, stuck, refused; the rest are settled
    what happened       rows of growing tables above the number read last, by their key

A converged shop is counted from two covering indexes alone. Nothing here asks once per label, and
nothing once per store.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Select, func, or_, select, text, union_all

from esl.domain.ids import GatewayId, StoreId
from esl.domain.label import Phase
from esl.store.columns import UtcDateTime
from esl.store.tables import REFUSED, STUCK, gateways, labels, stores
from esl.store.wall_counts import phase_in_sql

Where = tuple[StoreId, str]
"""A store, and what is counted in it: a phase, a decision, a kind of problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many labels are in each phase, and since when the oldest waits for its picture."""

    by_phase: Mapping[Where, int]
    oldest_wanted_at: Mapping[StoreId, datetime]


_PAIRED: Final = text("SELECT store_id, count(*) FROM pairing WHERE position = 0 GROUP BY store_id")
_LABELS: Final = text("SELECT store_id, count(*) FROM label GROUP BY store_id")
_PROBLEMS: Final = text(
    "SELECT coalesce(store_id, ''), kind, count(*) FROM problem WHERE until IS NULL"
    " GROUP BY coalesce(store_id, ''), kind"
)
_HELD_BACK: Final = text(
    "SELECT store_id, count(*) FROM quarantine WHERE state = 'open' GROUP BY store_id"
)
_DELIVERIES: Final = text("SELECT count(*) FROM event_delivery WHERE state = 'open'")
_IMPORTS: Final = text("SELECT count(*) FROM import_job WHERE state IN ('queued', 'running')")


def count_standing(tx: Connection, online: AbstractSet[GatewayId]) -> Standing:
    """Count every store's labels by phase; those that are simply settled are the rest."""
    parts = union_all(*_not_simply_settled(online)).subquery()
    query = select(
        parts.c.store_id,
        parts.c.phase,
        func.count().label("many"),
        func.min(parts.c.wanted_at, type_=UtcDateTime()).label("oldest"),
    ).group_by(parts.c.store_id, parts.c.phase)
    found: dict[Where, int] = {}
    oldest: dict[StoreId, datetime] = {}
    for store, phase, many, wanted_at in tx.execute(query):
        if phase == Phase.UNPAIRED:
            continue  # counted from what is paired: a label that is not wants nothing
        found[StoreId(store), phase] = int(many)
        if phase != Phase.SETTLED and wanted_at is not None:
            oldest[store] = min(wanted_at, oldest.get(store, wanted_at))
    paired = {StoreId(store): int(many) for store, many in tx.execute(_PAIRED)}
    every = {StoreId(store): int(many) for store, many in tx.execute(_LABELS)}
    for store_id, many in every.items():
        others = sum(found.get((store_id, phase), 0) for phase in Phase if phase != Phase.SETTLED)
        found[store_id, Phase.SETTLED] = max(0, paired.get(store_id, 0) - others)
        found[store_id, Phase.UNPAIRED] = max(0, many - paired.get(store_id, 0))
    return Standing(by_phase=found, oldest_wanted_at=oldest)


def _not_simply_settled(online: AbstractSet[GatewayId]) -> Iterator[Select[tuple[object, ...]]]:
    label = labels.c
    chosen = select(label.store_id, phase_in_sql(online).label("phase"), label.wanted_at)
    yield chosen.where(label.due_at.is_not(None))
    yield chosen.where(text(STUCK))
    elsewhere = or_(label.due_at.is_not(None), text(STUCK))
    yield chosen.where(text(REFUSED), ~elsewhere)


def count_problems(tx: Connection) -> dict[Where, int]:
    """Count the open problems by store and kind; the store of the installation's own is ``""``."""
    return {(StoreId(store), kind): int(many) for store, kind, many in tx.execute(_PROBLEMS)}


def count_held_back(tx: Connection) -> dict[StoreId, int]:
    """Count the prices that wait for another person, by store."""
    return {StoreId(store): int(many) for store, many in tx.execute(_HELD_BACK)}


def count_queues(tx: Connection) -> dict[str, int]:
    """Count what waits in the database for a worker of ours."""
    return {
        "events": int(tx.execute(_DELIVERIES).scalar_one()),
        "imports": int(tx.execute(_IMPORTS).scalar_one()),
    }


def gateways_by_store(tx: Connection) -> list[tuple[GatewayId, StoreId]]:
    """List every gateway with its store."""
    query = select(gateways.c.gateway_id, gateways.c.store_id)
    return [(GatewayId(gateway), StoreId(store)) for gateway, store in tx.execute(query)]


def list_store_ids(tx: Connection) -> list[StoreId]:
    """List the stores by id."""
    query = select(stores.c.store_id).order_by(stores.c.store_id)
    return [StoreId(one) for one in tx.execute(query).scalars()]


class Grown:
    """Counts rows that were added to a growing table since it was looked at last, in groups.

    ``key`` is its rising number. Numbers are not given in the order of commits where several
    processes write, so ``lags`` leaves what is new at a look to the next one.
    """

    def __init__(self, table: str, key: str, group: str, *, lags: bool) -> None:
        self._newest = text(f"SELECT coalesce(max({key}), 0) FROM {table}")  # noqa: S608  ours  # nosec B608
        self._count = text(
            f"SELECT {group}, count(*) FROM {table}"  # noqa: S608  names of ours  # nosec B608
            f" WHERE {key} > :above AND {key} <= :up_to GROUP BY {group}"
        )
        self._lags = lags
        self._counted: int | None = None
        self._seen = 0

    def look(self, tx: Connection) -> list[tuple[tuple[str, ...], int]]:
        """Return (group, rows) of what was added; nothing at the first look."""
        newest = int(tx.execute(self._newest).scalar_one())
        up_to = min(self._seen, newest) if self._lags else newest
        self._seen = newest
        if self._counted is None:
            self._counted = newest
            return []
        if up_to <= self._counted:
            return []
        found = tx.execute(self._count, {"above": self._counted, "up_to": up_to})
        added = [(tuple(str(part) for part in row[:-1]), int(row[-1])) for row in found]
        self._counted = up_to
        return added
