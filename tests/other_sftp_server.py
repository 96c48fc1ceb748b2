"""An SFTP server that is not OpenSSH, for what OpenSSH cannot show: passwords, and ill will.

It speaks the real protocol on 127.0.0.1, in a thread of its own (asyncssh's server). Truth about
how servers behave comes from `tests/sftp_server.py`.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from api.listeners.folders.sftp_place import SftpLogin
from tests.services import HOST, free_port


@dataclass(kw_only=True)
class OtherServer:
    """Lets ``login`` in with one of ``passwords``, if any are set; ``tried`` are those that came.

    ``by_keyboard`` asks for it as a question. ``listed`` are names that it lists beside the real
    ones. Reading ends early at each offset of ``ends``, once.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    login: str = "till"
    passwords: Sequence[str] = ()
    by_keyboard: bool = False
    listed: Sequence[bytes] = ()
    ends: set[int] = field(default_factory=set)
    tried: list[str] = field(default_factory=list)
    key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-rsa"))
    _connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    @property
    def secret(self) -> SftpLogin:
        """What opens it."""
        return SftpLogin(passwords=tuple(self.passwords[:1]))

    def host_key(self) -> str:
        """Return its host key as a person would pin it."""
        return self.key.export_public_key().decode().strip()

    @contextlib.contextmanager
    def running(self) -> Iterator["OtherServer"]:
        """Run it in a thread while the block runs."""
        ready, loop = threading.Event(), asyncio.new_event_loop()
        stop = asyncio.Event()

        async def serve() -> None:
            acceptor = await asyncssh.listen(
                HOST,
                self.port,
                server_factory=lambda: _Door(self),
                server_host_keys=[self.key],
                sftp_factory=lambda channel: _Files(self, channel),
            )
            ready.set()
            await stop.wait()
            acceptor.close()
            await acceptor.wait_closed()
            for connection in self._connections:
                connection.abort()
                await connection.wait_closed()
            await asyncio.sleep(0.05)  # the aborted ones are closed by the loop, a turn later

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
        thread.start()
        assert ready.wait(20)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()


class _Door(asyncssh.SSHServer):
    def __init__(self, server: OtherServer) -> None:
        self._server = server

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._server._connections.append(conn)

    def password_auth_supported(self) -> bool:
        return not self._server.by_keyboard

    def validate_password(self, username: str, password: str) -> bool:
        self._server.tried.append(password)
        return username == self._server.login and password in self._server.passwords

    def kbdint_auth_supported(self) -> bool:
        return self._server.by_keyboard

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, Sequence[tuple[str, bool]]]:
        del username, lang, submethods
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        return len(responses) == 1 and self.validate_password(username, responses[0])


class _Files(asyncssh.SFTPServer):
    def __init__(self, server: OtherServer, channel: asyncssh.SSHServerChannel) -> None:
        super().__init__(channel, chroot=str(server.folder).encode())
        self._other = server

    async def scandir(self, path: bytes):
        async for entry in super().scandir(path):
            yield entry
        for name in self._other.listed:
            yield asyncssh.SFTPName(name, "", asyncssh.SFTPAttrs(permissions=0o100644, size=1))

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        if offset in self._other.ends:
            self._other.ends.discard(offset)
            return b""
        return super().read(file_obj, offset, size)  # type: ignore[return-value]


@contextlib.contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run something that is no SSH server: ``answer`` is called with each connection."""
    with socket.create_server((HOST, 0)) as listener:
        port = int(listener.getsockname()[1])
        stopping = threading.Event()

        def serve() -> None:
            while not stopping.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield port
        finally:
            stopping.set()
            with contextlib.suppress(OSError):
                socket.create_connection((HOST, port), timeout=1).close()
            thread.join()
