"""Where the broker is: for this process, and for gateways, who may come to it another way."""

from dataclasses import replace
from pathlib import Path

from esl.domain.errors import SetupError
from esl.settings import Settings
from gateway.mqtt import BrokerAddress
from gateway.wire.enrolment import CA_LONGEST


def broker_at(url: str, settings: Settings) -> BrokerAddress:
    """Read a broker's address, with the authority of the settings where it speaks TLS.

    Raises:
        SetupError: It is no address, or the authority's file cannot be used.
    """
    address = BrokerAddress.from_url(url)
    if not address.tls or settings.mqtt_ca_file is None:
        return address
    return replace(
        address, ca_pem=read_authority(settings.mqtt_ca_file), ca_file=settings.mqtt_ca_file
    )


def gateways_broker(settings: Settings, ours: BrokerAddress) -> BrokerAddress:
    """Say where gateways find the broker; ``ours`` is where we do. Without any login.

    Raises:
        SetupError: The setting is no address, or the authority's file cannot be used.
    """
    if settings.gateway_mqtt_url is None:
        return replace(ours, username=None, password=None)
    return replace(broker_at(settings.gateway_mqtt_url, settings), username=None, password=None)


def authority_now(address: BrokerAddress) -> str | None:
    """Return the authorities as their file has them now, for a gateway that is enrolled.

    Raises:
        SetupError: The file cannot be used any more.
    """
    return read_authority(address.ca_file) if address.ca_file is not None else address.ca_pem


def read_authority(path: Path) -> str:
    """Read the certificates of an authority, in PEM.

    Raises:
        SetupError: There are none in the file, or a private key is, which nobody may be given.
    """
    try:
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"mqtt_ca_file: {path} cannot be read") from exc
    if "PRIVATE KEY" in text:
        raise SetupError(f"mqtt_ca_file: {path} holds a private key; name the certificate's file")
    if "BEGIN CERTIFICATE" not in text or len(text) > CA_LONGEST:
        raise SetupError(f"mqtt_ca_file: {path} is no certificate in PEM, or very many")
    return text
