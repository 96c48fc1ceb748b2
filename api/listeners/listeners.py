"""All listeners of one process, and what tells tills and other systems, opened with the house.

They run beside its delivery.

Several processes may run them on one database: events and connectors are claimed, so each is
worked on by one at a time.
"""

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Callable

from api.books import Books
from api.broker_access.address import broker_at
from api.imports.worker import ImportWorker
from api.listeners.connectors.runner import ConnectorRunner
from api.listeners.event_recorder import EventRecorder
from api.listeners.event_teller import EventTeller
from api.listeners.folders.hold import Desk
from api.listeners.folders.runner import FolderRunner
from api.listeners.folders.sources import FolderSources
from api.listeners.hook_door import HookDoor
from api.listeners.hook_inbox import HookInbox
from api.listeners.hook_sources import RememberedSources
from api.listeners.mqtt_in import MqttIn
from api.listeners.notifier import Notifier
from api.listeners.registered import RegisteredSources, note_read, take
from api.listeners.till_teller import TillTeller
from api.token_memory import always
from esl.domain.ids import LabelId
from esl.settings import Settings
from gateway.mqtt import BrokerAddress
from gateway.worker import Notice


class Listeners:
    """Webhooks, connectors, MQTT, and folders of files, which ``imports`` takes.

    ``broker`` is the house's. ``hears`` says whether what other processes change reaches us.
    """

    def __init__(
        self,
        settings: Settings,
        books: Books,
        imports: ImportWorker,
        *,
        broker: BrokerAddress,
        hears: Callable[[], bool] = always,
    ) -> None:
        self._tell: Callable[[Notice], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        registered = RegisteredSources(books.database, settings.data_dir, books.clock)
        self.connectors = ConnectorRunner(
            books.database,
            books.writer,
            books.clock,
            take,
            polled=registered.polled,
            note_read=note_read,
            tell=self._changed,
        )
        self.inbox = HookInbox(
            books.writer,
            books.clock,
            registered.listened,
            take,
            tell=self._changed,
            wake_connectors=self.connectors.wake,
        )
        if settings.mqtt_in_url is not None:
            broker = broker_at(settings.mqtt_in_url, settings)
        self.mqtt = MqttIn(books, broker, tell=self._changed)
        self.door = HookDoor(
            sources=RememberedSources(registered, books.clock.monotonic_s, hears),
            monotonic_s=books.clock.monotonic_s,
            wake=self.inbox.wake,
        )

        self._imports = imports
        self.tills = TillTeller(books, settings.data_dir)
        self.events = EventTeller(books, settings.data_dir, chance=secrets.SystemRandom().random)
        self.recorder = EventRecorder(books)
        self.notifier = Notifier(books, settings.data_dir)
        self.folders = FolderRunner(
            Desk(
                database=books.database,
                writer=books.writer,
                clock=books.clock,
                spool=imports.spool,
                wake=self._wake_imports,
                stopping=threading.Event(),
                most_bytes=settings.import_largest_mib * 2**20,
            ),
            FolderSources(settings, books.database, books.clock),
        )

    async def run(self, tell: Callable[[Notice], None]) -> None:
        """Listen until cancelled; ``tell`` hears, on the loop, of labels that changed."""
        self._tell, self._loop = tell, asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.inbox.run(), name="webhooks")
            tasks.create_task(self.connectors.run(), name="connectors")
            tasks.create_task(self.mqtt.run(), name="mqtt in")
            tasks.create_task(self.folders.run(), name="folders")
            tasks.create_task(self.tills.run(), name="tills")
            tasks.create_task(self.events.run(), name="events")
            tasks.create_task(self.recorder.run(), name="event recorder")
            tasks.create_task(self.notifier.run(), name="notifier")

    def _wake_imports(self) -> None:
        """Say, from a folder's thread, that a file waits to be imported."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is left to wake
                self._loop.call_soon_threadsafe(self._imports.wake)

    def _changed(self, labels: list[LabelId]) -> None:
        """Pass on, from the thread that took the prices, which labels want something new."""
        if self._loop is not None and self._tell is not None:
            self._loop.call_soon_threadsafe(self._tell, Notice(labels=tuple(labels)))
