"""A folder on an SFTP server, as the engine of hot folders sees it.

    engine's thread ──▶ SftpFolder ──▶ SshThread: Session (pinned, logged in) ──▶ RemoteFolder

One `SftpFolder` is one connection, opened by the first call. Once it has raised
`FolderUnreachable` it is of no use any more; its user closes it and later makes another.
"""

import builtins
import contextlib
import io
from collections.abc import Callable, Coroutine
from typing import Any, BinaryIO, TypeVar, cast

import asyncssh

from api.listeners.connectors.errors import ShopError, ShopUnreachable
from api.listeners.folders.folder import FileGone, FolderUnreachable, Found
from api.listeners.folders.sftp_file import SftpFile
from api.listeners.folders.sftp_place import SftpLogin, SftpPlace
from api.listeners.folders.sftp_remote import RemoteFolder, shown
from api.listeners.folders.sftp_session import CONNECT_S, Session, in_words, open_session
from api.listeners.folders.sftp_thread import SshThread

ANSWER_S = 30.0
_LIST_S = _WRITE_S = 60.0
_CLOSE_S = 5.0

T = TypeVar("T")


class SftpFolder:
    """A `Folder` on a server."""

    trouble = ""

    def __init__(self, place: SftpPlace, login: SftpLogin, thread: SshThread) -> None:
        self._place = place
        self._login = login
        self._thread = thread
        self._session: Session | None = None
        self._remote: RemoteFolder | None = None

    def list(self, wanted: Callable[[str], bool]) -> list[Found]:
        """List the plain files with wanted names; see `Folder`."""
        return self._do("", lambda remote: remote.find(wanted), longest_s=_LIST_S)

    def folders(self) -> builtins.list[str]:
        """Name the folders in it, no links."""
        return self._do("", lambda remote: remote.folders(), longest_s=_LIST_S)

    def inner(self, name: str) -> "SftpFolder":
        """Return a folder in it, on the same connection."""
        return _InnerFolder(self, name)

    def look(self, name: str) -> Found | None:
        """Say how a file is at this moment; see `Folder`."""
        return self._do(name, lambda remote: remote.look(name))

    def open(self, name: str) -> BinaryIO:
        """Open a plain file for reading; see `Folder`."""
        opened = self._do(name, lambda remote: remote.open(name))
        if opened is None:
            raise FileGone(f"{shown(name)} is no file on {self._place.server}")
        block_bytes = self._connected().block_bytes
        raw = SftpFile(self._thread, self._place, name, opened, block_bytes=block_bytes)
        return cast(BinaryIO, io.BufferedReader(raw))

    def move(self, found: Found, folder: str) -> str:
        """Move a file into a folder beside it, if it is still as it was found; see `Folder`."""
        moved = self._do(found.name, lambda remote: remote.move(found, folder))
        if moved is None:
            raise FileGone(f"{shown(found.name)} is gone, or another one has taken its place")
        return moved

    def write(self, name: str, data: bytes, folder: str = "") -> None:
        """Write a file, whole or not at all; see `Folder`."""
        self._do(name, lambda remote: remote.write(name, data, folder), longest_s=_WRITE_S)

    def remove(self, name: str) -> None:
        """Remove a file; see `Folder`."""
        self._do(name, lambda remote: remote.remove(name))

    def close(self) -> None:
        """Let the connection go; see `Folder`."""
        session, self._session, self._remote = self._session, None, None
        if session is not None:
            self._thread.opened.discard(session)
            with contextlib.suppress(OSError, asyncssh.Error):
                self._thread.run(session.close(), longest_s=_CLOSE_S)

    def _do(
        self,
        name: str,
        work: Callable[[RemoteFolder], Coroutine[Any, Any, T]],
        *,
        longest_s: float | None = None,
    ) -> T:
        remote = self._connected()
        with in_words(self._place, name):
            return self._thread.run(work(remote), longest_s=longest_s or ANSWER_S)

    def _connected(self) -> RemoteFolder:
        if self._remote is None:
            place = self._place
            try:
                address = place.rules.address_of(place.host, place.port)
            except ShopError as exc:
                may_pass = isinstance(exc, ShopUnreachable)
                raise FolderUnreachable(str(exc), may_pass=may_pass) from None
            with in_words(place):
                opening = open_session(place, self._login, address)
                self._session = self._thread.run(opening, longest_s=CONNECT_S)
            self._thread.opened.add(self._session)
            self._remote = RemoteFolder(self._session.sftp, place.folder)
        return self._remote


class _InnerFolder(SftpFolder):
    """A folder within another, whose connection it uses."""

    def __init__(self, parent: SftpFolder, name: str) -> None:
        super().__init__(parent._place, parent._login, parent._thread)
        self._parent = parent
        self._name = name

    def close(self) -> None:
        """Leave the connection to the folder that it is in."""

    def _connected(self) -> RemoteFolder:
        return self._parent._connected().below(self._name)
