"""What people write of an SFTP server: its address, its key, our login."""

import json
import re
from pathlib import Path

import asyncssh
import pytest

from api.listeners.folders.sftp_host_key import ALGORITHMS, HostKeyPin, parse_host_key
from api.listeners.folders.sftp_place import (
    SFTP_SETTINGS,
    SSH_KEY,
    make_ssh_key,
    parse_ssh_key,
    read_login,
    read_place,
)
from api.listeners.source_checks import check_source_settings
from esl.domain.errors import InvalidInput
from esl.domain.ids import SourceId
from esl.domain.source import SourceKind
from esl.intake.source_json import parse_secret, parse_source
from esl.settings import Settings

DOCUMENT = (Path(__file__).parents[4] / "docs" / "sftp.md").read_text()


def key_of(kind: str) -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(kind)


def line_of(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip()


class TestHostKeys:
    @pytest.mark.parametrize(
        ("kind", "algorithms"),
        [
            ("ssh-ed25519", ("ssh-ed25519",)),
            ("ecdsa-sha2-nistp256", ("ecdsa-sha2-nistp256",)),
            ("ecdsa-sha2-nistp384", ("ecdsa-sha2-nistp384",)),
            ("ecdsa-sha2-nistp521", ("ecdsa-sha2-nistp521",)),
            ("ssh-rsa", ("rsa-sha2-512", "rsa-sha2-256")),
        ],
    )
    def test_a_key_is_pinned_as_it_is_written_anywhere(
        self, kind: str, algorithms: tuple[str, ...]
    ) -> None:
        key, other = key_of(kind), key_of(kind)
        line = line_of(key)
        for text in (line, f"  {line}  ", f"{line} root@till", f"[sftp.example]:2222 {line}"):
            pin = parse_host_key(text, "/settings/host_key")
            assert pin.fits(key)
            assert not pin.fits(other)
            assert pin.algorithms == algorithms

    @pytest.mark.parametrize("ending", ["", "="])
    def test_a_fingerprint_pins_a_key_of_any_kind(self, ending: str) -> None:
        key = key_of("ssh-ed25519")
        pin = parse_host_key(key.get_fingerprint() + ending, "/settings/host_key")
        assert pin.fits(key)
        assert not pin.fits(key_of("ssh-ed25519"))
        assert pin.algorithms == ALGORITHMS
        assert not any("sha1" in a or a in {"ssh-rsa", "ssh-dss"} for a in ALGORITHMS)

    @pytest.mark.parametrize(
        "text",
        [
            *("", " ", "yes", "*", "any", "SHA256:", f"SHA256:{'A' * 42}", f"SHA256:{'A' * 44}"),
            *(f"SHA256:{'A' * 42}!", f"sha256:{'A' * 43}", f"SHA1:{'A' * 27}"),
            "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            "16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            *("ssh-ed25519", "ssh-ed25519 AAAA", "ssh-ed25519 !!!!", "ssh-rsa AAAAB3NzaC1yc2E="),
            "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5",
            f"SHA256:{'A' * 43} SHA256:{'B' * 43}",
            "SHA256:" + "\u0410" * 43,
        ],
    )
    def test_what_pins_nothing_is_refused_with_a_fix(self, text: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            parse_host_key(text, "/settings/host_key")
        [problem] = refused.value.problems
        assert problem.path == "/settings/host_key"
        assert problem.fix

    def test_a_key_is_of_the_kind_that_it_says(self) -> None:
        body = line_of(key_of("ssh-ed25519")).split()[1]
        with pytest.raises(InvalidInput):
            parse_host_key(f"ecdsa-sha2-nistp256 {body}", "/x")
        with pytest.raises(InvalidInput, match="cut short"):
            parse_host_key(f"ssh-ed25519 {body[:-8]}", "/x")

    def test_a_short_rsa_key_and_a_dsa_key_prove_too_little(self) -> None:
        short = asyncssh.generate_private_key("ssh-rsa", key_size=1024)
        with pytest.raises(InvalidInput, match="2048 bits"):
            parse_host_key(line_of(short), "/x")
        with pytest.raises(InvalidInput):
            parse_host_key(line_of(asyncssh.generate_private_key("ssh-dss")), "/x")


class TestPlaces:
    PIN = f"SHA256:{'A' * 43}"

    def test_what_is_left_out_is_usual(self) -> None:
        place = read_place({"host": "sftp.example", "login": "till", "host_key": self.PIN})
        assert (place.port, place.folder) == (22, ".")
        assert place.pin == HostKeyPin(fingerprint=self.PIN)
        assert place.server == "sftp.example"

    @pytest.mark.parametrize(
        ("host", "allowed"),
        [
            ("sftp.example", ""),
            ("till_1", ""),
            ("8.8.8.8", ""),
            ("2606:2800:220:1:248:1893:25c8:1946", ""),
            ("[2606:2800:220:1:248:1893:25c8:1946]", ""),
            ("192.168.1.7", "192.168.1.0/24"),
            ("127.0.0.1", "127.0.0.1"),
        ],
    )
    def test_servers_are_named_or_have_an_address(self, host: str, allowed: str) -> None:
        settings = {"host": host, "login": "till", "host_key": self.PIN, "allow_private": allowed}
        assert read_place(settings).host == host.strip("[]")

    @pytest.mark.parametrize(
        "host",
        [
            *("sftp://sftp.example", "sftp.example:22", "till@sftp.example", "a b", "-oProxy=x"),
            *("127.0.0.1", "10.0.0.1", "::1", "169.254.169.254", "0.0.0.0", "::ffff:10.0.0.1"),  # noqa: S104
            *("x" * 254, "a..b", ".", "sftp.example/x", "sftp.éxample"),
        ],
    )
    def test_no_other_host_is_taken(self, host: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            read_place({"host": host, "login": "till", "host_key": self.PIN})
        assert [problem.path for problem in refused.value.problems] == ["/settings/host"]
        assert refused.value.problems[0].fix


class TestSecrets:
    def test_a_made_key_opens_what_its_public_half_is_put_on(self) -> None:
        private, public = make_ssh_key("till-7")
        [key] = read_login([(SSH_KEY, private), ("token", "of another kind")]).keys
        assert line_of(key.convert_to_public()).split()[:2] == public.split()[:2]
        assert "till-7" in public

    @pytest.mark.parametrize("form", ["openssh", "pkcs1-pem", "pkcs8-pem"])
    def test_keys_are_read_in_every_usual_form(self, form: str) -> None:
        key = key_of("ssh-rsa")
        text = key.export_private_key(form).decode()
        for written in (text, text.strip(), text.replace("\n", "\r\n"), f"\n{text}\n\n"):
            assert parse_ssh_key(written, "/secret").public_data == key.public_data

    def test_how_long_a_password_is_its_server_decides(self) -> None:
        assert parse_secret({"kind": "password", "secret": "kasa"}).secret == "kasa"
        for kind in ("webhook", "token", "ssh_key"):
            with pytest.raises(InvalidInput, match="16 to"):
                parse_secret({"kind": kind, "secret": "kasa"})

    def test_nothing_that_serves_is_said_so(self) -> None:
        for given in ([], [("webhook", "x")]):
            with pytest.raises(InvalidInput, match="missing"):
                read_login(given)


def test_the_sources_of_the_document_are_taken(tmp_path: Path) -> None:
    kinds = []
    settings = Settings(data_dir=tmp_path / "data", hot_folder_roots=[tmp_path])
    (tmp_path / "in").mkdir()
    for text in re.findall(r"```json source\n(.*?)```", DOCUMENT, re.DOTALL):
        value = json.loads(text.replace("/srv/till", str(tmp_path)))
        source = parse_source(value, source_id=SourceId("example"))
        check_source_settings(source, settings)
        kinds.append(source.kind)
    assert kinds == [SourceKind.SFTP, SourceKind.HOT_FOLDER]


def test_the_document_tells_every_setting_of_a_server() -> None:
    for name in SFTP_SETTINGS:
        assert f"| `{name}` |" in DOCUMENT
