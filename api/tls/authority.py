"""A small certificate authority for one shop: it signs the HTTP server's and the broker's name.

::

    ca.crt        10 years      given to browsers, tills and gateways: they trust what it signed
    ca.key        signs anew at each renewal; can be kept on another machine between them
    server.crt    397 days      the HTTP server, by its names and addresses
    broker.crt    397 days      the MQTT broker, likewise

Keys are of the curve P-256. A certificate lives no longer than browsers take of public ones
(CA/Browser Forum baseline requirements, 6.3.2); Apple's refuse private ones from 825 days on.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from esl.domain.errors import SetupError

CA_LIFE: Final = timedelta(days=3650)
LEAF_LIFE: Final = timedelta(days=397)
_BACKDATED: Final = timedelta(hours=1)
"""Clocks of gateways and tills may be behind ours."""

NAMES_MOST: Final = 50
_DNS_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A certificate and its key, in PEM."""

    certificate: str
    key: str


def make_authority(name: str, now: datetime) -> Certified:
    """Make an authority that may sign servers, and no other authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ESL controller"),
            x509.NameAttribute(NameOID.COMMON_NAME, name[:64]),
        ]
    )
    usage = _usage(signs_certificates=True)
    built = (
        _begin(subject, subject, key.public_key(), now, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _certified(built, key)


def sign_server(authority: Certified, names: Sequence[str], now: datetime) -> Certified:
    """Sign a new key for a server of these names and addresses.

    Raises:
        SetupError: A name is none, or the authority cannot be used or ends too soon.
    """
    alternatives = [_general_name(name) for name in check_names(names)]
    signing, signer = _read_authority(authority)
    if signer.not_valid_after_utc < now + LEAF_LIFE:
        raise SetupError(
            f"the authority ends on {signer.not_valid_after_utc:%Y-%m-%d}: move its folder away "
            f"and make a new one with: esl tls init"
        )
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    built = (
        _begin(subject, signer.subject, key.public_key(), now, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()),
            critical=False,
        )
        .sign(signing, hashes.SHA256())
    )
    return _certified(built, key)


def check_names(names: Sequence[str]) -> Sequence[str]:
    """Return names and addresses of a server as they are, if all of them are such.

    Raises:
        SetupError: One is not, or there are none or too many.
    """
    if not 1 <= len(names) <= NAMES_MOST:
        raise SetupError(f"a certificate is for 1 to {NAMES_MOST} names")
    for name in names:
        _general_name(name)
    return names


def names_of(certificate: str) -> list[str]:
    """Return the names and addresses that a certificate in PEM is for.

    Raises:
        SetupError: It is no certificate.
    """
    read = read_certificate(certificate)
    try:
        found = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(one) for one in found.get_values_for_type(x509.IPAddress)]
    return [*found.get_values_for_type(x509.DNSName), *addresses]


def ends_at(certificate: str) -> datetime:
    """Return until when a certificate in PEM holds.

    Raises:
        SetupError: It is no certificate.
    """
    return read_certificate(certificate).not_valid_after_utc


def read_certificate(text: str) -> x509.Certificate:
    """Read the first certificate of a PEM text.

    Raises:
        SetupError: There is none.
    """
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError as exc:
        raise SetupError("that is no certificate in PEM") from exc


def _begin(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    if not _DNS_NAME.fullmatch(name):
        raise SetupError(
            f"{name!r} is neither a name in small letters, such as esl.shop.example, nor an address"
        )
    return x509.DNSName(name)


def _read_authority(authority: Certified) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    signer = read_certificate(authority.certificate)
    try:
        key = serialization.load_pem_private_key(authority.key.encode(), None)
    except (ValueError, TypeError) as exc:
        raise SetupError("the authority's key cannot be read") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != signer.public_key():
        raise SetupError("the authority's key is not that of its certificate")
    return key, signer


def _certified(built: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Certified:
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Certified(
        certificate=built.public_bytes(serialization.Encoding.PEM).decode(), key=text.decode()
    )
