"""Leases on a real PostgreSQL: who speaks with which gateway, and what workers tell each other."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from esl.domain.errors import SetupError
from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.label import Lane
from esl.domain.touch import Touch, TouchKind
from esl.services import leases
from esl.services.leases import Kept, WorkerRun
from esl.store.bell import EVERYTHING, Bell, Ring, payloads_of, read_payload
from esl.store.database import Database
from esl.store.deliveries import DueCount, Share
from esl.store.migrate import migrate
from esl.store.tables import gateways
from gateway.leases import LEASE_S, RENEW_S, Leases, next_look_s
from tests.builders import NOON, build_shelf
from tests.chaos.inline_writer import InlineWriter
from tests.served import wait_until
from tests.services import Postgres

GATEWAYS = [GatewayId(f"gw-{n}") for n in range(7)]
LEASE = timedelta(seconds=LEASE_S)


@pytest.fixture
def database(fresh_postgres_url: str) -> Iterator[Database]:
    """A store with seven gateways and fourteen labels, all due."""
    with closing(Database(fresh_postgres_url)) as database:
        migrate(database, NOON)
        with database.writing.begin() as tx:
            build_shelf(tx, labels_count=14, gateways=GATEWAYS)
        yield database


def _join(database: Database, name: str) -> WorkerRun:
    with database.writing.begin() as tx:
        return leases.join(tx, name, lease=LEASE)


def _keep(database: Database, run: WorkerRun) -> Kept:
    with database.writing.begin() as tx:
        return leases.keep_leases(tx, run, lease=LEASE)


def _end_by_time(database: Database, worker_id: str) -> None:
    """Let a worker's time be over, as if it had been silent for so long."""
    with database.writing.begin() as tx:
        past = leases.time_of_database(tx) - timedelta(seconds=1)
        held = gateways.c.leased_by == worker_id
        tx.execute(update(gateways).where(held).values(leased_until=past))
        tx.exec_driver_sql(
            "UPDATE worker SET alive_until = %(past)s WHERE worker_id = %(id)s",
            {"past": past, "id": worker_id},
        )


def test_a_single_worker_holds_all_and_a_second_gets_its_fair_share(database: Database) -> None:
    one, two = _join(database, "one"), _join(database, "two")
    with database.writing.begin() as tx:
        leases.leave(tx, two)
    assert set(_keep(database, one).held) == set(GATEWAYS)
    two = _join(database, "two")
    assert _keep(database, two).held == {}, "nothing is free yet"
    kept = _keep(database, one)
    assert (len(kept.held), len(kept.given_back), kept.workers) == (4, 3, 2)
    assert set(_keep(database, two).held) == kept.given_back
    assert set(_keep(database, one).held) == set(kept.held), "and so it stays"


def test_workers_that_begin_at_the_same_moment_never_hold_the_same(database: Database) -> None:
    runs = [_join(database, f"w-{n}") for n in range(3)]
    with ThreadPoolExecutor(3) as pool:
        url = database.writing.url.render_as_string(hide_password=False)
        databases = [Database(url) for _ in runs]
        for _ in range(3):
            kept = list(pool.map(_keep, databases, runs))
        for each in databases:
            each.close()
    held = [gateway_id for one in kept for gateway_id in one.held]
    assert sorted(held) == GATEWAYS
    assert sorted(len(one.held) for one in kept) == [1, 3, 3]


def test_a_dead_workers_gateways_pass_on_with_a_new_epoch(database: Database) -> None:
    one, two = _join(database, "one"), _join(database, "two")
    _keep(database, one)
    _keep(database, two)
    _end_by_time(database, "one")
    kept = _keep(database, two)
    assert set(kept.held) == set(GATEWAYS)
    assert kept.workers == 1
    with database.read() as tx:
        epochs = set(tx.execute(select(gateways.c.lease_epoch)).scalars())
    assert epochs == {1, 2}


def test_who_held_last_keeps_what_nobody_took(database: Database) -> None:
    one = _join(database, "one")
    _keep(database, one)
    _end_by_time(database, "one")
    assert set(_keep(database, one).held) == set(GATEWAYS)
    with database.read() as tx:
        assert set(tx.execute(select(gateways.c.lease_epoch)).scalars()) == {1}


def test_a_second_run_of_the_same_name_ends_the_first(database: Database) -> None:
    first = _join(database, "one")
    _keep(database, first)
    second = _join(database, "one")
    assert set(_keep(database, second).held) == set(GATEWAYS), "a restart goes on at once"
    with pytest.raises(SetupError, match="--name"):
        _keep(database, first)
    with database.writing.begin() as tx:
        leases.leave(tx, first)  # and takes nothing with it
    assert set(_keep(database, second).held) == set(GATEWAYS)


def test_the_next_look_is_when_a_lease_of_another_ends() -> None:
    def kept(next_end: timedelta | None) -> Kept:
        return Kept(held={}, given_back=frozenset(), workers=2, next_end=next_end)

    assert next_look_s(kept(None)) == RENEW_S
    assert next_look_s(kept(timedelta(seconds=14))) == RENEW_S
    assert 2 < next_look_s(kept(timedelta(seconds=2))) < 2.5


def _held_by(database: Database, name: str, clock_s: list[float]) -> Leases:
    writer = InlineWriter(database, lambda: clock_s[0])
    return Leases(writer=writer, worker_id=name, monotonic_s=lambda: clock_s[0])


