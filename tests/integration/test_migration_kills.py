"""An upgrade that is cut off at any statement leaves the old schema whole, and then succeeds.

The process that upgrades stops before each of its statements, commits among them, and there it is
looked at what a ``kill -9`` would leave behind. Of SQLite that is the files as they are: they are
copied and opened. Of PostgreSQL it is what others see, as the server takes back what a lost
connection had begun: the tables and columns, the revision, and that it is one transaction still
(so no row has changed either). At some of the places, the first and the last among them, the
process is killed, and the rows are read.
"""

import os
import shutil
import signal
import sqlite3
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import Connection, event, text

from esl.store.database import Database
from esl.store.migrate import differences, migrate, newest_schema, schema_of, upgrade_to
from tests.builders import NOON
from tests.services import Postgres

pytestmark = pytest.mark.timeout(300)

EARLY = "0003"
PLACES = 8
"""So many places at which the process is killed in earnest, besides the first and the last ones."""

_EARLY_ROWS = """
INSERT INTO installation (only_row, created_at, acted_until) VALUES (1, :now, :now)
INSERT INTO revision_counter (only_row, last_rev) VALUES (1, 9)
INSERT INTO store (store_id, name, currency, locale, timezone) VALUES ('s', 'V', 'EUR', 'hr', 'UTC')
INSERT INTO product (store_id, sku, name, rev) VALUES ('s', '1001', 'Kruh', 3)
INSERT INTO price (store_id, sku, price_minor, currency, rev) VALUES ('s', '1001', 129, 'EUR', 3)
INSERT INTO label (label_id, store_id, panel_id, wanted_rev) VALUES ('l-1', 's', 'p', 3)
"""

_ROWS = "SELECT name, price_minor FROM price JOIN product ON product.sku = price.sku"


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes addresses of databases that hold a small shop of an early schema."""
    made: list[str] = []
    early: list[str] = []

    def make() -> str:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/esl-{len(made)}.db"
            made.append(url)
            _fill(url)
            return url
        server: Postgres = request.getfixturevalue("postgres")
        if not early:
            early.append(server.create_database())
            _fill(server.url(early[0]))
        made.append(server.create_database(like=early[0]))
        return server.url(made[-1])

    yield make
    if request.param == "postgresql":
        for name in (*made, *early):
            request.getfixturevalue("postgres").drop_database(name)


def _fill(url: str) -> None:
    database = Database(url)
    with database.writing.begin() as tx:
        upgrade_to(tx, EARLY)
        for line in _EARLY_ROWS.strip().splitlines():
            now = "2026-11-20 12:00:00.000000" if database.is_sqlite else NOON
            tx.execute(text(line), {"now": now} if ":now" in line else {})
    database.close()


def _rows(tx: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in tx.execute(text(_ROWS))]


@dataclass(slots=True)
class Upgrade:
    """A process that upgrades a database, and waits before each statement to be let on."""

    pid: int
    told: int
    heard: int

    def stops(self) -> bool:
        """Wait for its next statement; False: it came to its end."""
        return os.read(self.told, 1) == b"."

    def let_on(self) -> None:
        os.write(self.heard, b".")

    def kill(self) -> int:
        os.kill(self.pid, signal.SIGKILL)
        return self.status()

    def status(self) -> int:
        """Wait for its end; negative: the signal that ended it."""
        os.close(self.told)
        os.close(self.heard)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _upgrade(url: str) -> Upgrade:
    told, tells = os.pipe()
    hears, heard = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn where there are threads; the child takes no lock that one may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        os.close(tells)
        os.close(hears)
        return Upgrade(pid=child, told=told, heard=heard)

    def stop(*_: object) -> None:
        os.write(tells, b".")
        os.read(hears, 1)

    try:
        os.close(told)
        os.close(heard)
        database = Database(url)
        event.listen(database.writing, "before_cursor_execute", stop)
        event.listen(database.writing, "commit", stop)
        migrate(database, NOON)
    except BaseException:  # noqa: BLE001  nothing of this process may run on as a test
        traceback.print_exc(file=sys.stderr)
        os._exit(1)
    os._exit(0)


class FilesLeft:
    """What a kill leaves of a SQLite database: its files, copied and opened."""

    def __init__(self, url: str, folder: Path) -> None:
        self._path = Path(url.removeprefix("sqlite:///"))
        self._copy = folder / "left" / self._path.name
        self._copy.parent.mkdir(exist_ok=True)

    def look(self) -> tuple[object, ...]:
        """Return the revision, every table's SQL, and the rows."""
        for old in self._copy.parent.iterdir():
            old.unlink()
        for suffix in ("", "-wal", "-shm", "-journal"):
            if (path := self._path.with_name(self._path.name + suffix)).exists():
                shutil.copyfile(path, self._copy.with_name(self._copy.name + suffix))
        with closing(sqlite3.connect(self._copy)) as db:
            return (
                db.execute("SELECT version_num FROM alembic_version").fetchall(),
                db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall(),
                db.execute(_ROWS).fetchall(),
                db.execute("PRAGMA quick_check").fetchall(),
            )

    def close(self) -> None:
        """Nothing is open."""


