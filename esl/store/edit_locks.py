"""One edit of a thing at a time, in all processes that share a database."""

from typing import Final

from sqlalchemy import Connection, text

_EDITS: Final = 0x65646974  # "edit"; the first half of the lock's name
_LOCK: Final = text("SELECT pg_advisory_xact_lock(CAST(:lock AS int), hashtext(:name))")


def lock_for_edit(tx: Connection, name: str) -> None:
    """Wait for whoever else edits what has this name, and keep others waiting until the commit.

    So that what was read before an edit is still so while it is written. Two names may share a
    lock by chance, which costs a wait and nothing else. SQLite has one writer anyway.
    """
    if tx.dialect.name != "sqlite":
        tx.execute(_LOCK, {"lock": _EDITS, "name": name})
