"""Turns at drawing what nobody may ask for without end: renders, previews, checks of templates.

Each takes up to a second of a processor that also draws for the shelf, so only a few run at once;
whoever waits too long is asked to come again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from esl.domain.errors import Unavailable

RENDERS_AT_ONCE = 2
RENDER_PATIENCE_S = 10.0
"""How long a request waits for its turn."""


def install(app: FastAPI) -> None:
    """Give an application its turns; all of its doors share them."""
    app.state.renders = asyncio.Semaphore(RENDERS_AT_ONCE)


@asynccontextmanager
async def drawing_turn(request: Request) -> AsyncIterator[None]:
    """Wait for a turn, and give it back at the end.

    Raises:
        Unavailable: Others kept all turns for `RENDER_PATIENCE_S`.
    """
    turns: asyncio.Semaphore = request.app.state.renders
    try:
        async with asyncio.timeout(RENDER_PATIENCE_S):
            await turns.acquire()
    except TimeoutError:
        raise Unavailable("others are drawing labels; nothing was stored") from None
    try:
        yield
    finally:
        turns.release()
