"""The chaos suite's writer keeps the promises of the product's, one step at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from esl.domain.errors import InvalidInput, Unavailable
from esl.store.database import Database
from esl.store.write_group import Priority
from tests.builders import (
    GATEWAY,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    build_shelf,
    open_database,
)
from tests.chaos.inline_writer import InlineWriter


class Crash(BaseException):
    """The process dies here."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path)
    with opened.writing.begin() as tx:
        tx.execute(text("CREATE TABLE note (word TEXT)"))
    yield opened
    opened.close()


@pytest.fixture
def writer(database: Database) -> InlineWriter:
    return InlineWriter(database, SimulatedClock().monotonic_s)


def note(word: str) -> Callable[[Connection], str]:
    def work(tx: Connection) -> str:
        tx.execute(text("INSERT INTO note VALUES (:word)"), {"word": word})
        return word

    return work


def notes(database: Database) -> list[str]:
    with database.read() as tx:
        return list(tx.execute(text("SELECT word FROM note ORDER BY rowid")).scalars())


def test_nothing_is_written_before_a_group_runs(database: Database, writer: InlineWriter) -> None:
    late = writer.submit(note("late"), priority=Priority.BULK)
    soon = writer.submit(note("soon"))
    assert [late.done(), soon.done()] == [False, False]
    assert notes(database) == []
    assert writer.run() == 2
    assert (soon.result(), late.result()) == ("soon", "late")
    assert notes(database) == ["soon", "late"]


def test_a_write_shares_its_group_with_those_that_wait(
    database: Database, writer: InlineWriter
) -> None:
    def refuse(_tx: Connection) -> None:
        raise InvalidInput.at("/price", "no")

    waiting, refused = writer.submit(note("waiting")), writer.submit(refuse)
    assert writer.write(note("now")) == "now"
    assert waiting.done()
    assert isinstance(refused.exception(), InvalidInput)
    assert notes(database) == ["waiting", "now"]


def test_a_crash_answers_nobody_and_stores_nothing(
    database: Database, writer: InlineWriter
) -> None:
    def crash(_tx: Connection) -> None:
        raise Crash

    before = writer.submit(note("before"))
    with pytest.raises(Crash):
        writer.write(crash)
    assert not before.done()
    assert notes(database) == []
    reborn = InlineWriter(database, SimulatedClock().monotonic_s)
    assert reborn.write(note("after")) == "after"
    assert notes(database) == ["after"]


def test_two_processes_take_turns_at_the_borders_of_commits(
    database: Database, writer: InlineWriter, tmp_path: Path
) -> None:
    beside = Database(f"sqlite:///{tmp_path}/esl.db")
    other = InlineWriter(beside, SimulatedClock().monotonic_s)
    writer.submit(note("one"))
    other.submit(note("other"))
    other.run()
    assert writer.write(note("two")) == "two"
    assert notes(database) == ["other", "one", "two"]
    beside.close()


def test_closing_writes_what_was_submitted_and_takes_nothing_more(
    database: Database, writer: InlineWriter
) -> None:
    kept = writer.submit(note("kept"))
    writer.close()
    assert kept.result() == "kept"
    with pytest.raises(Unavailable, match="stopping"):
        writer.write(note("late"))
    assert notes(database) == ["kept"]


def test_a_whole_controller_runs_without_a_thread(database: Database) -> None:
    clock = SimulatedClock()
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=3)
    shop = Controller(database, clock, writer=InlineWriter(database, clock.monotonic_s))
    gateway = FakeGateway(GATEWAY, clock)
    shop.hear(gateway.hello())
    shop.settle(gateway)
    shop.price(a_change(price_minor=777))
    shop.settle(gateway)
    assert {state.due_at for state in shop.states()} == {None}
    assert shop.label().shown_digest == shop.wanted_digest()
