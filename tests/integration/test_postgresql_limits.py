"""Nothing waits for PostgreSQL for ever: not for a statement, a lock, or a line that is dead."""

import socket
import time

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from esl.domain.errors import Unavailable
from esl.store import database as database_module
from esl.store.database import POSTGRESQL_LINE, Database
from esl.store.migrate import migrate
from esl.store.writer import Writer
from gateway.leases import LEASE_S
from tests.builders import NOON


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second in place of a minute and more."""
    monkeypatch.setattr(database_module, "STATEMENT_LONGEST_S", 1)
    monkeypatch.setattr(database_module, "IDLE_LONGEST_S", 1)
    monkeypatch.setattr(database_module, "WRITER_IDLE_LONGEST_S", 1)


def test_a_frozen_workers_locks_end_before_its_leases() -> None:
    assert database_module.WRITER_IDLE_LONGEST_S < LEASE_S


def test_every_connection_has_its_limits(fresh_postgres_url: str) -> None:
    database = Database(fresh_postgres_url)
    try:
        idles = {database.reading: "5min", database.writing: "10s"}
        for engine, longest in idles.items():
            with engine.connect() as connection:
                assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "1min"
                idle = connection.execute(text("SHOW idle_in_transaction_session_timeout"))
                assert idle.scalar_one() == longest
                driver = connection.connection.driver_connection
                assert driver is not None
                line = socket.socket(fileno=socket.dup(driver.pgconn.socket))
                with line:
                    assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                    tcp = socket.IPPROTO_TCP
                    assert line.getsockopt(tcp, socket.TCP_KEEPIDLE) == 10
                    assert line.getsockopt(tcp, socket.TCP_KEEPINTVL) == 5
                    assert line.getsockopt(tcp, socket.TCP_KEEPCNT) == 3
                    timeout_ms = line.getsockopt(tcp, socket.TCP_USER_TIMEOUT)
                    assert timeout_ms == POSTGRESQL_LINE["tcp_user_timeout"]
    finally:
        database.close()


@pytest.mark.usefixtures("short_limits")
def test_a_statement_that_takes_too_long_ends_and_the_next_one_works(
    fresh_postgres_url: str,
) -> None:
    database = Database(fresh_postgres_url)
    try:
        began_s = time.monotonic()
        with pytest.raises(Unavailable), database.read() as tx:
            tx.execute(text("SELECT pg_sleep(30)"))
        assert time.monotonic() - began_s < 10
        with database.read() as tx:
            assert tx.execute(text("SELECT 1")).scalar_one() == 1
    finally:
        database.close()


@pytest.mark.usefixtures("short_limits")
def test_a_process_that_hangs_in_a_transaction_loses_its_locks(fresh_postgres_url: str) -> None:
    database = Database(fresh_postgres_url)
    try:
        migrate(database, NOON)
        take = text("SELECT * FROM installation FOR UPDATE")
        hangs = database.writing.connect()
        hangs.execute(take)
        deadline_s = time.monotonic() + 20
        while True:
            try:
                with database.writing.begin() as tx:
                    tx.execute(take)
                break
            except DBAPIError:  # our own statement's limit, while the other still holds on
                assert time.monotonic() < deadline_s, "the lock was never given back"
        with pytest.raises(DBAPIError):
            hangs.execute(text("SELECT 1"))
        hangs.invalidate()
        hangs.close()
    finally:
        database.close()


@pytest.mark.usefixtures("short_limits")
def test_a_writer_that_was_frozen_in_a_transaction_says_so_and_goes_on(
    fresh_postgres_url: str,
) -> None:
    database = Database(fresh_postgres_url)
    try:
        migrate(database, NOON)
        writer = Writer(database, time.monotonic)
        writer.start()

        def frozen(tx: Connection) -> None:
            tx.execute(text("SELECT * FROM installation FOR UPDATE"))
            time.sleep(2)
            tx.execute(text("SELECT 1"))

        try:
            with pytest.raises(Unavailable, match="nothing was stored"):
                writer.write(frozen)
            assert writer.write(lambda tx: tx.execute(text("SELECT 1")).scalar_one()) == 1
        finally:
            writer.close()
    finally:
        database.close()


@pytest.mark.usefixtures("short_limits")
def test_an_upgrade_may_take_longer_than_any_statement(
    fresh_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = command.upgrade

    def slow(config: Config, revision: str) -> None:
        config.attributes["connection"].execute(text("SELECT pg_sleep(1.5)"))
        time.sleep(1.5)  # and thinks about what it read
        real(config, revision)

    monkeypatch.setattr(command, "upgrade", slow)
    database = Database(fresh_postgres_url)
    try:
        migrate(database, NOON)
    finally:
        database.close()
