"""Forms of our own pages with a file, which is handed on as it comes and never held as a whole.

The file is the form's last field: before a byte of it is read, the fields before it have shown
that the form is ours.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from api.auth import require_csrf, session_of
from api.console.acting import Form
from api.imports.multipart import Part, boundary_of, read_parts
from esl.domain.errors import InvalidInput, Unavailable

FILE_FIELD: Final = "file"
_PATIENCE_S: Final = 30.0
_FIELD_LONGEST: Final = 256 * 1024
"""A mapping is the longest text that a form has beside a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormWithFile:
    """What a form sent: its fields, and a file that comes."""

    form: Form
    file_name: str
    content: AsyncIterator[bytes]

    async def pass_over(self) -> None:
        """Let the rest come, for browsers hear no answer before they have sent everything."""
        async for _ in self.content:
            pass


@dataclass(frozen=True, slots=True, kw_only=True)
class FormWithSample:
    """What a form sent: its fields, and a small file; nothing of it where none was chosen."""

    form: Form
    file_name: str
    file: bytes


async def receive_sample(request: Request) -> FormWithSample:
    """Read a form with a small file, which may stand anywhere in it; the edge bounds its size.

    Raises:
        Forbidden: It carries another session's token.
        InvalidInput: It is no form of ours.
    """
    fields: dict[str, str] = {}
    head: Part | None = None
    name, file, value = "", bytearray(), bytearray()
    async for each in _parts_of(request):
        if isinstance(each, Part):
            _keep(fields, head, value)
            head, value = (None if each.name == FILE_FIELD else each), bytearray()
            name = (each.file_name or "") if each.name == FILE_FIELD else name
        elif head is None:
            file += each
        else:
            value += each
    _keep(fields, head, value)
    _require_own(request, fields)
    return FormWithSample(form=Form(fields=fields), file_name=name, file=bytes(file))


async def receive_form(request: Request) -> FormWithFile:
    """Read a form up to its file.

    Raises:
        Forbidden: It carries another session's token.
        InvalidInput: It is no form of ours.
    """
    parts = _parts_of(request)
    fields: dict[str, str] = {}
    head: Part | None = None
    value = bytearray()
    async for each in parts:
        if isinstance(each, Part):
            _keep(fields, head, value)
            head, value = each, bytearray()
            if each.name == FILE_FIELD:
                break
        else:
            value += each
            if len(value) > _FIELD_LONGEST:
                raise _foreign()
    else:
        _keep(fields, head, value)
        raise InvalidInput.at("/file", "missing", fix="Choose a file.")
    _require_own(request, fields)
    return FormWithFile(
        form=Form(fields=fields), file_name=head.file_name or "", content=_content(parts)
    )


def _parts_of(request: Request) -> AsyncIterator[Part | bytes]:
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        raise _foreign()
    return read_parts(_patiently(request.stream()), boundary_of(content_type))


def _require_own(request: Request, fields: Mapping[str, str]) -> None:
    session = session_of(request)
    if session is not None:
        require_csrf(session, fields.get("csrf", ""))


async def _content(parts: AsyncIterator[Part | bytes]) -> AsyncIterator[bytes]:
    async for each in parts:
        if isinstance(each, Part):
            raise _foreign()
        yield each


def _keep(fields: dict[str, str], head: Part | None, value: bytearray) -> None:
    if head is None:
        return
    if head.name in fields or head.file_name is not None:
        raise _foreign()
    try:
        fields[head.name] = value.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise _foreign() from None


async def _patiently(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                data = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Unavailable("nothing more of the file came; nothing was stored") from None
        yield data


def _foreign() -> InvalidInput:
    return InvalidInput.at("", "not a form of this page", fix="Use the form of the page.")
