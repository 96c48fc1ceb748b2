"""Secrets that must be read again: sealed in the database, opened with a key beside it.

A webhook's shared secret is needed in the clear to check a signature, so no hash will do. It is
kept sealed (AES-256-GCM) under a key in ``DATA_DIR/keys/secrets.key``, mode 0600, outside the
database: a stolen backup of the database gives nothing away. Each is bound to its source and
kind, so that one cannot be put in the place of another.

    sealed = version (1 byte, 1) | nonce (12) | ciphertext and tag
"""

import os
import threading
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.private_files import write_private
from esl.domain.errors import SetupError

KEY_FILE = "secrets.key"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"
_making = threading.Lock()


class SecretBox:
    """Seals secrets and opens them."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: str, *, source: str, kind: str) -> bytes:
        """Seal a secret for a source."""
        nonce = os.urandom(_NONCE_BYTES)
        bound = _bound(source, kind)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret.encode(), _VERSION + bound)

    def open(self, sealed: bytes, *, source: str, kind: str) -> str:
        """Open what `seal` made.

        Raises:
            SetupError: The key is another, or the secret was changed.
        """
        nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, text, sealed[:1] + _bound(source, kind)).decode()
        except InvalidTag:
            raise SetupError(
                f"the secret of the source {source!r} cannot be opened: {KEY_FILE} is not the key "
                "it was sealed with; give the source a new secret"
            ) from None


def _bound(source: str, kind: str) -> bytes:
    return f"{source}/{kind}".encode()


def make_box_key(data_dir: Path) -> Path:
    """Make the key, once in an installation's life; return where it is.

    A controller does so at its start, while it alone holds the folder: two that made it at the
    same moment would each seal under a key of its own.

    Raises:
        SetupError: It cannot be written.
    """
    path = data_dir / "keys" / KEY_FILE
    with _making:
        if not path.exists():
            write_private(path, os.urandom(_KEY_BYTES).hex())
    return path


def open_box(data_dir: Path) -> SecretBox:
    """Open the box of an installation.

    Raises:
        SetupError: The key is damaged, or cannot be read.
    """
    return SecretBox(_box_key(data_dir))


def derive_key(data_dir: Path, purpose: bytes) -> bytes:
    """Derive another key of 32 bytes from that of the box, for one purpose and no other.

    Raises:
        SetupError: The key is damaged, or cannot be read.
    """
    kdf = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose)
    return kdf.derive(_box_key(data_dir))


def _box_key(data_dir: Path) -> bytes:
    path = make_box_key(data_dir)
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise SetupError(
            f"{path} is not a key; restore it from a backup, or delete it and give every source "
            "new secrets"
        )
    return key
