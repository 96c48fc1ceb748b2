"""The pinned key of an SFTP server: which server is meant, said by a person and never learnt.

    ssh-ed25519 AAAAC3NzaC1lZDI1NTE5…   the key itself, as ssh-keyscan and .pub files write it
    SHA256:jHv6VMfJyc4rzqfSJi0vPB2…     its fingerprint, as ``ssh-keygen -l`` writes it

Whoever stands between us and the server could read prices and send others; a key that is taken
on trust the first time proves nothing about that time. With a pin there is no such time.
"""

import base64
import binascii
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from esl.domain.errors import InvalidInput

if TYPE_CHECKING:
    from asyncssh import SSHKey

_RSA = "ssh-rsa"
_RSA_LEAST_BITS = 2048  # NIST SP 800-131A
ALGORITHMS = (
    *("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    *("rsa-sha2-512", "rsa-sha2-256"),
)
"""How a server may prove its key, the best first. Neither DSA nor RSA with SHA-1; and no
certificates, which would move the trust to whoever signed them."""

_FINGERPRINT = re.compile(r"SHA256:([A-Za-z0-9+/]{43})=?")
_FIX = 'Write such as "ssh-ed25519 AAAA…" or "SHA256:…"; esl sources host-key HOST shows them.'


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKeyPin:
    """What a server's key must be. ``kind`` is "" where only the fingerprint is known."""

    fingerprint: str
    kind: str = ""

    def fits(self, key: "SSHKey") -> bool:
        """Say whether a key is the pinned one."""
        return fingerprint_of(key) == self.fingerprint

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Return how the server may prove its key: only as a key of the pinned kind can."""
        return algorithms_of(self.kind) if self.kind else ALGORITHMS


def algorithms_of(kind: str) -> tuple[str, ...]:
    """Return the algorithms by which keys of a kind are proven; none for kinds we refuse."""
    return tuple(a for a in ALGORITHMS if a == kind or (kind == _RSA and a.startswith("rsa-")))


def fingerprint_of(key: "SSHKey") -> str:
    """Return a key's fingerprint as everybody writes it: "SHA256:…"."""
    return key.get_fingerprint("sha256")


def parse_host_key(text: str, path: str) -> HostKeyPin:
    """Read a pin.

    Raises:
        InvalidInput: It is none, or a key that proves too little.
    """
    words = text.split()
    if len(words) == 1 and (found := _FINGERPRINT.fullmatch(words[0])):
        return HostKeyPin(fingerprint=f"SHA256:{found[1]}")
    if text.startswith(("MD5:", "SHA1:")):
        raise InvalidInput.at(path, "a fingerprint that can be forged", fix=_FIX)
    for kind, body in itertools.pairwise(words):  # a host's name may stand before them
        if algorithms_of(kind):
            return _pin_of(kind, body, path)
    raise InvalidInput.at(path, "not a host key", fix=_FIX)


def _pin_of(kind: str, body: str, path: str) -> HostKeyPin:
    import asyncssh  # noqa: PLC0415  10 MB that only sources of this kind need

    try:
        base64.b64decode(body, validate=True)
        key = asyncssh.import_public_key(f"{kind} {body}")
    except (asyncssh.KeyImportError, binascii.Error, ValueError):
        raise InvalidInput.at(path, "a host key that is cut short or misspelt", fix=_FIX) from None
    if key.get_algorithm() != kind:
        raise InvalidInput.at(path, "a host key of another kind than it says", fix=_FIX)
    if isinstance(key.pyca_key, RSAPublicKey) and key.pyca_key.key_size < _RSA_LEAST_BITS:
        raise InvalidInput.at(
            path, f"an RSA key of fewer than {_RSA_LEAST_BITS} bits", fix="Pin another of its keys."
        )
    return HostKeyPin(fingerprint=fingerprint_of(key), kind=kind)
