"""What stands first in everybody's eyes: the manifest of a backup.

::

    esl-….zip
      manifest.json           this: what is in it, how much of it, and the SHA-256 of every part
      tables/price.msgpack    rows: a list of column names, then lists of rows, one after another
      keys.sealed             the folder keys, under a passphrase; only where one was given
      audit-keys.txt          public keys that have signed the audit's checkpoints, a line each
"""

import hashlib
from datetime import datetime
from typing import Final

import msgspec

from esl.domain.errors import SetupError

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
KEYS: Final = "keys.sealed"
AUDIT_KEYS: Final = "audit-keys.txt"
MANIFEST_LARGEST: Final = 1 << 20


class BackupDamaged(SetupError):
    """A file is no backup, or not as it was written; says which part."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One part of a backup; ``table`` is empty for what holds no rows."""

    name: str
    table: str = ""
    rows: int = 0
    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    format: int
    product: str  # version of the software that wrote it
    schema: str  # revision of the database's schema
    made_at: datetime
    database: str  # "sqlite" or "postgresql"
    last_rev: int  # given out last when it was made
    parts: list[Part]

    @property
    def has_keys(self) -> bool:
        """Say whether the keys are in it."""
        return any(part.name == KEYS for part in self.parts)

    @property
    def rows(self) -> int:
        """How many rows all of its tables have."""
        return sum(part.rows for part in self.parts)


class _Sealed(msgspec.Struct, frozen=True, kw_only=True):
    manifest: msgspec.Raw
    sha256: str


def write_manifest(manifest: Manifest) -> bytes:
    """Write a manifest, with its own SHA-256 beside it."""
    inner = msgspec.json.encode(manifest)
    sealed = _Sealed(manifest=msgspec.Raw(inner), sha256=hashlib.sha256(inner).hexdigest())
    return msgspec.json.encode(sealed)


def read_manifest(text: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        BackupDamaged: It is none, or was changed; or its format is newer than ours.
    """
    try:
        sealed = msgspec.json.decode(text, type=_Sealed)
        inner = bytes(sealed.manifest)
        if hashlib.sha256(inner).hexdigest() != sealed.sha256:
            raise BackupDamaged(f"{MANIFEST} is not as it was written")
        number = msgspec.json.decode(inner, type=dict[str, object]).get("format")
        if isinstance(number, int) and number > FORMAT:
            raise BackupDamaged(
                f"the backup is of format {number}, this version reads up to {FORMAT}: "
                f"restore it with the version that wrote it, or a newer one"
            )
        return msgspec.json.decode(inner, type=Manifest)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise BackupDamaged(f"{MANIFEST} cannot be read: {exc}") from exc
