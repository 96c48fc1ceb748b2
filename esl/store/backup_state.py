"""How the installation's own backups stand: when the last was made, and why the next was not."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from esl.store.tables import installation

_WORDS_LONGEST = 300


def backed_up_at(tx: Connection) -> datetime | None:
    """Say when the installation last backed itself up; None: never."""
    at: datetime | None = tx.execute(select(installation.c.backed_up_at)).scalar_one()
    return at


def backup_problem(tx: Connection) -> str | None:
    """Say why it could not, in words; None: it could."""
    words: str | None = tx.execute(select(installation.c.backup_problem)).scalar_one()
    return words


def note_backup(tx: Connection, now: datetime) -> None:
    """Note that all went well."""
    tx.execute(update(installation).values(backed_up_at=now, backup_problem=None))


def forget_problem(tx: Connection) -> None:
    """Note that nothing is wrong, as none is expected."""
    tx.execute(update(installation).values(backup_problem=None))


def note_failure(tx: Connection, words: str) -> None:
    """Note why it did not; it is a problem that every store shows."""
    tx.execute(update(installation).values(backup_problem=words[:_WORDS_LONGEST]))
