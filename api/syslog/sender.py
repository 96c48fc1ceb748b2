"""Sends messages to a syslog server from a thread of its own, and never lets anybody wait.

======================  ==========================================================================
``unix:///run/x.sock``  a datagram each (RFC 5426's form over a socket of this machine)
``udp://host:514``      a datagram each (RFC 5426); what the network loses, nobody learns
``tcp://host:601``      octet counting: length, space, message (RFC 6587, 3.4.1)
``tls://host:6514``     the same in TLS 1.2 or later, to a server that proves its name (RFC 5425)
======================  ==========================================================================

::

    say ──▶ [ a bounded queue ] ──▶ thread ──▶ socket
             full: dropped and counted      away: kept and tried again, ever less often

A line that TCP had taken when the server died is lost without a trace: the protocol has no
answers. Whoever must have a line looks at `Syslog.connections` and says it again.
"""

import contextlib
import os
import queue
import select
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from api.syslog.message import Sender, checkpoint_message, log_message
from api.syslog.tee import Listener, leave, listen
from api.syslog.tls import SyslogTls
from esl.domain.errors import SetupError
from esl.settings import Settings

WAITING_MOST: Final = 10_000
PORTS: Final[Mapping[str, int]] = {"udp": 514, "tcp": 601, "tls": 6514}
"""By IANA: syslog, syslog-conn (RFC 3195, 6587), and syslog-tls."""

_DATAGRAM_LONGEST: Final = 2048  # bytes that every receiver should take: RFC 5424, 6.1
_STREAM_LONGEST: Final = 8192
_PATIENCE_S: Final = 5.0
_AGAIN_FIRST_S: Final = 0.5
_AGAIN_LAST_S: Final = 30.0
_END_LONGEST_S: Final = 2.0
_LOOK_S: Final = 0.2

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogAddress:
    """Where a syslog server listens; ``path`` is that of a socket, else empty."""

    kind: str
    path: str = ""
    host: str = ""
    port: int = 0

    @classmethod
    def from_url(cls, url: str) -> "SyslogAddress":
        """Read ``unix:///path``, or ``udp``, ``tcp`` or ``tls`` with ``://host:port``.

        Raises:
            SetupError: It is no such address.
        """
        wrong = SetupError(
            f"setting syslog_url: {url!r} is no address; write unix:///dev/log, "
            f"udp://host:514, tcp://host:601 or tls://host:6514"
        )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as exc:
            raise wrong from exc
        if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
            return cls(kind="unix", path=parts.path)
        plain = parts.username is None and parts.path in ("", "/") and not parts.query
        if parts.scheme not in PORTS or not parts.hostname or port == 0 or not plain:
            raise wrong
        return cls(kind=parts.scheme, host=parts.hostname, port=port or PORTS[parts.scheme])

    @property
    def longest(self) -> int:
        """Bytes that a message may have."""
        return _STREAM_LONGEST if self.is_stream else _DATAGRAM_LONGEST

    @property
    def is_stream(self) -> bool:
        """Whether there is a connection, in which messages are counted off."""
        return self.kind in {"tcp", "tls"}

    def __str__(self) -> str:
        return self.path or f"{self.kind}://{self.host}:{self.port}"


