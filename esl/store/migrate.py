"""Bringing the schema up to what this version of the software knows.

Run at every start: a new database gets the whole schema, an older one the missing steps after
a backup, a newer one is refused in words. Each step runs in one transaction on both databases.

A script's file begins with its revision (``0006_….py``), so that a database that is up to date is
known without Alembic, whose import alone takes a tenth of a second of every start.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from esl.domain.errors import SetupError
from esl.store.database import Database
from esl.store.tables import installation, metadata, revision_counter

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

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
            if at is not None and at == _newest():
                return None
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
                tx.execute(text("SET LOCAL statement_timeout = 0"))  # an upgrade takes its time
                tx.execute(text("SELECT pg_advisory_xact_lock(:one)"), {"one": _ONE_AT_A_TIME})
                at = _revision_of(tx)
            _upgrade(config)
            if at is None:
                tx.execute(insert(installation).values(only_row=1, created_at=now, acted_until=now))
                tx.execute(insert(revision_counter).values(only_row=1, last_rev=0))
    except DBAPIError as exc:
        raise SetupError(f"the database cannot be opened: {exc.orig}") from exc
    return backup


def differences(database: Database) -> list[object]:
    """List where the migrated schema differs from the tables in code; empty is right."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

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
    at: str | None = tx.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return at


def _newest() -> str:
    """Name the last revision that this version knows, by the names of the scripts' files."""
    return max(path.name.split("_")[0] for path in (_SCRIPTS / "versions").glob("[0-9]*_*.py"))


def _scripts() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory(str(_SCRIPTS))


def _upgrade(config: "Config") -> None:
    from alembic import command  # noqa: PLC0415

    command.upgrade(config, "head")


@contextmanager
def _config(tx: Connection) -> Iterator["Config"]:
    from alembic.config import Config  # noqa: PLC0415

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
