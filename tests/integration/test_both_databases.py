"""What SQLite and PostgreSQL must do alike, under load from several sides."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from esl.domain.errors import SetupError, Unavailable
from esl.domain.ids import GatewayId, LabelId
from esl.domain.label import Lane
from esl.store import deliveries, labels
from esl.store.database import Database
from esl.store.migrate import differences, migrate, note_time_acted, time_acted_until
from esl.store.revisions import take_revision
from esl.store.tables import answered_requests, installation, revision_counter
from esl.store.tables import labels as label_table
from gateway.wire.signing import PublicKeys, open_sealed
from tests.builders import (
    GATEWAY,
    KEY,
    NOON,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    bare_labels,
    build_shelf,
    label_id,
    running_writer,
)

T = TypeVar("T")
PATIENCE = timedelta(seconds=60)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/esl.db"
    url: str = request.getfixturevalue("fresh_postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of either kind."""
    opened = Database(database_url)
    migrate(opened, NOON)
    yield opened
    opened.close()


@contextmanager
def several(url: str, count: int) -> Iterator[list[Database]]:
    """The same database as so many processes would have it open."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(Database(url))) for _ in range(count)]


def together(*works: Callable[[], T]) -> list[T]:
    """Run each in a thread of its own, all released at one moment; raise what one raises."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        gate.wait(30)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(60) for future in [pool.submit(run, work) for work in works]]


# ── Schema ──────────────────────────────────────────────────────────────────────────────────


def test_the_migrated_schema_is_the_one_in_code(database: Database) -> None:
    assert differences(database) == []
    assert migrate(database, NOON) is None, "a second start has nothing to do"
    with database.read() as tx:
        assert time_acted_until(tx) == NOON


def test_a_database_of_a_newer_version_is_refused_in_words(database: Database) -> None:
    with database.writing.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetupError, match=r"newer version .*9999.*backup"):
        migrate(database, NOON)


@pytest.mark.parametrize("table", [installation, revision_counter], ids=lambda t: t.name)
def test_the_only_row_stays_the_only_one(database: Database, table: object) -> None:
    values = {"only_row": 2, "last_rev": 0} if table is revision_counter else {
        "only_row": 2, "created_at": NOON, "acted_until": NOON,
    }  # fmt: skip
    with pytest.raises(IntegrityError), database.writing.begin() as tx:
        tx.execute(insert(table).values(values))  # type: ignore[arg-type]


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises((DBAPIError, Unavailable)), database.read() as tx:
        tx.execute(update(revision_counter).values(last_rev=99))
    with database.read() as tx:
        assert tx.execute(select(revision_counter.c.last_rev)).scalar_one() == 0


def test_a_read_sees_one_moment(database: Database, database_url: str) -> None:
    with several(database_url, 1) as [other], database.read() as tx:
        before = tx.execute(select(installation.c.acted_until)).scalar_one()
        with other.writing.begin() as writing:
            note_time_acted(writing, NOON + timedelta(hours=1))
        assert tx.execute(select(installation.c.acted_until)).scalar_one() == before
    with database.read() as tx:
        assert time_acted_until(tx) == NOON + timedelta(hours=1)


def test_the_high_water_of_time_only_rises(database: Database) -> None:
    with database.writing.begin() as tx:
        note_time_acted(tx, NOON + timedelta(hours=1))
        note_time_acted(tx, NOON)
        assert time_acted_until(tx) == NOON + timedelta(hours=1)


# ── Instants ────────────────────────────────────────────────────────────────────────────────


def _store_instant(database: Database, key: str, instant: datetime) -> None:
    with database.writing.begin() as tx:
        tx.execute(
            insert(answered_requests).values(
                principal="p",
                idempotency_key=key,
                request_sha256="",
                status=200,
                answer="",
                answered_at=instant,
            )
        )


