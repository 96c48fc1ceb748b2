"""Import jobs on SQLite and PostgreSQL: pieces, trials, a run that ends in the middle."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from esl.domain.errors import Unavailable
from esl.domain.guards import Guards
from esl.domain.import_job import ImportJob, ImportMode, ImportState
from esl.intake.mapping.document import parse_mapping
from esl.services import guarding, import_jobs
from esl.services.import_runs import ImportEnded, ImportRun
from esl.store import import_jobs as rows
from esl.store import places
from esl.store.database import Database
from esl.store.tables import batches, price_events, prices
from esl.store.trial import open_trial
from esl.store.writer import Writer
from tests.builders import NOON, STORE, a_store, count_rows, running_writer
from tests.imports import PLAIN, a_job, plain_list


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    with running_writer(database) as running:
        running.write(lambda tx: places.put_store(tx, a_store()))
        running.write(
            lambda tx: guarding.put_guards(tx, STORE, Guards(), NOON, actor="t", reason="")
        )
        yield running


def keep(writer: Writer, job: ImportJob) -> None:
    writer.write(lambda tx: import_jobs.add_job(tx, job, NOON))


def run(database: Database, writer: Writer, job_id: str, body: bytes, trial: Any = None) -> None:
    job = look(database, job_id)
    importing = ImportRun(database, writer, lambda: NOON, trial=trial)
    importing.run(job, io.BytesIO(body), parse_mapping(PLAIN))


def look(database: Database, job_id: str) -> ImportJob:
    with database.read() as tx:
        return rows.job_named(tx, job_id)


def first_list() -> bytes:
    return plain_list((f"p{n}", "1.00") for n in range(3000))


def second_list() -> bytes:
    """Another price for most, far more big changes than are let through, and some bad rows."""
    listed = [(f"p{n}", "x" if n % 500 == 7 else "1.30" if n % 2 else "1.05") for n in range(3200)]
    return plain_list(listed)


def test_a_trial_comes_to_the_same_and_keeps_nothing(
    database: Database, writer: Writer, tmp_path: Path
) -> None:
    keep(writer, a_job("first"))
    run(database, writer, "first", first_list())
    assert look(database, "first").counts.accepted == 3000
    tables = (prices, price_events, batches)
    with database.read() as tx:
        before = [count_rows(tx, table) for table in tables]
    trial_job = a_job("trial", dry_run=True, mode=ImportMode.FULL)
    keep(writer, trial_job)
    with open_trial(database, tmp_path / "copy") as trial:
        run(database, writer, "trial", second_list(), trial)
    assert not list(tmp_path.glob("copy*"))
    with database.read() as tx:
        assert [count_rows(tx, table) for table in tables] == before
    keep(writer, a_job("second", mode=ImportMode.FULL))
    run(database, writer, "second", second_list())
    tried, done = look(database, "trial"), look(database, "second")
    assert tried.counts == done.counts
    assert (tried.rows, tried.state, tried.detail) == (done.rows, done.state, done.detail)
    assert done.counts.rejected == 7
    assert done.counts.quarantined > 1000
    with database.read() as tx:
        lines = [rows.lines_of(tx, name, limit=5000) for name in ("trial", "second")]
    assert [len(found) for found in lines] == [len(lines[1])] * 2
    assert lines[0][0][1].decision == lines[1][0][1].decision


class _Breaking:
    """A writer that is gone after some writes; what was stored stays stored."""

    def __init__(self, writer: Writer, writes: int) -> None:
        self._writer = writer
        self._left = writes

    def submit(self, work: Any, *, priority: Any = 1) -> Any:
        self._left -= 1
        if self._left < 0:
            raise Unavailable("gone")
        return self._writer.submit(work, priority=priority)

    def write(self, work: Any, *, priority: Any = 1) -> Any:
        return self.submit(work, priority=priority).result()


@pytest.mark.parametrize("writes", range(1, 5))
def test_a_run_that_ends_anywhere_goes_on_behind_its_last_piece(
    database: Database, writer: Writer, writes: int
) -> None:
    keep(writer, a_job("one"))
    broken: Any = _Breaking(writer, writes)
    with pytest.raises(Unavailable):
        run(database, broken, "one", first_list())
    half = look(database, "one")
    assert half.state is ImportState.RUNNING
    assert half.counts.accepted == half.cursor <= 3000
    run(database, writer, "one", first_list())
    done = look(database, "one")
    assert (done.state, done.counts.accepted, done.counts.unchanged) == (ImportState.DONE, 3000, 0)
    assert done.batch_id == half.batch_id
    with database.read() as tx:
        assert count_rows(tx, price_events) == 3000
        assert tx.execute(select(batches.c.accepted)).scalars().all() == [3000]


def test_a_job_that_was_cancelled_takes_nothing_more(database: Database, writer: Writer) -> None:
    keep(writer, a_job("one"))
    broken: Any = _Breaking(writer, 2)
    with pytest.raises(Unavailable):
        run(database, broken, "one", first_list())
    taken = look(database, "one").counts.accepted
    writer.write(lambda tx: import_jobs.cancel(tx, "one", NOON, actor="tests"))
    with pytest.raises(ImportEnded):
        run(database, writer, "one", first_list())
    assert look(database, "one").state is ImportState.CANCELLED
    with database.read() as tx:
        assert count_rows(tx, prices) == taken


def test_a_promotion_without_a_regular_price_is_known_the_second_time(
    database: Database, writer: Writer
) -> None:
    first = b"sku,name,price,promotion\na,A,,1.59\nb,B,,1.59\nc,C,,1.59\n"
    for number, body in enumerate((first, first)):
        keep(writer, a_job(f"same-{number}"))
        run(database, writer, f"same-{number}", body)
    counts = look(database, "same-1").counts
    assert (counts.accepted, counts.unchanged, counts.quarantined) == (0, 3, 0)
    other = b"sku,name,price,promotion\na,A,,1.49\nb,B,,15.90\nc,C,,1.69\n"
    keep(writer, a_job("other"))
    run(database, writer, "other", other)
    counts = look(database, "other").counts
    assert (counts.accepted, counts.quarantined) == (2, 1)
    with database.read() as tx:
        held = tx.execute(select(prices).order_by(prices.c.sku)).all()
    assert [(row.price_minor, row.was_minor) for row in held] == [
        (149, None),  # not reduced from 1.59, which was no regular price
        (159, None),
        (169, None),
    ]
