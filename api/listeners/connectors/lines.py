"""Connections to others, each with an end: whoever sends a byte now and then holds us up no longer.

A time-out is for one step, and a step may bring a single byte of a head that never ends. So the
connection itself is ended from outside once the whole took too long; the step then fails.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Final

_MOST: Final = 16


class Lines:
    """The connections of one sender, by name; used by one thread at a time."""

    def __init__(self) -> None:
        self._lines: dict[str, socket.socket] = {}
        self._cut = False

    @property
    def was_cut(self) -> bool:
        """Say whether the last piece of work was ended from outside."""
        return self._cut

    def note(self, name: str, line: socket.socket) -> None:
        """Remember a connection, also where TLS takes its socket over."""
        while name in self._lines or len(self._lines) >= _MOST:
            self._lines.pop(name if name in self._lines else next(iter(self._lines))).close()
        self._lines[name] = line.dup()

    @contextlib.contextmanager
    def ended_after(self, longest_s: float, name: str) -> Iterator[None]:
        """End the connection of this name if the block takes longer than that, in seconds."""
        self._cut = False
        timer = threading.Timer(longest_s, self._end, (name,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """Let all go."""
        for line in list(self._lines.values()):
            line.close()
        self._lines.clear()

    def _end(self, name: str) -> None:
        self._cut = True
        line = self._lines.get(name)
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
