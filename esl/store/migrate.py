"""Bringing the schema up to what this version of the software knows.

Run at every start: a new database gets the whole schema, an older one the missing steps after
a backup, a newer one is refused in words. Each step runs in one transaction on both databases.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from esl.domain.errors import SetupError
from esl.store.database import Database
from esl.store.tables import installation, metadata, revision_counter

_SCRIPTS = Path(__file__).parent / "migrations"

_ONE_AT_A_TIME = 0x65736C  # "esl"; the lock's name among a database's advisory locks


def migrate(database: Database, now: datetime) -> Path | None:
    """Bring the schema up to date; return the backup file if one was made.

    Raises:
        SetupError: The database is of a newer version, is damaged, or cannot be opened.
    """
    try:
        with database.writing.begin() as tx:
            at = _revision_of(tx)
            known = {script.revision for script in _scripts().walk_revisions()}
            if at is not None and at not in known:
                raise SetupError(
                    f"the database is of a newer version of this software (schema {at}); "
                    f"start that version, or restore the backup made before its upgrade"
                )
            if at == _scripts().get_current_head():
                return None
        backup = None
        if at is not None and database.path is not None:
            backup = _back_up(Path(database.path), at)
        with database.writing.begin() as tx, _config(tx) as config:
            if not database.is_sqlite:  # several processes may start at once
                tx.execute(text("SELECT pg_advisory_xact_lock(:one)"), {"one": _ONE_AT_A_TIME})
                at = _revision_of(tx)
            command.upgrade(config, "head")
            if at is None:
                tx.execute(insert(installation).values(only_row=1, created_at=now, acted_until=now))
                tx.execute(insert(revision_counter).values(only_row=1, last_rev=0))
    except DBAPIError as exc:
        raise SetupError(f"the database cannot be opened: {exc.orig}") from exc
    return backup


def differences(database: Database) -> list[object]:
    """List where the migrated schema differs from the tables in code; empty is right."""
    with database.reading.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def time_acted_until(tx: Connection) -> datetime:
    """Return the high water of the effective clock: no earlier run acted later than this."""
    until: datetime = tx.execute(select(installation.c.acted_until)).scalar_one()
    return until


def note_time_acted(tx: Connection, now: datetime) -> None:
    """Raise the high water of the effective clock."""
    tx.execute(
        installation.update().where(installation.c.acted_until < now).values(acted_until=now)
    )


def _revision_of(tx: Connection) -> str | None:
    if not inspect(tx).has_table("alembic_version"):
        return None
    return MigrationContext.configure(tx).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_SCRIPTS))


@contextmanager
def _config(tx: Connection) -> Iterator[Config]:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = tx
    yield config


def _back_up(path: Path, at: str) -> Path:
    """Copy a SQLite database, consistently, beside itself."""
    target = path.with_name(f"{path.name}.before-upgrade-from-{at}")
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    target.chmod(0o600)
    return target