def test_a_naive_instant_never_enters_the_database(database: Database) -> None:
    with pytest.raises(StatementError, match="naive"):
        _store_instant(database, "naive", datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive"), database.read() as tx:
        tx.execute(
            select(answered_requests).where(
                answered_requests.c.answered_at < datetime(2026, 1, 1)  # noqa: DTZ001
            )
        )


def test_an_instant_comes_back_the_same_and_in_utc(database: Database) -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    instants = {
        "utc": datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC),
        "offset": datetime(2026, 3, 29, 1, 30, tzinfo=kathmandu),
        "old": datetime(1, 1, 2, tzinfo=UTC),
        "far": datetime(9999, 12, 30, tzinfo=UTC),
    }
    for key, instant in instants.items():
        _store_instant(database, key, instant)
    column = answered_requests.c.answered_at
    with database.read() as tx:
        rows = tx.execute(select(answered_requests.c.idempotency_key, column).order_by(column))
        found = [(row.idempotency_key, row.answered_at) for row in rows]
        early = tx.execute(
            select(answered_requests.c.idempotency_key).where(column < instants["utc"])
        )
        assert set(early.scalars()) == {"old", "offset"}
    assert dict(found) == instants
    assert all(instant.tzinfo is UTC for _, instant in found)
    assert [key for key, _ in found] == ["old", "offset", "utc", "far"]


# ── Revisions ───────────────────────────────────────────────────────────────────────────────


def test_revisions_strictly_increase_from_every_side(database: Database, database_url: str) -> None:
    def take_some(own: Database) -> list[int]:
        taken = []
        for _ in range(25):
            with own.writing.begin() as tx:
                taken.append(take_revision(tx))
        return taken

    with several(database_url, 4) as owns:
        series = together(*(lambda own=own: take_some(own) for own in owns))
    for taken in series:
        assert taken == sorted(set(taken))
    together_taken = [rev for taken in series for rev in taken]
    assert len(set(together_taken)) == 100
    with database.writing.begin() as tx:
        assert take_revision(tx) > max(together_taken)


def test_a_revision_of_an_undone_transaction_is_never_below_a_committed_one(
    database: Database,
) -> None:
    with database.writing.begin() as tx:
        first = take_revision(tx)
    with database.writing.connect() as undone:
        take_revision(undone)
        undone.rollback()
    with database.writing.begin() as tx:
        assert take_revision(tx) > first


def test_a_label_never_wants_less_than_before(database: Database) -> None:
    with database.writing.begin() as tx:
        build_shelf(tx)
        labels.want(tx, [label_id(0)], 900, NOON, lane=Lane.NORMAL)
        labels.want(tx, [label_id(0)], 800, NOON, lane=Lane.NORMAL)
        assert labels.label_named(tx, label_id(0)).wanted_rev == 900


# ── The claim ───────────────────────────────────────────────────────────────────────────────


def _row(number: int, **changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "label_id": label_id(number),
        "gateway_id": GATEWAY,
        "due_at": NOON,
        "lane": 2,
    }
    return fields | changes


def _shop(database: Database, rows: list[dict[str, object]]) -> None:
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=0, gateways=(GATEWAY, GatewayId("gw-2")))
        bare_labels(tx, rows)


def _claim(database: Database, limit: int, now: datetime = NOON) -> list[LabelId]:
    with database.writing.begin() as tx:
        return deliveries.claim_due(tx, GATEWAY, now, limit=limit, until=now + PATIENCE)


def test_a_claim_takes_the_urgent_lane_first_and_then_the_oldest(database: Database) -> None:
    earlier = NOON - timedelta(seconds=10)
    rows = [
        _row(0, lane=3, due_at=NOON - timedelta(days=1)),
        _row(1, lane=2, due_at=NOON),
        _row(2, lane=2, due_at=earlier),
        _row(3, lane=0, due_at=NOON),
        _row(4, lane=1, due_at=NOON),
        _row(5, lane=0, due_at=earlier),
    ]
    _shop(database, rows)
    assert [_claim(database, 1) for _ in range(7)] == [
        *([label_id(n)] for n in (5, 3, 4, 2, 1, 0)),
        [],
    ]


