"""Bodies of ``multipart/form-data`` (RFC 7578) read as they come, never held as a whole.

::

    --B CRLF  headers CRLF CRLF  content CRLF--B CRLF  headers …  CRLF--B-- CRLF
              └ `HEADERS_LONGEST`   └ handed on in pieces, but for a tail that may be a boundary
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from esl.domain.errors import InvalidInput

PARTS_MOST = 20
HEADERS_LONGEST = 8 * 1024
_BOUNDARY_LONGEST = 70  # RFC 2046, 5.1.1
_PARAMETER = re.compile(
    r';\s*([a-z*]+)\s*=\s*(?:"((?:[^"\\\r\n]|\\.)*)"|([^\s;"]+))', re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The head of a part; ``file_name`` is None where it is no file."""

    name: str
    file_name: str | None


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names.

    Raises:
        InvalidInput: It names none.
    """
    found = dict(_parameters(content_type)).get("boundary", "")
    if not 1 <= len(found) <= _BOUNDARY_LONGEST or not found.isascii():
        raise _bad("the Content-Type names no boundary")
    return found.encode()


async def read_parts(body: AsyncIterator[bytes], boundary: bytes) -> AsyncIterator[Part | bytes]:
    """Read a body: the head of each part, then its content in pieces.

    Raises:
        InvalidInput: It is not well-formed, or ends too soon.
    """
    reader = _Reader(body)
    mark = b"\r\n--" + boundary
    reader.put(b"\r\n")  # so that the first boundary looks like the others
    async for _ in reader.until(mark):
        pass  # a preamble is for nobody
    for _ in range(PARTS_MOST):
        ending = await reader.take(2)
        if ending == b"--":
            return
        if ending != b"\r\n":
            raise _bad("no end of line behind a boundary")
        yield _part(await reader.head())
        async for piece in reader.until(mark):
            yield piece
    if await reader.take(2) != b"--":
        raise _bad(f"more than {PARTS_MOST} parts")


class _Reader:
    """The bytes that came and were not handed on yet."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._held = bytearray()

    def put(self, data: bytes) -> None:
        """Add bytes in front of those to come."""
        self._held += data

    async def take(self, count: int) -> bytes:
        """Take exactly so many bytes."""
        while len(self._held) < count:
            await self._more()
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    async def head(self) -> str:
        """Take the lines up to the empty one."""
        while (end := self._held.find(b"\r\n\r\n")) < 0:
            if len(self._held) > HEADERS_LONGEST:
                raise _bad("the head of a part is too long")
            await self._more()
        if end > HEADERS_LONGEST:
            raise _bad("the head of a part is too long")
        try:
            return (await self.take(end + 4))[:-4].decode()
        except UnicodeDecodeError:
            raise _bad("the head of a part is not UTF-8") from None

    async def until(self, mark: bytes) -> AsyncIterator[bytes]:
        """Hand on what comes before a mark, and take the mark."""
        while (end := self._held.find(mark)) < 0:
            whole = len(self._held) - len(mark) + 1  # the rest may be the begin of the mark
            if whole > 0:
                yield await self.take(whole)
            await self._more()
        if end:
            yield await self.take(end)
        del self._held[: len(mark)]

    async def _more(self) -> None:
        try:
            self._held += await anext(self._body)
        except StopAsyncIteration:
            raise _bad("it ends in the middle") from None


def _part(head: str) -> Part:
    disposition = ""
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        match name.strip().lower():
            case "content-disposition":
                disposition = value
            case "content-transfer-encoding" if value.strip().lower() not in ("binary", "8bit"):
                raise _bad("a part has a Content-Transfer-Encoding")
            case _:
                pass
    parameters = dict(_parameters(disposition))
    if not disposition.strip().lower().startswith("form-data") or "name" not in parameters:
        raise _bad("a part has no name")
    return Part(name=parameters["name"], file_name=parameters.get("filename"))


def _parameters(header: str) -> list[tuple[str, str]]:
    return [
        (name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted else plain)
        for name, quoted, plain in _PARAMETER.findall(header)
    ]


def _bad(detail: str) -> InvalidInput:
    return InvalidInput.at(
        "", f"not a multipart body: {detail}", fix="Send multipart/form-data as RFC 7578 has it."
    )
