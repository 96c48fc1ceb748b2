"""Mosquitto's password file, written by us.

::

    username:$7$iterations$salt$hash      PBKDF2 with HMAC-SHA512, 64 bytes; salt and hash base64

as of mosquitto 2.0 (``mosquitto_passwd`` writes the same with 101 iterations). The broker does
the iterations in its only thread each time somebody connects, so there are few of them for the
256-bit passwords made here, which nobody can guess whatever the number, and more for one that a
person may have chosen.
"""

import base64
import hashlib
import hmac
import os

ITERATIONS = 101  # mosquitto_passwd's own number
ITERATIONS_OF_A_PERSON = 10_000  # about 5 ms of the broker's thread
_SALT_BYTES = 12
_HASH_BYTES = 64


def hash_password(password: str, *, iterations: int = ITERATIONS, salt: bytes | None = None) -> str:
    """Return what stands behind the colon: ``$7$…``."""
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _HASH_BYTES)
    return f"$7${iterations}${_base64(salt)}${_base64(key)}"


def is_password(password: str, hashed: str) -> bool:
    """Say whether a hash is that of a password; False for one that is no such hash."""
    match hashed.split("$"):
        case ["", "7", iterations, salt, _] if iterations.isdecimal() and int(iterations) > 0:
            try:
                again = hash_password(
                    password, iterations=int(iterations), salt=base64.b64decode(salt)
                )
            except ValueError:
                return False
            return hmac.compare_digest(again, hashed)
    return False


def read_hashes(text: str) -> dict[str, str]:
    """Read a password file: hashes by login."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def write_hashes(hashes: dict[str, str]) -> str:
    """Write a password file, in the order of the logins."""
    return "".join(f"{name}:{hashes[name]}\n" for name in sorted(hashes))


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
