"""The backup before an upgrade of PostgreSQL; a file of SQLite is copied by `esl.store.migrate`."""

from datetime import datetime
from pathlib import Path
from typing import Final

from api.backup.archive import write_backup
from esl.domain.errors import SetupError
from esl.store.database import Database

KEPT: Final = 3

_PATTERN: Final = "before-upgrade-from-*.zip"


def back_up_before_upgrade(data_dir: Path, database: Database, schema: str, now: datetime) -> Path:
    """Write a backup without keys, which stay where they are, and keep the newest few.

    Raises:
        SetupError: It cannot be written, so that nothing must be upgraded.
    """
    folder = data_dir / "backups"
    try:
        folder.mkdir(exist_ok=True, mode=0o700)
        path = folder / f"before-upgrade-from-{schema}-{now:%Y%m%d-%H%M%S}.zip"
        path.unlink(missing_ok=True)
        write_backup(database, path, now, sealed_keys=None)
        found = sorted(folder.glob(_PATTERN), key=lambda one: one.stat().st_mtime_ns)
        for old in found[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError as exc:
        raise SetupError(f"the backup before the upgrade cannot be written: {exc}") from exc
    return path
