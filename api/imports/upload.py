"""What comes with an import: the file, which goes to the spool as it arrives, and its options.

::

    POST …/imports?mapping=konzum&mode=full        the body is the file
    POST …/imports   multipart/form-data        parts: file, mapping, mode, dry_run, source, name,
                                                store_from

A mapping is the name of a saved one, or the document itself.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from fastapi import Request

from api.imports.multipart import Part, boundary_of, read_parts
from api.imports.spool import Spool, Spooled, SpoolFile
from esl.domain.errors import EslError, InvalidInput
from esl.domain.ids import has_control
from esl.domain.import_job import ImportMode
from esl.intake.yaml_text import BYTES_MOST

OPTIONS = ("mapping", "mode", "dry_run", "source", "name", "store_from")
TITLE_LONGEST = 200
MAPPING_NAME = re.compile(r"[a-z0-9_-]{1,63}")
_PATIENCE_S = 30.0
_OPTION_LONGEST = 4096
_FLAGS = {"true": True, "1": True, "false": False, "0": False, "": False}


class TooLarge(EslError):
    """The file is larger than this installation takes."""


class TooSlow(EslError):
    """Nothing more of the file came for too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was received, and what its sender says of it."""

    file: Spooled
    title: str
    mapping: str | None  # a name, or the document itself
    mode: ImportMode
    dry_run: bool
    source: str | None
    store_from: str | None = None

    @property
    def has_document(self) -> bool:
        """Say whether the mapping came as a document."""
        return self.mapping is not None and not MAPPING_NAME.fullmatch(self.mapping)


async def receive_upload(request: Request, spool: Spool, job_id: str, *, most_bytes: int) -> Upload:
    """Receive a request's file and options.

    Raises:
        InvalidInput: An option is wrong, or there is no file.
        TooLarge: The file is larger than ``most_bytes``.
        TooSlow: The sender has stopped sending.
        Unavailable: The disk is full.
    """
    options = dict(request.query_params)
    _check_options(options)
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > most_bytes + BYTES_MOST:
        raise _too_large(most_bytes)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise InvalidInput.at("", "a packed body", fix="Send the file as it is.")
    file = spool.receive(job_id)
    try:
        content_type = request.headers.get("content-type", "")
        body = _patiently(request.stream())
        if content_type.lower().startswith("multipart/form-data"):
            parts = read_parts(body, boundary_of(content_type))
            options |= await _receive_parts(parts, file, most_bytes)
        else:
            async for data in body:
                _write(file, data, most_bytes)
        upload = _upload_of(options, file)
    except BaseException:
        file.discard()
        raise
    return upload


async def _receive_parts(
    parts: AsyncIterator[Part | bytes], file: SpoolFile, most_bytes: int
) -> dict[str, str]:
    values: dict[str, bytearray] = {}
    found: dict[str, str] = {}
    name: str | None = None
    has_file = False
    async for each in parts:
        if isinstance(each, Part):
            name = each.name
            if name in values or (name == "file" and has_file):
                raise InvalidInput.at(_pointer(name), "sent twice", fix="Send it once.")
            if name == "file":
                has_file = True
                found["name"] = each.file_name or ""
            elif name in OPTIONS:
                values[name] = bytearray()
            else:
                raise _unknown(name)
        elif name == "file":
            _write(file, each, most_bytes)
        elif name is not None:
            values[name] += each
            longest = BYTES_MOST if name == "mapping" else _OPTION_LONGEST
            if len(values[name]) > longest:
                raise InvalidInput.at(f"/{name}", f"longer than {longest} bytes")
    if not has_file:
        raise InvalidInput.at("/file", "missing", fix="Send the price list as the part “file”.")
    for option, value in values.items():
        try:
            found[option] = value.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise InvalidInput.at(f"/{option}", "not UTF-8", fix="Send it as UTF-8.") from None
    _check_options(found)
    return found


def _write(file: SpoolFile, data: bytes, most_bytes: int) -> None:
    if file.size_bytes + len(data) > most_bytes:
        raise _too_large(most_bytes)
    file.write(data)


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(f"a file of more than {most_bytes} bytes")


async def _patiently(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass a body on, but wait no longer than `_PATIENCE_S` for its next bytes."""
    while True:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                data = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TooSlow(f"nothing more came for {_PATIENCE_S:.0f} s") from None
        yield data


def _check_options(options: Mapping[str, str]) -> None:
    for name, value in options.items():
        if name not in OPTIONS:
            raise _unknown(name)
        if name == "mode" and value not in list(ImportMode):
            raise InvalidInput.at("/mode", "neither full nor delta", fix="Send full or delta.")
        if name == "dry_run" and value not in _FLAGS:
            raise InvalidInput.at("/dry_run", "neither true nor false", fix="Send true or false.")


def _unknown(name: str) -> InvalidInput:
    return InvalidInput.at(
        _pointer(name), "unknown here", fix=f"Known are file, {', '.join(OPTIONS)}."
    )


def _pointer(name: str) -> str:
    return f"/{name}" if re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", name) else ""


def _upload_of(options: Mapping[str, str], file: SpoolFile) -> Upload:
    if file.size_bytes == 0:
        raise InvalidInput.at("/file", "empty", fix="Send the price list as the body.")
    return Upload(
        file=file.finish(),
        title=title_of(options.get("name", "")),
        mapping=options.get("mapping") or None,
        mode=ImportMode(options.get("mode", ImportMode.DELTA)),
        dry_run=_FLAGS[options.get("dry_run", "")],
        source=options.get("source") or None,
        store_from=options.get("store_from") or None,
    )


def title_of(name: str) -> str:
    """Return a file's own name, without the folders before it or what cannot be printed."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(c for c in last if not has_control(c))[:TITLE_LONGEST]
