"""Ways to prove who sent a body. Each tries all secrets and compares in constant time.

Signatures are compared as text: two texts may decode to the same bytes (the last sign of a
base64 text has bits to spare), and only one of them was sent by the signer.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from esl.intake.hooks.request import Genuine, HookRequest, HookSecrets, Refusal, Refused

WINDOW_S = 300
"""How far a signed time may be from ours, both ways: the reference libraries of Standard Webhooks
and Stripe's use five minutes."""

_SIGNATURES_MOST = 20
_ED25519_KEY_BYTES = 32  # RFC 8032, 5.1.5
_EVENT_ID_LONGEST = 200

Checked = Genuine | Refused


class Scheme(Protocol):
    """One way to check a call."""

    def __call__(self, request: HookRequest, secrets: HookSecrets, now: datetime, /) -> Checked:
        """Say whether whoever holds a secret sent this."""
        ...


def _as_it_is(request: HookRequest, _url: str) -> bytes:
    return request.body


def after_the_address(request: HookRequest, url: str) -> bytes:
    """Square signs the address it was given, then the body."""
    return url.encode() + request.body


def base64_text(digest: bytes) -> str:
    """Write a digest as most shops do."""
    return base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyHmac:
    """An HMAC of the body in one header; no time, so no window."""

    header: str
    digest: str = "sha256"
    write: Callable[[bytes], str] = base64_text
    signed: Callable[[HookRequest, str], bytes] = _as_it_is
    read: Callable[[str], str] = str.strip  # of the header

    def __call__(self, request: HookRequest, secrets: HookSecrets, _now: datetime) -> Checked:
        """Compare the header with what each secret makes of the body."""
        keys = _text_keys(secrets)
        if not keys:
            return no_secret()
        sent = request.headers.get(self.header)
        if sent is None:
            return missing(self.header)
        content = self.signed(request, secrets.url)
        expected = [
            self.write(hmac.new(key, content, self.digest).digest()).encode() for key in keys
        ]
        if not any_equal(_bytes(self.read(sent)), expected):
            return wrong(self.header)
        return Genuine(event_id=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedText:
    """The secret itself, in a header or, with no ``header``, in the address.

    Whoever sees one call can send others: it is only as good as the TLS in front of it.
    """

    header: str | None = None

    def __call__(self, request: HookRequest, secrets: HookSecrets, _now: datetime) -> Checked:
        """Compare what came with each secret."""
        keys = _text_keys(secrets)
        if not keys:
            return no_secret()
        sent = request.url_secret if self.header is None else request.headers.get(self.header)
        place = self.header or "secret in the address"
        if not sent:
            return missing(place)
        if not any_equal(_bytes(sent.strip()), keys):
            return wrong(place)
        return Genuine(event_id=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardWebhooks:
    """Standard Webhooks 1.0.0: ``id.timestamp.body``, signed by HMAC (v1) or Ed25519 (v1a).

    The secret is base64, with ``whsec_`` before it or not (``whpk_`` is an Ed25519 public key);
    ``plain`` takes it as the text it is, as BigCommerce does with its client secret.
    """

    plain: bool = False

    def __call__(self, request: HookRequest, secrets: HookSecrets, now: datetime) -> Checked:
        """Accept any signature in the list that any secret made; skip versions we do not know."""
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        event_id, stamp, listed = (request.headers.get(name, "") for name in names)
        hmac_keys, public_keys = self._keys(secrets.secrets)
        if not hmac_keys and not public_keys:
            return no_secret()
        for name, value in zip(names, (event_id, stamp, listed), strict=True):
            if not value:
                return missing(name)
        sent_at = instant_of(stamp)
        if sent_at is None or len(event_id) > _EVENT_ID_LONGEST or "." in event_id:
            return malformed("webhook-timestamp" if sent_at is None else "webhook-id")
        if late := out_of_window(sent_at, now, "webhook-timestamp"):
            return late
        content = f"{event_id}.{stamp}.".encode() + request.body
        expected = [
            b"v1," + base64_text(hmac.new(key, content, "sha256").digest()).encode()
            for key in hmac_keys
        ]
        good = False
        for one in listed.split(" ")[:_SIGNATURES_MOST]:
            if one.startswith("v1a,"):
                for key in public_keys:
                    good |= _signed_by(key, one[4:], content)
            else:
                good |= any_equal(_bytes(one), expected)
        if not good:
            return wrong("webhook-signature")
        return Genuine(event_id=event_id, sent_at=sent_at)

    def _keys(self, texts: Sequence[str]) -> tuple[list[bytes], list[Ed25519PublicKey]]:
        if self.plain:
            return [text.encode() for text in texts if text], []
        public = [_unpadded(t.removeprefix("whpk_")) for t in texts if t.startswith("whpk_")]
        private = [_unpadded(t.removeprefix("whsec_")) for t in texts if not t.startswith("whpk_")]
        return (
            [key for key in private if key],
            [
                Ed25519PublicKey.from_public_bytes(key)
                for key in public
                if key is not None and len(key) == _ED25519_KEY_BYTES
            ],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedHmac:
    """Ours: ``ESL-Signature: t=<unix>,v1=<hex HMAC-SHA256(secret, t + "." + body)>[,v1=…]``."""

    header: str = "esl-signature"

    def __call__(self, request: HookRequest, secrets: HookSecrets, now: datetime) -> Checked:
        """Accept any ``v1`` that any secret made; skip parts we do not know."""
        keys = _text_keys(secrets)
        if not keys:
            return no_secret()
        sent = request.headers.get(self.header)
        if sent is None:
            return missing(self.header)
        parts = [part.partition("=") for part in sent.split(",")[:_SIGNATURES_MOST]]
        stamps = [value for name, _, value in parts if name == "t"]
        signatures = [value for name, _, value in parts if name == "v1"]
        sent_at = instant_of(stamps[0]) if len(stamps) == 1 else None
        if sent_at is None or not signatures:
            return malformed(self.header)
        if late := out_of_window(sent_at, now, self.header):
            return late
        content = stamps[0].encode() + b"." + request.body
        expected = [hmac.new(key, content, "sha256").hexdigest().encode() for key in keys]
        good = False
        for one in signatures:
            good |= any_equal(_bytes(one), expected)
        if not good:
            return wrong(self.header)
        digest = hashlib.sha256(content).hexdigest()
        return Genuine(event_id=f"sha256:{digest}", sent_at=sent_at)


def any_equal(sent: bytes, expected: Sequence[bytes]) -> bool:
    """Compare with all of them, without telling by time which one or how much was equal."""
    found = False
    for one in expected:
        found |= hmac.compare_digest(sent, one)
    return found


def instant_of(seconds: str) -> datetime | None:
    """Read seconds since 1970, digits only; None for anything else."""
    if not (1 <= len(seconds) <= 11 and seconds.isascii() and seconds.isdigit()):  # noqa: PLR2004  year 5138
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def out_of_window(sent_at: datetime, now: datetime, header: str) -> Refused | None:
    """Refuse a call that was signed more than `WINDOW_S` away from now."""
    age_s = (now - sent_at).total_seconds()
    if abs(age_s) <= WINDOW_S:
        return None
    way = "behind" if age_s > 0 else "ahead of"
    return Refused(
        reason=Refusal.TOO_OLD if age_s > 0 else Refusal.FROM_THE_FUTURE,
        detail=f"{header} is {abs(age_s):.0f} s {way} our clock; {WINDOW_S} s are allowed",
    )


def no_secret() -> Refused:
    """Refuse because nothing can be checked."""
    return Refused(reason=Refusal.NO_SECRET, detail="the source has no usable secret")


def missing(header: str) -> Refused:
    """Refuse a call that is not signed."""
    return Refused(reason=Refusal.MISSING_HEADER, detail=f"no {header}")


def malformed(header: str) -> Refused:
    """Refuse a header that is not written as its scheme says."""
    return Refused(reason=Refusal.MALFORMED_HEADER, detail=f"{header} is not written as it should")


def wrong(header: str) -> Refused:
    """Refuse a signature that no secret of the source made."""
    return Refused(
        reason=Refusal.WRONG_SIGNATURE, detail=f"{header} was not made with a secret of this source"
    )


def _text_keys(secrets: HookSecrets) -> list[bytes]:
    return [text.encode() for text in secrets.secrets if text]


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _unpadded(text: str) -> bytes | None:
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:  # of which binascii.Error is one
        return None


def _signed_by(key: Ed25519PublicKey, signature: str, content: bytes) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        if base64.b64encode(raw).decode() != signature:
            return False
        key.verify(raw, content)
    except (ValueError, InvalidSignature):
        return False
    return True
