"""The backup file: written in one reading of the database, and read back part by part.

Rows go from the database into the file a few thousand at a time; the memory needed does not grow
with the shop. The file is a draft until it is whole, on the disk and has been read back.
"""

import contextlib
import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from sqlalchemy import Connection, Table

from api.backup.manifest import (
    AUDIT_KEYS,
    FORMAT,
    KEYS,
    MANIFEST,
    MANIFEST_LARGEST,
    BackupDamaged,
    Manifest,
    Part,
    read_manifest,
    write_manifest,
)
from esl.domain.errors import SetupError
from esl.store.backup_rows import Rows, last_revision, read_rows, take_your_time
from esl.store.backup_tables import tables_to_keep
from esl.store.database import Database
from esl.store.migrate import schema_of

Progress = Callable[[str, int], None]
"""Hears the name of a table and the rows of it so far."""

_LENGTH_BYTES: Final = 4
_CHUNK_LARGEST: Final = 1 << 30
_BLOCK_BYTES: Final = 1 << 20
_ENCODER = msgspec.msgpack.Encoder()
_COLUMNS = msgspec.msgpack.Decoder(list[str])
_ROWS = msgspec.msgpack.Decoder(list[list[Any]])

# What zipfile says of a damaged file.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, KeyError)


def write_backup(
    database: Database,
    target: Path,
    now: datetime,
    *,
    sealed_keys: bytes | None,
    audit_keys: Iterable[str] = (),
    progress: Progress = lambda _table, _rows: None,
) -> Manifest:
    """Write a backup of a database that may be in use; return what it holds.

    ``audit_keys`` are the public keys that have signed its audit's checkpoints, as hex digits.

    Raises:
        SetupError: There is no database yet, the file is there already or cannot be written.
        BackupDamaged: What was written could not be read back: the disk is at fault.
        Unavailable: The database did not answer.
    """
    if target.exists():
        raise SetupError(f"{target} is there already; name another file")
    draft = target.with_name(f"{target.name}.draft")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            with database.read() as tx:
                beside = {AUDIT_KEYS: "".join(f"{key}\n" for key in sorted(audit_keys)).encode()}
                if sealed_keys is not None:
                    beside[KEYS] = sealed_keys
                manifest = _write(tx, file, now, beside=beside, progress=progress)
            file.flush()
            os.fsync(file.fileno())
        check_backup(draft)
        draft.replace(target)
        _sync_folder(target.parent)
    except OSError as exc:
        raise SetupError(f"{target} cannot be written: {exc.strerror or exc}") from exc
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    return manifest


def check_backup(path: Path) -> Manifest:
    """Read a backup from its first byte to its last.

    Raises:
        BackupDamaged: A part of it is missing or not as it was written; names it.
        SetupError: The file cannot be opened.
    """
    with open_backup(path) as opened:
        for part in opened.manifest.parts:
            if part.table:
                for _ in opened.rows(part):
                    pass
            else:
                opened.whole(part)
        return opened.manifest