def test_a_holder_that_hears_nothing_stops_before_its_lease_ends(database: Database) -> None:
    clock_s = [100.0]
    ours = _held_by(database, "one", clock_s)
    answer = ours.renew()
    clock_s[0] += 3.0  # the answer took its time
    change = ours.take(answer)
    assert set(change.gained) == set(GATEWAYS)
    clock_s[0] = 100.0 + LEASE_S - 0.1
    assert not ours.lapse().lost
    clock_s[0] = 100.0 + LEASE_S
    assert ours.lapse().lost == set(GATEWAYS)
    assert ours.held == {}


def test_an_answer_that_is_older_than_the_lease_is_worth_nothing(database: Database) -> None:
    clock_s = [100.0]
    ours = _held_by(database, "one", clock_s)
    answer = ours.renew()
    clock_s[0] += LEASE_S + 45  # the process was frozen
    assert ours.take(answer).gained == {}
    assert set(ours.take(ours.renew()).gained) == set(GATEWAYS), "and asks again"


def test_only_gateways_that_the_database_calls_ours_may_be_claimed(database: Database) -> None:
    clock_s = [100.0]
    one, two = _held_by(database, "one", clock_s), _held_by(database, "two", clock_s)
    one.take(one.renew())
    _end_by_time(database, "one")
    two.take(two.renew())
    shares = [Share(gateway_id=g, most=5) for g in GATEWAYS]
    with database.read() as tx:
        assert one.held, "it does not know yet"
        assert one.fence(tx, shares) == []
        assert two.fence(tx, shares) == shares


def test_a_worker_counts_what_is_due_to_its_own_gateways_as_far_as_there_is_room(
    database: Database,
) -> None:
    ours = _held_by(database, "one", [100.0])
    with database.read() as tx:
        counted = ours.look(tx, NOON, {GATEWAYS[0]: 1, GATEWAYS[1]: 50})
        assert ours.look(tx, NOON - timedelta(days=1), {GATEWAYS[0]: 1}) == []
    assert sorted(counted, key=lambda one: one.gateway_id) == [
        DueCount(gateway_id=GATEWAYS[0], lane=Lane.NORMAL, count=1),
        DueCount(gateway_id=GATEWAYS[1], lane=Lane.NORMAL, count=2),
    ]


# ── The bell ───────────────────────────────────────────────────────────────────────────────


class _Ears:
    def __init__(self) -> None:
        self.heard = Ring()
        self.messages = 0
        self._lock = threading.Lock()

    def hear(self, ring: Ring) -> None:
        with self._lock:
            self.messages += 1
            self.heard |= ring


@pytest.fixture
def bells(database: Database) -> Iterator[tuple[Bell, Bell, _Ears, _Ears]]:
    """Two processes' bells, both listening."""
    ears = _Ears(), _Ears()
    url = database.writing.url.render_as_string(hide_password=False)
    with closing(Database(url)) as one, closing(Database(url)) as two:
        pair = [
            Bell(each, monotonic_s=time.monotonic, heard=ear.hear)
            for each, ear in zip((one, two), ears, strict=True)
        ]
        for bell in pair:
            bell.start()
        while ears[1].messages == 0 or ears[0].messages == 0:  # until both listen
            pair[0].ring(Ring(due=True))
            pair[1].ring(Ring(due=True))
            time.sleep(0.05)
        time.sleep(0.3)
        for ear in ears:
            ear.heard, ear.messages = Ring(), 0
        yield pair[0], pair[1], *ears
        for bell in pair:
            bell.close()


def test_what_one_process_rings_the_other_hears_and_itself_does_not(
    bells: tuple[Bell, Bell, _Ears, _Ears],
) -> None:
    one, _, own_ear, ear = bells
    touch = Touch(
        label_id=LabelId("l-1"),
        store_id=StoreId("s"),
        gateway_id=GatewayId("g"),
        kind=TouchKind.PRESSED,
        button=0,
        at=NOON,
    )
    rung = Ring(due=True, leases=True, labels=frozenset({LabelId("l-1")}), touched=(touch,))
    one.ring(rung)
    wait_until(lambda: ear.heard == rung, "the ring")
    assert own_ear.messages == 0


def test_many_rings_become_few_messages_and_none_is_missing(
    bells: tuple[Bell, Bell, _Ears, _Ears],
) -> None:
    one, _, _, ear = bells
    labels = [LabelId(f"label-{n:05d}") for n in range(2000)]
    for label_id in labels:
        one.ring(Ring(due=True, labels=frozenset({label_id})))
    wait_until(lambda: ear.heard.labels == set(labels), "every label")
    assert ear.messages < 100


def test_after_a_pause_of_the_database_everybody_looks_at_everything(
    bells: tuple[Bell, Bell, _Ears, _Ears], postgres: Postgres
) -> None:
    one, _, own_ear, ear = bells
    postgres.stop()
    postgres.start()
    wait_until(lambda: own_ear.heard == ear.heard == EVERYTHING, "the line")
    one.ring(Ring(labels=frozenset({LabelId("l-1")})))
    wait_until(lambda: ear.heard.labels == {"l-1"}, "a ring")


def test_a_ring_fits_its_messages_and_reads_back() -> None:
    ring = Ring(due=True, labels=frozenset(LabelId(f"{n:064d}") for n in range(450)))
    payloads = list(payloads_of(ring))
    assert max(len(payload.encode()) for payload in payloads) < 8000
    together = Ring()
    for payload in payloads:
        together |= read_payload(payload)
    assert together == ring
    assert read_payload("what another version says") == Ring()
