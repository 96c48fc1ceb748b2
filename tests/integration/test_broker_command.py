"""``esl broker``: a gateway comes in by two commands, and files appear beside a controller."""

import json
import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from api.broker_access.password_file import is_password, read_hashes
from api.private_files import RuntimeFile, runtime_file
from api.tls.authority import Certified, make_authority, sign_server
from gateway.wire.enrolment import from_json
from tests.running_house import STORE_BODY, Command, RunningHouse, running_house
from tests.services import free_port

pytest_plugins = ["tests.shop_over_http"]

MQTT = "mqtt://controller:s3cret@127.0.0.1:{port}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def running(data: Path) -> Iterator[RunningHouse]:
    """A house whose broker is away: rules are written all the same."""
    how = {
        "mqtt_url": MQTT.format(port=free_port()),
        "gateway_mqtt_url": "mqtts://broker.shop:8883",
        "broker_files": data.parent / "kept",
    }
    with running_house(data, **how) as house:
        house.done("PUT", "/api/v1/stores/main", STORE_BODY)
        content = RuntimeFile(url=house.url, token=house.operator, pid=1)
        with runtime_file(data, content):
            yield house


def test_a_gateway_comes_in_and_goes(
    command: Command, running: RunningHouse, data: Path, tmp_path: Path
) -> None:
    made = command("broker", "token", "gw-1", "--store", "main", "--data", data)
    token = made.stdout.splitlines()[0]
    file = tmp_path / "gw-1.json"
    words = ("broker", "enrol", running.url, "--to", file, "--token", token)
    assert "gw-1 of main" in command(*words).stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    enrolment = from_json(file.read_text())
    assert (enrolment.host, enrolment.port, enrolment.tls) == ("broker.shop", 8883, True)
    assert "is there already" in command(*words).stderr
    again = command("broker", "enrol", running.url, "--to", tmp_path / "x", "--token", token)
    assert "was used" in again.stderr
    assert again.status == 1
    plain = command("broker", "enrol", "http://esl.shop", "--to", tmp_path / "x", "--token", "t")
    assert "https://" in plain.stderr

    source = {"name": "Till", "kind": "mqtt", "store": "main"}
    running.done("PUT", "/api/v1/sources/till", source)
    login = command("broker", "source-login", "till", "--json", "--data", data)
    password = json.loads(login.stdout)["password"]

    files = tmp_path / "files"
    environment = {"ESL_MQTT_URL": MQTT.format(port=1883)}
    wrote = command("broker", "files", "--to", files, "--data", data, **environment)
    assert wrote.status == 0, wrote.stderr
    assert "3 logins" in wrote.stdout
    hashes = read_hashes((files / "passwords").read_text())
    assert is_password("s3cret", hashes["controller"])
    assert is_password(enrolment.password, hashes["gw-1"])
    assert is_password(password, hashes["till"])
    assert "listener 8883" not in (files / "mosquitto.conf").read_text(), "no certificate yet"
    (files / "mosquitto.conf").write_text("# mine\n")

    revoked = command("broker", "revoke", "gw-1", "--store", "main", "--data", data)
    assert "read them again" in revoked.stdout
    again = command("broker", "files", "--to", files, "--data", data)
    assert "2 logins" in again.stdout
    assert "gw-1" not in (files / "passwords").read_text() + (files / "acl").read_text()
    assert (files / "mosquitto.conf").read_text() == "# mine\n"


def test_what_files_cannot_be_written_for_is_said(
    command: Command, data: Path, tmp_path: Path
) -> None:
    nowhere = command("broker", "files", "--to", tmp_path / "f", "--data", data)
    assert "set mqtt_url" in nowhere.stderr
    half = command(
        *("broker", "files", "--to", tmp_path / "f", "--data", data, "--ca", tmp_path / "ca"),
        ESL_MQTT_URL="mqtt://controller:x@127.0.0.1",
    )
    assert "all three" in half.stderr
    empty = command(
        *("broker", "files", "--to", tmp_path / "f", "--data", data),
        ESL_MQTT_URL="mqtt://controller:x@127.0.0.1",
    )
    assert empty.status == 1
    assert len(empty.stderr.splitlines()) == 1


def test_the_configuration_has_the_ports_of_the_settings_and_whole_paths(
    command: Command, running: RunningHouse, data: Path, tmp_path: Path
) -> None:
    assert running.house.settings.data_dir == data
    assert command("tls", "init").status == 0, "in the folder where commands run"
    made = tmp_path / "esl-data" / "tls"
    folder = made.relative_to(tmp_path)
    wrote = command(
        *("broker", "files", "--to", "files", "--data", data, "--ca", folder / "ca.crt"),
        *("--certificate", folder / "broker.crt", "--key", folder / "broker.key"),
        ESL_MQTT_URL=MQTT.format(port=11883),
        ESL_GATEWAY_MQTT_URL="mqtts://broker.shop:18883",
    )
    assert wrote.status == 0, wrote.stderr
    assert f"ln -s {tmp_path / 'files' / 'mosquitto.conf'} " in wrote.stdout
    lines = (tmp_path / "files" / "mosquitto.conf").read_text().splitlines()
    assert "listener 11883 127.0.0.1" in lines
    assert "listener 18883" in lines
    assert f"cafile {made / 'ca.crt'}" in lines
    assert f"keyfile {made / 'broker.key'}" in lines


class _Taker(BaseHTTPRequestHandler):
    """Takes whatever token it is shown."""

    taken: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.taken.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def taking(shown: Certified, file: Path) -> Iterator[str]:
    """Answer on this machine with a certificate; the address."""
    file.write_text(shown.certificate + shown.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Taker) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


@pytest.mark.asvs("12.3.2")
def test_a_token_is_shown_to_nobody_but_the_controller(command: Command, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    authority = make_authority("Shop", now)
    ca = tmp_path / "ca.crt"
    ca.write_text(authority.certificate)
    _Taker.taken.clear()

    def enrol(url: str, *words: object) -> str:
        ran = command("broker", "enrol", url, "--to", tmp_path / "gw", "--token", "t-7", *words)
        assert (ran.status, ran.stdout) == (1, "")
        assert len(ran.stderr.splitlines()) == 1
        return ran.stderr

    broker = sign_server(authority, ["broker.shop"], now)  # of the same authority
    with taking(broker, tmp_path / "broker.pem") as url:
        assert "not trusted" in enrol(url, "--ca", ca)
    controller = sign_server(authority, ["esl.shop", "127.0.0.1"], now)
    with taking(controller, tmp_path / "controller.pem") as url:
        told = enrol(url)
        assert "not trusted" in told
        assert "--ca: ca.crt" in told
        assert not _Taker.taken, "nobody was shown the token"
        assert "answered 404" in enrol(url, "--ca", ca)
    assert [b"t-7" in one for one in _Taker.taken] == [True]
