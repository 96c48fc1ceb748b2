"""Bringing the schema up to what this version of the software knows.

Run at every start: a new database gets the whole schema, an older one the missing steps after
a backup, a newer one is refused in words. Each step runs in one transaction on both databases.

A script's file begins with its revision (``0006_….py``), so that a database that is up to date is
known without Alembic, whose import alone takes a tenth of a second of every start.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

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

COPIES_KEPT: Final = 3
"""Copies of SQLite files from before upgrades that stay beside it: the newest."""


def migrate(
    database: Database,
    now: datetime,
    *,
    back_up: Callable[[str], Path] | None = None,
) -> Path | None:
    """Bring the schema up to date; return the backup file if one was made.

    A file of SQLite is copied beside itself. For PostgreSQL ``back_up`` is called with the
    revision that the database has; whoever leaves it out upgrades without a backup.

    Raises:
        SetupError: The database is of a newer version, is damaged, cannot be opened, or its backup
            cannot be written; then nothing of it was changed.
    """
    try:
        with database.writing.begin() as tx:
            at = schema_of(tx)
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
            backup = _copy(Path(database.path), at)
        elif at is not None and back_up is not None:
            backup = back_up(at)
        with database.writing.begin() as tx, _config(tx) as config:
            if not database.is_sqlite:  # several processes may start at once
                tx.execute(text("SET LOCAL statement_timeout = 0"))  # an upgrade takes its time
                tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                tx.execute(text("SELECT pg_advisory_xact_lock(:one)"), {"one": _ONE_AT_A_TIME})
                at = schema_of(tx)
            _upgrade(config)
            if at is None:
                tx.execute(insert(installation).values(only_row=1, created_at=now, acted_until=now))
                tx.execute(insert(revision_counter).values(only_row=1, last_rev=0))
    except DBAPIError as exc:
        raise SetupError(f"the database cannot be opened: {exc.orig}") from exc
    return backup


def is_current(tx: Connection) -> bool:
    """Say whether the schema is the one that this version knows."""
    return schema_of(tx) == _newest()


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


def upgrade_to(tx: Connection, schema: str) -> None:
    """Bring an empty or older schema up to a revision; no row is put into it.

    Raises:
        SetupError: This version does not know that revision.
    """
    if schema not in {script.revision for script in _scripts().walk_revisions()}:
        raise SetupError(
            f"this is of a newer version of this software (schema {schema}, this version knows "
            f"up to {_newest()}); take that version"
        )
    with _config(tx) as config:
        _upgrade(config, schema)


def newest_schema() -> str:
    """Name the revision that `migrate` brings a database to."""
    return _newest()


def schema_of(tx: Connection) -> str | None:
    """Name the revision of a database's schema; None if it has none."""
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


def _upgrade(config: "Config", schema: str = "head") -> None:
    from alembic import command  # noqa: PLC0415

    command.upgrade(config, schema)


@contextmanager
def _config(tx: Connection) -> Iterator["Config"]:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = tx
    yield config


def _copy(path: Path, at: str) -> Path:
    """Copy a SQLite database, consistently, beside itself; whole and on the disk, or not at all."""
    target = path.with_name(f"{path.name}.before-upgrade-from-{at}")
    draft = target.with_name(f"{target.name}.draft")
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(draft)) as copy:
            source.backup(copy)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
        _forget_copies(path)
    except (OSError, sqlite3.Error) as exc:
        draft.unlink(missing_ok=True)
        raise SetupError(
            f"the database was not upgraded, as its backup {target} cannot be written: {exc}"
        ) from exc
    return target


def _forget_copies(path: Path) -> None:
    copies = [
        one
        for one in path.parent.glob(f"{path.name}.before-upgrade-from-*")
        if one.suffix != ".draft"
    ]
    copies.sort(key=lambda one: one.stat().st_mtime_ns, reverse=True)
    for old in copies[COPIES_KEPT:]:
        old.unlink(missing_ok=True)