def test_a_claim_takes_no_more_than_asked_and_nothing_of_others(database: Database) -> None:
    others = [
        _row(10, gateway_id=GatewayId("gw-2")),
        _row(11, gateway_id=None),
        _row(12, due_at=NOON + timedelta(microseconds=1)),
        _row(13, due_at=None),
    ]
    _shop(database, [*(_row(n) for n in range(5)), *others])
    first = _claim(database, 3)
    second = _claim(database, 3)
    assert (len(first), len(second)) == (3, 2)
    assert {*first, *second} == {label_id(n) for n in range(5)}
    with database.read() as tx:
        states = labels.labels_by_id(tx, [LabelId(str(r["label_id"])) for r in others])
        taken = labels.labels_by_id(tx, first)
    assert {s.attempts for s in states.values()} == {0}
    assert {s.due_at for s in states.values()} == {NOON, NOON + timedelta(microseconds=1), None}
    assert {(s.attempts, s.due_at) for s in taken.values()} == {(1, NOON + PATIENCE)}


def test_a_label_is_claimed_again_only_when_patience_is_over(database: Database) -> None:
    _shop(database, [_row(0)])
    assert _claim(database, 9) == [label_id(0)]
    assert _claim(database, 9, NOON + PATIENCE - timedelta(microseconds=1)) == []
    assert _claim(database, 9, NOON + PATIENCE) == [label_id(0)]


def test_five_workers_at_once_never_claim_a_label_twice(
    database: Database, database_url: str
) -> None:
    count, limit = 240, 7
    _shop(database, [_row(n) for n in range(count)])

    def work(own: Database) -> list[LabelId]:
        taken: list[LabelId] = []
        empty = 0
        while empty < 3:  # a locked row is skipped, so one empty claim proves nothing
            claimed = _claim(own, limit)
            assert len(claimed) <= limit
            empty = 0 if claimed else empty + 1
            taken += claimed
        return taken

    with several(database_url, 5) as owns:
        shares = together(*(lambda own=own: work(own) for own in owns))
    everything = [claimed for share in shares for claimed in share]
    assert len(everything) == count
    assert set(everything) == {label_id(n) for n in range(count)}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer
def test_a_claim_skips_what_another_holds_instead_of_waiting(
    database: Database, database_url: str
) -> None:
    _shop(database, [_row(n) for n in range(4)])
    with several(database_url, 1) as [other], database.writing.begin() as tx:
        held = deliveries.claim_due(tx, GATEWAY, NOON, limit=2, until=NOON + PATIENCE)
        free = _claim(other, 9)
    assert len(held) == len(free) == 2
    assert not set(held) & set(free)


# ── Lost updates ────────────────────────────────────────────────────────────────────────────


def test_eight_threads_lose_no_update_through_the_writer(database: Database) -> None:
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=0)
        bare_labels(tx, [_row(0, attempts=0)])
    rounds = 25

    with running_writer(database) as writer:

        def add_some() -> None:
            for _ in range(rounds):
                writer.write(_read_modify_write)

        together(*[add_some] * 8)
    with database.read() as tx:
        assert labels.label_named(tx, label_id(0)).attempts == 8 * rounds


def _read_modify_write(tx: Connection) -> None:
    attempts = tx.execute(select(label_table.c.attempts)).scalar_one()
    tx.execute(update(label_table).values(attempts=attempts + 1))


# ── Two controllers ─────────────────────────────────────────────────────────────────────────


