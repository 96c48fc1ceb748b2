"""The engine of hot folders on a table: a database, a writer, an import worker, time to turn.

Everything is real but the clock. A `Fuse` kills the engine at a step of its own choice: as it is
about to do something to the folder or the database, or the moment it has.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from sqlalchemy import Connection, select

from api.books import Books
from api.imports.worker import ImportWorker
from api.listeners.folders.folder import Found
from api.listeners.folders.hold import HOLD, Desk
from api.listeners.folders.local import LocalFolder
from api.listeners.folders.pickup import Pickup
from api.listeners.folders.rules import home_of, read_rules, roots_of
from api.stage_clock import StageClock
from esl.domain.clock import EffectiveClock
from esl.domain.guards import Guards
from esl.domain.ids import SourceId, StoreId
from esl.domain.import_job import ImportMode
from esl.domain.place import Store
from esl.domain.source import Source, SourceKind
from esl.settings import Settings
from esl.store import guarding, places, sources
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.tables import import_jobs, prices, seen_files
from esl.store.writer import Writer
from tests.builders import NOON, SimulatedClock
from tests.imports import PLAIN

T = TypeVar("T")
MAIN = StoreId("main")


class Killed(BaseException):
    """The process is no more: nobody catches it."""


class Fuse:
    """Lets so many steps pass, and kills at the next; None never does."""

    def __init__(self, steps: int | None = None) -> None:
        self._left = steps

    def __call__(self) -> None:
        """Take a step."""
        if self._left is not None:
            if self._left == 0:
                raise Killed
            self._left -= 1

    def around(self, work: Callable[[], T]) -> T:
        """Do something between two steps."""
        self()
        done = work()
        self()
        return done


class FusedFolder(LocalFolder):
    """A folder that may be the last thing its process touched."""

    fuse = Fuse()

    def list(self, wanted: Callable[[str], bool]) -> list[Found]:
        return self.fuse.around(lambda: super(FusedFolder, self).list(wanted))

    def look(self, name: str) -> Found | None:
        return self.fuse.around(lambda: super(FusedFolder, self).look(name))

    def open(self, name: str) -> BinaryIO:
        self.fuse()
        return super().open(name)

    def move(self, found: Found, folder: str) -> str:
        return self.fuse.around(lambda: super(FusedFolder, self).move(found, folder))

    def write(self, name: str, data: bytes, folder: str = "") -> None:
        self.fuse.around(lambda: super(FusedFolder, self).write(name, data, folder))

    def remove(self, name: str) -> None:
        self.fuse.around(lambda: super(FusedFolder, self).remove(name))


class _FusedWriter:
    def __init__(self, writer: Writer, fuse: Fuse) -> None:
        self._writer = writer
        self._fuse = fuse

    def write(self, work: Callable[[Connection], T], **how: Any) -> T:
        return self._fuse.around(lambda: self._writer.write(work, **how))


class Rig:
    """A controller's side of hot folders, on one database."""

    def __init__(self, data_dir: Path, url: str, machine: SimulatedClock) -> None:
        self.settings = Settings(data_dir=data_dir)
        self.machine = machine
        self.clock = EffectiveClock(machine)
        self.database = Database(url)
        migrate(self.database, NOON)
        self.writer = Writer(self.database, machine.monotonic_s)
        self.writer.start()
        books = Books(
            database=self.database, writer=self.writer, clock=self.clock, stages=StageClock()
        )
        self.worker = ImportWorker(self.settings, books)

    def close(self) -> None:
        """Close all that was opened."""
        self.writer.close()
        self.database.close()

    def prepare(self) -> None:
        """Make a store that is not guarded, and a mapping."""

        def work(tx: Connection) -> None:
            store = Store(
                store_id=MAIN,
                name="Main",
                currency="EUR",
                locale="hr_HR",
                timezone="Europe/Zagreb",
                link_base=None,
            )
            places.put_store(tx, store)
            guarding.put_guards(tx, MAIN, Guards(on=False))

        self.writer.write(work)
        self.save_mapping("plain", PLAIN)

    def save_mapping(self, name: str, document: str) -> None:
        """Save a mapping."""
        self.writer.write(lambda tx: sources.save_mapping(tx, name, document, NOON, by="tests"))

    def folder(self, name: str, *, mapping: str = "plain", **settings: str) -> Path:
        """Register a source, and return its folder."""
        source = Source(
            source_id=SourceId(name),
            name=name,
            store_id=MAIN,
            kind=SourceKind.HOT_FOLDER,
            mapping=mapping,
            accepts_full=settings.get("mode") == ImportMode.FULL.value,
            settings={"folder": name, "pickup": "rename"} | settings,
        )
        self.writer.write(lambda tx: sources.put_source(tx, source, self.clock.now()))
        path = home_of(self.settings) / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def set(self, name: str, *, disabled: bool = False, **settings: str) -> None:
        """Change a source, as over HTTP."""

        def work(tx: Connection) -> None:
            held = sources.source_named(tx, SourceId(name))
            changed = {**held.settings, **settings}
            after = replace(held, disabled=disabled, settings=changed)
            sources.put_source(tx, after, self.clock.now())

        self.writer.write(work)

    def pickup(self, name: str, fuse: Fuse | None = None) -> Pickup:
        """Begin to work on a source's folder, as a process does that was just started."""
        fuse = fuse or Fuse()
        with self.database.read() as tx:
            rules = read_rules(sources.source_named(tx, SourceId(name)))

        def open_folder() -> FusedFolder:
            roots, home = roots_of(self.settings), home_of(self.settings)
            folder = FusedFolder(rules.folder, roots=roots, home=home)
            folder.fuse = fuse
            return folder

        def wake() -> None:
            fuse.around(self.take_jobs)

        desk = Desk(
            database=self.database,
            writer=cast(Writer, _FusedWriter(self.writer, fuse)),
            clock=self.clock,
            spool=self.worker.spool,
            wake=wake,
            stopping=threading.Event(),
            most_bytes=2**20,
        )
        return Pickup(SourceId(name), rules, open_folder, desk)

    def take_jobs(self) -> None:
        """Run the import jobs that wait."""
        while self.worker.work_once():
            pass

    def start_again(self) -> None:
        """Be a process that starts after one was killed: its hold has run out."""
        self.machine.pass_s(HOLD.total_seconds() + 1)
        self.worker.tidy()
        self.take_jobs()

    def price(self, sku: str) -> int | None:
        """Return what a product costs, in minor units."""
        query = select(prices.c.price_minor).where(prices.c.sku == sku)
        with self.database.read() as tx:
            found = tx.execute(query).scalar_one_or_none()
        return None if found is None else int(found)

    def jobs(self, source: str) -> list[tuple[str, str, int]]:
        """List the jobs of a source's files: title, state, products accepted."""
        query = (
            select(import_jobs.c.title, import_jobs.c.state, import_jobs.c.accepted)
            .where(import_jobs.c.source == source)
            .order_by(import_jobs.c.created_at, import_jobs.c.title)
        )
        with self.database.read() as tx:
            return [tuple(row) for row in tx.execute(query)]

    def states(self, source: str) -> list[str]:
        """List the states of a source's files."""
        query = select(seen_files.c.state).where(seen_files.c.source == source)
        with self.database.read() as tx:
            return sorted(tx.execute(query).scalars())


@contextlib.contextmanager
def rig_on(data_dir: Path, url: str, machine: SimulatedClock | None = None) -> Iterator[Rig]:
    """Open a rig; its database may be another's too, then it was `Rig.prepare`d there."""
    rig = Rig(data_dir, url, machine or SimulatedClock())
    try:
        yield rig
    finally:
        rig.close()
