import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import QueuePool

from esl.domain.errors import SetupError, Unavailable
from esl.store import database as database_module
from esl.store.database import Database
from tests.builders import open_database

N = "SELECT last_rev FROM revision_counter"


def _set(value: int) -> str:
    return f"UPDATE revision_counter SET last_rev = {value}"  # noqa: S608  a number of ours


def _counter(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(N).fetchone()[0])


def test_sqlalchemys_own_settings_lose_an_update_in_silence(tmp_path: Path) -> None:
    # The reason for the rest of this file: no error, and one of two additions is gone.
    open_database(tmp_path).close()
    path = tmp_path / "esl.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as one, engine.connect() as two:
        first = one.execute(text(N)).scalar_one()
        second = two.execute(text(N)).scalar_one()
        one.execute(text(_set(first + 1)))
        one.commit()
        two.execute(text(_set(second + 1)))
        two.commit()
    engine.dispose()
    assert _counter(path) == 1


def test_a_writing_transaction_begins_as_a_writer(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    path = tmp_path / "esl.db"
    with database.writing.begin() as tx, closing(sqlite3.connect(path, timeout=0)) as other:
        tx.execute(text(N))  # has only read so far
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute(_set(7))
    database.close()


@pytest.mark.asvs("15.4.1")
def test_eight_threads_lose_no_update(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    rounds = 25

    def add() -> None:
        own = Database(f"sqlite:///{tmp_path}/esl.db")
        for _ in range(rounds):
            with own.writing.begin() as tx:
                value = tx.execute(text(N)).scalar_one()
                tx.execute(text(_set(value + 1)))
        own.close()

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert _counter(tmp_path / "esl.db") == 8 * rounds


def test_a_commit_that_was_answered_is_a_commit_on_disk(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with database.writing.begin() as tx:
        asked = {
            name: tx.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "query_only")
        }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "query_only": 0}
    with database.read() as tx:
        assert tx.execute(text("PRAGMA query_only")).scalar_one() == 1
    database.close()


def test_readers_do_not_wait_for_the_writer(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with database.writing.begin() as tx:
        tx.execute(text(_set(5)))
        with database.read() as reading:
            assert reading.execute(text(N)).scalar_one() == 0
    database.close()


def test_another_process_that_holds_the_file_makes_it_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 20)
    database = open_database(tmp_path)
    with closing(sqlite3.connect(tmp_path / "esl.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute(_set(3))
        with pytest.raises(Unavailable, match="another process"), database.read() as tx:
            tx.execute(text(N))
    with database.read() as tx:
        assert tx.execute(text(N)).scalar_one() == 3
    database.close()


@pytest.mark.parametrize(
    "url", ["mysql://a/b", "nonsense", "", "oracle://x", "sqlite+unknown:///x"]
)
def test_an_address_we_cannot_open_is_refused_in_words(url: str) -> None:
    with pytest.raises(SetupError, match=r"database address|extra"):
        Database(url)


def test_a_mistake_of_ours_is_not_called_unavailable(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with pytest.raises(Exception, match="FOREIGN KEY"), database.writing.begin() as tx:
        tx.execute(
            text("INSERT INTO product (store_id, sku, name, rev) VALUES ('nowhere', 'x', 'x', 1)")
        )
    database.close()


def test_begin_immediate_is_what_is_sent(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    sent: list[str] = []
    for engine in (database.writing, database.reading):
        event.listen(
            engine,
            "before_cursor_execute",
            lambda _c, _cur, statement, *_: sent.append(statement),
        )
    with database.writing.begin():
        pass
    with database.read():
        pass
    assert sent == ["BEGIN IMMEDIATE", "BEGIN"]
    database.close()


def test_caches_are_small_enough_that_memory_does_not_grow_with_the_database(
    tmp_path: Path,
) -> None:
    database = open_database(tmp_path)
    with database.writing.connect() as writer:
        writer_kib = -writer.exec_driver_sql("PRAGMA cache_size").scalar_one()
    with database.read() as reader:
        reader_kib = -reader.exec_driver_sql("PRAGMA cache_size").scalar_one()
    pool = database.reading.pool
    assert isinstance(pool, QueuePool)
    readers = pool.size() + pool._max_overflow
    database.close()
    assert writer_kib + readers * reader_kib <= 64 * 1024
