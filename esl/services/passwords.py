"""Hashing passwords, so that whoever steals the database still has to guess them one by one.

Argon2id with 19 MiB, 2 passes, 1 lane: the least that OWASP recommends (Password Storage Cheat
Sheet, 2023). About 40 ms each here, so nobody hashes on the event loop, and few at once.
"""

import os
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

_MEMORY_KIB: Final = 19 * 1024
_PASSES: Final = 2
_LANES: Final = 1
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32


def hash_password(password: str) -> str:
    """Hash a password, as `check_password` returned it, to a PHC string."""
    argon = Argon2id(
        salt=os.urandom(_SALT_BYTES),
        length=_HASH_BYTES,
        iterations=_PASSES,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    )
    return argon.derive_phc_encoded(password.encode("utf-8", "surrogatepass"))


def password_fits(password: str, hashed: str | None) -> bool:
    """Say whether a password is the hashed one; of None, not, and it takes as long."""
    try:
        Argon2id.verify_phc_encoded(
            password.encode("utf-8", "surrogatepass"), hashed if hashed is not None else _nobodys()
        )
    except InvalidKey:
        return False
    return hashed is not None


@cache
def _nobodys() -> str:
    return hash_password(os.urandom(_SALT_BYTES).hex())
