"""Connections that hold nobody up: who says nothing is let go, and there is room for one more.

::

    connected ──▶ head of a request ──▶ its body ──▶ answer ──▶ the next head, or idle
        └── `HEAD_LONGEST_S` ──┘        api.edge       └ nobody takes it: `STALLED_S`

A connection costs a file of the process, and asks for no right: whoever opens some thousand of them
and is silent would take the files that the database, the broker and everybody else need. So there
are `CONNECTIONS_MOST` at most. Where one more comes, the one goes that has kept us waiting longest.
"""

import asyncio
import resource
import socket
import time
from typing import Any, Final

import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_LONGEST_S: Final = 20.0
"""From connecting, or from the first byte of a further request, to the end of its head."""

STALLED_S: Final = 60.0
"""So long nothing of an answer may be taken."""

CONNECTIONS_MOST: Final = 512
FILES_MOST: Final = 1000
"""The MQTT client waits with ``select``, which takes no file above 1,023."""

_FILES_SPARED: Final = 64
_TOLD_EVERY_S: Final = 60.0

log = structlog.get_logger()


class Listener(socket.socket):
    """A socket that listens, and takes nobody in for whom the process has no files left.

    The lowest free number is given to each file, so a high one says how many are open.
    """

    def accept(self) -> tuple[socket.socket, Any]:
        """Take the next connection.

        Raises:
            ConnectionAbortedError: There is no room, and it was closed: look for the next.
        """
        made, address = super().accept()
        if made.fileno() >= files_most():
            made.close()
            raise ConnectionAbortedError
        return made, address


class PatientProtocol(H11Protocol):
    """One connection of uvicorn's, with an end to its patience."""

    _told_at_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; make room where there is none."""
        super().connection_made(transport)
        self._since_s = 0.0
        self._until: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._wait_for_head()
        others = [one for one in self.connections if not one.transport.is_closing()]
        if len(others) > connections_most():
            self._make_room([one for one in others if isinstance(one, PatientProtocol)])

    def connection_lost(self, exc: Exception | None) -> None:
        """End, with all timers."""
        super().connection_lost(exc)
        self._end_wait()
        self._end_stall()

    def data_received(self, data: bytes) -> None:
        """Read on; from here on its sender has the time of a head to end one."""
        super().data_received(data)
        if self._is_serving():
            self._end_wait()
        else:
            self._wait_for_head()

    def pause_writing(self) -> None:
        """Wait for somebody who does not take the answer."""
        super().pause_writing()
        self._end_stall()
        self._stalled = self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it is taken."""
        super().resume_writing()
        self._end_stall()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; without waiting for ever for the last of an answer."""
        super().timeout_keep_alive_handler()
        self._end_stall()
        self._stalled = self.loop.call_later(STALLED_S, self.transport.abort)

    @property
    def keeps_us_waiting(self) -> bool:
        """Say whether no whole request of it is under way."""
        if not self._is_serving():
            return True
        return bool(self.cycle.more_body) and not self.cycle.response_started

    def _is_serving(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait_for_head(self) -> None:
        if self._until is None and not self.transport.is_closing():
            self._since_s = self.loop.time()
            self._until = self.loop.call_later(HEAD_LONGEST_S, self.transport.abort)

    def _end_wait(self) -> None:
        if self._until is not None:
            self._until.cancel()
            self._until = None

    def _end_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _make_room(self, others: "list[PatientProtocol]") -> None:
        waiting = [one for one in others if one is not self and one.keeps_us_waiting]
        gone = min(waiting, key=lambda one: one._since_s, default=self)
        gone.transport.abort()
        now_s = time.monotonic()
        if now_s - PatientProtocol._told_at_s >= _TOLD_EVERY_S:
            PatientProtocol._told_at_s = now_s
            address = gone.client[0] if gone.client else ""
            log.warning("too many connections", most=connections_most(), let_go=address)


def connections_most() -> int:
    """Return how many connections may be open: half of the process's files at most."""
    return min(CONNECTIONS_MOST, _files() // 2)


def files_most() -> int:
    """Return the number of a file from which on nobody is taken in."""
    return min(FILES_MOST, _files() - _FILES_SPARED)


def _files() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return FILES_MOST * 2 if soft == resource.RLIM_INFINITY else soft
