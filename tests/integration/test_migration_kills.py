"""An upgrade that is cut off at any statement leaves the old schema whole, and then succeeds.

The process that upgrades dies by itself (``os._exit``) right before its n-th statement, for each n
in turn, which is what a ``kill -9`` or a power cut does to it. Afterwards the database is of the
old schema, with the rows it had, or of the new one; the next start brings it up to date.

A run dies at some places spread over the upgrade, the first and the last among them; all of them
with ESL_TEST_MIGRATION_KILLS=all, at about a fifth of a second each.
"""

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, inspect, text

from esl.store.database import Database
from esl.store.migrate import differences, migrate, newest_schema, schema_of, upgrade_to
from tests.builders import NOON
from tests.services import Postgres

pytestmark = pytest.mark.timeout(1200)

EARLY = "0003"
PLACES = 4
ALL = os.environ.get("ESL_TEST_MIGRATION_KILLS") == "all"
KILLED = 77

_EARLY_ROWS = """
INSERT INTO installation (only_row, created_at, acted_until) VALUES (1, :now, :now)
INSERT INTO revision_counter (only_row, last_rev) VALUES (1, 9)
INSERT INTO store (store_id, name, currency, locale, timezone) VALUES ('s', 'V', 'EUR', 'hr', 'UTC')
INSERT INTO product (store_id, sku, name, rev) VALUES ('s', '1001', 'Kruh', 3)
INSERT INTO price (store_id, sku, price_minor, currency, rev) VALUES ('s', '1001', 129, 'EUR', 3)
INSERT INTO label (label_id, store_id, panel_id, wanted_rev) VALUES ('l-1', 's', 'p', 3)
"""


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
    query = "SELECT name, price_minor FROM price JOIN product ON product.sku = price.sku"
    return [tuple(row) for row in tx.execute(text(query))]


def _columns(tx: Connection) -> dict[str, list[str]]:
    seen = inspect(tx)
    return {
        name: sorted(column["name"] for column in seen.get_columns(name))
        for name in seen.get_table_names()
    }


def _upgrade_and_die(url: str, at: int) -> int:
    """Upgrade in a process of its own that dies right before a statement; return its status."""
    with warnings.catch_warnings():
        # Newer Pythons warn where there are threads; the child takes no lock that one may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0

    def count_down(*_: object) -> None:
        nonlocal count
        count += 1
        if count == at:
            os._exit(KILLED)

    try:
        database = Database(url)
        event.listen(database.writing, "before_cursor_execute", count_down)
        event.listen(database.writing, "commit", count_down)
        migrate(database, NOON)
    except BaseException:  # noqa: BLE001  nothing of this process may run on as a test
        traceback.print_exc(file=sys.stderr)
        os._exit(1)
    os._exit(0)


def _statements(url: str) -> int:
    """Count the statements of a whole upgrade, commits among them."""
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    database = Database(url)
    event.listen(database.writing, "before_cursor_execute", note)
    event.listen(database.writing, "commit", note)
    migrate(database, NOON)
    database.close()
    return count


def test_an_upgrade_killed_at_any_statement_leaves_one_schema_whole_and_goes_on(
    fresh: Callable[[], str],
) -> None:
    total = _statements(fresh())
    assert total > 100
    some = {1, 2, total - 1, total} | {1 + total * n // PLACES for n in range(PLACES)}
    database = Database(fresh())
    with database.read() as tx:
        early = _columns(tx)
    address = database.writing.url.render_as_string(hide_password=False)
    for at in range(1, total + 1) if ALL else sorted(some):
        database.close()
        assert _upgrade_and_die(address, at) == KILLED, f"statement {at} of {total}"
        database = Database(address)
        with database.read() as tx:
            # One transaction: what was cut off never happened, up to the last statement.
            assert schema_of(tx) == EARLY, f"statement {at} of {total}"
            assert _columns(tx) == early
            assert _rows(tx) == [("Kruh", 129)]
    migrate(database, NOON)
    with database.read() as tx:
        assert schema_of(tx) == newest_schema()
        assert _rows(tx) == [("Kruh", 129)]
    assert differences(database) == []
    database.close()
