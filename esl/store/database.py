"""Opening the database: SQLite in one file by default, PostgreSQL by its address.

SQLite's and SQLAlchemy's defaults lose updates without an error: of 200 concurrent
read-modify-writes 145 vanished, because SQLAlchemy begins SQLite transactions late and as
readers. So the driver's own transaction handling is off, every writing transaction begins with
``BEGIN IMMEDIATE``, and readers use connections that cannot write [found by running it].
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from esl.domain.errors import SetupError, Unavailable

BUSY_TIMEOUT_MS = 5000
"""How long SQLite waits for another process's lock before it gives up."""


READERS_MOST = 8
"""Connections that read at once; the ninth waits. Each has its own cache."""

READER_CACHE_KIB, WRITER_CACHE_KIB = 2048, 10240
"""SQLite's page caches. With 64 MiB for each of 32 readers, memory grew with the database. What
they lack is in the kernel's cache, a copy away: a row of a long list costs no more than with 4 and
16 MiB."""

STATEMENTS_KEPT = 512
"""Prepared statements that a connection of SQLite keeps: `esl.store.bulk` runs each in sizes."""

CHECKPOINT_PAGES = 4000
"""Pages of SQLite's log before they are written to the file: a page that changed in each of
several batches is then written once. 16 MB."""

POSTGRESQL_PLANS = "SET join_collapse_limit = 1; SET enable_seqscan = off; SET jit = off"
"""Joins run in the order they are written in, the batch's rows first, and find all else by key.
Left to itself, PostgreSQL joined whole tables for each batch until its first ANALYZE: 273 µs a
label to load, in place of 35 (measured)."""

CONNECT_LONGEST_S = 10
"""How long a connection to PostgreSQL may take to come about."""

POSTGRESQL_LINE: Final = MappingProxyType(
    {
        "connect_timeout": CONNECT_LONGEST_S,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    }
)
"""A server whose machine or network is gone is noticed within 25 s, whether we were sending (the
user timeout, in ms) or waiting for an answer (three unanswered probes). Left to itself, Linux
waits for a quarter of an hour, or two hours."""

STATEMENT_LONGEST_S = 60
"""How long a statement may take; all of ours take milliseconds. What takes longer waits for a lock
that nobody gives back."""

IDLE_LONGEST_S = 300
"""How long a transaction that reads may do nothing."""

WRITER_IDLE_LONGEST_S = 10
"""How long one that writes may: a process that is frozen in it keeps its locks for as long. Less
than a lease of a gateway, or the locks of a frozen worker outlive its leases, and nobody can take
its gateways over."""


class Database:
    """One database, with the connections that write and those that only read.

    Only the `Writer` and migrations use ``writing``; everyone else reads.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as exc:
            raise SetupError(f"database address: {exc}") from exc
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if not self.is_sqlite and parsed.get_backend_name() != "postgresql":
            raise SetupError("database address: only sqlite:/// and postgresql:// are supported")
        self.path = parsed.database if self.is_sqlite else None
        self._lines: WeakSet[Any] = WeakSet()
        try:
            if self.is_sqlite:
                self.writing = _sqlite_engine(url, read_only=False)
                self.reading = _sqlite_engine(url, read_only=True)
            else:
                # The writer never waits for a connection that readers hold.
                connect = dict(POSTGRESQL_LINE)
                self.writing = create_engine(
                    parsed, pool_size=1, max_overflow=1, pool_pre_ping=True, connect_args=connect
                )
                self.reading = create_engine(
                    parsed,
                    pool_size=READERS_MOST,
                    max_overflow=0,
                    pool_pre_ping=True,
                    connect_args=connect,
                )
                idle_longest_s = {
                    self.writing: WRITER_IDLE_LONGEST_S,
                    self.reading: IDLE_LONGEST_S,
                }
                for engine, longest_s in idle_longest_s.items():
                    event.listen(engine, "connect", _set_up_postgresql(longest_s))
                    event.listen(engine, "connect", lambda line, _record: self._lines.add(line))
        except ArgumentError as exc:
            raise SetupError(f"database address: {exc}") from exc
        except ModuleNotFoundError as exc:
            raise SetupError(
                "PostgreSQL needs the extra: pip install 'esl-controller[postgres]'"
            ) from exc

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for one consistent read.

        Raises:
            Unavailable: The database is busy, full or gone.
        """
        try:
            with self.reading.connect() as connection:
                if not self.is_sqlite:
                    connection = connection.execution_options(  # noqa: PLW2901
                        isolation_level="REPEATABLE READ", postgresql_readonly=True
                    )
                with connection.begin():
                    yield connection
        except SQLAlchemyError as exc:
            raise unavailable(exc) from exc

    def close(self) -> None:
        """Close every connection; to PostgreSQL also those that a thread still reads from."""
        self.reading.dispose()
        self.writing.dispose()
        for line in list(self._lines):
            line.close()


def unavailable(exc: SQLAlchemyError) -> Exception:
    """Say in words why the database did not do it; programming errors pass as they are."""
    if isinstance(exc, PoolTimeout):
        return Unavailable("every connection to the database is in use; nothing was stored")
    if not isinstance(exc, DBAPIError):
        return exc
    if not isinstance(exc, OperationalError) and not exc.connection_invalidated:
        return exc
    words = str(exc.orig).lower()
    if "full" in words:
        return Unavailable("the disk or database is full; nothing was stored")
    if "locked" in words or "busy" in words:
        return Unavailable("another process holds the database; nothing was stored")
    return Unavailable("the database did not answer; nothing was stored")


def _set_up_postgresql(idle_longest_s: int) -> Callable[[Any, Any], None]:
    def set_up(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(POSTGRESQL_PLANS)
            cursor.execute(
                f"SET statement_timeout = '{STATEMENT_LONGEST_S}s';"
                f" SET idle_in_transaction_session_timeout = '{idle_longest_s}s'"
            )
        connection.commit()

    return set_up


def _sqlite_engine(url: str, *, read_only: bool) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=READERS_MOST if read_only else 1,
        max_overflow=0,
        pool_use_lifo=True,  # whose cache is warm; by turns, all of them would fill
        connect_args={
            "check_same_thread": False,
            "timeout": BUSY_TIMEOUT_MS / 1000,
            "cached_statements": STATEMENTS_KEPT,
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # a commit answered is a commit on disk
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA foreign_keys=ON")
        kib = READER_CACHE_KIB if read_only else WRITER_CACHE_KIB
        connection.execute(f"PRAGMA cache_size=-{kib}")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        if read_only:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
