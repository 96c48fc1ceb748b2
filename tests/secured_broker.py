"""A mosquitto with the access rules this project writes, a small authority, and its clients.

Two ways of rules, one set of logins: files, and dynamic security. Beside the logins of the rules
there is a witness, who may do and see everything: what the others did is judged by what it saw.
"""

import asyncio
import os
import queue
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from api.broker_access.books import Known
from api.broker_access.dynamic_security import open_control
from api.broker_access.keeper import write_current_files
from api.broker_access.mosquitto_files import PASSWORDS, RULES, TlsFiles, config_text
from api.broker_access.password_file import hash_password
from api.broker_access.rights import Login, Role
from gateway.mqtt import BrokerAddress, put_away
from tests.services import (
    HOST,
    REQUIRE_VARIABLE,
    Mosquitto,
    free_port,
    require,
    required_services,
)

PATIENCE_S: Final = 30.0
WITNESS: Final = "witness"
PASSWORD: Final = "a-password-of-the-tests"
PLUGIN: Final = "mosquitto_dynamic_security.so"


class Authority:
    """A certificate authority of its own, with one certificate for the loopback address."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        key, ours = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.ca = folder / f"{name}-ca.crt"
        self.tls = TlsFiles(
            ca=self.ca, certificate=folder / f"{name}.crt", key=folder / f"{name}.key"
        )
        authority = _name(f"{name} authority")
        subject = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
        self.ca.write_bytes(_signed(authority, authority, key, key, is_authority=True))
        self.tls.certificate.write_bytes(
            _signed(_name(HOST), authority, ours, key, subject=subject)
        )
        self.tls.key.write_bytes(
            ours.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.tls.key.chmod(0o600)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _signed(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool = False,
    subject: x509.SubjectAlternativeName | None = None,
) -> bytes:
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if is_authority:
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        made = made.add_extension(usage, critical=True)
    if subject is not None:
        made = made.add_extension(subject, critical=False)
    return made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class SecuredBroker:
    """A mosquitto with our rules: ``port`` is the controller's listener, ``tls_port`` gateways'.

    ``old_tls_port`` speaks TLS 1.1 too: what is refused elsewhere is seen to be possible.
    """

    def __init__(self, folder: Path, known: Known, *, dynamic: bool = False) -> None:
        self._broker = Mosquitto(folder)
        self._dynamic = dynamic
        self.folder = folder
        self.known = known
        self.authority = Authority(folder, "own")
        self.port, self.tls_port, self.old_tls_port = self._broker.port, free_port(), free_port()
        text = config_text(
            folder,
            tls=self.authority.tls,
            host=HOST,
            gateways_port=self.tls_port,
            controller_port=self.port,
        )
        extra = [
            f"listener {self.old_tls_port} {HOST}",
            "tls_version tlsv1.1",
            "ciphers ALL:@SECLEVEL=0",
            f"certfile {self.authority.tls.certificate}",
            f"keyfile {self.authority.tls.key}",
            f"persistence_location {folder}/",
            f"pid_file {folder}/mosquitto.pid",
            "log_dest stderr",
            *(["user root"] if os.geteuid() == 0 else []),
        ]
        if dynamic:
            text = "\n".join(
                line
                for line in text.splitlines()
                if not line.startswith(("password_file", "acl_file", "use_username"))
            )
            extra = ["plugin " + str(_plugin()), f"plugin_opt_config_file {folder}/d.json", *extra]
            self._make_first_login()
        (folder / "mosquitto.conf").write_text("\n".join([text, *extra, ""]), "utf-8")
        if not dynamic:
            self.write(known)

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        return self._broker.pid

    @property
    def control_url(self) -> str:
        """Where its dynamic security is told things."""
        return f"mqtt://{WITNESS}:{PASSWORD}@{HOST}:{self.port}"

    def start(self) -> None:
        """Start it; with dynamic security, tell it the logins."""
        self._broker.start()
        if self._dynamic:
            asyncio.run(self.tell(self.known))

    def stop(self) -> None:
        """Stop it."""
        self._broker.stop()

    def write(self, known: Known) -> None:
        """Write its files, and the witness beside what the product writes."""
        write_current_files(self.folder, known)
        with (self.folder / PASSWORDS).open("a", encoding="utf-8") as file:
            file.write(f"{WITNESS}:{hash_password(PASSWORD)}\n")
        with (self.folder / RULES).open("a", encoding="utf-8") as file:
            file.write(f"\nuser {WITNESS}\ntopic readwrite #\ntopic read $SYS/#\n")

    async def tell(self, known: Known) -> list[str]:
        """Tell its dynamic security who may do what."""
        address = BrokerAddress.from_url(self.control_url)
        async with open_control(address) as control:
            done = await control.tell(known.logins, known.passwords)
            everything = [
                {"acltype": kind, "topic": "#", "allow": True}
                for kind in ("publishClientSend", "publishClientReceive", "subscribePattern")
            ]
            await control.ask(
                [
                    {"command": "createRole", "rolename": "all", "acls": everything},
                    {"command": "addClientRole", "username": WITNESS, "rolename": "all"},
                ]
            )
            return done

    def _make_first_login(self) -> None:
        tool = shutil.which("mosquitto_ctrl") or require("mosquitto").with_name("mosquitto_ctrl")
        subprocess.run(
            [tool, "dynsec", "init", self.folder / "d.json", WITNESS, PASSWORD],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )


def _plugin() -> Path:
    for folder in (Path("/usr/lib"), Path("/usr/local/lib"), Path("/usr/lib64")):
        for found in sorted(folder.glob(f"**/{PLUGIN}")):
            return found
    reason = f"{PLUGIN} is not installed; Debian's mosquitto brings it"
    if "mosquitto" in required_services(os.environ.get(REQUIRE_VARIABLE, "")):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def known_as(roles: Mapping[str, Role]) -> Known:
    """These logins, each with the password of its name."""
    return Known(
        logins=tuple(Login(username=name, role=role) for name, role in roles.items()),
        passwords={name: password_of(name) for name in roles},
        untold=(),
    )


def password_of(name: str) -> str:
    """The password of a login of the tests."""
    return PASSWORD if name == WITNESS else f"password-of-{name}"


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as somebody got it."""

    topic: str
    payload: bytes


