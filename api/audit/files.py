"""What is kept of the audit chain outside the database: checkpoints, and whose word counts.

======================================== ===================================================
``DATA/audit/checkpoints.jsonl``         every checkpoint, a line each; only ever appended to
``DATA/audit/keys.txt``                  public keys that have signed here, a line each
======================================== ===================================================

Who may change the database but not this folder cannot change history unseen. Copy the file of
checkpoints to another machine from time to time: then the folder need not be trusted either.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from api.keys import key_ring
from esl.domain.chain import Checkpoint, Cut
from esl.domain.errors import SetupError
from gateway.wire.errors import WireError
from gateway.wire.signing import PublicKeys, key_id_of

CHECKPOINTS: Final = "checkpoints.jsonl"
_KEYS: Final = "keys.txt"
_LINE_LONGEST: Final = 1024  # bytes; a checkpoint takes a third of it
_FIELDS: Final = ("number", "hash", "at", "public_key", "signature")

_INSIDE: Final = re.compile(r'\{"number": [^{}]*\}')


def checkpoint_line(checkpoint: Checkpoint) -> str:
    """Write a checkpoint as a line of the file; it is published as the same."""
    return json.dumps({name: getattr(checkpoint, name) for name in _FIELDS})


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """Read a file of checkpoints.

    Raises:
        SetupError: It cannot be read, or a line is none; says which.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"{path} cannot be read: {exc}") from exc
    return [_checkpoint(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]


def read_kept_checkpoints(path: Path) -> list[Checkpoint]:
    """Read the checkpoints that somebody else kept: lines of ours, or a syslog with them in it.

    What a syslog server writes before and after a message does not matter, nor do other lines.

    Raises:
        SetupError: It cannot be read, or there is no checkpoint in it.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as exc:
        raise SetupError(f"{path} cannot be read: {exc.strerror}") from exc
    found: list[Checkpoint] = []
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        found += (_checkpoint(inside, where) for inside in _INSIDE.findall(line))
        if line.startswith("{") and not _INSIDE.search(line):
            raise SetupError(f"{where}: no checkpoint")
    if not found:
        raise SetupError(
            f"{path} holds no checkpoint; give what syslog or another machine kept, or leave "
            f"--checkpoints out to verify by those of the data folder alone"
        )
    return found


def _checkpoint(line: str, where: str) -> Checkpoint:
    try:
        fields = json.loads(line)
        return Checkpoint(
            number=int(fields["number"]),
            **{name: str(fields[name]) for name in _FIELDS if name != "number"},
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise SetupError(f"{where}: no checkpoint") from exc


class AuditFolder:
    """The folder ``audit`` of a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._folder = data_dir / "audit"
        self.checkpoints_file = self._folder / CHECKPOINTS

    def note_key(self, public_key: bytes) -> None:
        """Remember that a key signs here."""
        known = self.signed_here()
        if public_key.hex() not in known:
            self._append(self._folder / _KEYS, [public_key.hex()])

    def signed_here(self) -> frozenset[str]:
        """Return the public keys that have signed here, as hex digits."""
        try:
            return frozenset((self._folder / _KEYS).read_text(encoding="ascii").split())
        except FileNotFoundError:
            return frozenset()
        except (OSError, UnicodeDecodeError) as exc:
            raise SetupError(f"{self._folder / _KEYS} cannot be read: {exc}") from exc

    def trusted(self) -> frozenset[str]:
        """Return the public keys whose checkpoints count: of now, and of before a rotation."""
        ring = key_ring(self._data_dir)
        return self.signed_here() | {raw.hex() for raw in ring.believed().values()}

    def checkpoints(self) -> list[Checkpoint]:
        """Read the folder's own checkpoints; none if there is no file yet."""
        return read_checkpoints(self.checkpoints_file) if self.checkpoints_file.exists() else []

    def last_number(self) -> int:
        """Return the block of the newest checkpoint in the folder; 0: there is none."""
        try:
            with self.checkpoints_file.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                if size == 0:
                    return 0
                file.seek(max(0, size - _LINE_LONGEST))
                *_, last = file.read().splitlines()
            return int(json.loads(last)["number"])
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise SetupError(f"{self.checkpoints_file}: its last line is no checkpoint") from exc

    def append(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Append checkpoints that are not there yet, and have them on the disk.

        A controller and its workers may share the folder: each comes with the same ones.
        """
        self._make()
        try:
            held = os.fdopen(os.open(self.checkpoints_file, os.O_RDWR | os.O_CREAT, 0o600), "rb")
        except OSError as exc:
            path = self.checkpoints_file
            raise SetupError(f"{path} cannot be written: {exc.strerror}") from exc
        with held:
            fcntl.flock(held, fcntl.LOCK_EX)
            there = self.last_number()
            new = [one for one in checkpoints if one.number > there]
            self._append(self.checkpoints_file, [checkpoint_line(one) for one in new])

    def _make(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as exc:
            raise SetupError(f"{self._folder} cannot be made: {exc.strerror}") from exc

    def _append(self, path: Path, lines: list[str]) -> None:
        if not lines:
            return
        self._make()
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write("".join(f"{line}\n" for line in lines).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise SetupError(f"{path} cannot be written: {exc.strerror}") from exc


def is_signed_by(checkpoint: Checkpoint | Cut, keys: frozenset[str]) -> bool:
    """Say whether one of these keys, as hex digits, signed a checkpoint or a cut."""
    if checkpoint.public_key not in keys:
        return False
    try:
        raw = bytes.fromhex(checkpoint.public_key)
        signature = bytes.fromhex(checkpoint.signature)
        PublicKeys({key_id_of(raw): raw}).verify(
            key_id_of(raw), signature=signature, signed=checkpoint.signed()
        )
    except (WireError, ValueError):
        return False
    return True
