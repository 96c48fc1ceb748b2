"""Taking something on trial: the very same statements, and nothing of them is kept.

SQLite       on a copy of the database file, which is deleted afterwards: nobody waits for it
PostgreSQL   in one transaction of its own, which is rolled back: rows it touches stay locked
             until then
"""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from esl.domain.errors import Unavailable
from esl.store.database import Database, unavailable
from esl.store.write_group import Priority, Result


class _OnTrial:
    """`esl.store.write_group.Writes` into one transaction, in the thread that submits."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx

    def submit(
        self, work: Callable[[Connection], Result], *, priority: Priority = Priority.CHANGE
    ) -> "Future[Result]":
        """Do ``work(tx)`` at once."""
        del priority  # nobody else waits here
        done: Future[Result] = Future()
        point = self._tx.begin_nested()
        try:
            result = work(self._tx)
        except Exception as exc:  # noqa: BLE001  it goes to the caller
            point.rollback()
            done.set_exception(unavailable(exc) if isinstance(exc, SQLAlchemyError) else exc)
            return done
        point.commit()
        done.set_result(result)
        return done

    def write(
        self, work: Callable[[Connection], Result], *, priority: Priority = Priority.CHANGE
    ) -> Result:
        """Do ``work(tx)`` and return its result."""
        return self.submit(work, priority=priority).result()


@contextmanager
def open_trial(database: Database, copy: Path) -> Iterator[_OnTrial]:
    """Give a place to write where nothing is kept. ``copy`` is made if need be, and deleted.

    Raises:
        Unavailable: There is no room for a copy.
    """
    if not database.is_sqlite:
        with _rolled_back(database) as trial:
            yield trial
        return
    try:
        _copy_file(database, copy)
        with closing(Database(f"sqlite:///{copy}")) as copied, _rolled_back(copied) as trial:
            yield trial
    finally:
        for leftover in copy.parent.glob(f"{copy.name}*"):
            leftover.unlink(missing_ok=True)


@contextmanager
def _rolled_back(database: Database) -> Iterator[_OnTrial]:
    try:
        with database.writing.connect() as tx:
            outer = tx.begin()
            try:
                yield _OnTrial(tx)
            finally:
                outer.rollback()
    except SQLAlchemyError as exc:
        raise unavailable(exc) from exc


def _copy_file(database: Database, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    copy.touch(mode=0o600)
    try:
        with (
            closing(sqlite3.connect(f"file:{database.path}?mode=ro", uri=True)) as whole,
            closing(sqlite3.connect(copy)) as target,
        ):
            whole.backup(target)
    except sqlite3.Error as exc:
        raise Unavailable(f"no copy for a trial could be made: {exc}") from exc