class OpenBackup:
    """A backup that is being read; made by `open_backup`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.manifest = read_manifest(self._manifest())

    def whole(self, part: Part) -> bytes:
        """Return a small part.

        Raises:
            BackupDamaged: It is not as it was written.
        """
        with self._part(part) as read:
            return read(part.size_bytes)

    def keys(self) -> bytes | None:
        """Return the sealed keys; None if there are none."""
        return self._beside(KEYS)

    def audit_keys(self) -> list[bytes]:
        """Return the public keys that have signed the audit's checkpoints.

        Raises:
            BackupDamaged: One is none.
        """
        lines = (self._beside(AUDIT_KEYS) or b"").split()
        try:
            return [bytes.fromhex(line.decode("ascii")) for line in lines]
        except ValueError as exc:
            raise BackupDamaged(f"{AUDIT_KEYS} holds a line that is no key") from exc

    def _beside(self, name: str) -> bytes | None:
        part = next((part for part in self.manifest.parts if part.name == name), None)
        return self.whole(part) if part is not None else None

    def rows(self, part: Part) -> Iterator[tuple[Sequence[str], Rows]]:
        """Return a table's rows, some at a time, with the names of their columns.

        The last of them are given before it is known that all are as they were written.

        Raises:
            BackupDamaged: They are not.
        """
        with self._part(part) as read:
            try:
                columns = _COLUMNS.decode(_chunk(read))
                count = 0
                while chunk := _chunk(read):
                    rows = _ROWS.decode(chunk)
                    if any(len(row) != len(columns) for row in rows):
                        raise BackupDamaged(f"{part.name} holds a row that is not whole")
                    count += len(rows)
                    yield columns, rows
            except msgspec.DecodeError as exc:
                raise BackupDamaged(f"{part.name} is damaged: {exc}") from exc
            if count != part.rows:
                raise BackupDamaged(f"{part.name} has {count} rows in place of {part.rows}")

    @contextlib.contextmanager
    def _part(self, part: Part) -> Iterator[Callable[[int], bytes]]:
        digest, size = hashlib.sha256(), 0

        def read(wanted: int) -> bytes:
            nonlocal size
            try:
                data = file.read(wanted)
            except (*_UNREADABLE, OSError) as exc:
                raise BackupDamaged(f"{part.name} is damaged: {exc}") from exc
            digest.update(data)
            size += len(data)
            return data

        try:
            file = self._archive.open(part.name)
        except _UNREADABLE as exc:
            raise BackupDamaged(f"{part.name} is missing or damaged: {exc}") from exc
        with file:
            yield read
            read(1)  # what comes after the last byte: the archive's own checksum is held against it
        if (digest.hexdigest(), size) != (part.sha256, part.size_bytes):
            raise BackupDamaged(f"{part.name} is not as it was written")

    def _manifest(self) -> bytes:
        try:
            with self._archive.open(MANIFEST) as file:
                return file.read(MANIFEST_LARGEST)
        except _UNREADABLE as exc:
            raise BackupDamaged(f"{MANIFEST} is missing or damaged: {exc}") from exc


@contextlib.contextmanager
def open_backup(path: Path) -> Iterator[OpenBackup]:
    """Open a backup to read.

    Raises:
        BackupDamaged: It is none.
        SetupError: It cannot be opened.
    """
    try:
        file = path.open("rb")
    except OSError as exc:
        raise SetupError(f"{path} cannot be read: {exc.strerror}") from exc
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except _UNREADABLE as exc:
            raise BackupDamaged(f"{path} is no backup, or it was cut off: {exc}") from exc
        with archive:
            yield OpenBackup(archive)


def _write(
    tx: Connection,
    file: BinaryIO,
    now: datetime,
    *,
    beside: Mapping[str, bytes],
    progress: Progress,
) -> Manifest:
    take_your_time(tx)
    schema = schema_of(tx)
    if schema is None:
        raise SetupError("there is nothing to back up: no controller was started on it yet")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        parts = [_write_table(tx, archive, table, progress) for table in tables_to_keep(tx)]
        for name, content in beside.items():
            archive.writestr(name, content)
            digest = hashlib.sha256(content).hexdigest()
            parts.append(Part(name=name, size_bytes=len(content), sha256=digest))
        manifest = Manifest(
            format=FORMAT,
            product=version("esl-controller"),
            schema=schema,
            made_at=now,
            database=tx.dialect.name,
            last_rev=last_revision(tx),
            parts=parts,
        )
        archive.writestr(MANIFEST, write_manifest(manifest))
    return manifest


def _write_table(
    tx: Connection, archive: zipfile.ZipFile, table: Table, progress: Progress
) -> Part:
    name, count, size, digest = f"tables/{table.name}.msgpack", 0, 0, hashlib.sha256()
    with archive.open(name, "w", force_zip64=True) as out:

        def write(content: bytes) -> None:
            nonlocal size
            data = len(content).to_bytes(_LENGTH_BYTES) + content
            digest.update(data)
            size += len(data)
            out.write(data)

        write(_ENCODER.encode([str(column.name) for column in table.columns]))
        with read_rows(tx, table) as found:
            for rows in found:
                write(_ENCODER.encode(rows))
                count += len(rows)
                progress(table.name, count)
    return Part(
        name=name, table=str(table.name), rows=count, size_bytes=size, sha256=digest.hexdigest()
    )


def _chunk(read: Callable[[int], bytes]) -> bytes:
    """Read the next chunk; nothing at the end."""
    head = read(_LENGTH_BYTES)
    if not head:
        return b""
    length = int.from_bytes(head)
    if len(head) < _LENGTH_BYTES or not 0 < length <= _CHUNK_LARGEST:
        raise BackupDamaged("a part breaks off")
    blocks: list[bytes] = []
    while length:
        block = read(min(length, _BLOCK_BYTES))
        if not block:
            raise BackupDamaged("a part breaks off")
        blocks.append(block)
        length -= len(block)
    return b"".join(blocks)


def _sync_folder(folder: Path) -> None:
    """See to it that the new name is on the disk as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
