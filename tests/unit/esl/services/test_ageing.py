"""History ages by the time that a controller ran; a clock that leapt forgets nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from esl.domain.clock import EffectiveClock
from esl.services.ageing import DAYS_A_DAY, Ageing, aged_by
from esl.services.retention import HISTORY_KEPT
from esl.store.database import Database
from esl.store.forgotten import aged_until, note_aged
from esl.store.migrate import note_time_acted, time_acted_until
from esl.store.tables import failure_log
from esl.store.writer import Writer
from gateway.upkeep import Upkeep
from tests.builders import NOON, SimulatedClock, build_shelf, running_writer
from tests.folder_rig import rig_on

HOUR_S = 3600.0
DAY = timedelta(days=1)
YEARS = timedelta(days=4 * 365)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def writer(database: Database, clock: SimulatedClock) -> Iterator[Writer]:
    with running_writer(database, clock) as opened:
        opened.write(lambda tx: build_shelf(tx, labels_count=1))
        yield opened


def noted(database: Database) -> datetime:
    with database.read() as tx:
        return aged_until(tx)


def test_history_ages_as_time_passes(
    database: Database, writer: Writer, clock: SimulatedClock
) -> None:
    ageing = Ageing(database=database, writer=writer, clock=EffectiveClock(clock))
    for _ in range(24):
        ageing.step()
        clock.pass_s(HOUR_S)
    assert ageing.step() == noted(database) == NOON + DAY


def test_a_start_four_years_ahead_ages_history_by_three_days_a_day(
    database: Database, writer: Writer, clock: SimulatedClock
) -> None:
    clock.jump_s(YEARS.total_seconds())
    time = EffectiveClock(clock)
    assert time.now() == NOON + YEARS, "a start believes its clock"
    ageing = Ageing(database=database, writer=writer, clock=time)
    assert ageing.step() == NOON
    for _ in range(7 * 24):
        clock.pass_s(HOUR_S)
        ageing.step()
    assert noted(database) == NOON + 7 * DAYS_A_DAY * DAY
    with database.read() as tx:
        assert aged_by(tx, time.now()) == noted(database)
        assert aged_by(tx, NOON + DAY) == NOON + DAY, "never later than the clock that is asked"


def test_two_controllers_are_no_faster_than_one(
    database: Database, writer: Writer, clock: SimulatedClock
) -> None:
    clock.jump_s(YEARS.total_seconds())
    several = [
        Ageing(database=database, writer=writer, clock=EffectiveClock(clock)) for _ in range(3)
    ]
    for _ in range(24):
        for one in several:
            one.step()
            clock.pass_s(HOUR_S / 3)
    assert noted(database) <= NOON + DAYS_A_DAY * DAY


def test_starting_over_and_over_makes_history_no_older(
    database: Database, writer: Writer, clock: SimulatedClock
) -> None:
    clock.jump_s(YEARS.total_seconds())
    for _ in range(1000):
        Ageing(database=database, writer=writer, clock=EffectiveClock(clock)).step()
    assert noted(database) == NOON


def test_a_machine_that_runs_by_day_alone_keeps_up_and_one_that_stood_still_catches_up(
    database: Database, writer: Writer, clock: SimulatedClock
) -> None:
    for _ in range(60):
        ageing = Ageing(database=database, writer=writer, clock=EffectiveClock(clock))
        for _ in range(10):
            ageing.step()
            clock.pass_s(HOUR_S)
        ageing.step()
        clock.pass_s(14 * HOUR_S)
    assert clock.wall() - noted(database) < 2 * DAY
    clock.jump_s(100 * DAY.total_seconds())
    ageing = Ageing(database=database, writer=writer, clock=EffectiveClock(clock))
    for _ in range(60 * 24):
        ageing.step()
        clock.pass_s(HOUR_S)
    assert ageing.step() == clock.wall()


def test_a_controller_that_wakes_in_four_years_forgets_nothing_and_in_time_it_does(
    database: Database, writer: Writer, clock: SimulatedClock
) -> None:
    row = {"label_id": "other", "rev": 1, "code": "timeout", "attempts": 3, "failed_at": NOON}
    writer.write(lambda tx: tx.execute(insert(failure_log), [row]) and None)

    def live(upkeep: Upkeep, time: EffectiveClock, hours: int) -> int:
        for _ in range(hours):
            clock.pass_s(HOUR_S)
            for _ in range(60):  # a round, five seconds a step
                upkeep.step()
                clock.pass_s(5)
        writer.write(lambda tx: note_time_acted(tx, time.now()))
        with database.read() as tx:
            query = select(failure_log).where(failure_log.c.label_id == "other")
            return len(tx.execute(query).all())

    def begin() -> tuple[Upkeep, EffectiveClock]:
        with database.read() as tx:
            time = EffectiveClock(clock, not_before=time_acted_until(tx))
        return Upkeep(database=database, writer=writer, clock=time, silent_after=DAY), time

    clock.jump_s(YEARS.total_seconds())
    assert live(*begin(), hours=50) == 1
    clock.jump_s(-YEARS.total_seconds())
    upkeep, time = begin()
    assert time.now() > NOON + YEARS, "no controller acts earlier than the one before"
    assert live(upkeep, time, hours=50) == 1
    clock.jump_s(YEARS.total_seconds())
    upkeep, time = begin()
    for _ in range(HISTORY_KEPT.days // DAYS_A_DAY + 2):
        clock.pass_s(DAY.total_seconds())
        upkeep.step()
    assert live(upkeep, time, hours=30) == 0


def test_reports_of_imports_wait_for_history_as_well(tmp_path: Path, clock: SimulatedClock) -> None:
    with rig_on(tmp_path, f"sqlite:///{tmp_path / 'esl.db'}", clock) as rig:
        rig.prepare()
        folder = rig.folder("lists")
        (folder / "prices.csv").write_text("sku,price\nS-1,1.99\n", encoding="utf-8")
        pickup = rig.pickup("lists")
        for _ in range(5):
            pickup.step()
            rig.take_jobs()
            clock.pass_s(60)
        assert len(rig.jobs("lists")) == 1
        clock.pass_s(31 * DAY.total_seconds())
        rig.worker.tidy()
        assert len(rig.jobs("lists")) == 1
        rig.writer.write(lambda tx: note_aged(tx, rig.clock.now()))
        rig.worker.tidy()
        assert rig.jobs("lists") == []
