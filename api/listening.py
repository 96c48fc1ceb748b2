"""A port of this machine, and uvicorn on it: for the controller, and for a worker's own numbers."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Iterator
from typing import Final

import structlog
import uvicorn

from api.connections import Listener
from esl.domain.errors import SetupError

_TOLD_EVERY_S: Final = 60.0
_TOLD_MOST: Final = 100

log = structlog.get_logger()


class QuietServer(uvicorn.Server):
    """uvicorn without its own signal handlers, which end the process before we have closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs it."""
        yield


class _ServerLog(logging.Handler):
    """Turns what uvicorn complains of into events of our log; what our own end cuts off is none.

    The same words come once in `_TOLD_EVERY_S`, with how often they were said: whoever connects can
    make it say them, and must not fill the disk by that.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Log one complaint."""
        fault = record.exc_info[1] if record.exc_info else None
        if record.levelno < logging.WARNING or isinstance(fault, asyncio.CancelledError):
            return
        words, times = record.getMessage(), 1
        if fault is None:
            times = self._times(words)
        if times:
            more = {"times": times} if times > 1 else {}
            log.log(record.levelno, "http server", words=words, exc_info=fault, **more)

    def _times(self, words: str) -> int:
        """Return how often this was said since it was told last; 0: it is not to be told now."""
        now_s = time.monotonic()
        told_at_s, untold = self._told.get(words, (-_TOLD_EVERY_S, 0))
        if now_s - told_at_s < _TOLD_EVERY_S:
            self._told[words] = told_at_s, untold + 1
            return 0
        if len(self._told) >= _TOLD_MOST:
            self._told.clear()
        self._told[words] = now_s, 0
        return untold + 1


@contextlib.contextmanager
def server_log() -> Iterator[None]:
    """Log what uvicorn complains of while the block runs."""
    handler, logger = _ServerLog(), logging.getLogger("uvicorn.error")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def listen_on(host: str, port: int, *, fix: str) -> socket.socket:
    """Listen on an address; port 0 takes a free one.

    Raises:
        SetupError: It is taken or not ours; ends with the fix.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, the protocol makes asyncio set TCP_NODELAY on what it accepts. Without it the body of
    # an answer waited for the sender's ACK of its head: 40 ms an answer (measured).
    listener = Listener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
        listener.settimeout(0)
    except OSError as exc:
        listener.close()
        raise SetupError(f"cannot listen on {host}:{port}: {exc.strerror}; {fix}") from exc
    return listener