class Syslog:
    """A line to a syslog server; any thread may say something. Made by `open_syslog`."""

    def __init__(
        self,
        address: SyslogAddress,
        *,
        tls: SyslogTls | None = None,
        waiting_most: int = WAITING_MOST,
    ) -> None:
        self.address = address
        self._tls = tls or SyslogTls()
        self.dropped = 0  # lines that were never handed to the network
        self.sent = 0
        self.connections = 0  # how often the server was reached anew
        self._sender = Sender(host=socket.gethostname(), pid=os.getpid())
        self._waiting: queue.Queue[bytes] = queue.Queue(waiting_most)
        self._counting = threading.Lock()
        self._ends = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="syslog", daemon=True)

    @property
    def reached(self) -> bool:
        """Say whether the server could be reached last."""
        return self._socket is not None

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def close(self) -> None:
        """Send what waits if that goes quickly, and end."""
        self._ends.set()
        self._thread.join(_PATIENCE_S + _END_LONGEST_S)

    def say(self, event: Mapping[str, Any]) -> None:
        """Say a log event; at once, whatever becomes of it."""
        self._put(log_message(event, self._sender, longest=self.address.longest))

    def say_checkpoint(self, line: str, at: datetime, number: int) -> None:
        """Say a checkpoint of the audit chain."""
        longest = self.address.longest
        self._put(checkpoint_message(line, at, number, self._sender, longest=longest))

    def _put(self, message: bytes) -> None:
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            self._drop(1)

    def _drop(self, count: int) -> None:
        with self._counting:
            self.dropped += count

    # -- the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        message: bytes | None = None
        again_s = _AGAIN_FIRST_S
        is_away = False
        while True:
            if message is None:
                try:
                    message = self._waiting.get(timeout=_LOOK_S)
                except queue.Empty:
                    if self._ends.is_set():
                        break
                    self._find_end()
                    continue
            try:
                self._send(message)
            except OSError as exc:
                self._hang_up()
                if not is_away:
                    log.warning(
                        "syslog is away", server=str(self.address), why=exc.strerror or str(exc)
                    )
                is_away = True
                if self._ends.wait(again_s):
                    self._drop(1 + self._waiting.qsize())
                    break
                again_s = min(2 * again_s, _AGAIN_LAST_S)
                continue
            message = None
            self.sent += 1
            if is_away:
                log.warning("syslog is back", server=str(self.address), dropped=self.dropped)
            is_away, again_s = False, _AGAIN_FIRST_S
        self._hang_up()

    def _send(self, message: bytes) -> None:
        """Hand a message to the network.

        Raises:
            OSError: The server is not there.
        """
        self._find_end()
        line = self._socket or self._call()
        if self.address.is_stream:
            line.sendall(b"%d %b" % (len(message), message))
        else:
            line.send(message)

    def _call(self) -> socket.socket:
        address = self.address
        if address.kind == "unix":
            line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                line.settimeout(_PATIENCE_S)
                line.connect(address.path)
            except OSError:
                line.close()
                raise
        elif address.is_stream:
            line = socket.create_connection((address.host, address.port), _PATIENCE_S)
            if address.kind == "tls":
                line = self._secured(line)
        else:
            [(family, kind, protocol, _, place), *_] = socket.getaddrinfo(
                address.host, address.port, type=socket.SOCK_DGRAM
            )
            line = socket.socket(family, kind, protocol)
            line.settimeout(_PATIENCE_S)
            line.connect(place)
        self._socket = line
        self.connections += 1
        return line

    def _secured(self, line: socket.socket) -> socket.socket:
        """Speak TLS on a connection, with the files as they are now.

        Raises:
            OSError: The server is not whom we believe, or does not believe us.
        """
        try:
            return self._tls.context().wrap_socket(line, server_hostname=self.address.host)
        except OSError:
            line.close()
            raise

    def _find_end(self) -> None:
        """Notice a server that hung up: it never speaks, so what can be read is the end."""
        if self._socket is None or not self.address.is_stream:
            return
        readable, _, _ = select.select([self._socket], [], [], 0)
        if not readable:
            return
        self._socket.settimeout(0)
        try:
            is_there = bool(self._socket.recv(4096))
        except (BlockingIOError, ssl.SSLWantReadError):  # words of TLS itself, not the server's
            is_there = True
        except OSError:
            is_there = False
        self._socket.settimeout(_PATIENCE_S)
        if not is_there:
            self._hang_up()

    def _hang_up(self) -> None:
        line, self._socket = self._socket, None
        if line is not None:
            line.close()


@contextlib.contextmanager
def open_syslog(settings: Settings) -> Iterator[Syslog | None]:
    """Send log lines of this process to the syslog server of the settings while the block runs.

    Raises:
        SetupError: Its address is none, or a file for TLS cannot be used.
    """
    if settings.syslog_url is None:
        yield None
        return
    address = SyslogAddress.from_url(settings.syslog_url)
    tls = SyslogTls.from_settings(settings) if address.kind == "tls" else None
    syslog = Syslog(address, tls=tls)
    syslog.start()
    listener = Listener(syslog.say)
    listen(listener)
    try:
        yield syslog
    finally:
        leave(listener)
        syslog.close()
