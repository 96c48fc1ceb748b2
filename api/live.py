"""Who watches, and what has changed: a board of labels between the worker and open pages.

A page that watches has a *watcher*, a set of labels that changed since it last looked. Changes
are gathered, not queued: a thousand reports of one label are one entry, and a page that is
slow costs a set of ids and nothing else.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator

from esl.domain.errors import Unavailable
from esl.domain.ids import LabelId
from esl.domain.touch import Touch
from gateway.worker import Notice

_TOUCHES_MOST = 100
"""Touches of labels that wait for a slow page; the oldest go first."""


class Watcher:
    """One open page's view of the board."""

    def __init__(self) -> None:
        self._labels: set[LabelId] = set()
        self._gateways = False
        self._touched: deque[Touch] = deque(maxlen=_TOUCHES_MOST)
        self._changed = asyncio.Event()
        self._ends = False

    async def changes(self) -> Notice:
        """Wait until something changed, and return all of it.

        Raises:
            Unavailable: The controller is stopping; there will be no more.
        """
        await self._changed.wait()
        if self._ends:
            raise Unavailable("the controller is stopping")
        self._changed.clear()
        notice = Notice(
            labels=tuple(sorted(self._labels)),
            gateways=self._gateways,
            touched=tuple(self._touched),
        )
        self._labels.clear()
        self._touched.clear()
        self._gateways = False
        return notice

    def note(self, notice: Notice) -> None:
        """Gather a notice."""
        self._labels.update(notice.labels)
        self._gateways = self._gateways or notice.gateways
        self._touched.extend(notice.touched)
        self._changed.set()

    def end(self) -> None:
        """Let whoever waits go home."""
        self._ends = True
        self._changed.set()


class LiveBoard:
    """Tells every watcher what changed; lives on the loop."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._closed = False

    def tell(self, notice: Notice) -> None:
        """Pass a notice on."""
        for watcher in self._watchers:
            watcher.note(notice)

    def close(self) -> None:
        """End every watch: an open page would hold the server's end until it is cut off."""
        self._closed = True
        for watcher in self._watchers:
            watcher.end()

    @contextlib.contextmanager
    def watching(self) -> Iterator[Watcher]:
        """Watch while the block runs."""
        watcher = Watcher()
        if self._closed:
            watcher.end()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
