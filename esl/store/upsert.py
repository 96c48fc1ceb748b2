"""``INSERT … ON CONFLICT``, which SQLite and PostgreSQL share and SQLAlchemy spells twice."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, Any]
T = TypeVar("T")

ROWS_AT_ONCE = 500
"""Rows a statement names at once; the sweet spot measured for both databases."""


def in_batches(rows: Sequence[T], size: int = ROWS_AT_ONCE) -> list[Sequence[T]]:
    """Cut a sequence into runs of at most ``size``."""
    return [rows[i : i + size] for i in range(0, len(rows), size)]


def insert_or_update(tx: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; where the primary key is there already, set the other columns given."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    insert = _insert(tx)(table)
    changed = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    tx.execute(insert.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))


def insert_if_new(tx: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose primary key is not there yet."""
    if rows:
        tx.execute(_insert(tx)(table).on_conflict_do_nothing(), list(rows))


def insert_new_returning(
    tx: Connection, table: Table, rows: Sequence[Row], *columns: Column[Any]
) -> set[tuple[Any, ...]]:
    """Insert the rows that no unique index holds yet; return these columns of them."""
    insert = _insert(tx)(table).on_conflict_do_nothing().returning(*columns)
    return {tuple(row) for batch in in_batches(rows) for row in tx.execute(insert, list(batch))}


def insert_selected_if_new(
    tx: Connection, table: Table, names: Sequence[str], selected: Select[Any]
) -> None:
    """Insert what a query with a condition finds, where its primary key is not there yet."""
    tx.execute(_insert(tx)(table).from_select(names, selected).on_conflict_do_nothing())


def insert_one_if_new(tx: Connection, table: Table, row: Row) -> bool:
    """Insert a row; False where its primary key was there already."""
    key = next(iter(table.primary_key))
    insert = _insert(tx)(table).values(row).on_conflict_do_nothing().returning(key)
    return tx.execute(insert).first() is not None


def _insert(tx: Connection) -> Any:
    return sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
