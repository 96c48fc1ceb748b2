"""Chores that two workers do at the same moment: done once, and no worker falls over the other."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select, text, update

from esl.domain.problem import Finding, ProblemKind
from esl.services import fleet, problems
from esl.services.problems import Changes
from esl.store import problems as kept
from esl.store.columns import instant_text
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.remove_tasks import OPEN_TASKS
from esl.store.tables import battery_samples, happenings, labels, remove_tasks
from tests.builders import NOON, STORE, build_shelf, label_id
from tests.served import wait_until

LABELS = 3
FINDINGS = [
    Finding(
        store_id=STORE,
        kind=ProblemKind.LABEL_SILENT,
        subject=label_id(n),
        reason="not heard",
        what_to_do="look",
    )
    for n in range(LABELS)
]


@pytest.fixture
def database(fresh_postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_postgres_url)
    migrate(opened, NOON)
    with opened.writing.begin() as tx:
        build_shelf(tx, labels_count=LABELS)
        tx.execute(update(labels).values(battery_mv=2950, seen_at=NOON, sent_rev=1))
    yield opened
    opened.close()


def sample(tx: Connection) -> None:
    fleet.sample_batteries(tx, NOON)


def open_problems(tx: Connection) -> None:
    problems.write_changes(tx, Changes(opened=tuple(FINDINGS), closed=()), NOON)


def open_tasks(tx: Connection) -> None:
    when = instant_text(NOON + timedelta(minutes=1))
    OPEN_TASKS.run(tx, [[label_id(n), "it may show a price", when] for n in range(LABELS)])


def count(database: Database, what: object) -> int:
    with database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(what)).scalar_one())  # type: ignore[arg-type]


def waits_for_a_lock(database: Database) -> bool:
    asked = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with database.read() as tx:
        return int(tx.execute(asked).scalar_one()) > 0


@pytest.mark.parametrize("chore", [sample, open_problems, open_tasks])
def test_the_second_leaves_what_the_first_has_done(
    database: Database, chore: Callable[[Connection], None]
) -> None:
    wrong: list[BaseException] = []

    def second() -> None:
        try:
            with database.writing.begin() as tx:
                chore(tx)
        except BaseException as exc:  # noqa: BLE001  told below
            wrong.append(exc)

    with database.writing.begin() as tx:
        chore(tx)
        beside = threading.Thread(target=second)
        beside.start()
        wait_until(lambda: waits_for_a_lock(database), "the second to wait for the first")
    beside.join(timeout=20)
    assert not beside.is_alive()
    assert wrong == []
    made = {sample: battery_samples, open_problems: None, open_tasks: remove_tasks}[chore]
    if made is not None:
        assert count(database, made) == LABELS
        return
    with database.read() as tx:
        assert len(kept.open_problems(tx)) == LABELS
    assert count(database, happenings) == 1, "one of them tells it"
