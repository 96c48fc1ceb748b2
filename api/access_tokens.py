"""Access tokens of clients: signed, good for ten minutes, checked against the client itself.

A JWT (RFC 9068) under one algorithm, HS256, and a key that is derived from that of the secret box:
processes that share a database share the folder ``keys``, so each takes what another gave.
Signature and claims are PyJWT's work, times are compared with the installation's own clock.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import jwt

from api.secret_box import derive_key
from esl.domain.access import Scope
from esl.domain.errors import NotSignedIn
from esl.services.clients import Fetched

LASTS: Final = timedelta(minutes=10)
LEEWAY: Final = timedelta(seconds=30)
"""By so much may the clocks of two processes differ."""

_ALGORITHM: Final = "HS256"
_HEADER: Final = {"alg": _ALGORITHM, "typ": "at+jwt"}
_ISSUER: Final = "esl"
_AUDIENCE: Final = "esl-api"
_PURPOSE: Final = b"esl access tokens of clients, HS256"
_LONGEST: Final = 8000
_CLAIMS: Final = ("iss", "aud", "sub", "iat", "nbf", "exp", "jti", "scope", "stores", "sec")
_PARTS: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a token says whose signature and times are right."""

    fetched: Fetched
    ends_at: datetime


def looks_like_one(text: str) -> bool:
    """Say whether a text may be an access token, and no other."""
    return text.count(".") == 2 and _PARTS.fullmatch(text) is not None  # noqa: PLR2004


class AccessTokens:
    """Gives and reads the access tokens of an installation."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._key: bytes | None = None

    def issue(self, fetched: Fetched, *, token_id: str, now: datetime) -> str:
        """Write a token that begins now."""
        began_s = int(now.timestamp())
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": fetched.client_id,
            "iat": began_s,
            "nbf": began_s,
            "exp": began_s + int(LASTS.total_seconds()),
            "jti": token_id,
            "scope": " ".join(sorted(fetched.scopes)),
            "stores": sorted(fetched.stores),
            "sec": fetched.secret_id,
        }
        return jwt.encode(claims, self._signing_key(), _ALGORITHM, headers=_HEADER)

    def read(self, text: str, now: datetime) -> Read:
        """Check a token's signature, addressee and times, and read it.

        Raises:
            NotSignedIn: Something of it is wrong; never says what.
        """
        try:
            return self._read(text, now)
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError) as exc:
            raise NotSignedIn("the token is not valid") from exc

    def _read(self, text: str, now: datetime) -> Read:
        if len(text) > _LONGEST or not looks_like_one(text) or not _is_canonical(text):
            raise ValueError("not as we write it")
        decoded = jwt.decode_complete(
            text,
            self._signing_key(),
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            issuer=_ISSUER,
            options={
                "require": list(_CLAIMS),
                "strict_aud": True,
                "verify_exp": False,  # by our own clock, below
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        if decoded["header"] != _HEADER:
            raise ValueError("not as we write it")
        claims = decoded["payload"]
        begins_at, ends_at = (_instant(claims[name], now) for name in ("nbf", "exp"))
        if not begins_at - LEEWAY <= now < ends_at + LEEWAY or ends_at - begins_at > LASTS:
            raise ValueError("not of this moment")
        fetched = Fetched(
            client_id=str(claims["sub"]),
            secret_id=str(claims["sec"]),
            scopes=frozenset(_scopes(str(claims["scope"]).split())),
            stores=frozenset(str(store) for store in claims["stores"]),
        )
        return Read(fetched=fetched, ends_at=ends_at + LEEWAY)

    def _signing_key(self) -> bytes:
        if self._key is None:
            self._key = derive_key(self._data_dir, _PURPOSE)
        return self._key


def _scopes(words: Iterable[str]) -> Iterable[Scope]:
    known = {scope.value: scope for scope in Scope}
    return (known[word] for word in words if word in known)


def _instant(value: Any, now: datetime) -> datetime:
    if type(value) is not int:
        raise TypeError("not a number of seconds")
    return datetime.fromtimestamp(value, now.tzinfo)


def _is_canonical(text: str) -> bool:
    """Say whether each part is written in the one way of base64url, without bits to spare."""
    for part in text.split("."):
        try:
            raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        except binascii.Error:
            return False
        if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
            return False
    return True
