import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from esl.domain.errors import InvalidInput, Unavailable
from esl.store import database as database_module
from esl.store import write_group
from esl.store.database import Database
from esl.store.write_group import GROUP_LARGEST
from esl.store.writer import Priority, Writer
from tests.builders import SimulatedClock, open_database

PATIENCE_S = 10.0  # with a thread that should have answered long ago


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 20)
    opened = open_database(tmp_path)
    with opened.writing.begin() as tx:
        tx.execute(text("CREATE TABLE note (word TEXT)"))
    yield opened
    opened.close()


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    """A writer that is not started yet, so that what a test submits waits together."""
    made = Writer(database, SimulatedClock().monotonic_s)
    yield made
    made.close()


def note(word: str) -> Callable[[Connection], str]:
    def work(tx: Connection) -> str:
        tx.execute(text("INSERT INTO note VALUES (:word)"), {"word": word})
        return word

    return work


def notes(database: Database) -> list[str]:
    with database.read() as tx:
        return list(tx.execute(text("SELECT word FROM note ORDER BY rowid")).scalars())


@contextmanager
def counted_commits(database: Database) -> Iterator[list[Connection]]:
    counted: list[Connection] = []

    def count(connection: Connection) -> None:
        counted.append(connection)

    event.listen(database.writing, "commit", count)
    yield counted
    event.remove(database.writing, "commit", count)


def test_what_was_answered_was_stored(database: Database, writer: Writer) -> None:
    writer.start()
    assert writer.write(note("one")) == "one"
    assert notes(database) == ["one"]


def test_urgent_requests_go_first_and_equal_ones_in_their_order(
    database: Database, writer: Writer
) -> None:
    for n in range(3):
        for priority in reversed(Priority):
            writer.submit(note(f"{priority.name} {n}"), priority=priority)
    writer.start()
    writer.close()
    assert notes(database) == [f"{priority.name} {n}" for priority in Priority for n in range(3)]


@pytest.mark.parametrize(("requests", "groups"), [(GROUP_LARGEST, 1), (GROUP_LARGEST + 1, 2)])
def test_requests_that_wait_together_share_a_commit(
    database: Database, writer: Writer, requests: int, groups: int
) -> None:
    waiting = [writer.submit(note(str(n))) for n in range(requests)]
    with counted_commits(database) as counted:
        writer.start()
        for future in waiting:
            future.result(PATIENCE_S)
    assert len(counted) == groups
    assert len(notes(database)) == requests


def test_a_group_that_has_run_long_takes_nobody_else(database: Database) -> None:
    seconds = itertools.count(step=0.004)  # two looks later the 5 ms of a group are over
    writer = Writer(database, lambda: next(seconds))
    waiting = [writer.submit(note(str(n))) for n in range(6)]
    with counted_commits(database) as counted:
        writer.start()
        for future in waiting:
            future.result(PATIENCE_S)
    writer.close()
    assert len(counted) == 6


@pytest.mark.asvs("2.3.3")
def test_a_request_that_fails_undoes_itself_and_nobody_else(
    database: Database, writer: Writer
) -> None:
    def refuse(tx: Connection) -> None:
        note("half done")(tx)
        raise InvalidInput.at("/price", "no")

    def break_a_rule(tx: Connection) -> None:
        note("half done as well")(tx)
        tx.execute(
            text("INSERT INTO installation (only_row, created_at, acted_until) VALUES (2, '', '')")
        )

    def mistake(tx: Connection) -> None:
        note("half done by mistake")(tx)
        raise KeyError("ours")

    before = writer.submit(note("before"))
    failed = [writer.submit(work) for work in (refuse, break_a_rule, mistake)]
    after = writer.submit(note("after"))
    with counted_commits(database) as counted:
        writer.start()
        assert before.result(PATIENCE_S) == "before"
        assert after.result(PATIENCE_S) == "after"
        kinds = [type(future.exception(PATIENCE_S)) for future in failed]
    assert kinds == [InvalidInput, IntegrityError, KeyError]
    assert len(counted) == 1
    assert notes(database) == ["before", "after"]


def test_nobody_is_answered_before_the_commit(database: Database, writer: Writer) -> None:
    def refuse(_tx: Connection) -> None:
        raise InvalidInput.at("", "no")

    waiting: list[Future[Any]] = [writer.submit(note(str(n))) for n in range(5)]
    waiting.append(writer.submit(refuse))
    answered_early: list[bool] = []

    def look(_connection: Connection) -> None:
        answered_early.append(any(future.done() for future in waiting))

    event.listen(database.writing, "commit", look)
    writer.start()
    for future in waiting:
        future.exception(PATIENCE_S)
    assert answered_early == [False]


