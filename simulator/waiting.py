"""Waiting for the first of several things, on the caller's clock."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

Sleep = Callable[[float], Awaitable[None]]
"""Waits so many seconds; real ones, faster ones or simulated ones."""


async def first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Return when one of these has ended, and end the others.

    Raises whatever a finished one raised.
    """
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
