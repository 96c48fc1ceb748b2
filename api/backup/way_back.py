"""The way back to the version before: what was made before an upgrade takes the database's place.

    SQLite       copy ──▶ draft ──▶ settled ──▶ checked ──▶ in the place of esl.db, by one rename
    PostgreSQL   tables dropped ──▶ rows of the backup ──▶ settled              (one transaction)

What the newer version has made of the database is put aside first, and nothing ever deletes it.
Whatever cuts this off leaves the one or the other. What was accepted since the upgrade is not in
the copy: it is listed, so that it can be sent again.
"""

import contextlib
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, delete, inspect, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from api.backup.archive import OpenBackup, Progress, check_backup, open_backup, write_backup
from api.backup.restore import write_tables
from api.private_files import LOCK_NAME, hold_data_folder, make_data_folder
from esl.domain.errors import SetupError
from esl.domain.ids import StoreId
from esl.settings import Settings
from esl.store import audit
from esl.store.backup_rows import last_revision, take_your_time
from esl.store.backup_tables import left_out_tables
from esl.store.database import Database, unavailable
from esl.store.migrate import newest_schema, schema_of
from esl.store.restored import settle_anew
from esl.store.since import Marks, Since, accepted_since, done_since, marks_of

_SIDE_FILES = ("-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """What going back would do; `go` does it, and returns where the newer database is put."""

    source: Path
    made_at: datetime
    schema: str  # that the database then has
    schema_now: str
    since: dict[StoreId, Since]
    done: Counter[str]  # what else was decided since, by the audit's actions
    go: Callable[[datetime, Progress], Path]


@contextlib.contextmanager
def way_back(settings: Settings, source: Path | None = None) -> Iterator[WayBack]:
    """Hold the database, and say what going back to before its last upgrade would do.

    ``source`` is the copy or backup that takes its place; None: the newest that was made before
    an upgrade.

    Raises:
        SetupError: A controller uses it, there is no such copy, the database was not upgraded
            since, or this version cannot read one of both. Nothing was changed.
        BackupDamaged: A part of the backup is.
    """
    if not settings.data_dir.is_dir():
        raise SetupError(f"there is no folder {settings.data_dir}; name it with --data")
    make_data_folder(settings.data_dir)
    with contextlib.ExitStack() as held:
        held.enter_context(hold_data_folder(settings.data_dir, LOCK_NAME))
        database = Database(settings.database_address)
        held.callback(database.close)
        held.enter_context(_in_words())
        if database.path is not None:
            yield held.enter_context(_from_copy(database, Path(database.path), source))
        else:
            yield held.enter_context(_from_backup(database, settings.data_dir, source))


# ── SQLite ──────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def _from_copy(database: Database, path: Path, source: Path | None) -> Iterator[WayBack]:
    if not path.is_file():
        raise SetupError(f"there is no database at {path}; name its folder with --data")
    copy = source or _newest(path.parent, f"{path.name}.before-upgrade-from-*")
    if not copy.is_file():
        raise SetupError(f"there is no file {copy}")
    draft = path.with_name(f"{path.name}.way-back.draft")
    with contextlib.ExitStack() as held:
        held.enter_context(hold_data_folder(path.parent, f"{path.name}.lock"))
        held.callback(_remove, draft)
        _remove(draft)
        _copy_privately(copy, draft)
        old = Database(f"sqlite:///{draft}")
        held.callback(old.close)
        with old.read() as tx:
            schema, marks, last_rev = schema_of(tx), marks_of(tx), last_revision(tx)

        def go(now: datetime, progress: Progress) -> Path:
            with old.writing.begin() as tx:
                for table in left_out_tables(tx):
                    tx.execute(delete(table))
                    progress(str(table.name), 0)
                _settle(tx, now, last_rev=max(last_rev, last_now), made_at=made_at, schema=schema)
            old.close()
            _close_log(draft)
            database.close()
            _close_log(path)
            aside = _aside(path.parent, f"{path.name}.after-upgrade-{schema_now}", now, "")
            _keep(path, aside)
            draft.replace(path)
            _sync(path.parent)
            return aside

        with database.read() as tx:
            schema_now, last_now = schema_of(tx), last_revision(tx)
            schema = _check(schema, schema_now, copy)
            since, done = accepted_since(tx, marks), done_since(tx, marks)
        made_at = datetime.fromtimestamp(copy.stat().st_mtime, UTC)
        yield WayBack(
            source=copy,
            made_at=made_at,
            schema=schema,
            schema_now=str(schema_now),
            since=since,
            done=done,
            go=go,
        )


def _copy_privately(copy: Path, draft: Path) -> None:
    try:
        with copy.open("rb") as source:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
    except OSError as exc:
        raise SetupError(f"{copy} cannot be copied to {draft}: {exc.strerror}") from exc


def _close_log(path: Path) -> None:
    """Write the log into the file, so that the file is all there is, whole and on the disk.

    Raises:
        SetupError: Another process holds it, or it is damaged.
    """
    with contextlib.closing(sqlite3.connect(path)) as opened:
        if opened.execute("PRAGMA journal_mode=DELETE").fetchone() != ("delete",):
            raise SetupError(f"another process uses {path}: stop it, and run this again")
        said = opened.execute("PRAGMA quick_check(1)").fetchone()
    if said != ("ok",):
        raise SetupError(f"{path} is damaged ({said[0]}); nothing was changed")
    with path.open("rb") as file:
        os.fsync(file.fileno())
    for ending in _SIDE_FILES:  # of a controller that was killed: beside another file, it is ruined
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)


def _keep(path: Path, aside: Path) -> None:
    """Give a file a second name; a copy where the file system knows no links."""
    try:
        os.link(path, aside)
    except OSError:
        _copy_privately(path, aside)


def _remove(draft: Path) -> None:
    for ending in ("", *_SIDE_FILES):
        draft.with_name(f"{draft.name}{ending}").unlink(missing_ok=True)


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def _from_backup(database: Database, data_dir: Path, source: Path | None) -> Iterator[WayBack]:
    backup = source or _newest(data_dir / "backups", "before-upgrade-from-*.zip")
    manifest = check_backup(backup)
    with open_backup(backup) as opened:
        with database.read() as tx:
            schema_now, last_now = schema_of(tx), last_revision(tx)
            schema = _check(manifest.schema, schema_now, backup)
            ours = int(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())
            _check_alone(tx, ours)
            marks = _marks_in(opened)
            since, done = accepted_since(tx, marks), done_since(tx, marks)

        def go(now: datetime, progress: Progress) -> Path:
            folder = data_dir / "backups"
            aside = _aside(folder, f"after-upgrade-{schema_now}", now, ".zip")
            write_backup(database, aside, now, sealed_keys=None, progress=progress)
            with database.writing.begin() as tx:
                take_your_time(tx)
                _check_alone(tx, ours)
                _drop_everything(tx)
                write_tables(tx, opened, progress)
                _settle(
                    tx,
                    now,
                    last_rev=max(manifest.last_rev, last_now),
                    made_at=manifest.made_at,
                    schema=schema,
                )
            return aside

        yield WayBack(
            source=backup,
            made_at=manifest.made_at,
            schema=schema,
            schema_now=str(schema_now),
            since=since,
            done=done,
            go=go,
        )


def _check_alone(tx: Connection, ours: int) -> None:
    """Refuse where anybody but us, by the process ids of our two lines, uses the database."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid NOT IN (pg_backend_pid(), :ours)"
    )
    others = tx.execute(query, {"ours": ours}).scalar_one()
    if others:
        raise SetupError(
            f"others use the database too ({others} connections): stop every controller and "
            f"worker on it, and run this again"
        )


