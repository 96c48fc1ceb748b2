"""A TCP line that goes bad on demand, between a client and a server on this machine.

    cut          every connection is reset, now
    refuse       new connections are reset, while it lasts
    black hole   connections stay up and nothing arrives, while it lasts
    slow         each piece of data waits first, by chance up to so many seconds
    slices       data arrives in pieces of so many bytes

Works on the test's loop or, with `FaultProxy.running`, in a thread of its own.
"""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from random import Random

from tests.services import HOST, free_port

_READ_BYTES = 65_536
_SLICES_AT_ONCE = 256
_POLL_S = 0.02


class FaultProxy:
    """A proxy on a port of its own; set its faults at any moment, from any thread.

    ``met`` counts what each fault has met: a fault that met nothing proves nothing.
    """

    def __init__(self, target_port: int, *, seed: int = 0) -> None:
        self.port = free_port()
        self.met: Counter[str] = Counter()
        self.refuses = False
        self.swallows = False
        self.slow_s = 0.0
        self.slice_bytes = 0
        self._target_port = target_port
        self._random = Random(seed)
        self._lines: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_carrying(self) -> bool:
        """Whether anybody is connected through it."""
        return bool(self._lines)

    def heal(self) -> None:
        """End every fault that lasts."""
        self.refuses = self.swallows = False
        self.slow_s, self.slice_bytes = 0.0, 0

    def cut(self) -> None:
        """Reset every connection."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._cut)

    @contextlib.contextmanager
    def running(self) -> Iterator["FaultProxy"]:
        """Run in a thread while the block runs."""
        ready, stop = threading.Event(), threading.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            server = await asyncio.start_server(self._accept, HOST, self.port)
            ready.set()
            while not stop.is_set():  # noqa: ASYNC110  set by another thread
                await asyncio.sleep(_POLL_S)
            server.close()
            self.heal()
            self._cut()
            await asyncio.sleep(_POLL_S)

        thread = threading.Thread(target=lambda: asyncio.run(serve()), name="fault proxy")
        thread.start()
        assert ready.wait(10)
        try:
            yield self
        finally:
            stop.set()
            thread.join()

    def _cut(self) -> None:
        self.met["cut"] += len(self._lines)
        for near, far in list(self._lines):
            near.transport.abort()
            far.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            self.met["refused"] += 1
            writer.transport.abort()
            return
        try:
            await self._carry(reader, writer)
        finally:  # also where the end of the test comes between the two connections
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target_port)
        except OSError:
            return
        line = (writer, far_writer)
        self._lines.add(line)
        self.met["connections"] += 1
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            self._lines.discard(line)
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one direction until it ends; its end is the end of the line."""
        with contextlib.suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                if self.swallows:
                    self.met["swallowed bytes"] += len(data)
                    await self._until_cut_or_healed()
                if self.slow_s:
                    self.met["slowed"] += 1
                    await asyncio.sleep(self._random.uniform(0, self.slow_s))
                await self._write(writer, data)
        writer.transport.abort()

    async def _until_cut_or_healed(self) -> None:
        while self.swallows:  # noqa: ASYNC110  set by another thread
            await asyncio.sleep(_POLL_S)

    async def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        step = self.slice_bytes or len(data)
        for number, start in enumerate(range(0, len(data), step)):
            writer.write(data[start : start + step])
            if self.slice_bytes:
                self.met["slices"] += 1
                await writer.drain()
                if number % _SLICES_AT_ONCE == 0:
                    await asyncio.sleep(0)  # the other direction has its turn


__all__ = ["FaultProxy"]
