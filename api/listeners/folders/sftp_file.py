"""A file on an SFTP server as a file to read from, block by block.

    blocks asked at once   │ 0 │ 1 │ 2 │ 3 │ …      of as many bytes as the server gives at once
    answered               │###│###│## │###│        block 2 is short: what lies behind it is
    taken                  │###│###│## │             dropped, and asked again from there

A till may write the file anew while we read. Bytes are taken only as far as they follow on one
another; what a block behind a gap says is never put together with what stood before it.
"""

import asyncio
import contextlib
import io
from typing import Any

import asyncssh

from api.listeners.folders.sftp_place import SftpPlace
from api.listeners.folders.sftp_session import in_words
from api.listeners.folders.sftp_thread import SshThread

READ_S = 45.0
"""For one round of blocks; a server that gives nothing for so long is not reading."""

_BLOCK_LEAST, _BLOCK_MOST = 16 * 1024, 256 * 1024
_BLOCKS_AT_ONCE = 8
_CLOSE_S = 5.0


class SftpFile(io.RawIOBase):
    """Reads one open file, from its beginning to its end.

    ``opened`` gives one block a request (``block_size=None``), of ``block_bytes`` at most.
    """

    def __init__(
        self,
        thread: SshThread,
        place: SftpPlace,
        name: str,
        opened: asyncssh.SFTPClientFile,
        *,
        block_bytes: int,
    ) -> None:
        super().__init__()
        self._thread = thread
        self._place = place
        self._name = name
        self._opened = opened
        self._block_bytes = max(_BLOCK_LEAST, min(block_bytes, _BLOCK_MOST))
        self._offset = 0
        self._read = b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as one round of blocks does; 0 is the end.

        Raises:
            FolderUnreachable: The connection broke, or the server gives nothing.
            FileUnusable: This file cannot be read.
        """
        if not self._read:
            with in_words(self._place, self._name):
                self._read = self._thread.run(self._next_blocks(), longest_s=READ_S)
            self._offset += len(self._read)
        into = memoryview(buffer).cast("B")
        many = min(len(into), len(self._read))
        into[:many] = self._read[:many]
        self._read = self._read[many:]
        return many

    def close(self) -> None:
        """Tell the server that we are done; if it is gone, so is its file."""
        if not self.closed:
            super().close()
            with contextlib.suppress(OSError, asyncssh.Error):
                self._thread.run(self._opened.close(), longest_s=_CLOSE_S)

    async def _next_blocks(self) -> bytes:
        size = self._block_bytes
        starts = [self._offset + n * size for n in range(_BLOCKS_AT_ONCE)]
        blocks = await asyncio.gather(*(self._block(at) for at in starts))
        whole = bytearray()
        for block in blocks:
            whole += block[:size]
            if len(block) < size:
                break
        return bytes(whole)

    async def _block(self, at: int) -> bytes:
        block: str | bytes = await self._opened.read(self._block_bytes, at)
        return block if isinstance(block, bytes) else block.encode()
