"""A controller's connections to the shared database file, and the moments at which it may die.

A crash of a process is, for SQLite, its connections closing in the middle of whatever they do.
The file is real, with its write-ahead log; only ``synchronous`` is off, since power is never cut
here, and nobody waits for a lock, since all processes live in one thread.

    statement 1, 2, … n ✗      before the n-th statement
    COMMIT ✗                   before it: all is undone
    COMMIT ─▶ ✗                after it: all is stored, and nobody was told
"""

import sqlite3
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from esl.store.database import Database
from tests.builders import _new_database_file
from tests.chaos.world import Crash

PAGES_UNLIMITED = 1 << 30


class Dies(StrEnum):
    """When an armed process dies."""

    AT_STATEMENT = "at a statement"
    BEFORE_COMMIT = "before a commit"
    AFTER_COMMIT = "after a commit"


class Disk:
    """One process's way to the database file. ``committed`` is called after every commit."""

    def __init__(self, path: Path) -> None:
        self.database = Database(f"sqlite:///{path}")
        self.committed: Callable[[], None] = lambda: None
        self.begun: Callable[[], None] = lambda: None
        self._pages_most = PAGES_UNLIMITED
        self._dies: Dies | None = None
        self._countdown = 0
        self._raw: list[sqlite3.Connection] = []
        for engine in (self.database.writing, self.database.reading):
            self._prepare(engine)
        self._watch_commits(self.database.writing)

    def _prepare(self, engine: Engine) -> None:
        @event.listens_for(engine, "connect")
        def _connected(connection: sqlite3.Connection, _record: Any) -> None:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA busy_timeout=0")
            connection.execute(f"PRAGMA max_page_count={self._pages_most}")
            self._raw.append(connection)

        @event.listens_for(engine, "before_cursor_execute")
        def _executing(*_: Any) -> None:
            self._pass(Dies.AT_STATEMENT)

    def _watch_commits(self, engine: Engine) -> None:
        commit = engine.dialect.do_commit

        def do_commit(connection: Any) -> None:
            self._pass(Dies.BEFORE_COMMIT)
            commit(connection)
            self.committed()
            self._pass(Dies.AFTER_COMMIT)

        engine.dialect.do_commit = do_commit  # type: ignore[method-assign]

        @event.listens_for(engine, "begin")
        def _begun(_connection: Any) -> None:
            self.begun()

    def _pass(self, moment: Dies) -> None:
        if self._dies is not moment:
            return
        self._countdown -= 1
        if self._countdown <= 0:
            self._dies = None
            raise Crash(moment.value)

    # -- faults --------------------------------------------------------------------------------

    def arm(self, dies: Dies, countdown: int) -> None:
        """Die at the so-manieth moment of a kind."""
        self._dies, self._countdown = dies, countdown

    def disarm(self) -> None:
        """Live on."""
        self._dies = None

    def fill(self, *, full: bool) -> None:
        """Let the file not grow any more, or let it grow again."""
        self._pages_most = 1 if full else PAGES_UNLIMITED
        for connection in self._raw:
            connection.execute(f"PRAGMA max_page_count={self._pages_most}")

    def drop(self) -> None:
        """Close every connection, as the end of a process does."""
        self._dies = None
        self._raw.clear()
        self.database.close()


class SharedFile:
    """The database file on a folder in memory, and what others do to it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "chaos.db"
        self._holder: sqlite3.Connection | None = None

    def renew(self) -> None:
        """Begin with an empty, migrated database."""
        self.release()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self.path.write_bytes(_new_database_file())

    def read(self) -> sqlite3.Connection:
        """Open a connection for oracles, which see what is committed."""
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None)
        connection.row_factory = sqlite3.Row
        return connection

    def hold(self) -> None:
        """Lock the database, as a foreign program does."""
        if self._holder is None:
            self._holder = sqlite3.connect(self.path, isolation_level=None)
            self._holder.execute("PRAGMA busy_timeout=0")
            self._holder.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        """Let go of the database."""
        if self._holder is not None:
            self._holder.close()
            self._holder = None
