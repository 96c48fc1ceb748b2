"""``esl tls`` makes certificates that clients trust, and ``esl serve --tls`` speaks by them."""

import socket
import ssl
import stat
import warnings
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from api.client import Client
from api.tls.authority import LEAF_LIFE, Certified, ends_at, make_authority, names_of, sign_server
from api.tls.files import make_tls
from api.tls.server_side import server_tls
from esl.domain.errors import SetupError
from esl.settings import Settings, read_settings
from tests.builders import NOON
from tests.running_house import Command
from tests.served import Served

pytest_plugins = ["tests.shop_over_http"]

NAMES = ["esl.shop.example", "localhost", "127.0.0.1"]


def test_init_makes_private_files_and_never_overwrites(command: Command, tmp_path: Path) -> None:
    made = command("tls", "init", "--name", "esl.shop.example")
    assert made.status == 0, made.stderr
    folder = tmp_path / "esl-data" / "tls"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        f"{kind}.{end}" for kind in ("ca", "server", "broker") for end in ("crt", "key")
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert "esl.shop.example" in names_of((folder / "server.crt").read_text())
    before = {path: path.read_bytes() for path in folder.iterdir()}
    again = command("tls", "init")
    assert again.status == 1
    assert "esl tls renew" in again.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    renewed = command("tls", "renew")
    assert renewed.status == 0, renewed.stderr
    assert (folder / "ca.key").read_bytes() == before[folder / "ca.key"]
    assert (folder / "server.key").read_bytes() != before[folder / "server.key"]
    assert names_of((folder / "server.crt").read_text()) == names_of(
        before[folder / "server.crt"].decode()
    )


@pytest.mark.parametrize(
    "name", ["", "Big.Example", "*.example", "a b", "-a.example", "x" * 64, "a..b", "esl/../x"]
)
def test_a_name_that_is_none_makes_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="neither a name"):
        make_tls(tmp_path, [name], NAMES, NOON)
    assert not list(tmp_path.glob("tls/*"))


def test_an_authority_that_ends_too_soon_or_is_another_signs_nothing() -> None:
    authority = make_authority("a", NOON)
    with pytest.raises(SetupError, match="the authority ends"):
        sign_server(authority, NAMES, NOON + timedelta(days=3600))
    other = make_authority("b", NOON)
    with pytest.raises(SetupError, match="not that of its certificate"):
        sign_server(Certified(certificate=authority.certificate, key=other.key), NAMES, NOON)
    signed = sign_server(authority, NAMES, NOON)
    assert ends_at(signed.certificate) == NOON + LEAF_LIFE
    assert names_of(signed.certificate) == ["esl.shop.example", "localhost", "127.0.0.1"]


def test_what_cannot_be_used_is_refused_in_words(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, tls=True)
    with pytest.raises(SetupError, match="esl tls init"):
        server_tls(settings)
    make_tls(tmp_path, NAMES, NAMES, NOON)
    key = tmp_path / "tls" / "server.key"
    key.chmod(0o644)
    with pytest.raises(SetupError, match="others may read"):
        server_tls(settings)
    key.chmod(0o600)
    key.write_text("nonsense")
    with pytest.raises(SetupError, match="no certificate and its key"):
        server_tls(settings)


@pytest.mark.asvs("12.2.1")
def test_outward_without_tls_is_refused_and_with_it_is_not() -> None:
    with pytest.raises(SetupError, match="--tls"):
        read_settings(host="0.0.0.0")  # noqa: S104
    assert read_settings(host="0.0.0.0", tls=True).tls  # noqa: S104
    with pytest.raises(SetupError, match="belong together"):
        read_settings(tls_key_file=Path("key.pem"))


@pytest.mark.asvs("3.4.1", "4.1.2", "12.1.1", "12.1.2", "12.3.4")
def test_a_controller_speaks_tls_to_who_trusts_the_authority(
    command: Command, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    assert command("tls", "init", "--data", data, "--name", "esl.shop.example").status == 0
    with closing(Served(data, "--tls")) as served:
        runtime = served.start()
        assert runtime.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=data / "tls" / "ca.crt")
        with httpx2.Client(base_url=runtime.url, verify=trusting, trust_env=False) as client:
            answer = client.get("/healthz")
        assert answer.json() == {"status": "ok"}
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        with (
            httpx2.Client(base_url=runtime.url, trust_env=False) as stranger,
            pytest.raises(httpx2.ConnectError),
        ):
            stranger.get("/healthz")
        with Client(runtime.url, runtime.token, certificate=runtime.certificate) as ours:
            assert ours.get("/api/v1/stores")["stores"] == []
        port = int(runtime.url.rpartition(":")[2])
        versions = ("TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3")
        spoken = {version: _speaks(port, version) for version in versions}
        new = {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}
        assert spoken == {"TLSv1": None, "TLSv1_1": None, **new}
        assert {name for name in OLD_CIPHERS + NEW_CIPHERS if _speaks(port, "TLSv1_2", name)} == {
            *NEW_CIPHERS
        }
        with closing(socket.create_connection(("127.0.0.1", port))) as plain:
            plain.settimeout(30)
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"status" not in plain.recv(1000)
        listed = command("token", "list", "--data", data)
        assert listed.status == 0, listed.stderr


OLD_CIPHERS = (
    "ECDHE-ECDSA-AES128-SHA",  # CBC
    "ECDHE-ECDSA-AES256-SHA384",  # CBC
    "ECDHE-ECDSA-AES128-CCM8",  # short tag
    "ECDHE-ECDSA-NULL-SHA",
    "AECDH-AES256-SHA",  # nobody's key
)
NEW_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
)
"""Of TLS 1.2, as OpenSSL names them; the key of the certificate is one of ECDSA."""


def _speaks(port: int, version: str, cipher: str = "ALL") -> str | None:
    """Say which version a server agrees to with a client that knows one, and these ciphers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=30) as line,
            context.wrap_socket(line) as wrapped,
        ):
            return wrapped.version()
    except (ssl.SSLError, ConnectionError):
        return None
