"""The books of an installation: its database, opened, migrated and written to."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from api.backup.before_upgrade import back_up_before_upgrade
from api.clock import MachineClock
from api.metrics.meters import Meters
from api.private_files import LOCK_NAME, hold_data_folder, make_data_folder
from api.stage_clock import StageClock
from esl.domain.clock import EffectiveClock
from esl.domain.law.chosen import read_own_profiles
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
    meters: Meters = field(default_factory=Meters)


@contextlib.contextmanager
def open_books(settings: Settings, *, lock: str = LOCK_NAME) -> Iterator[Books]:
    """Hold the data folder by a lock, open and migrate the database, and write to it.

    A file of SQLite is held too: two data folders may name the same one, and what one process
    believes of it another must not change.

    Raises:
        SetupError: The lock is held, the database cannot be opened or is newer, or a law profile
            of the shop's own has a mistake.
    """
    machine = MachineClock()
    if settings.law_dir is not None:
        read_own_profiles(settings.law_dir)
    make_data_folder(settings.data_dir)
    with contextlib.ExitStack() as held:
        held.enter_context(hold_data_folder(settings.data_dir, lock))
        database = Database(settings.database_address)
        try:
            file = Path(database.path or ":memory:")
            if file.name != ":memory:" and file.parent.is_dir():  # else `migrate` refuses it
                held.enter_context(hold_data_folder(file.parent, f"{file.name}.lock"))
            backup = migrate(
                database,
                machine.wall(),
                back_up=lambda at_schema: back_up_before_upgrade(
                    settings.data_dir, database, at_schema, machine.wall()
                ),
            )
            if backup is not None:
                log.info("database upgraded", backup=str(backup))
            make_data_folder(settings.data_dir)  # a database that was made just now is narrowed too
            with database.read() as tx:
                clock = EffectiveClock(machine, not_before=time_acted_until(tx))
            stages, meters = StageClock(), Meters()
            writer = Writer(database, machine.monotonic_s, stages=stages, told=meters.note_group)
            writer.start()
            try:
                yield Books(
                    database=database, writer=writer, clock=clock, stages=stages, meters=meters
                )
            finally:
                writer.close()
        finally:
            database.close()
