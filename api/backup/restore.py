"""Putting a backup back: into an empty database alone, and in one transaction.

    read all of it ──▶ keys opened ──▶ schema of then ──▶ rows ──▶ schema of now ──▶ all due again
                                       └────────────────── one transaction ───────────────────┘

So an older backup comes up to date on the way, and whatever cuts this off leaves the database as
empty as it was. What the shop did since the backup is dealt with by `esl.store.restored`.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from api.audit.files import AuditFolder
from api.backup.archive import OpenBackup, Progress, check_backup, open_backup
from api.backup.manifest import BackupDamaged, Manifest
from api.backup.sealed_keys import check_place, open_keys, read_keys, write_keys
from api.private_files import LOCK_NAME, hold_data_folder, make_data_folder, signing_key
from esl.domain.errors import SetupError
from esl.domain.ids import GatewayId
from esl.settings import Settings
from esl.store import audit, places, signing
from esl.store.backup_rows import clear, is_empty, set_sequences, take_your_time, write_rows
from esl.store.backup_tables import LEFT_OUT, tables_to_keep
from esl.store.database import Database, unavailable
from esl.store.migrate import newest_schema, upgrade_to
from esl.store.restored import forget_lost_secrets, settle_anew
from esl.store.sealed import SealedSecret, sealed_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came back, and what a person has to do now."""

    manifest: Manifest
    key_id: str
    is_new_key: bool
    gateways: tuple[GatewayId, ...]
    lost: tuple[SealedSecret, ...]  # secrets that nobody can open any more


def restore(
    path: Path,
    settings: Settings,
    now: datetime,
    *,
    passphrase: str | None,
    keeps_keys: bool = False,
    progress: Progress = lambda _table, _rows: None,
) -> Restored:
    """Restore a backup into an empty database and data folder; without a passphrase, no keys.

    ``keeps_keys`` says that the folder's keys are this installation's, and were not lost.

    Raises:
        SetupError: The database is not empty, the folder holds other keys, the passphrase is
            another, or the backup is of a newer version.
        BackupDamaged: A part of it is; nothing was written.
    """
    manifest = check_backup(path)
    if manifest.schema > newest_schema():
        raise SetupError(
            f"the backup is of a newer version of this software ({manifest.product}, schema "
            f"{manifest.schema}; this one knows up to {newest_schema()}): install that version"
        )
    make_data_folder(settings.data_dir)
    with contextlib.ExitStack() as held:
        held.enter_context(hold_data_folder(settings.data_dir, LOCK_NAME))
        opened = held.enter_context(open_backup(path))
        keys = read_keys(settings.data_dir) if keeps_keys else _keys_of(opened, passphrase)
        check_place(settings.data_dir, keys)
        if keeps_keys and "signing.pem" not in keys:
            raise SetupError(f"{settings.data_dir / 'keys'} holds no signing key to keep")
        if not keys and any((settings.data_dir / "keys").iterdir()):
            raise SetupError(
                f"{settings.data_dir / 'keys'} holds keys already; name an empty folder, or say "
                f"that they are this installation's with --keep-keys"
            )
        database = held.enter_context(contextlib.closing(Database(settings.database_address)))
        with _in_words():
            return _write(database, opened, settings.data_dir, keys, now, progress)


def _keys_of(opened: OpenBackup, passphrase: str | None) -> dict[str, bytes]:
    if passphrase is None:
        return {}
    sealed = opened.keys()
    if sealed is None:
        raise SetupError("this backup holds no keys; restore it with --without-keys")
    return open_keys(sealed, passphrase)


def _write(
    database: Database,
    opened: OpenBackup,
    data_dir: Path,
    keys: dict[str, bytes],
    now: datetime,
    progress: Progress,
) -> Restored:
    manifest = opened.manifest
    with database.writing.begin() as tx:
        take_your_time(tx)
        if not is_empty(tx):
            raise SetupError(
                "the database is not empty, and nothing is ever restored over what is there; "
                "name another with --database, or another folder with --data"
            )
        write_tables(tx, opened, progress)
        upgrade_to(tx, newest_schema())
        settle_anew(tx, now, last_rev=manifest.last_rev)
        known = signing.signing_key_id(tx)
        write_keys(data_dir, keys)
        key = signing_key(data_dir)
        audit_folder = AuditFolder(data_dir)
        for public_key in opened.audit_keys():
            audit_folder.note_key(public_key)
        lost = () if keys else tuple(sealed_secrets(tx))
        if not keys:
            forget_lost_secrets(tx)
            signing.note_signing_key(tx, key.key_id)
        audit.note(
            tx,
            now,
            actor="operator",
            action="restore",
            subject="installation",
            reason=f"restored from the backup of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC",
            detail={"product": manifest.product, "schema": manifest.schema, "keys": bool(keys)},
        )
        return Restored(
            manifest=manifest,
            key_id=key.key_id,
            is_new_key=not keys and key.key_id != known,
            gateways=tuple(one.gateway_id for one in places.list_gateways(tx)),
            lost=lost,
        )


def write_tables(tx: Connection, opened: OpenBackup, progress: Progress) -> None:
    """Write the rows of a backup into an empty database, in the schema that they were read of.

    Raises:
        BackupDamaged: A part of it is.
    """
    manifest = opened.manifest
    parts = {part.table: part for part in manifest.parts if part.table}
    upgrade_to(tx, manifest.schema)
    tables = tables_to_keep(tx)
    unknown = sorted(parts.keys() - {table.name for table in tables} - LEFT_OUT.keys())
    if unknown:
        raise BackupDamaged(f"there is no table {unknown[0]} in schema {manifest.schema}")
    clear(tx, tables)
    for table in tables:
        count = 0
        for columns, rows in opened.rows(parts[table.name]) if table.name in parts else ():
            try:
                write_rows(tx, table, columns, rows)
            except (KeyError, TypeError, ValueError) as exc:
                raise BackupDamaged(
                    f"{parts[table.name].name} holds what no backup of its schema holds: {exc}"
                ) from exc
            count += len(rows)
            progress(table.name, count)
    set_sequences(tx, tables)


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except DBAPIError as exc:
        raise SetupError(f"the database did not take it, and is empty: {exc.orig}") from exc
    except SQLAlchemyError as exc:
        raise unavailable(exc) from exc
