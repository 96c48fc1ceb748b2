"""The thread in which all SSH connections of a process live, on an event loop of their own.

    a folder's thread ──run(coroutine)──▶ the loop: many connections, none waits for another
                      ◀── result, error or `TimeoutError`

Nobody waits here without an end: every piece of work has a time, and `close` ends all of them.
"""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

_GRACE_S = 10.0
"""How much longer than its time we wait for the loop itself, before we call it stuck."""

_CLOSE_S = 5.0


class Open(Protocol):
    """Something that lives on the loop and has to be closed there."""

    async def close(self) -> None:
        """End it at once."""
        ...


class SshThread:
    """Runs coroutines for other threads. Its thread begins with the first and ends with `close`.

    ``opened`` holds what is closed with it.
    """

    def __init__(self) -> None:
        self.opened: set[Open] = set()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def run(self, work: Coroutine[Any, Any, T], *, longest_s: float) -> T:
        """Run ``work`` and return what it returns.

        Raises:
            TimeoutError: It took longer than ``longest_s``, and was cancelled.
            ConnectionError: This thread was closed.
        """
        try:
            loop = self._started()
        except ConnectionError:
            work.close()
            raise
        future = asyncio.run_coroutine_threadsafe(_within(work, longest_s), loop)
        try:
            return future.result(longest_s + _GRACE_S)
        except concurrent.futures.CancelledError:
            raise ConnectionError("the controller is being stopped") from None
        finally:
            future.cancel()

    def close(self) -> None:
        """Cancel whatever runs and end the thread; may be called again."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        with contextlib.suppress(RuntimeError):  # it has ended meanwhile
            loop.call_soon_threadsafe(loop.stop)
        thread.join(_CLOSE_S)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise ConnectionError("the controller is being stopped")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop, self.opened), name="ssh", daemon=True
                )
                self._thread.start()
            return self._loop


async def _within(work: Coroutine[Any, Any, T], longest_s: float) -> T:
    async with asyncio.timeout(longest_s):
        return await work


def _serve(loop: asyncio.AbstractEventLoop, opened: set[Open]) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        left |= {loop.create_task(each.close()) for each in tuple(opened)}
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=_CLOSE_S / 2))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
