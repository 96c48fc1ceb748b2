"""Rows of whole tables, out of one database and into another, some at a time.

Values travel as what they are (instants aware and in UTC, days as text), so that rows of SQLite
fit PostgreSQL and the other way round. The types are those that the database itself states.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    DateTime,
    Integer,
    Table,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
)

from esl.store.schema import REVISION_SEQUENCE

ROWS_AT_ONCE: Final = 2000
"""Rows in memory at once; a row with a picture has some kilobytes."""

Rows = list[list[Any]]


def take_your_time(tx: Connection) -> None:
    """Lift the limits on this transaction's time, which are meant for requests."""
    if tx.dialect.name != "sqlite":
        tx.execute(text("SET LOCAL statement_timeout = 0"))
        tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


@contextmanager
def read_rows(tx: Connection, table: Table) -> Iterator[Iterator[Rows]]:
    """Read a whole table, so many rows at a time, each a list in the order of its columns.

    Whoever stops before the end leaves no cursor open at the server.
    """
    with tx.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table)) as found:
        yield ([[_out(value) for value in row] for row in some] for some in found.partitions())


def write_rows(tx: Connection, table: Table, columns: Sequence[str], rows: Rows) -> None:
    """Insert rows; the table may have columns that they lack.

    Raises:
        KeyError: The table lacks one of the columns.
    """
    is_sqlite = tx.dialect.name == "sqlite"
    readers = [(name, _reader(table.c[name].type, is_sqlite=is_sqlite)) for name in columns]
    values = [
        {
            name: value if value is None or read is None else read(value)
            for (name, read), value in zip(readers, row, strict=True)
        }
        for row in rows
    ]
    if values:
        tx.execute(insert(table), values)


def is_empty(tx: Connection) -> bool:
    """Say whether a database holds no table at all."""
    return not inspect(tx).get_table_names()


def clear(tx: Connection, tables: Sequence[Table]) -> None:
    """Remove the rows that migrations themselves put in: a backup has those of its own."""
    for table in reversed(tables):
        if tx.execute(select(1).select_from(table).limit(1)).first() is not None:
            tx.execute(delete(table))


def set_sequences(tx: Connection, tables: Iterable[Table]) -> None:
    """Let numbers that PostgreSQL gives begin above those that are there; SQLite does by itself."""
    if tx.dialect.name == "sqlite":
        return
    for table in tables:
        for column in table.primary_key:
            if not isinstance(column.type, Integer):
                continue
            owned = tx.execute(
                select(func.pg_get_serial_sequence(f'"{table.name}"', column.name))
            ).scalar_one()
            highest = tx.execute(select(func.max(column))).scalar_one()
            if owned is not None and highest is not None:
                tx.execute(select(func.setval(owned, highest)))


def last_revision(tx: Connection) -> int:
    """Say which revision was given out last."""
    if tx.dialect.name == "sqlite":
        return int(tx.execute(text("SELECT last_rev FROM revision_counter")).scalar_one())
    query = text(f"SELECT last_value FROM {REVISION_SEQUENCE.name}")  # noqa: S608  a name of ours  # nosec B608
    return int(tx.execute(query).scalar_one())


def _out(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return value.isoformat()
    return bytes(value) if isinstance(value, memoryview) else value


def _reader(kind: Any, *, is_sqlite: bool) -> Any:
    if isinstance(kind, DateTime):
        return _naive if is_sqlite else None
    if isinstance(kind, Date):
        return date.fromisoformat
    return bool if isinstance(kind, Boolean) else None


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
