"""The folder ``keys`` in a backup: under a passphrase, or not at all.

    keys.sealed = header line (JSON) | nonce (12) | AES-256-GCM of {file name: content}

The key comes from the passphrase by scrypt, whose cost stands in the header; the header is bound
into the seal. Lost passphrase, lost keys: there is no other way in.
"""

import os
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from msgspec import Meta

from api.backup.manifest import KEYS, BackupDamaged
from api.private_files import make_data_folder
from esl.domain.errors import SetupError

PASSPHRASE_SHORTEST: Final = 12

_COST = 2**16
"""64 MiB and about 0.2 s a guess: OWASP's advice is 2**17 with r=8, for sign-ins; this file is
made each night on small machines."""
_COST_MOST = 2**20
_R, _P = 8, 1
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32
_FILE_LARGEST = 1 << 20
_NAME_LONGEST_BYTES = 200


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kdf: str
    n: Annotated[int, Meta(ge=2, le=_COST_MOST)]
    r: Annotated[int, Meta(ge=1, le=16)]
    p: Annotated[int, Meta(ge=1, le=16)]
    salt: bytes


def read_passphrase(path: Path) -> str:
    """Read a passphrase: the first line of a file that others may not read.

    Raises:
        SetupError: It cannot be read, others may read it, or it is too short.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise SetupError(f"others may read {path}; run: chmod 600 {path}")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"the passphrase file {path} cannot be read: {exc}") from exc
    return check_passphrase(lines[0] if lines else "")


def check_passphrase(passphrase: str) -> str:
    """Return a passphrase that is long enough.

    Raises:
        SetupError: It is not.
    """
    if len(passphrase) < PASSPHRASE_SHORTEST:
        raise SetupError(
            f"the passphrase has {len(passphrase)} characters, {PASSPHRASE_SHORTEST} are needed: "
            f"take some words"
        )
    return passphrase


def read_keys(data_dir: Path) -> dict[str, bytes]:
    """Read every file of the folder ``keys``.

    Raises:
        SetupError: One cannot be read, or is no key by its size.
    """
    found: dict[str, bytes] = {}
    try:
        for path in sorted((data_dir / "keys").iterdir()):
            if path.is_file() and not path.is_symlink() and path.suffix != ".draft":
                if path.stat().st_size > _FILE_LARGEST:
                    raise SetupError(f"{path} is too large for a key; take it out of the folder")
                found[path.name] = path.read_bytes()
    except OSError as exc:
        raise SetupError(f"the keys cannot be read: {exc}") from exc
    return found


def seal_keys(keys: dict[str, bytes], passphrase: str) -> bytes:
    """Seal keys under a passphrase."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    header = _Header(kdf="scrypt", n=_COST, r=_R, p=_P, salt=salt)
    line = msgspec.json.encode(header) + b"\n"
    cipher = AESGCM(_key(header, passphrase))
    return line + nonce + cipher.encrypt(nonce, msgspec.msgpack.encode(keys), line)


def open_keys(sealed: bytes, passphrase: str) -> dict[str, bytes]:
    """Open what `seal_keys` made.

    Raises:
        SetupError: The passphrase is another.
        BackupDamaged: It is no such thing.
    """
    line, newline, rest = sealed.partition(b"\n")
    try:
        header = msgspec.json.decode(line, type=_Header)
        if header.kdf != "scrypt" or not newline or header.n & (header.n - 1):
            raise BackupDamaged(f"{KEYS} was sealed in a way that this version does not know")
        cipher = AESGCM(_key(header, passphrase))
        inner = cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], line + newline)
        keys = msgspec.msgpack.decode(inner, type=dict[str, bytes])
    except InvalidTag:
        raise SetupError(
            "the passphrase does not open the keys of this backup. If it is lost, restore without "
            "them (--without-keys): every gateway then needs a new enrolment file"
        ) from None
    except (msgspec.DecodeError, ValueError) as exc:
        raise BackupDamaged(f"{KEYS} cannot be read: {exc}") from exc
    if not all(_is_file_name(name) for name in keys):
        raise BackupDamaged(f"{KEYS} holds a file that is no key")
    return keys


def check_place(data_dir: Path, keys: dict[str, bytes]) -> None:
    """Refuse a folder with other keys: no key is ever written over.

    Raises:
        SetupError: There are others.
    """
    for name, content in keys.items():
        path = data_dir / "keys" / name
        if path.exists() and path.read_bytes() != content:
            raise SetupError(f"{path} is another key than that of the backup; name an empty folder")


def write_keys(data_dir: Path, keys: dict[str, bytes]) -> None:
    """Write keys into a data folder, each whole, for our eyes alone.

    Raises:
        SetupError: One cannot be written, or there is another.
    """
    make_data_folder(data_dir)
    check_place(data_dir, keys)
    try:
        for name, content in keys.items():
            path = data_dir / "keys" / name
            draft = path.with_name(f"{name}.draft")
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
    except OSError as exc:
        raise SetupError(f"the keys cannot be written to {data_dir}: {exc}") from exc


def _is_file_name(name: str) -> bool:
    is_one = Path(name).name == name and name not in ("", "..") and name.isprintable()
    return is_one and len(name.encode()) <= _NAME_LONGEST_BYTES


def _key(header: _Header, passphrase: str) -> bytes:
    kdf = Scrypt(salt=header.salt, length=_KEY_BYTES, n=header.n, r=header.r, p=header.p)
    return kdf.derive(passphrase.encode())
