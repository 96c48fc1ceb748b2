"""The broker, by really trying what it must refuse.

::

    nobody          connects without a login               must be refused
    a gateway       publishes as another gateway           must be refused
    the controller  publishes as a gateway                 must be refused
    the controller  connects with its own login            must be let in

What is published goes to the topic of a gateway that there is not, is not kept by the broker, and
says nothing, so that a broker which lets it through has changed nothing by it. A broker that takes
a login's name for its client id lets go of the controller's own line, or the gateway's, for the
second that the look takes; both come back by themselves.
"""

import asyncio
import secrets
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from api.broker_access.address import broker_at
from api.clock import MachineClock
from api.doctor.finding import Finding, Result, failed, passed, skipped, warned
from api.doctor.machine import of_certificate
from api.tls.authority import ends_at
from esl.domain.errors import SetupError
from esl.domain.ids import GatewayId
from esl.settings import Settings, is_loopback
from gateway.mqtt import BrokerAddress, MqttError, connect
from gateway.wire.enrolment import Enrolment, from_json
from gateway.wire.errors import BadEnrolment
from gateway.wire.topics import up_topic

PATIENCE_S: Final = 10.0
_RULES: Final = "Give the broker the rules of docs/broker.md."


def read_enrolment(path: Path) -> Enrolment:
    """Read a gateway's enrolment file.

    Raises:
        SetupError: It is none.
    """
    try:
        return from_json(path.read_bytes())
    except (OSError, BadEnrolment) as exc:
        raise SetupError(f"{path} is no enrolment file") from exc


async def look_at_broker(settings: Settings, enrolment: Enrolment | None) -> AsyncIterator[Finding]:
    """Try the broker; ``enrolment`` is that of a gateway, to try as it."""
    if settings.mqtt_url is None:
        yield warned(
            "broker",
            "the embedded one: no access rules, no memory; for trying things out",
            "For a shop, run mosquitto and set mqtt_url: docs/operate.md.",
        )
        return
    address = broker_at(settings.mqtt_url, settings)
    yield _line(address)
    let_in = await _try_publish("broker", address, topic=None)
    if let_in.result is not Result.PASS:
        yield failed("broker", let_in.words, "Start it, and check mqtt_url and mqtt_ca_file.")
        return
    yield passed("broker", "lets the controller in")
    if address.tls:
        yield await asyncio.to_thread(_certificate, address, MachineClock().wall())
    yield await _nobody(address)
    probe = up_topic(GatewayId(f"esl-doctor-{secrets.token_hex(4)}"))
    yield _refused(
        "broker: controller", await _try_publish("broker", address, topic=probe), "as a gateway"
    )
    yield await _as_gateway(address, enrolment, probe)


def _line(address: BrokerAddress) -> Finding:
    if address.tls or is_loopback(address.host):
        words = "TLS" if address.tls else "plain, on this machine"
        return passed("broker: line", words)
    return warned(
        "broker: line",
        f"plain MQTT to {address.host}: the login travels readable",
        "Use mqtts:// and mqtt_ca_file: docs/operate.md.",
    )


def _certificate(address: BrokerAddress, now: datetime) -> Finding:
    """Say until when the certificate holds that the broker shows now."""
    name = "broker: certificate"
    fix = "Renew it: esl tls renew, give the broker its files, and have it reload."
    try:
        context = ssl.create_default_context(cadata=address.ca_pem)
        with (
            socket.create_connection((address.host, address.port), timeout=PATIENCE_S) as line,
            context.wrap_socket(line, server_hostname=address.host) as wrapped,
        ):
            shown = wrapped.getpeercert(binary_form=True) or b""
            return of_certificate(name, ends_at(ssl.DER_cert_to_PEM_cert(shown)), now, fix)
    except (OSError, ValueError, SetupError) as exc:
        return failed(name, f"it cannot be seen: {type(exc).__name__}", fix)


async def _nobody(address: BrokerAddress) -> Finding:
    name = "broker: nobody"
    tried = await _try_publish(name, replace(address, username=None, password=None), topic=None)
    if tried.result is Result.PASS:
        return failed(name, "lets anybody in without a login", "Set: allow_anonymous false.")
    return passed(name, "is not let in without a login")


async def _as_gateway(address: BrokerAddress, read: Enrolment | None, probe: str) -> Finding:
    name = "broker: gateway"
    if read is None:
        fix = "Name an enrolment file: esl doctor --as-gateway FILE."
        return skipped(name, "not tried: that needs a gateway's login", fix)
    theirs = replace(
        address,
        host=read.host,
        port=read.port,
        tls=read.tls,
        ca_pem=read.ca_pem or address.ca_pem,
        username=read.username,
        password=read.password,
    )
    # Its client id is its login's name: with another one it would be refused for that alone.
    tried = await _try_publish(name, theirs, topic=probe, client_id=read.username)
    return _refused(name, tried, "as another gateway")


def _refused(name: str, tried: Finding, words: str) -> Finding:
    """Turn a publish that went through into a failure, and one that was refused into a pass."""
    if tried.result is Result.PASS:
        return failed(name, f"may publish {words}", _RULES)
    if tried.result is Result.SKIP:
        return skipped(name, tried.words)
    return passed(name, f"may not publish {words}")


async def _try_publish(
    name: str, address: BrokerAddress, *, topic: str | None, client_id: str | None = None
) -> Finding:
    """Connect, and publish if told to: PASS where that went, FAIL where it was refused.

    SKIP where nobody answered.
    """
    async with connect(address, client_id or _own_id()) as line:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not line.connected.is_set():
                    if line.refusal is not None:
                        return failed(name, f"does not let us in: {line.refusal}", "")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            return skipped(name, f"{address} does not answer")
        if topic is None:
            return passed(name, "connected")
        try:
            await line.publish(topic, b"", expires_s=1)
        except MqttError as exc:
            return failed(name, str(exc), "")
        return passed(name, "published")


def _own_id() -> str:
    return f"esl-doctor-{secrets.token_hex(4)}"
