"""What the database says of all stores, read at most once in a while however often it is asked.

Whatever is counted by store is counted for the first `STORES_MOST` of them, by id, and for the
others together: a chain's metrics must not outgrow whoever scrapes them.
"""

import threading
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Connection, text

from esl.domain.clock import EffectiveClock
from esl.domain.errors import Unavailable
from esl.domain.ids import GatewayId, StoreId
from esl.domain.label import Phase
from esl.store import metric_counts
from esl.store.backup_state import backed_up_at
from esl.store.chain import last_checkpoint
from esl.store.database import Database
from esl.store.metric_counts import Grown

STORES_MOST: Final = 200
OTHER_STORES: Final = "_other"
"""No store's id: those have no underscores."""

FRESH_S: Final = 10.0
"""A picture of the database is shown this long."""

_ACCEPTED: Final = ("accepted", "unchanged", "superseded", "quarantined", "withdrawn", "rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """One reading of the database."""

    at_s: float
    now: datetime
    standing: metric_counts.Standing
    gateways: Mapping[StoreId, tuple[int, int]]  # all, and those on the line
    problems: Mapping[metric_counts.Where, int]
    held_back: Mapping[StoreId, int]
    queues: Mapping[str, int]
    names: Mapping[StoreId, str]  # under which a store is counted
    database_bytes: int
    backup_at: datetime | None
    checkpoint_at: datetime | None


class Snapshot:
    """A collector of prometheus-client's: reads the database, and keeps what it read for a while.

    ``online`` names the gateways on the line.
    """

    def __init__(
        self,
        database: Database,
        clock: EffectiveClock,
        online: Callable[[], frozenset[GatewayId]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._online = online
        self._lock = threading.Lock()
        self._last: _Counted | None = None
        lags = not database.is_sqlite
        self._prices = Grown("price_event", "event_id", "store_id, decision", lags=lags)
        self._confirmed = Grown("display_log", "entry_id", "gateway_id", lags=lags)
        self._failed = Grown("failure_log", "entry_id", "code", lags=lags)
        self._decided: Tally[tuple[str, str]] = Tally()
        self._shown: Tally[str] = Tally()
        self._failures: Tally[str] = Tally()

    def collect(self) -> Iterator[Metric]:
        """Say what was counted; one metric alone where the database does not answer."""
        with self._lock:
            up = GaugeMetricFamily("esl_database_up", "1 where the database answers.")
            try:
                counted = self._counted()
            except Unavailable:
                up.add_metric([], 0)
                yield up
                return
            up.add_metric([], 1)
            yield up
            yield from self._by_store(counted)
            yield from self._happened()
            yield from _of_installation(counted)

    def _counted(self) -> _Counted:
        now_s = self._clock.monotonic_s()
        if self._last is not None and now_s - self._last.at_s < FRESH_S:
            return self._last
        online = self._online()
        with self._database.read() as tx:
            store_ids = metric_counts.list_store_ids(tx)
            names = {
                store_id: str(store_id) if n < STORES_MOST else OTHER_STORES
                for n, store_id in enumerate(store_ids)
            }
            of_gateway = dict(metric_counts.gateways_by_store(tx))
            every = Tally(of_gateway.values())
            here = Tally(store for gateway, store in of_gateway.items() if gateway in online)
            for (store, decision), many in self._prices.look(tx):
                self._decided[names.get(StoreId(store), OTHER_STORES), decision] += many
            for (gateway,), many in self._confirmed.look(tx):
                store_id = of_gateway.get(GatewayId(gateway))
                named = names.get(store_id, OTHER_STORES) if store_id else OTHER_STORES
                self._shown[named] += many
            for (code,), many in self._failed.look(tx):
                self._failures[code] += many
            self._last = _Counted(
                at_s=now_s,
                now=self._clock.now(),
                standing=metric_counts.count_standing(tx, online),
                gateways={store: (every[store], here[store]) for store in store_ids},
                problems=metric_counts.count_problems(tx),
                held_back=metric_counts.count_held_back(tx),
                queues=metric_counts.count_queues(tx),
                names=names,
                database_bytes=_size(self._database, tx),
                backup_at=backed_up_at(tx),
                checkpoint_at=_last_checkpoint(tx),
            )
        return self._last

    def _by_store(self, counted: _Counted) -> Iterator[Metric]:
        names = counted.names
        labels = GaugeMetricFamily("esl_labels", "Labels by phase.", labels=("store", "phase"))
        phases: Tally[tuple[str, str]] = Tally()
        for (store, phase), many in counted.standing.by_phase.items():
            phases[names.get(store, OTHER_STORES), str(phase)] += many
        for named in sorted(set(names.values())):
            for phase in Phase:
                labels.add_metric([named, phase.value], phases[named, phase.value])
        yield labels
        oldest = GaugeMetricFamily(
            "esl_oldest_unsettled_seconds",
            "How long the label that waits longest has wanted another picture; 0: none does.",
            labels=("store",),
        )
        ages: dict[str, float] = dict.fromkeys(names.values(), 0.0)
        for store, since in counted.standing.oldest_wanted_at.items():
            named = names.get(store, OTHER_STORES)
            ages[named] = max(ages.get(named, 0.0), (counted.now - since).total_seconds())
        for named, age_s in sorted(ages.items()):
            oldest.add_metric([named], age_s)
        yield oldest
        every = GaugeMetricFamily("esl_gateways", "Gateways.", labels=("store",))
        online = GaugeMetricFamily(
            "esl_gateways_online", "Gateways on the line.", labels=("store",)
        )
        sums: dict[str, tuple[int, int]] = {}
        for store, (many, here) in counted.gateways.items():
            before = sums.get(names[store], (0, 0))
            sums[names[store]] = before[0] + many, before[1] + here
        for named, (many, here) in sorted(sums.items()):
            every.add_metric([named], many)
            online.add_metric([named], here)
        yield every
        yield online
        held = GaugeMetricFamily(
            "esl_prices_held_back", "Prices that wait for another person.", labels=("store",)
        )
        waiting: Tally[str] = Tally(dict.fromkeys(names.values(), 0))
        for store, many in counted.held_back.items():
            waiting[names.get(store, OTHER_STORES)] += many
        for named, many in sorted(waiting.items()):
            held.add_metric([named], many)
        yield held

    def _happened(self) -> Iterator[Metric]:
        prices = CounterMetricFamily(
            "esl_price_changes",
            "Price changes since this process began, by what became of them.",
            labels=("store", "decision"),
        )
        stores = {named for named, _ in self._decided} | set(self._last_names())
        for named in sorted(stores):
            for decision in _ACCEPTED:
                prices.add_metric([named, decision], self._decided[named, decision])
        yield prices
        confirmed = CounterMetricFamily(
            "esl_pictures_confirmed",
            "Pictures that labels said they show, since this process began.",
            labels=("store",),
        )
        for named in sorted(set(self._shown) | set(self._last_names())):
            confirmed.add_metric([named], self._shown[named])
        yield confirmed
        failed = CounterMetricFamily(
            "esl_pictures_failed",
            "Pictures that could not be drawn or shown, since this process began.",
        )
        failed.add_metric([], self._failures.total())
        yield failed

    def _last_names(self) -> Iterator[str]:
        return iter(self._last.names.values()) if self._last is not None else iter(())


def _of_installation(counted: _Counted) -> Iterator[Metric]:
    problems = GaugeMetricFamily("esl_problems_open", "Open problems.", labels=("kind",))
    kinds: Tally[str] = Tally()
    for (_, kind), many in counted.problems.items():
        kinds[kind] += many
    for kind, many in sorted(kinds.items()):
        problems.add_metric([kind], many)
    yield problems
    waiting = GaugeMetricFamily(
        "esl_stored_queue", "What waits in the database.", labels=("queue",)
    )
    for queue, many in sorted(counted.queues.items()):
        waiting.add_metric([queue], many)
    yield waiting
    size = GaugeMetricFamily("esl_database_bytes", "Size of the database.")
    size.add_metric([], counted.database_bytes)
    yield size
    ages = (
        ("esl_backup_age_seconds", "Since the last backup; missing: none known.", "backup_at"),
        ("esl_checkpoint_age_seconds", "Since the audit chain's last one.", "checkpoint_at"),
    )
    for name, words, field in ages:
        at: datetime | None = getattr(counted, field)
        if at is not None:
            age = GaugeMetricFamily(name, words)
            age.add_metric([], max(0.0, (counted.now - at).total_seconds()))
            yield age


def _size(database: Database, tx: Connection) -> int:
    if database.path is None:
        return int(tx.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    file = Path(database.path)
    beside = (file, file.with_name(f"{file.name}-wal"))
    return sum(one.stat().st_size for one in beside if one.exists())


def _last_checkpoint(tx: Connection) -> datetime | None:
    last = last_checkpoint(tx)
    return datetime.fromisoformat(last.at).replace(tzinfo=UTC) if last is not None else None
