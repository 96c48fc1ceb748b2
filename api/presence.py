"""Which gateways are on the line, where several processes speak with them: as they wrote down."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog

from esl.domain.clock import EffectiveClock
from esl.domain.errors import Unavailable
from esl.domain.ids import GatewayId
from esl.services.leases import gateways_heard_since
from esl.store.database import Database
from gateway.roster import SILENT_AFTER_S

LOOK_EVERY_S = 2.0
"""The net under a lost wake-up."""

LOOK_AT_MOST_EVERY_S = 0.25

log = structlog.get_logger()


class Presence:
    """The gateways on the line, read again and again; `changed` is called when they differ."""

    def __init__(
        self, database: Database, clock: EffectiveClock, changed: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._changed = changed
        self._online: frozenset[GatewayId] = frozenset()
        self._look = asyncio.Event()

    def online(self) -> frozenset[GatewayId]:
        """Return the gateways that are on the line."""
        return self._online

    def look(self) -> None:
        """Look again now. Called on the loop."""
        self._look.set()

    async def run(self) -> None:
        """Keep looking until cancelled."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "presence") as reader:  # its end waits for the last look
            while True:
                self._look.clear()
                try:
                    online = await loop.run_in_executor(reader, self._read)
                except Unavailable as exc:
                    log.debug("presence waits for the database", reason=str(exc))
                else:
                    if online != self._online:
                        self._online = online
                        self._changed()
                await asyncio.sleep(LOOK_AT_MOST_EVERY_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._look.wait()

    def _read(self) -> frozenset[GatewayId]:
        since = self._clock.now() - timedelta(seconds=SILENT_AFTER_S)
        with self._database.read() as tx:
            return gateways_heard_since(tx, since)