def spoil_the_commit(tx: Connection) -> None:
    """Leave a row behind that only the commit refuses."""
    tx.execute(text("PRAGMA defer_foreign_keys=ON"))
    tx.execute(
        text("INSERT INTO product (store_id, sku, name, rev) VALUES ('nowhere', 'x', 'x', 1)")
    )


@pytest.mark.asvs("16.5.3")
def test_if_the_commit_fails_nobody_is_told_that_it_was_stored(
    database: Database, writer: Writer
) -> None:
    good = writer.submit(note("good"))
    gone = writer.submit(note("gone"))
    bad = writer.submit(spoil_the_commit)
    assert gone.cancel()
    writer.start()
    for future in (good, bad):
        assert isinstance(future.exception(PATIENCE_S), DBAPIError)
    assert writer.submit(note("later")).result(PATIENCE_S) == "later", "the thread lives"
    assert notes(database) == ["later"]


def test_a_cancelled_request_is_never_done(database: Database, writer: Writer) -> None:
    kept = writer.submit(note("kept"))
    assert writer.submit(note("cancelled")).cancel()
    writer.start()
    assert kept.result(PATIENCE_S) == "kept"
    writer.close()
    assert notes(database) == ["kept"]


def test_closing_writes_what_was_submitted_and_takes_nothing_more(
    database: Database, writer: Writer
) -> None:
    waiting = [writer.submit(note(str(n))) for n in range(600)]
    writer.start()
    writer.close()
    assert all(future.done() for future in waiting)
    assert len(notes(database)) == 600
    with pytest.raises(Unavailable, match="stopping"):
        writer.write(note("late"))


def test_a_queue_that_is_full_sends_the_next_one_away(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_group, "QUEUE_LONGEST", 3)
    for n in range(3):
        writer.submit(note(str(n)))
    with pytest.raises(Unavailable, match="too much is waiting"):
        writer.write(note("one too many"))
    writer.start()
    writer.close()
    assert notes(database) == ["0", "1", "2"]


def test_a_database_held_by_another_process_is_unavailable_until_it_is_free(
    database: Database, writer: Writer, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "esl.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer.start()
        for _ in range(2):
            with pytest.raises(Unavailable, match="another process"):
                writer.submit(note("no")).result(PATIENCE_S)
        other.execute("COMMIT")
    assert writer.submit(note("free")).result(PATIENCE_S) == "free"
    assert notes(database) == ["free"]


def test_a_caller_who_left_while_the_database_was_held_ends_no_thread(
    writer: Writer, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "esl.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        gone = writer.submit(note("gone"))
        waits = writer.submit(note("waits"))
        assert gone.cancel()
        writer.start()
        assert isinstance(waits.exception(PATIENCE_S), Unavailable)
        other.execute("COMMIT")
    assert writer.submit(note("free")).result(PATIENCE_S) == "free"


def test_a_full_disk_is_unavailable_and_nothing_is_called_stored_that_is_not(
    database: Database, writer: Writer
) -> None:
    with database.writing.begin() as tx:  # the writer's one connection keeps the limit
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()
        tx.execute(text(f"PRAGMA max_page_count={pages + 3}"))
    futures = {
        word: writer.submit(note(word)) for word in ("small", "x" * 100_000, "small as well")
    }
    writer.start()
    for future in futures.values():
        failure = future.exception(PATIENCE_S)
        assert failure is None or isinstance(failure, Unavailable)
    assert isinstance(futures["x" * 100_000].exception(), Unavailable)
    said_stored = [word for word, future in futures.items() if future.exception() is None]
    assert notes(database) == said_stored
    with pytest.raises(Unavailable, match="full"):
        writer.submit(note("y" * 100_000)).result(PATIENCE_S)
    assert writer.submit(note("fits")).result(PATIENCE_S) == "fits", "the thread lives"


def test_many_threads_are_all_answered(database: Database, writer: Writer) -> None:
    writer.start()

    def submit_some(number: int) -> None:
        for n in range(50):
            assert writer.write(note(f"{number} {n}")) == f"{number} {n}"

    threads = [threading.Thread(target=submit_some, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(set(notes(database))) == 300


def test_a_part_of_an_import_holds_nobody_back_and_is_not_held_back_for_ever(
    database: Database,
) -> None:
    group = write_group.WriteGroup(database, SimulatedClock().monotonic_s)
    bulk = group.submit(note("bulk"), priority=Priority.BULK)
    waited = 0
    while not bulk.done():
        single = group.submit(note(f"single {waited}"))
        group.run_once()
        assert single.done()
        waited += 1
    assert waited == write_group.PASSED_OVER_MOST + 1
    group.submit(note("alone"), priority=Priority.BULK)
    group.submit(note("with it"), priority=Priority.BULK)
    assert group.run_once() == 2
