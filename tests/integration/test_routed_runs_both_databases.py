"""A complete list of two stores on SQLite and PostgreSQL: trials, crashes, cancelling."""

import io
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from esl.domain.errors import Unavailable
from esl.domain.guards import Guards
from esl.domain.ids import SourceId, StoreId
from esl.domain.import_job import ImportJob, ImportMode, ImportState
from esl.intake.mapping.document import parse_mapping
from esl.services import guarding, import_jobs
from esl.services.import_runs import ImportEnded, ImportRun
from esl.store import import_jobs as rows
from esl.store import places
from esl.store.database import Database
from esl.store.tables import batches, price_events
from esl.store.trial import open_trial
from esl.store.writer import Writer
from tests.builders import NOON, a_store, count_rows, running_writer
from tests.imports import a_job

EAST, WEST = StoreId("east"), StoreId("west")
CHAIN = parse_mapping(
    "name: chain\nformat: csv\ncurrency: EUR\n"
    "fields: {store: shop, sku: sku, name: name, price: price}\n"
)
EACH = 900


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    with running_writer(database) as running:
        for store in (EAST, WEST):
            made = replace(a_store(), store_id=store)
            running.write(lambda tx, made=made: places.put_store(tx, made))
            running.write(
                lambda tx, store=store: guarding.put_guards(
                    tx, store, Guards(), NOON, actor="t", reason=""
                )
            )
        yield running


def chain_job(job_id: str, **changes: Any) -> ImportJob:
    chain = {"source": SourceId("chain"), "store_id": None, "mode": ImportMode.FULL}
    return a_job(job_id, **{**chain, "title": "chain.csv", "mapping": "chain", **changes})


def chain_list(east: range, west: range) -> bytes:
    """Stores in turns, as a till writes them that goes by product."""
    lines = [
        f"{store},p{n},Product {n},{'x' if n == 7 and store == WEST else '1.00'}"
        for n in range(max(east.stop, west.stop))
        for store, numbers in ((EAST, east), (WEST, west))
        if n in numbers
    ]
    return "\n".join(["shop,sku,name,price", *lines, ""]).encode()


FIRST = chain_list(range(EACH), range(EACH))
SECOND = chain_list(range(30, EACH), range(500, EACH))  # west is far too short


def run(database: Database, writer: Any, job_id: str, body: bytes, trial: Any = None) -> ImportJob:
    importing = ImportRun(database, writer, lambda: NOON, trial=trial)
    importing.run(look(database, job_id), io.BytesIO(body), CHAIN)
    return look(database, job_id)


def begin(
    database: Database, writer: Writer, job_id: str, body: bytes, **changes: Any
) -> ImportJob:
    writer.write(lambda tx: import_jobs.add_job(tx, chain_job(job_id, **changes), NOON))
    return run(database, writer, job_id, body)


def look(database: Database, job_id: str) -> ImportJob:
    with database.read() as tx:
        return rows.job_named(tx, job_id)


def by_store(database: Database, job_id: str) -> dict[str, dict[str, int]]:
    with database.read() as tx:
        found = rows.counts_by_store(tx, job_id)
    return {store: {k: v for k, v in asdict(c).items() if v} for store, c in found.items()}


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


def test_each_store_retires_by_its_own_numbers_and_a_trial_says_the_same(
    database: Database, writer: Writer, tmp_path: Path
) -> None:
    first = begin(database, writer, "first", FIRST)
    assert (first.counts.accepted, first.counts.rejected) == (2 * EACH - 1, 1)
    assert by_store(database, "first") == {
        EAST: {"products": EACH, "accepted": EACH},
        WEST: {"products": EACH - 1, "accepted": EACH - 1, "rejected": 1},
    }
    writer.write(lambda tx: import_jobs.add_job(tx, chain_job("trial", dry_run=True), NOON))
    with open_trial(database, tmp_path / "copy") as trial:
        tried = run(database, writer, "trial", SECOND, trial)
    done = begin(database, writer, "second", SECOND)
    assert (tried.counts, tried.detail) == (done.counts, done.detail)
    assert by_store(database, "trial") == by_store(database, "second")
    assert by_store(database, "second") == {
        EAST: {"products": EACH - 30, "unchanged": EACH - 30, "retired": 30},
        WEST: {"products": EACH - 500, "unchanged": EACH - 500},
    }
    assert done.detail is not None
    assert "499 products of west are missing" in done.detail


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_a_run_that_ends_anywhere_goes_on_and_counts_each_store_once(
    database: Database, writer: Writer, writes: int
) -> None:
    writer.write(lambda tx: import_jobs.add_job(tx, chain_job("one"), NOON))
    with pytest.raises(Unavailable):
        run(database, _Breaking(writer, writes), "one", FIRST)
    assert look(database, "one").state is ImportState.RUNNING
    done = run(database, writer, "one", FIRST)
    assert (done.state, done.counts.accepted) == (ImportState.DONE, 2 * EACH - 1)
    assert by_store(database, "one") == {
        EAST: {"products": EACH, "accepted": EACH},
        WEST: {"products": EACH - 1, "accepted": EACH - 1, "rejected": 1},
    }
    with database.read() as tx:
        assert count_rows(tx, price_events) == 2 * EACH - 1
        assert tx.execute(select(batches.c.accepted)).scalars().all() == [2 * EACH - 1]


def test_cancelled_in_the_middle_what_was_taken_stays_and_nothing_is_retired(
    database: Database, writer: Writer
) -> None:
    begin(database, writer, "first", FIRST)
    writer.write(lambda tx: import_jobs.add_job(tx, chain_job("one"), NOON))
    with pytest.raises(Unavailable):
        run(database, _Breaking(writer, 2), "one", SECOND)
    writer.write(lambda tx: import_jobs.cancel(tx, "one", NOON, actor="tests"))
    with pytest.raises(ImportEnded):
        run(database, writer, "one", SECOND)
    ended = look(database, "one")
    assert (ended.state, ended.counts.retired) == (ImportState.CANCELLED, 0)
    assert all("retired" not in counts for counts in by_store(database, "one").values())


def test_rows_of_stores_that_were_closed_to_whoever_handed_it_in_are_refused(
    database: Database, writer: Writer
) -> None:
    body = chain_list(range(3), range(3))
    done = begin(database, writer, "one", body, stores=frozenset({EAST}))
    assert (done.counts.accepted, done.counts.rejected) == (3, 3)
    assert list(by_store(database, "one")) == [EAST]
