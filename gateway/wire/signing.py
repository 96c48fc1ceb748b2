"""Everything sent down is signed, counted and dated; a gateway obeys nothing else.

::

    payload   = [header, body, signature]                       MessagePack array of three
    header    = [version, key_id, gateway, session, counter, expires]   embedded, fixed order
    body      = bin: an array of commands, see `gateway.wire.codec`
    signature = bin, 64 bytes: Ed25519 (RFC 8032) over
                the bytes of header exactly as they stand in the payload
                + the content of body (without its bin prefix)

The header ends where its array ends, so the two parts cannot be shifted against each other.
One signature covers every command of a payload: 25 to 45 µs to sign, 70 to 150 to verify.
``key_id`` is the first 8 hex digits of SHA-256 over the raw public key; it only chooses among the
keys a gateway was enrolled with, and proves nothing.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from msgspec import Raw

from gateway.wire.errors import (
    BadKey,
    BadPayload,
    BadSignature,
    Expired,
    NotForUs,
    Replayed,
    WrongSession,
)
from gateway.wire.messages import MAX_PAYLOAD_BYTES, VERSION, Header

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
SEAL_OVERHEAD_BYTES = 240
"""What sealing adds to a body at most (233 with the longest ids), for whoever fills payloads."""

_ENCODER = msgspec.msgpack.Encoder()
_SEALED = msgspec.msgpack.Decoder(tuple[Raw, bytes, bytes])
_HEADER = msgspec.msgpack.Decoder(Header)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # as in the codec


def key_id_of(public_key: bytes) -> str:
    """Name of a public key: first 8 hex digits of SHA-256 over its 32 raw bytes."""
    return sha256(public_key).hexdigest()[:8]


class SigningKey:
    """The controller's private key. Its repr shows the id only."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_key = private.public_key().public_bytes_raw()
        self.key_id = key_id_of(self.public_key)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a new key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """Make the key of a 32-byte seed: for test vectors."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_pem(cls, pem: bytes) -> "SigningKey":
        """Read a key from an unencrypted PKCS #8 PEM file.

        Raises:
            BadKey: It is no such file, or not an Ed25519 key.
        """
        try:
            private = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise BadKey("no unencrypted PEM private key") from exc
        if not isinstance(private, Ed25519PrivateKey):
            raise BadKey("a private key, but not of Ed25519")
        return cls(private)

    def to_pem(self) -> bytes:
        """Write the key as an unencrypted PKCS #8 PEM file; the caller keeps it at mode 0600."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, signed: bytes) -> bytes:
        """Sign bytes: 64 bytes of signature."""
        return self._private.sign(signed)


class PublicKeys(Mapping[str, bytes]):
    """The keys a gateway believes, by key id: one, or two while they are being rotated."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        for key_id, raw in keys.items():
            if len(raw) != PUBLIC_KEY_BYTES or key_id_of(raw) != key_id:
                raise BadKey(f"key {key_id[:16]!r} is not the 32 bytes it names")
        self._raw = dict(keys)
        self._loaded = {
            key_id: Ed25519PublicKey.from_public_bytes(raw) for key_id, raw in keys.items()
        }

    @classmethod
    def of(cls, *keys: SigningKey) -> "PublicKeys":
        """The public halves of these keys."""
        return cls({key.key_id: key.public_key for key in keys})

    def __getitem__(self, key_id: str) -> bytes:
        return self._raw[key_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def verify(self, key_id: str, *, signature: bytes, signed: bytes) -> None:
        """Check a signature.

        Raises:
            BadSignature: It does not fit, or the key is unknown.
        """
        key = self._loaded.get(key_id)
        if key is None:
            raise BadSignature(f"signed with an unknown key {key_id!r}")
        try:
            key.verify(signature, signed)
        except InvalidSignature as exc:
            raise BadSignature("the signature does not fit the bytes") from exc


def seal(key: SigningKey, header: Header, body: bytes) -> bytes:
    """Make a ``down`` payload of encoded commands.

    Raises:
        BadKey: The header names another key.
    """
    if header.key_id != key.key_id:
        raise BadKey(f"the header names key {header.key_id!r}, not {key.key_id!r}")
    head = _ENCODER.encode(header)
    return _ENCODER.encode((Raw(head), body, key.sign(head + body)))


def open_sealed(
    payload: bytes, keys: PublicKeys, *, max_bytes: int = MAX_PAYLOAD_BYTES
) -> tuple[Header, bytes]:
    """Take a ``down`` payload apart and verify its signature, and only that.

    A gateway wants `Gatekeeper.admit` instead, which also checks whom it is for and when.

    Raises:
        BadPayload: It is no payload of this version of the protocol.
        BadSignature: It was not signed, by a key in ``keys``, as it stands.
    """
    header, head, body, signature = _split(payload, max_bytes=max_bytes)
    keys.verify(header.key_id, signature=signature, signed=head + body)
    return header, body


class Gatekeeper:
    """A gateway's door: lets a payload in once, in order, and only if it is meant and true.

    The cheap questions come first; they can only turn a payload away, so asking them before
    the signature is verified gives a forger nothing. The counter moves last.

    === ============================== ==============
    1   size, frame, header, version   BadPayload
    2   gateway is ours                NotForUs
    3   session is the current one     WrongSession
    4   now < expires, by our clock    Expired
    5   counter above the last one     Replayed
    6   key known, signature fits      BadSignature
    7   counter := that of the header
    === ============================== ==============
    """

    def __init__(
        self,
        *,
        gateway: str,
        session: str,
        keys: PublicKeys,
        max_bytes: int = MAX_PAYLOAD_BYTES,
    ) -> None:
        self.gateway = gateway
        self.session = session
        self.keys = keys
        self.counter = 0
        self._max_bytes = max_bytes

    def begin_session(self, session: str) -> None:
        """Start over with a fresh session, whose counter begins below 1."""
        self.session = session
        self.counter = 0

    def admit(self, payload: bytes, now_ms: int) -> bytes:
        """Return the body of a payload this gateway must obey, and remember its counter.

        Args:
            payload: What came on the ``down`` topic.
            now_ms: The gateway's own clock, milliseconds since 1970-01-01 UTC.

        Raises:
            BadPayload: It is no payload of this protocol.
            Refused: It must be dropped, for the reason the subclass says.
        """
        header, head, body, signature = _split(payload, max_bytes=self._max_bytes)
        if header.gateway != self.gateway:
            raise NotForUs(f"for gateway {header.gateway!r}")
        if header.session != self.session:
            raise WrongSession(f"for session {header.session!r}, this is {self.session!r}")
        if now_ms >= header.expires:
            raise Expired(f"expired {now_ms - header.expires} ms ago")
        if header.counter <= self.counter:
            raise Replayed(f"counter {header.counter} is not above {self.counter}")
        self.keys.verify(header.key_id, signature=signature, signed=head + body)
        self.counter = header.counter
        return body


def _split(payload: bytes, *, max_bytes: int) -> tuple[Header, bytes, bytes, bytes]:
    """Take a payload apart: header, its bytes as they stand, body, signature."""
    if len(payload) > max_bytes:
        raise BadPayload(f"{len(payload)} bytes, more than the {max_bytes} agreed")
    try:
        raw, body, signature = _SEALED.decode(payload)
        header = _HEADER.decode(raw)
    except _UNREADABLE as exc:
        raise BadPayload("no [header, body, signature]") from exc
    if header.version != VERSION:
        raise BadPayload(f"version {header.version} of the protocol, not {VERSION}")
    return header, bytes(raw), body, signature
