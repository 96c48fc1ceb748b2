"""ID tokens: the signature first, then for whom, by whom, when and for which sign-in.

OpenID Connect Core 1.0, 3.1.3.7. Signatures are PyJWT's work; times are compared with the
installation's own clock.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from api.oidc.errors import ProviderError
from api.oidc.metadata import ALGORITHMS
from esl.domain.provider import SaidByProvider

LEEWAY: Final = timedelta(seconds=60)
"""By so much may the provider's clock differ from ours."""

YOUNG: Final = timedelta(minutes=10)
"""An ID token was made for this very sign-in, so it cannot be older."""

LONGEST: Final = 64 * 1024
_RSA_LEAST_BITS: Final = 2048  # RFC 7518, 3.3
_KEYS_MOST: Final = 100
_GROUPS_MOST: Final = 10_000
_TEXT_LONGEST: Final = 1000
_NAMES: Final = ("preferred_username", "email", "upn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A public key of the provider, and the one algorithm that it is for."""

    kid: str | None
    algorithm: str
    key: RSAPublicKey | EllipticCurvePublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an ID token must say."""

    issuer: str
    client_id: str
    nonce: str
    groups_claim: str


def read_keys(found: Mapping[str, Any]) -> tuple[Key, ...]:
    """Read a key set (RFC 7517); keys for other things, or too weak, are left out.

    Raises:
        ProviderError: It is no key set.
    """
    keys = found.get("keys")
    if not isinstance(keys, list):
        raise ProviderError("the provider's keys are not a key set")
    read = (_read_key(one) for one in keys[:_KEYS_MOST] if isinstance(one, dict))
    return tuple(one for one in read if one is not None)


def _read_key(said: dict[str, Any]) -> Key | None:
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(said.get("kty")))
    kid = said.get("kid")
    if (
        algorithm is None
        or said.get("alg", algorithm) != algorithm
        or said.get("use", "sig") != "sig"
        or not (kid is None or isinstance(kid, str))
    ):
        return None
    try:
        key = jwt.PyJWK(said, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    match key:
        case RSAPublicKey() if key.key_size >= _RSA_LEAST_BITS:
            return Key(kid=kid, algorithm=algorithm, key=key)
        case EllipticCurvePublicKey(curve=SECP256R1()):
            return Key(kid=kid, algorithm=algorithm, key=key)
    return None


def key_of(token: str, keys: Sequence[Key]) -> Key | None:
    """Choose the key that a token says it is signed by; None: it may be one that is new.

    Raises:
        ProviderError: It is no token, or signed by an algorithm that is not taken.
    """
    if len(token) > LONGEST or not token.isascii():
        raise ProviderError("the ID token is too long, or none")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise ProviderError("the ID token is none") from None
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise ProviderError(f"the ID token is not signed by one of {', '.join(ALGORITHMS)}")
    fitting = [one for one in keys if one.algorithm == algorithm]
    if kid is not None:
        fitting = [one for one in fitting if one.kid == kid]
    return fitting[0] if len(fitting) == 1 else None


def read_id_token(token: str, key: Key, expected: Expected, now: datetime) -> SaidByProvider:
    """Check an ID token, and read who it is about.

    Raises:
        ProviderError: Something of it is wrong; says what, and never what it holds.
    """
    try:
        claims = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm],
            options={
                "require": ["iss", "sub", "aud", "exp", "iat"],
                "verify_aud": False,  # this and what follows: in _check, by our own clock
                "verify_iss": False,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_sub": False,
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError) as exc:
        raise ProviderError(f"the ID token is not valid: {type(exc).__name__}") from exc
    _check(claims, expected, now)
    return SaidByProvider(
        issuer=expected.issuer,
        subject=claims["sub"],
        names=tuple(name for one in _NAMES if (name := _text(claims.get(one))) is not None),
        display_name=_text(claims.get("name")),
        mail=_text(claims.get("email")),
        groups=frozenset(_groups(claims, expected.groups_claim)),
    )


def _check(claims: Mapping[str, Any], expected: Expected, now: datetime) -> None:
    if claims["iss"] != expected.issuer:
        raise ProviderError("the ID token is of another issuer")
    audience = claims["aud"]
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or expected.client_id not in audiences:
        raise ProviderError("the ID token is for another client")
    if claims.get("azp", None if len(audiences) > 1 else expected.client_id) != expected.client_id:
        raise ProviderError("the ID token was given to another client (azp)")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode(), expected.nonce.encode()
    ):
        raise ProviderError("the ID token is of another sign-in (nonce)")
    ends, made = (_instant(claims[name], now) for name in ("exp", "iat"))
    begins = _instant(claims.get("nbf", claims["iat"]), now)
    if not (max(begins, made) - LEEWAY <= now < ends + LEEWAY) or now - made > YOUNG + LEEWAY:
        raise ProviderError(
            "the ID token is not of this moment; do the provider's clock and ours agree?"
        )
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or "\0" in subject:  # noqa: PLR2004  Core 1.0, 2
        raise ProviderError("the ID token does not say whom it is about (sub)")


def _groups(claims: Mapping[str, Any], name: str) -> Iterable[str]:
    """Find the groups: a claim of this name, or, with dots in it, one within another."""
    value: Any = claims.get(name)
    if value is None and "." in name:
        value = claims
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    elsewhere = claims.get("_claim_names")
    if value is None and isinstance(elsewhere, Mapping) and name in elsewhere:
        raise ProviderError(
            "the provider leaves the groups out, because the person has too many; have it send "
            "only those of this application, or application roles: docs/accounts.md"
        )
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        return []
    return [one for one in value[:_GROUPS_MOST] if isinstance(one, str)]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _TEXT_LONGEST else None


def _instant(value: Any, now: datetime) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProviderError("the ID token's times are no numbers")
    try:
        return datetime.fromtimestamp(value, now.tzinfo)
    except (ValueError, OverflowError, OSError):
        raise ProviderError("the ID token's times are out of range") from None