class SeenByOthers:
    """What a kill leaves of a PostgreSQL database: what is seen of it from outside."""

    COLUMNS: Final = """
        SELECT relname, relkind, attname, atttypid, attnotnull
        FROM pg_class
        JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace
        ORDER BY relname, attnum
    """
    WRITERS: Final = """
        SELECT DISTINCT backend_xid FROM pg_stat_activity
        WHERE datname = current_database() AND backend_xid IS NOT NULL
    """

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        self._transactions: set[Any] = set()

    def look(self) -> tuple[object, ...]:
        """Return the revision and every table's columns, while one transaction writes."""
        ask = self._connection.execute
        self._transactions |= {row[0] for row in ask(self.WRITERS).fetchall()}
        assert len(self._transactions) <= 1, "a second transaction: what was before it is kept"
        return (
            ask("SELECT version_num FROM alembic_version").fetchall(),
            ask(self.COLUMNS).fetchall(),
        )

    def close(self) -> None:
        self._connection.close()


def _onlooker(url: str, folder: Path) -> FilesLeft | SeenByOthers:
    return FilesLeft(url, folder) if url.startswith("sqlite") else SeenByOthers(url)


def _look_at_every_statement(url: str, folder: Path) -> int:
    """Upgrade, and look before each statement; return how many there were."""
    onlooker = _onlooker(url, folder)
    early = onlooker.look()
    assert early[0] == [(EARLY,)]
    upgrade, count = _upgrade(url), 0
    while upgrade.stops():
        count += 1
        # One transaction: what was cut off never happened, up to the last statement.
        assert onlooker.look() == early, f"before statement {count}"
        upgrade.let_on()
    assert upgrade.status() == 0
    assert onlooker.look()[0] == [(newest_schema(),)]
    onlooker.close()
    return count


def _kill_before(url: str, at: int) -> int:
    """Kill an upgrade right before a statement; return its status."""
    upgrade = _upgrade(url)
    for _ in range(at - 1):
        assert upgrade.stops()
        upgrade.let_on()
    assert upgrade.stops()
    return upgrade.kill()


def test_an_upgrade_killed_at_any_statement_leaves_one_schema_whole_and_goes_on(
    fresh: Callable[[], str], tmp_path: Path
) -> None:
    total = _look_at_every_statement(fresh(), tmp_path)
    assert total > 200
    url = fresh()
    onlooker = _onlooker(url, tmp_path)
    early = onlooker.look()
    some = {1, 2, total - 1, total} | {1 + total * n // PLACES for n in range(PLACES)}
    for at in sorted(some):
        assert _kill_before(url, at) == -signal.SIGKILL
        database = Database(url)
        with database.read() as tx:
            assert schema_of(tx) == EARLY, f"statement {at} of {total}"
            assert _rows(tx) == [("Kruh", 129)]
        database.close()
        assert onlooker.look() == early, f"statement {at} of {total}"
    onlooker.close()
    database = Database(url)
    migrate(database, NOON)
    with database.read() as tx:
        assert schema_of(tx) == newest_schema()
        assert _rows(tx) == [("Kruh", 129)]
    assert differences(database) == []
    database.close()
