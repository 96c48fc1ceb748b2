"""Running folders: each source in a thread of its own, so that none waits for another's server."""

import asyncio
import threading
from dataclasses import dataclass, field

import structlog

from api.listeners.folders.hold import Desk
from api.listeners.folders.pickup import Pickup
from api.listeners.folders.sources import FolderSources
from api.listeners.own_thread import in_own_thread
from esl.domain.errors import Unavailable
from esl.domain.ids import SourceId
from esl.store import connectors

LOOK_EVERY_S = 1.0
FAULT_PAUSE_S = 60.0
"""How long a source rests whose folder a fault of ours stumbles over."""

STOP_S = 5.0

log = structlog.get_logger()


@dataclass(slots=True)
class _Running:
    """A source at work."""

    of: int
    pickup: Pickup
    every_s: float
    next_s: float = 0.0
    idle: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Begin at rest."""
        self.idle.set()


class FolderRunner:
    """Looks at the folders of all sources; `run` it once, `look_once` is for tests."""

    def __init__(self, desk: Desk, sources: FolderSources) -> None:
        self._desk = desk
        self._sources = sources
        self._running: dict[SourceId, _Running] = {}

    async def run(self) -> None:
        """Look at each folder as often as its source says, until cancelled."""
        self._desk.stopping.clear()
        try:
            await asyncio.to_thread(self._let_go)
            async with asyncio.TaskGroup() as tasks:
                while True:
                    for source_id, running in await asyncio.to_thread(self._due):
                        running.idle.clear()
                        tasks.create_task(
                            self._look(source_id, running), name=f"folder {source_id}"
                        )
                    await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._desk.stopping.set()
            await self._stop()

    async def _stop(self) -> None:
        """Wait a little for the threads, and end all connections."""
        until_s = self._desk.clock.monotonic_s() + STOP_S  # for all: many servers may hang
        for running in self._running.values():
            rest_s = max(0.0, until_s - self._desk.clock.monotonic_s())
            if await asyncio.to_thread(running.idle.wait, rest_s):
                await asyncio.to_thread(running.pickup.close)
        await asyncio.to_thread(self._sources.close)

    async def _look(self, source_id: SourceId, running: _Running) -> None:
        pause_s = running.every_s

        def step() -> None:
            nonlocal pause_s
            try:
                if running.pickup.step():
                    pause_s = 0.0
            except Unavailable as exc:  # of the database, or another process works here
                log.warning("folder waits", source=source_id, why=str(exc))
            except Exception:  # one folder that we stumble over must not end the others
                log.exception("folder failed by a fault of ours", source=source_id)
                pause_s = FAULT_PAUSE_S
            finally:
                running.next_s = self._desk.clock.monotonic_s() + pause_s
                running.idle.set()

        await in_own_thread(step, name=f"folder {source_id}")

    def _due(self) -> list[tuple[SourceId, _Running]]:
        try:
            known = {source.source_id: source for source in self._sources.list()}
        except Unavailable:
            return []  # whoever writes says it loudly enough
        for source_id, running in list(self._running.items()):
            now = known.get(source_id)
            if (now is None or now.of != running.of) and running.idle.is_set():
                running.pickup.close()
                del self._running[source_id]
        for source_id, source in known.items():
            if source_id not in self._running:
                self._running[source_id] = _Running(
                    of=source.of,
                    pickup=Pickup(source_id, source.rules, source.open_folder, self._desk),
                    every_s=source.rules.every.total_seconds(),
                )
        now_s = self._desk.clock.monotonic_s()
        return [
            (source_id, running)
            for source_id, running in self._running.items()
            if running.idle.is_set() and running.next_s <= now_s
        ]

    def _let_go(self) -> None:
        """Take back holds of a process that was killed, where there is no other but this one."""
        if not self._desk.database.is_sqlite:
            return
        now = self._desk.clock.now()
        try:
            names = [source.source_id for source in self._sources.list()]
            self._desk.writer.write(lambda tx: connectors.let_go(tx, names, now))
        except Unavailable as exc:
            log.warning("folders wait", why=str(exc))
