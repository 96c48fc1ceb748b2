"""All listeners of one process, opened with the house and run beside its delivery.

Several processes may run them on one database: events and connectors are claimed, so each is
worked on by one at a time.
"""

import asyncio
from collections.abc import Callable

from api.books import Books
from api.listeners.connectors.runner import ConnectorRunner
from api.listeners.hook_door import HookDoor
from api.listeners.hook_inbox import HookInbox
from api.listeners.hook_sources import RememberedSources
from api.listeners.registered import RegisteredSources, take
from esl.domain.ids import LabelId
from esl.settings import Settings
from gateway.worker import Notice


class Listeners:
    """Webhooks and connectors."""

    def __init__(self, settings: Settings, books: Books) -> None:
        self._tell: Callable[[Notice], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        registered = RegisteredSources(books.database, settings.data_dir, books.clock)
        self.connectors = ConnectorRunner(
            books.database,
            books.writer,
            books.clock,
            take,
            polled=registered.polled,
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
        self.door = HookDoor(
            sources=RememberedSources(registered, books.clock.monotonic_s),
            monotonic_s=books.clock.monotonic_s,
            wake=self.inbox.wake,
        )

    async def run(self, tell: Callable[[Notice], None]) -> None:
        """Listen until cancelled; ``tell`` hears, on the loop, of labels that changed."""
        self._tell, self._loop = tell, asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.inbox.run(), name="webhooks")
            tasks.create_task(self.connectors.run(), name="connectors")

    def _changed(self, labels: list[LabelId]) -> None:
        """Pass on, from the thread that took the prices, which labels want something new."""
        if self._loop is not None and self._tell is not None:
            self._loop.call_soon_threadsafe(self._tell, Notice(labels=tuple(labels)))
