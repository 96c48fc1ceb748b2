"""Threads for work that may take a minute, and that nobody waits for when a process ends."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future


async def in_own_thread(work: Callable[[], object], *, name: str) -> None:
    """Run ``work`` in a thread that ends with the process.

    A server may take a minute to answer, and the threads of ``to_thread`` are waited for when
    the loop ends.
    """
    done: Future[object] = Future()

    def run() -> None:
        if not done.set_running_or_notify_cancel():
            return
        try:
            done.set_result(work())
        except BaseException as exc:  # noqa: BLE001  raised again by whoever awaits it
            done.set_exception(exc)

    threading.Thread(target=run, name=name, daemon=True).start()
    await asyncio.wrap_future(done)
