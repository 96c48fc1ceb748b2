"""What is done to the files of a folder on an SFTP server, request by request.

    list    the server's own listing, in which links are links
    move    the server's rename, which refuses to overwrite; a free name is looked for before
    write   .esl-….part, forced to disk where the server can, renamed over the old one

Names go to the server as the bytes that it gave. All of this runs on the loop of `SshThread` and
raises asyncssh's errors, or `FileUnusable`.
"""

import contextlib
import hashlib
import stat
from collections.abc import AsyncIterator, Callable

import asyncssh
from asyncssh.constants import (
    FILEXFER_TYPE_DIRECTORY,
    FILEXFER_TYPE_REGULAR,
    FILEXFER_TYPE_UNKNOWN,
)

from api.listeners.folders.folder import (
    LISTED_MOST,
    FileUnusable,
    Found,
    numbered,
    oldest,
)

LOOKED_AT_MOST = 500_000
"""Names of one listing; what stands behind them is seen once files were moved away."""

_NUMBERED_MOST = 2**20
_KEPT_WHILE_LISTING = 4 * LISTED_MOST


class RemoteFolder:
    """A folder of an open session."""

    def __init__(self, sftp: asyncssh.SFTPClient, folder: str) -> None:
        self._sftp = sftp
        self._root = _encoded(folder).rstrip(b"/") or b"/"

    def below(self, name: str) -> "RemoteFolder":
        """Return a folder in it."""
        inner = RemoteFolder(self._sftp, "")
        inner._root = self._path(name)
        return inner

    async def folders(self) -> list[str]:
        """Name the folders in it, no links."""
        return [
            name
            async for name, attrs in self._names()
            if attrs.type == FILEXFER_TYPE_DIRECTORY or stat.S_ISDIR(attrs.permissions or 0)
        ]

    @property
    def block_bytes(self) -> int:
        """How many bytes the server gives at once, as it says."""
        return self._sftp.limits.max_read_len

    async def find(self, wanted: Callable[[str], bool]) -> list[Found]:
        """List the oldest plain files with wanted names."""
        found: list[Found] = []
        async for name, attrs in self._names():
            if wanted(name) and (one := _found(name, attrs)) is not None:
                found.append(one)
                if len(found) >= _KEPT_WHILE_LISTING:
                    found = oldest(found)
        return oldest(found)

    async def look(self, name: str) -> Found | None:
        """Say how a file is; None if it is gone, or no plain file."""
        attrs = await self._attributes(self._path(name))
        return _found(name, attrs) if attrs is not None else None

    async def open(self, name: str) -> asyncssh.SFTPClientFile | None:
        """Open a plain file, to be read one block a request; None if there is none."""
        if await self.look(name) is None:
            return None
        return await self._sftp.open(self._path(name), "rb", block_size=None)

    async def move(self, found: Found, folder: str) -> str | None:
        """Move a file into a folder beside it; return its name there, None if it has changed."""
        name, path = found.name, self._path(found.name)
        if await self.look(name) != found:
            return None
        number = await self._free_number(name, folder, above=0)
        made = False
        while number < _NUMBERED_MOST:
            target = numbered(name, number)
            try:
                await self._sftp.rename(path, self._path(target, folder))
            except asyncssh.SFTPNoSuchFile:
                if await self._attributes(path) is None:
                    return None
                if made:
                    raise FileUnusable(f"there is no folder {folder} for {shown(name)}") from None
                await self._make(folder)
                made = True
            except asyncssh.SFTPError:
                if await self._attributes(self._path(target, folder)) is None:
                    raise
                number = await self._free_number(name, folder, above=number)
            else:
                return target
        raise FileUnusable(f"there are too many files named {shown(name)} in {folder}")

    async def write(self, name: str, data: bytes, folder: str) -> None:
        """Write a file, whole or not at all."""
        digest = hashlib.sha256(_encoded(name)).hexdigest()[:16]
        part, target = self._path(f".esl-{digest}.part", folder), self._path(name, folder)
        try:
            await self._fill(part, data, folder)
            try:
                await self._sftp.posix_rename(part, target)
            except asyncssh.SFTPOpUnsupported:  # for a moment there is neither, but the part
                with contextlib.suppress(asyncssh.SFTPNoSuchFile):
                    await self._sftp.remove(target)
                await self._sftp.rename(part, target)
        except asyncssh.SFTPNoSuchFile:
            raise FileUnusable(f"there is no folder for {shown(name)}") from None
        except asyncssh.SFTPError:
            with contextlib.suppress(asyncssh.Error):
                await self._sftp.remove(part)
            raise

    async def remove(self, name: str) -> None:
        """Remove a file that may be gone already."""
        with contextlib.suppress(asyncssh.SFTPNoSuchFile):
            await self._sftp.remove(self._path(name))

    async def _fill(self, path: bytes, data: bytes, folder: str) -> None:
        try:
            file = await self._sftp.open(path, "wb")
        except asyncssh.SFTPNoSuchFile:
            await self._make(folder)
            file = await self._sftp.open(path, "wb")
        async with file:
            await file.write(data)
            with contextlib.suppress(asyncssh.SFTPOpUnsupported):
                await file.fsync()

    async def _make(self, folder: str) -> None:
        if folder:
            with contextlib.suppress(asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
                await self._sftp.mkdir(self._root + b"/" + folder.encode())

    async def _free_number(self, name: str, folder: str, *, above: int) -> int:
        """Return a number whose `numbered` name is free: the first, if none was left out.

        In leaps of twice the length, then by halves: a till may send the same name for years.
        """

        async def is_free(number: int) -> bool:
            return await self._attributes(self._path(numbered(name, number), folder)) is None

        taken, leap = above, 1
        while not await is_free(taken + leap):
            taken, leap = taken + leap, leap * 2
            if taken >= _NUMBERED_MOST:
                return taken
        free = taken + leap
        while free - taken > 1:
            middle = (free + taken) // 2
            taken, free = (taken, middle) if await is_free(middle) else (middle, free)
        return free

    async def _attributes(self, path: bytes) -> asyncssh.SFTPAttrs | None:
        """Ask how a file or link itself is; None if there is nothing of this name."""
        try:
            return await self._sftp.lstat(path)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None

    async def _names(self) -> AsyncIterator[tuple[str, asyncssh.SFTPAttrs]]:
        """List the folder, without names that lead out of it."""
        seen = 0
        async for entry in self._sftp.scandir(self._root):
            seen += 1
            raw = entry.filename
            name = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
            if _is_name(name):
                yield name, entry.attrs
            if seen >= LOOKED_AT_MOST:
                return

    def _path(self, name: str, folder: str = "") -> bytes:
        """Join a name to the folder.

        Raises:
            FileUnusable: It is no name of a file in it.
        """
        if not _is_name(name):
            raise FileUnusable(f"{shown(name)} is not the name of a file")
        inner = folder.encode() + b"/" if folder else b""
        return self._root.rstrip(b"/") + b"/" + inner + _encoded(name)


def shown(name: str) -> str:
    """Return a name for words, on one line and not too long, whatever its sender put into it."""
    return ascii(name)[1:-1][:120]


def _is_name(name: str) -> bool:
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _found(name: str, attrs: asyncssh.SFTPAttrs) -> Found | None:
    """Return a plain file; of a server that says no kinds all are believed to be such."""
    if attrs.type not in {FILEXFER_TYPE_REGULAR, FILEXFER_TYPE_UNKNOWN} or (
        stat.S_IFMT(attrs.permissions or 0) not in {0, stat.S_IFREG}
    ):
        return None
    modified_ns = int(attrs.mtime or 0) * 1_000_000_000 + (attrs.mtime_ns or 0)
    return Found(name=name, size_bytes=attrs.size or 0, modified_ns=modified_ns)
