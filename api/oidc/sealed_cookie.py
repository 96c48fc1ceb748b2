"""The cookie of a sign-in that is under way, and what is made of it.

::

    cookie   1764000000 . secret (43 characters) . HMAC over both, under the installation's key
    state    HMAC(secret, "state")        goes to the provider and comes back with the person
    nonce    HMAC(secret, "nonce")        comes back in the ID token
    verifier HMAC(secret, "verifier")     is told when the code is turned in (RFC 7636)

Only the browser with the cookie can end what it began, and only soon. None of the three tells the
secret, or another of them. Nothing is stored for strangers who begin and never end.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

COOKIE: Final = "esl_provider"
COOKIE_OF_TLS: Final = "__Host-esl_provider"
LASTS: Final = timedelta(minutes=10)
"""So long may somebody take at the provider."""

_SHAPE: Final = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{43})\.([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that is under way."""

    secret: str

    @property
    def state(self) -> str:
        """What the provider hands back by the browser."""
        return self._made_of("state")

    @property
    def nonce(self) -> str:
        """What the provider puts into the ID token."""
        return self._made_of("nonce")

    @property
    def verifier(self) -> str:
        """What shows the provider that the code is turned in by who asked for it."""
        return self._made_of("verifier")

    @property
    def challenge(self) -> str:
        """The verifier's hash, which alone travels by the browser (S256)."""
        return _text(hashlib.sha256(self.verifier.encode()).digest())

    def _made_of(self, what: str) -> str:
        return _text(hmac.digest(self.secret.encode(), what.encode(), "sha256"))


def begin() -> Begun:
    """Begin a sign-in by chance of 256 bits."""
    return Begun(secret=secrets.token_urlsafe(32))


def seal(begun: Begun, key: bytes, now: datetime) -> str:
    """Write the cookie of a sign-in that begins now."""
    content = f"{int(now.timestamp())}.{begun.secret}"
    return f"{content}.{_mac(key, content)}"


def unseal(cookie: str, key: bytes, now: datetime) -> Begun | None:
    """Read a cookie of ours; None if it is none, or older than `LASTS`."""
    found = _SHAPE.fullmatch(cookie)
    if found is None:
        return None
    began_s, secret, mac = found.groups()
    if not hmac.compare_digest(_mac(key, f"{began_s}.{secret}"), mac):
        return None
    age_s = now.timestamp() - int(began_s)
    return Begun(secret=secret) if -1 <= age_s <= LASTS.total_seconds() else None


def _mac(key: bytes, content: str) -> str:
    return hmac.digest(key, content.encode(), "sha256").hex()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
