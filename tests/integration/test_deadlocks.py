"""Two transactions that wait for each other: PostgreSQL undoes one, and its sender never learns."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from esl.domain.errors import Unavailable
from esl.domain.ids import Sku
from esl.store import products
from esl.store.database import Database
from esl.store.gathering import Gathering
from esl.store.migrate import migrate
from esl.store.write_group import TRIES_MOST, Priority
from esl.store.writer import Writer
from tests.builders import NOON, STORE, build_shelf, running_writer

pytestmark = pytest.mark.timeout(120)

FIRST, SECOND = [Sku("sku-0")], [Sku("sku-1")]
PATIENCE_S = 60


class Opponent:
    """Another process: it holds the second product, then wants the first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.holds, self.may_want = threading.Event(), threading.Event()
        self.wants = 0

    def run(self) -> None:
        with self._database.writing.begin() as tx:
            tx.execute(text("SET LOCAL deadlock_timeout = '60s'"))  # the other notices it first
            self.wants = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
            products.lock_products(tx, STORE, SECOND)
            self.holds.set()
            assert self.may_want.wait(PATIENCE_S)
            products.lock_products(tx, STORE, FIRST)


@pytest.fixture
def opened(fresh_postgres_url: str) -> Iterator[tuple[Database, Database]]:
    with closing(Database(fresh_postgres_url)) as one, closing(Database(fresh_postgres_url)) as two:
        migrate(one, NOON)
        with one.writing.begin() as tx:
            build_shelf(tx, labels_count=2)
        yield one, two


def cross(tx: Connection, opponent: Opponent) -> None:
    """Take the first product, let the other wait for it, and want the second."""
    products.lock_products(tx, STORE, FIRST)
    opponent.may_want.set()
    blocked = text("SELECT cardinality(pg_blocking_pids(:pid))")
    deadline = threading.Event()
    for _ in range(PATIENCE_S * 100):
        if opponent.holds.is_set() and tx.execute(blocked, {"pid": opponent.wants}).scalar_one():
            break
        deadline.wait(0.01)
    products.lock_products(tx, STORE, SECOND)


@pytest.mark.parametrize("priority", [Priority.CHANGE, Priority.BULK])
def test_what_was_undone_for_anothers_sake_is_done_again(
    opened: tuple[Database, Database], priority: Priority
) -> None:
    one, two = opened
    opponent = Opponent(two)
    tries: list[int] = []

    def work(tx: Connection) -> str:
        tries.append(1)
        if len(tries) == 1:
            cross(tx, opponent)
        products.lock_products(tx, STORE, [*FIRST, *SECOND])
        return "stored"

    with ThreadPoolExecutor(1) as pool, running_writer(one) as writer:
        theirs = pool.submit(opponent.run)
        assert opponent.holds.wait(PATIENCE_S)
        neighbour = writer.submit(lambda _tx: "neighbour")
        assert writer.submit(work, priority=priority).result(PATIENCE_S) == "stored"
        assert neighbour.result(PATIENCE_S) == "neighbour"
        theirs.result(PATIENCE_S)
    assert 2 <= len(tries) <= TRIES_MOST


def test_of_single_changes_taken_together_none_is_lost_by_it(
    opened: tuple[Database, Database],
) -> None:
    one, two = opened
    opponent = Opponent(two)
    tries: list[list[str]] = []

    def work(tx: Connection, items: object) -> list[str | Exception]:
        said = [str(item) for item in items]  # type: ignore[attr-defined]
        tries.append(said)
        if len(tries) == 1:
            cross(tx, opponent)
        return [f"{item} stored" for item in said]

    with ThreadPoolExecutor(1) as pool, running_writer(one) as writer:
        gathering: Gathering[str, str] = Gathering(writer, work, _tell)
        theirs = pool.submit(opponent.run)
        assert opponent.holds.wait(PATIENCE_S)
        promises: list[Future[str]] = [Future(), Future()]
        for item, promise in zip("ab", promises, strict=True):
            gathering.add(item, promise)
        gathering.ask()
        assert [p.result(PATIENCE_S) for p in promises] == ["a stored", "b stored"]
        theirs.result(PATIENCE_S)
    assert tries == [["a", "b"]] * 2


def test_it_is_tried_a_few_times_and_then_said_to_be_unavailable(
    opened: tuple[Database, Database],
) -> None:
    one, _ = opened
    tries: list[int] = []

    def undone(tx: Connection) -> None:
        tries.append(1)
        tx.execute(text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$"))

    def say(writer: Writer, priority: Priority) -> int:
        tries.clear()
        with pytest.raises(Unavailable, match="nothing was stored"):
            writer.write(undone, priority=priority)
        return len(tries)

    with running_writer(one) as writer:
        assert say(writer, Priority.CHANGE) == TRIES_MOST
        assert say(writer, Priority.DISPATCH) == 1
        assert writer.write(lambda _tx: 7) == 7
    with pytest.raises(OperationalError), one.writing.begin() as tx:
        undone(tx)


def _tell(answers: list[tuple[object, object]]) -> None:
    for promise, told in answers:
        promise.set_result(told)  # type: ignore[attr-defined]