def _marks_in(opened: OpenBackup) -> Marks:
    """Read how far a backup goes."""
    parts = {part.table: part for part in opened.manifest.parts}

    def values(table: str, *names: str) -> Iterator[tuple[object, ...]]:
        for columns, rows in opened.rows(parts[table]) if table in parts else ():
            places = [list(columns).index(name) for name in names]
            for row in rows:
                yield tuple(row[place] for place in places)

    def highest(table: str, name: str) -> int:
        return max((int(str(number)) for (number,) in values(table, name)), default=0)

    return Marks(
        event_id=highest("price_event", "event_id"),
        schedule_id=highest("scheduled_price", "schedule_id"),
        entry_id=highest("audit_entry", "entry_id"),
        known={(str(store), str(sku)) for store, sku in values("product", "store_id", "sku")},
    )


def _drop_everything(tx: Connection) -> None:
    for table in inspect(tx).get_table_names():
        tx.execute(text(f'DROP TABLE "{table}" CASCADE'))
    for sequence in inspect(tx).get_sequence_names():
        tx.execute(text(f'DROP SEQUENCE IF EXISTS "{sequence}" CASCADE'))
    functions = text(
        "SELECT p.oid::regprocedure::text FROM pg_proc p"
        " WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS"
        " (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
    )
    for function in tx.execute(functions).scalars().all():  # none of an extension's
        tx.execute(text(f"DROP FUNCTION {function} CASCADE"))


# ── Both ────────────────────────────────────────────────────────────────────────────────────


def _newest(folder: Path, pattern: str) -> Path:
    found = [one for one in folder.glob(pattern) if one.suffix != ".draft"]
    if not found:
        raise SetupError(
            f"{folder} holds nothing that was made before an upgrade ({pattern}); "
            f"name a copy or backup that you kept, as FILE"
        )
    return max(found, key=lambda one: one.stat().st_mtime_ns)


def _check(then: str | None, now: str | None, source: Path) -> str:
    if then is None or now is None:
        raise SetupError(f"{source if then is None else 'the database'} holds no books of ours")
    if then > newest_schema():
        raise SetupError(
            f"{source} is of a newer version of this software (schema {then}, this version knows "
            f"up to {newest_schema()}): install that version"
        )
    if then >= now:
        raise SetupError(
            f"the database was not upgraded since {source.name} was made: both have schema {now}; "
            f"to go back to another copy, name it as FILE"
        )
    return then


def _settle(
    tx: Connection, now: datetime, *, last_rev: int, made_at: datetime, schema: str | None
) -> None:
    settle_anew(tx, now, last_rev=last_rev)
    audit.note(
        tx,
        now,
        actor="operator",
        action="way_back",
        subject="installation",
        reason=f"gone back to before an upgrade, made {made_at:%Y-%m-%d %H:%M:%S} UTC",
        detail={"schema": schema},
    )


def _aside(folder: Path, name: str, now: datetime, ending: str) -> Path:
    found = folder / f"{name}-{now:%Y%m%d-%H%M%S}{ending}"
    if found.exists():
        raise SetupError(f"{found} is there already; run this again in a second")
    return found


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise SetupError(f"the database cannot be used ({exc}); it is as it was") from exc
    except DBAPIError as exc:
        raise SetupError(
            f"this version cannot put back what another one wrote ({exc.orig}), and the database "
            f"is as it was: install the version that you go back to, and run this there"
        ) from exc
    except SQLAlchemyError as exc:
        raise unavailable(exc) from exc
