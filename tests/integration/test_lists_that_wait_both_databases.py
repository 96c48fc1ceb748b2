"""A list that waits, or goes on after a crash, is as old as when it was handed in."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from esl.domain.errors import Unavailable
from esl.domain.guards import Guards
from esl.domain.ids import Sku, SourceId
from esl.domain.import_job import ImportJob, ImportState
from esl.domain.pricing import Decision
from esl.domain.source import Source
from esl.intake.mapping.document import parse_mapping
from esl.services import guarding, import_jobs
from esl.services.import_runs import ImportRun
from esl.services.pricing import apply_price_changes
from esl.store import import_jobs as rows
from esl.store import places, products, sources
from esl.store.database import Database
from esl.store.writer import Writer
from tests.builders import NOON, STORE, a_change, a_store, running_writer
from tests.imports import PLAIN, a_job, plain_list

MANY = 2500
LAST = f"p{MANY - 1}"
HANDED_IN = NOON + timedelta(minutes=1)
SAID = NOON + timedelta(minutes=2)
RESUMED = NOON + timedelta(hours=8)


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    """A store with 2,500 products at 1.00."""
    with running_writer(database) as running:
        running.write(lambda tx: places.put_store(tx, a_store()))
        running.write(
            lambda tx: guarding.put_guards(tx, STORE, Guards(), NOON, actor="t", reason="")
        )
        hand_in(running, a_job("first"))
        run(database, running, "first", "1.00", at=NOON)
        yield running


def hand_in(writer: Writer, job: ImportJob) -> None:
    writer.write(lambda tx: import_jobs.add_job(tx, job, job.created_at))


def run(
    database: Database, writer: Writer, job_id: str, price: str, *, at: datetime, pieces: int = 99
) -> ImportJob:
    """Run a list of one price for all; the process ends after so many pieces."""
    left = pieces

    def tell(_labels: object) -> None:
        """Nobody has labels here."""

    class Ending:
        """A writer that goes away."""

        def write(self, *args: object, **named: object) -> object:
            return writer.write(*args, **named)  # type: ignore[arg-type]

        def submit(self, *args: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise Unavailable("killed")
            return writer.submit(*args, **named)  # type: ignore[arg-type]

    with database.read() as tx:
        job = rows.job_named(tx, job_id)
    body = plain_list((f"p{n}", price) for n in range(MANY))
    importing = ImportRun(database, Ending(), lambda: at, tell=tell)  # type: ignore[arg-type]
    if pieces < 99:
        with pytest.raises(Unavailable):
            importing.run(job, io.BytesIO(body), parse_mapping(PLAIN))
    else:
        importing.run(job, io.BytesIO(body), parse_mapping(PLAIN))
    with database.read() as tx:
        return rows.job_named(tx, job_id)


def say(writer: Writer, sku: str, minor: int, *, source: str = "till") -> Decision:
    change = replace(a_change(sku, minor, source_seq=None), source=SourceId(source))

    def work(tx: object) -> Decision:
        told = apply_price_changes(tx, STORE, [change], SAID, actor="till")  # type: ignore[arg-type]
        return told.results[0].decision

    return writer.write(work)


def price_of(database: Database, sku: str) -> int:
    with database.read() as tx:
        return products.current_prices(tx, STORE, [Sku(sku)])[Sku(sku)].price_minor


def test_what_was_said_since_a_list_was_handed_in_is_newer_than_the_list(
    database: Database, writer: Writer
) -> None:
    hand_in(writer, a_job("second", created_at=HANDED_IN))
    half = run(database, writer, "second", "1.05", at=HANDED_IN, pieces=1)
    assert 0 < half.cursor < MANY
    assert say(writer, "p0", 110) is Decision.ACCEPTED
    assert say(writer, LAST, 110) is Decision.ACCEPTED
    assert say(writer, f"p{MANY - 2}", 100) is Decision.UNCHANGED
    done = run(database, writer, "second", "1.05", at=RESUMED)
    assert done.state is ImportState.DONE
    assert (done.counts.accepted, done.counts.superseded) == (MANY - 2, 2)
    assert [price_of(database, sku) for sku in ("p0", "p1", LAST)] == [110, 105, 110]
    with database.read() as tx:
        lines = rows.lines_of(tx, "second", limit=10, decision=Decision.SUPERSEDED.value)
        [why, _] = [line.reason for _, line in lines]
    assert "while the list waited" in why


def test_a_list_that_was_handed_in_before_is_older_whenever_it_is_taken(
    database: Database, writer: Writer
) -> None:
    hand_in(writer, a_job("older", created_at=HANDED_IN))
    hand_in(writer, a_job("newer", created_at=SAID))
    run(database, writer, "older", "1.05", at=RESUMED)
    assert run(database, writer, "newer", "1.10", at=RESUMED).counts.accepted == MANY
    hand_in(writer, a_job("late", created_at=HANDED_IN))
    assert run(database, writer, "late", "1.15", at=RESUMED).counts.superseded == MANY
    assert price_of(database, "p7") == 110


def test_a_source_of_lower_priority_says_nothing_newer(database: Database, writer: Writer) -> None:
    hand_in(writer, a_job("second", created_at=HANDED_IN))
    assert say(writer, LAST, 110) is Decision.ACCEPTED, "they have no ranks yet"
    for name, priority in (("plain", 90), ("till", 10)):
        row = Source(source_id=SourceId(name), name=name, store_id=STORE, priority=priority)
        writer.write(lambda tx, row=row: sources.put_source(tx, row, NOON))
    assert run(database, writer, "second", "1.05", at=RESUMED).counts.accepted == MANY
    assert price_of(database, LAST) == 105
