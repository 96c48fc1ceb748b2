"""The controller's own backups: at an hour of the day, some kept, each copied to another machine.

::

    due ──▶ written and read back ──▶ copied away ──▶ old ones removed ──▶ noted
     ▲               └───────────────────┴── fails: a problem that every store shows
     └── an hour later, until it succeeds

The last one is noted in the database: a controller that was off at the hour makes up for it.
"""

import asyncio
import shlex
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from api.audit.files import AuditFolder
from api.backup.archive import write_backup
from api.backup.away import COPY_LONGEST_S, NAMES, send_away
from api.backup.sealed_keys import read_keys, read_passphrase, seal_keys
from api.books import Books
from api.clock import MachineClock
from api.private_files import hold_data_folder
from esl.domain.errors import EslError, SetupError
from esl.settings import Settings
from esl.store import backup_state
from esl.store.write_group import Priority

LOOK_EVERY_S: Final = 60.0
AGAIN_AFTER: Final = timedelta(hours=1)

_LOCK: Final = ".backup.lock"
_TOLD_LONGEST: Final = 150

log = structlog.get_logger()


class BackupKeeper:
    """Backs the installation up when it is time; used by one thread at a time."""

    def __init__(self, settings: Settings, books: Books) -> None:
        self._settings = settings
        self._books = books
        self._failed_at: datetime | None = None

    async def run(self) -> None:
        """Do so until cancelled; ends at once where no folder is set."""
        if self._settings.backup_folder is None:
            await asyncio.to_thread(self._forget_problem)
            return
        while True:
            await asyncio.to_thread(self.step, MachineClock().wall())
            await asyncio.sleep(LOOK_EVERY_S)

    def step(self, now: datetime) -> Path | None:
        """Make a backup if it is time; return its file."""
        folder = self._settings.backup_folder
        if folder is None or not self._is_due(now):
            return None
        try:
            path = self._back_up(folder, now)
        except EslError as exc:
            self._failed_at = now
            words = f"No backup was made: {exc}"
            log.warning("backup failed", why=str(exc))
            self._write(words, now)
            return None
        self._failed_at = None
        self._write(None, now)
        log.info("backup made", file=str(path), bytes=path.stat().st_size)
        return path

    def _is_due(self, now: datetime) -> bool:
        if self._failed_at is not None and now - self._failed_at < AGAIN_AFTER:
            return False
        try:
            with self._books.database.read() as tx:
                last = backup_state.backed_up_at(tx)
        except EslError:
            return False  # the database is away: whoever needs it says so
        return last is None or last < last_hour(now.astimezone(), self._settings.backup_hour)

    def _back_up(self, folder: Path, now: datetime) -> Path:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as exc:
            raise SetupError(f"the folder {folder} cannot be made: {exc.strerror}") from exc
        with hold_data_folder(folder, _LOCK):
            path = folder / f"esl-{now:%Y%m%d-%H%M%S}.zip"
            secret = self._settings.backup_passphrase_file
            sealed = None
            if secret is not None:
                sealed = seal_keys(read_keys(self._settings.data_dir), read_passphrase(secret))
            audit_keys = AuditFolder(self._settings.data_dir).signed_here()
            write_backup(self._books.database, path, now, sealed_keys=sealed, audit_keys=audit_keys)
            self._copy_away(path)
            forget_old(folder, self._settings.backup_keep)
            return path

    def _copy_away(self, path: Path) -> None:
        settings = self._settings
        if settings.backup_copy_command is not None:
            copy_away(settings.backup_copy_command, path)
        if settings.backup_sftp is None:
            return
        key, known_hosts = settings.backup_sftp_key_file, settings.backup_sftp_known_hosts
        if key is None or known_hosts is None:
            raise SetupError("backup_sftp needs backup_sftp_key_file and backup_sftp_known_hosts")
        send_away(
            settings.backup_sftp,
            path,
            key=key,
            known_hosts=known_hosts,
            keep=settings.backup_keep,
        )

    def _write(self, problem: str | None, now: datetime) -> None:
        try:
            if problem is None:
                self._books.writer.write(
                    lambda tx: backup_state.note_backup(tx, now), priority=Priority.HOUSEKEEPING
                )
            else:
                self._books.writer.write(
                    lambda tx: backup_state.note_failure(tx, problem),
                    priority=Priority.HOUSEKEEPING,
                )
        except EslError as exc:
            log.warning("backup not noted", why=str(exc))

    def _forget_problem(self) -> None:
        """Without a folder, no backup is expected, and none is missed."""
        try:
            with self._books.database.read() as tx:
                there = backup_state.backup_problem(tx) is not None
            if there:
                self._books.writer.write(backup_state.forget_problem)
        except EslError as exc:
            log.warning("backup not noted", why=str(exc))


def last_hour(now: datetime, hour: int) -> datetime:
    """Return the last moment at which that hour began, by the zone of ``now``."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def copy_away(command: str, path: Path) -> None:
    """Run the command that copies a backup to another machine; the file is its last argument.

    Raises:
        SetupError: It cannot be run, takes too long, or says that it failed.
    """
    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603  the owner's own command, without a shell
            [*words, str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COPY_LONGEST_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as exc:
        raise SetupError(f"it was written to {path}, but not copied away: {exc}") from exc
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        words_said = f": {said[-1][:_TOLD_LONGEST]}" if said else ""
        raise SetupError(
            f"it was written to {path.name}, but copying it away ended with status "
            f"{done.returncode}{words_said}"
        )


def forget_old(folder: Path, keep: int) -> None:
    """Remove all backups of ours but the newest; files with other names are left alone."""
    ours = sorted(path for path in folder.iterdir() if NAMES.fullmatch(path.name))
    for path in ours[:-keep]:
        path.unlink(missing_ok=True)
