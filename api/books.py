"""The books of an installation: its database, opened, migrated and written to."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from api.clock import MachineClock
from api.private_files import LOCK_NAME, hold_data_folder, make_data_folder
from api.stage_clock import StageClock
from esl.domain.clock import EffectiveClock
from esl.settings import Settings
from esl.store.database import Database
from esl.store.migrate import migrate, time_acted_until
from esl.store.writer import Writer

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The open database of an installation, and this process's writer to it."""

    database: Database
    writer: Writer
    clock: EffectiveClock
    stages: StageClock


@contextlib.contextmanager
def open_books(settings: Settings, *, lock: str = LOCK_NAME) -> Iterator[Books]:
    """Hold the data folder by a lock, open and migrate the database, and write to it.

    Raises:
        SetupError: The lock is held, or the database cannot be opened or is newer.
    """
    machine = MachineClock()
    make_data_folder(settings.data_dir)
    with hold_data_folder(settings.data_dir, lock):
        database = Database(settings.database_address)
        try:
            backup = migrate(database, machine.wall())
            if backup is not None:
                log.info("database upgraded", backup=str(backup))
            with database.read() as tx:
                clock = EffectiveClock(machine, not_before=time_acted_until(tx))
            stages = StageClock()
            writer = Writer(database, machine.monotonic_s, stages=stages)
            writer.start()
            try:
                yield Books(database=database, writer=writer, clock=clock, stages=stages)
            finally:
                writer.close()
        finally:
            database.close()