def test_two_dispatchers_at_once_are_harmless(database: Database, database_url: str) -> None:
    count = 60
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=count)
    clock = SimulatedClock()
    gateway = FakeGateway(GATEWAY, clock)
    with several(database_url, 2) as owns:
        houses = [Controller(own, clock, window=20) for own in owns]
        for house in houses:
            house.hear(gateway.hello())
        steps = []
        for _ in range(4):
            steps += together(*(house.dispatcher.step for house in houses))
        payloads = [sent for step in steps for sent in step.outgoing]
        headers = sorted(payloads, key=lambda sent: _counter(sent.payload))
        puts = gateway.obey(headers)  # refuses a counter that does not rise
        ids = [put.id for put in puts]
        assert len(set(ids)) == len(ids)
        told = [put.label for put in puts]
        assert len(set(told)) == len(told) == 2 * 20, "each within its window, none twice"
        for put in puts:
            houses[0].hear(gateway.paint(put))
        assert [house.inbox.dropped for house in houses] == [{}, {}]
        clock.pass_s(300)
        for house in houses:
            house.hear(gateway.heartbeat())
        for _ in range(5):
            for house in houses:
                house.settle(gateway)
                clock.pass_s(300)
                for each in houses:
                    each.hear(gateway.heartbeat())
        for number, state in enumerate(houses[1].states()):
            assert (state.due_at, state.problem) == (None, None)
            assert state.shown_digest == houses[0].wanted_digest(number)
            assert gateway.showing[state.label_id] == (
                state.shown_rev,
                bytes.fromhex(state.shown_digest),
            )
        for house in houses:
            house.close()


def _counter(payload: bytes) -> int:
    return open_sealed(payload, PublicKeys.of(KEY))[0].counter


def test_a_report_and_a_price_at_the_same_time_lose_nothing(
    database: Database, database_url: str
) -> None:
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=10)
    clock = SimulatedClock()
    gateway = FakeGateway(GATEWAY, clock)
    with several(database_url, 2) as owns:
        selling, hearing = (Controller(own, clock) for own in owns)
        hearing.hear(gateway.hello())
        for price in range(200, 210):
            puts = gateway.obey(hearing.dispatcher.step().outgoing)
            reports = [gateway.paint(put) for put in puts]
            changes = [a_change(f"sku-{n}", price) for n in range(10)]
            together(
                lambda reports=reports: hearing.hear(*reports),  # type: ignore[misc]
                lambda changes=changes: selling.price(*changes),  # type: ignore[misc]
            )
        hearing.settle(gateway)
        for number, state in enumerate(hearing.states()):
            assert state.settled_rev == state.wanted_rev
            assert state.shown_digest == hearing.wanted_digest(number)
        selling.close()
        hearing.close()


# ── What a gateway says must fit ────────────────────────────────────────────────────────────


def test_the_longest_and_largest_that_the_wire_allows_can_be_stored(database: Database) -> None:
    with database.writing.begin() as tx:
        build_shelf(tx)
    clock = SimulatedClock()
    house, gateway = Controller(database, clock), FakeGateway(GATEWAY, clock, session="s" * 64)
    most = 2**53 - 1
    house.hear(gateway.hello(level="l" * 64, firmware="ž" * 64, capacity=most, clock=most))
    house.hear(gateway.heartbeat(level="l" * 64, firmware="ž" * 64, capacity=most))
    house.hear(
        gateway.up(
            gateway.seen_event(
                label_id(0),
                battery_mv=10_000,
                temperature_c=-60,
                rssi_dbm=-127,
                firmware="ž" * 64,
                incarnation=most,
            )
        )
    )
    [put] = gateway.obey(house.dispatcher.step().outgoing)
    house.hear(gateway.fail(put, "invalid_parameters", detail="ž" * 256))
    state = house.label()
    assert (state.incarnation, state.problem) == (most, "invalid_parameters")
    assert state.problem_detail == "ž" * 256
    alien = gateway.seen_event(
        label_id(0), shown_rev=most, shown_digest=b"x" * 32, incarnation=most
    )
    house.hear(gateway.up(alien))
    assert house.label().shown_digest == ""
    house.close()


# ── When the database goes away ─────────────────────────────────────────────────────────────


def test_a_killed_connection_is_unavailable_and_the_next_request_works(
    fresh_postgres_url: str,
) -> None:
    database = Database(fresh_postgres_url)
    migrate(database, NOON)
    with running_writer(database) as writer:
        writer.write(take_revision)
        with psycopg.connect(fresh_postgres_url.replace("+psycopg", ""), autocommit=True) as admin:

            def die_within(tx: Connection) -> None:
                pid = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
                tx.exec_driver_sql("SELECT 1")

            with pytest.raises(Unavailable):
                writer.write(die_within)
        assert writer.write(take_revision) > 0
    database.close()
