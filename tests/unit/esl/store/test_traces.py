"""What a transaction did is logged once it is committed, and nothing of what was undone."""

import logging
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy import Connection

from esl.domain.errors import Conflict
from esl.store import traces
from esl.store.database import Database
from esl.store.write_group import WriteGroup
from tests.builders import SimulatedClock


@pytest.fixture
def said(request: pytest.FixtureRequest) -> Iterator[list[structlog.typing.EventDict]]:
    """All lines that are logged, from the level that the test asks for."""
    level = getattr(request, "param", logging.DEBUG)
    kept: list[structlog.typing.EventDict] = []

    def keep(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
        kept.append(line)
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[keep],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    yield kept
    structlog.configure(**before)


def group_on(database: Database) -> WriteGroup:
    return WriteGroup(database, SimulatedClock().monotonic_s)


def test_what_was_committed_is_said_and_what_was_undone_is_not(
    either_database: Database, said: list[structlog.typing.EventDict]
) -> None:
    group = group_on(either_database)

    def taken(tx: Connection) -> None:
        traces.note(tx, "taken", [{"change": 1}])
        assert said == [], "nothing is said before the commit"

    def undone(tx: Connection) -> None:
        traces.note(tx, "taken", [{"change": 2}])
        raise Conflict("no")

    for work in (taken, undone, lambda tx: traces.note(tx, "taken", [{"change": 3}])):
        group.submit(work)
    group.run_once()
    assert [line["change"] for line in said] == [1, 3]


def test_a_commit_that_fails_says_nothing(
    either_database: Database,
    said: list[structlog.typing.EventDict],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    group = group_on(either_database)

    def fail(_: Connection) -> list[object]:
        raise OSError("the disk is full")

    told = group.submit(lambda tx: traces.note(tx, "taken", [{"change": 1}]))
    monkeypatch.setattr(traces, "end", fail)
    group.run_once()
    assert isinstance(told.exception(), OSError)
    assert said == []


@pytest.mark.parametrize("said", [logging.INFO], indirect=True)
def test_nothing_is_gathered_where_it_is_not_logged(
    either_database: Database, said: list[structlog.typing.EventDict]
) -> None:
    group = group_on(either_database)
    told = group.submit(traces.is_gathering)
    group.run_once()
    assert told.result() is False
    assert not traces.is_on()
    assert said == []