def _without_delay(_client: object, _userdata: object, connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def shake_hands(port: int, context: ssl.SSLContext) -> str:
    """Make TLS with a port of loopback, and nothing more; return the version agreed.

    Raises:
        ssl.SSLError: One of the two did not want the other.
    """
    with (
        socket.create_connection((HOST, port), timeout=PATIENCE_S) as connection,
        context.wrap_socket(connection, server_hostname=HOST) as wrapped,
    ):
        return str(wrapped.version())


class Client:
    """One connection, in plain steps that wait for the broker's answer."""

    def __init__(
        self,
        port: int,
        username: str | None,
        password: str | None,
        *,
        client_id: str = "",
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.seen: queue.Queue[Seen] = queue.Queue()
        self.ended = threading.Event()
        self._answer: queue.Queue[ReasonCode] = queue.Queue()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        if username is not None:
            self._client.username_pw_set(username, password)
        if context is not None:
            self._client.tls_set_context(context)
        self._client.on_connect = lambda _c, _u, _f, reason, _p: self._answer.put(reason)
        self._client.on_subscribe = lambda _c, _u, _m, reasons, _p: self._answer.put(reasons[0])
        self._client.on_publish = lambda _c, _u, _m, reason, _p: self._answer.put(reason)
        self._client.on_message = lambda _c, _u, m: self.seen.put(Seen(m.topic, bytes(m.payload)))
        self._client.on_disconnect = lambda *_: self.ended.set()
        self._client.on_socket_open = _without_delay
        self._port = port

    def connect(self) -> bool:
        """Connect; say whether the broker let us in.

        Raises:
            OSError: There was no connection at all, or no TLS.
        """
        self._client.connect(HOST, self._port)
        self._client.loop_start()
        return not self._answered().is_failure

    def subscribe(self, topic: str) -> bool:
        """Subscribe; say whether the broker granted it."""
        self._client.subscribe(topic, 1)
        return not self._answered().is_failure

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Publish at QoS 1; say whether the broker took it."""
        info = self._client.publish(topic, payload, 1, retain)
        assert info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS
        return not self._answered().is_failure

    def until(self, is_it: Callable[[Seen], bool]) -> list[Seen]:
        """Return what came up to and with the message that is waited for."""
        found: list[Seen] = []
        while not found or not is_it(found[-1]):
            found.append(self.seen.get(timeout=PATIENCE_S))
        return found

    def close(self) -> None:
        """End the connection."""
        self._client.disconnect()
        put_away(self._client)

    def _answered(self) -> ReasonCode:
        return self._answer.get(timeout=PATIENCE_S)
