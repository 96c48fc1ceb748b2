"""A small syslog server: takes RFC 5424 over a socket, UDP, or TCP and TLS with octet counting.

It holds every message to the grammar of RFC 5424, and a stream to that of RFC 6587.
"""

import re
import select
import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.served import wait_until

_MESSAGE = re.compile(
    rb"<(?P<priority>\d{1,3})>1 "
    rb"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) "
    rb"(?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) (?P<pid>[!-~]{1,128}) (?P<kind>[!-~]{1,32}) "
    rb'(?P<data>-|(?:\[[!-~]{1,32}(?: [!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\])+) '
    rb"\xef\xbb\xbf(?P<words>.*)",
    re.DOTALL,
)
_PARAMETER = re.compile(r' ([^=\s]+)="((?:[^"\\\]]|\\["\\\]])*)"')


@dataclass(frozen=True, slots=True)
class Heard:
    """A message, taken apart."""

    facility: int
    severity: int
    host: str
    app: str
    pid: int
    kind: str
    data: dict[str, str]
    words: str


def taken_apart(message: bytes) -> Heard:
    """Take a message apart; fails at what is not RFC 5424."""
    found = _MESSAGE.fullmatch(message)
    assert found is not None, message
    data = found["data"].decode()
    assert data == "-" or data.startswith("[esl@32473 "), data
    return Heard(
        facility=int(found["priority"]) // 8,
        severity=int(found["priority"]) % 8,
        host=found["host"].decode(),
        app=found["app"].decode(),
        pid=int(found["pid"]),
        kind=found["kind"].decode(),
        data={k: re.sub(r"\\(.)", r"\1", v) for k, v in _PARAMETER.findall(data)},
        words=found["words"].decode(),
    )


def _read(line: socket.socket) -> bytes:
    """Read what is there; b"" at the end. Of TLS all that was decrypted at once."""
    try:
        read = line.recv(65_536)
        while isinstance(line, ssl.SSLSocket) and line.pending():
            read += line.recv(65_536)
    except OSError:
        return b""
    return read


class SyslogServer:
    """Listens until it is closed; may be started again on the same port."""

    def __init__(
        self,
        kind: str,
        *,
        path: Path | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.kind = kind
        self.refused: list[str] = []  # whom TLS did not let in, and why
        self._tls = tls
        self.raw: list[bytes] = []
        self._path = path
        self._stop = threading.Event()
        if kind in {"tcp", "tls"}:
            self._socket = socket.create_server(("127.0.0.1", port))
        elif kind == "udp":
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind(("127.0.0.1", port))
        else:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.bind(str(path))
        name = self._socket.getsockname()
        self.port = 0 if kind == "unix" else int(name[1])
        self.url = f"unix://{path}" if kind == "unix" else f"{kind}://127.0.0.1:{self.port}"
        run = self._take_streams if kind in {"tcp", "tls"} else self._take_datagrams
        self._thread = threading.Thread(target=run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        self._socket.close()
        if self._path is not None:
            self._path.unlink()

    def heard(self) -> list[Heard]:
        """Return what came so far."""
        return [taken_apart(one) for one in self.raw]

    def until(self, words: str) -> Heard:
        """Wait for a message with these words."""
        wait_until(lambda: any(words in one.words for one in self.heard()), words, 60)
        return next(one for one in self.heard() if words in one.words)

    def _take_datagrams(self) -> None:
        while not self._stop.is_set():
            if select.select([self._socket], [], [], 0.05)[0]:
                self.raw.append(self._socket.recv(65_536))

    def _take_streams(self) -> None:
        lines: dict[socket.socket, bytes] = {}
        try:
            while not self._stop.is_set():
                ready, _, _ = select.select([self._socket, *lines], [], [], 0.05)
                for one in ready:
                    if one is self._socket:
                        if (line := self._accepted()) is not None:
                            lines[line] = b""
                    elif more := _read(one):
                        lines[one] = self._counted(lines[one] + more)
                    else:
                        del lines[one]
                        one.close()
        finally:
            for one in lines:
                one.close()

    def _accepted(self) -> socket.socket | None:
        line, _ = self._socket.accept()
        if self._tls is None:
            return line
        line.settimeout(5)
        try:
            return self._tls.wrap_socket(line, server_side=True)
        except OSError as exc:
            self.refused.append(str(exc))
            line.close()
            return None

    def _counted(self, stream: bytes) -> bytes:
        """Take whole messages off a stream (RFC 6587, 3.4.1), and return what is left."""
        while found := re.match(rb"([1-9]\d*) ", stream):
            end = found.end() + int(found[1])
            if len(stream) < end:
                break
            self.raw.append(stream[found.end() : end])
            stream = stream[end:]
        assert re.match(rb"(?:[1-9]\d* ?)?", stream) or not stream, stream[:50]
        return stream
