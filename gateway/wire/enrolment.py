"""The file by which a gateway comes into a shop: where the broker is, and whom to believe.

It is JSON, made for one gateway, carried to it by hand and kept at mode 0600, since it holds
the broker's password. Public keys reach a gateway this way only; to rotate them it is enrolled
again with the old and the new key, and later with the new one alone::

    {"version": 1, "gateway": "gw-1", "store": "shop-1", "host": "broker.shop", "port": 8883,
     "tls": true, "username": "gw-1", "password": "…", "keys": {"56475aa7": "A6EH…NG8="},
     "ca": "-----BEGIN CERTIFICATE-----…"}

``ca`` is the authority that signed the broker's certificate, in PEM; without it, those that the
gateway's own system trusts. A gateway may also fetch the same with a one-time token over HTTPS.

Reading and writing the file is the caller's business.
"""

import base64
import binascii
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.wire.errors import BadEnrolment, BadKey
from gateway.wire.fields import Id, KeyId
from gateway.wire.signing import PublicKeys

CA_LONGEST = 32_768
"""A chain of a few certificates in PEM."""

MAX_KEYS = 2  # the current one and, during a rotation, the next

Host = Annotated[str, Meta(pattern=r"\A[^\x00-\x20\x7f/]{1,255}\Z")]
Secret = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]{0,255}\Z")]


class Enrolment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one gateway must know. ``keys`` is raw public keys in base64 by their key id."""

    version: Literal[1] = 1
    gateway: Id
    store: Id
    host: Host
    port: Annotated[int, Meta(ge=1, le=65_535)]
    tls: bool
    username: Id
    password: Secret
    keys: dict[KeyId, str]
    ca: Annotated[str, Meta(max_length=CA_LONGEST)] | UnsetType = UNSET

    @property
    def ca_pem(self) -> str | None:
        """The broker's authority; None where the system's count."""
        return self.ca if isinstance(self.ca, str) else None

    def __repr__(self) -> str:
        # The password must not reach a log by way of a dataclass-like repr.
        return f"Enrolment(gateway={self.gateway!r}, host={self.host!r}, keys={sorted(self.keys)})"

    def public_keys(self) -> PublicKeys:
        """The keys, ready to verify with.

        Raises:
            BadEnrolment: There is none, more than two, or one is not what it is named.
        """
        if not 1 <= len(self.keys) <= MAX_KEYS:
            raise BadEnrolment(f"keys: one or two are needed, not {len(self.keys)}")
        try:
            return PublicKeys(
                {name: base64.b64decode(text, validate=True) for name, text in self.keys.items()}
            )
        except (BadKey, binascii.Error, ValueError) as exc:
            raise BadEnrolment(f"keys: {exc}") from exc


def enrolment_keys(keys: PublicKeys) -> dict[str, str]:
    """Public keys in the form of `Enrolment.keys`."""
    return {key_id: base64.b64encode(raw).decode("ascii") for key_id, raw in keys.items()}


def to_json(enrolment: Enrolment) -> str:
    """Write an enrolment as indented JSON, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(enrolment), indent=2).decode() + "\n"


def from_json(text: str | bytes) -> Enrolment:
    """Read an enrolment; unknown, missing and odd fields are errors with their path.

    Raises:
        BadEnrolment: It cannot be used. The message never repeats the password.
    """
    try:
        enrolment = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise BadEnrolment(str(exc)) from exc
    enrolment.public_keys()
    return enrolment


_DECODER = msgspec.json.Decoder(Enrolment)
