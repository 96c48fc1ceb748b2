"""The files in ``deploy/`` can be read, and say commands and settings that there are."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.main import get_command

from api.broker_access.mosquitto_files import PASSWORDS, RULES
from api.cli.app import app
from esl.settings import PREFIX, Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = sorted((DEPLOY / "compose").glob("*.yaml"))


def check_command(words: list[str]) -> None:
    """Have the command line parsed, without running anything."""
    program, name, *rest = words
    assert Path(program).name == "esl"
    group = get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    command = group.commands[name]
    command.make_context(name, rest)  # raises at an option that there is not


def read_unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  names are not folded
    parser.read_string(path.read_text())
    return parser


def read_compose(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(path.read_text())
    return read


def test_the_settings_of_a_broker_are_those_of_its_page() -> None:
    page = (DEPLOY.parent / "docs" / "mqtt-in.md").read_text("utf-8")
    [shown] = re.findall(r"```conf\n(.*?)```", page, re.DOTALL)
    lines = (DEPLOY / "mosquitto" / "tills.conf").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == shown.splitlines()


def test_there_are_files_to_read() -> None:
    assert {path.name for path in UNITS} == {
        "esl-worker@.service",
        "esl-api.service",
        "esl.service",
    }
    assert [path.name for path in COMPOSE] == ["whole.yaml", "workers.yaml"]


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_a_unit_starts_a_command_of_ours_as_nobody_special(path: Path) -> None:
    unit = read_unit(path)
    service = unit["Service"]
    check_command(shlex.split(service["ExecStart"].replace("%i", "1")))
    assert service["User"] not in ("", "root")
    assert service["Restart"] == "always"
    assert int(service["TimeoutStopSec"]) > 5, "it may take five seconds to end"
    assert unit["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_systemd_knows_every_line_of_a_unit(path: Path, tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt install systemd)")
    copy = tmp_path / path.name.replace("@", "@1")
    text = path.read_text().replace("/opt/esl/.venv/bin/esl", "/bin/true")
    copy.write_text(
        text.replace("file:///opt/esl/docs/scaling.md", "man:true(1)").replace(
            "file:///opt/esl/docs/operate.md", "man:true(1)"
        )
    )
    found = subprocess.run(
        [verify, "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )
    ours = [line for line in found.stderr.splitlines() if copy.name in line]
    assert ours == []


def test_what_the_controller_writes_for_mosquitto_has_it_read_again(tmp_path: Path) -> None:
    folder = DEPLOY / "mosquitto"
    path = (folder / "esl-broker-reload.path").read_text().splitlines()
    watched = {line.partition("=")[2] for line in path if line.startswith("PathChanged=")}
    assert watched == {f"/etc/mosquitto/esl/{name}" for name in (PASSWORDS, RULES)}
    for name in ("esl.service", "esl-api.service"):
        written = read_unit(DEPLOY / "systemd" / name)["Service"]["ReadWritePaths"].split()
        assert "-/etc/mosquitto/esl" in written
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt install systemd)")
    copies = [
        shutil.copy(folder / f"esl-broker-reload.{end}", tmp_path) for end in ("path", "service")
    ]
    found = subprocess.run(
        [verify, "verify", "--man=no", *copies], capture_output=True, text=True, check=False
    )
    assert [line for line in found.stderr.splitlines() if "esl-broker-reload" in line] == []


HARDENED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "ProtectProc": "invisible",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": "@system-service",
    "UMask": "0077",
    "StateDirectoryMode": "0700",
}
EXPOSURE_MOST = 20
"""Tenths: systemd's own measure reaches from 0 to 10.0, and calls up to 2.0 “OK”. What is left is
the network, which a controller is for, and the machine's own files to read."""


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_a_unit_may_do_no_more_than_a_controller_needs(path: Path) -> None:
    service = read_unit(path)["Service"]
    assert {name: service.get(name) for name in HARDENED} == HARDENED


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_systemd_finds_little_exposed_by_a_unit(path: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt install systemd)")
    copy = tmp_path / path.name.replace("@", "@1")
    copy.write_text(path.read_text())
    found = _exposure(analyze, copy)
    assert found.returncode == 0, found.stdout
    loose = [line for line in path.read_text().splitlines() if not line.startswith("Protect")]
    copy.write_text("\n".join(loose))
    assert _exposure(analyze, copy).returncode != 0, "the measure notices what is taken away"


def _exposure(analyze: str, unit: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [analyze, "security", "--offline=true", f"--threshold={EXPOSURE_MOST}", "--no-pager", unit],
        capture_output=True,
        text=True,
        check=False,
    )


DOCKERFILE = DEPLOY / "Dockerfile"


def unhashed_installs(text: str) -> list[str]:
    """Return what a Dockerfile installs without hashes; our own source, already there, may be."""
    joined = re.sub(r"\\\n\s*", " ", text)
    commands = [
        part.strip()
        for line in joined.splitlines()
        if line.startswith("RUN ")
        for part in re.split(r"&&|;|\|", line.removeprefix("RUN "))
    ]
    wrong = []
    for command in commands:
        words = shlex.split(command)
        if not any(Path(word).name in ("pip", "pip3", "uv", "apt-get", "curl") for word in words):
            continue
        hashed = {"--require-hashes", "--only-binary=:all:"} <= set(words)
        files = {
            words[n + 1] for n, word in enumerate(words[:-1]) if word in ("-r", "--requirement")
        }
        locked = (
            hashed and bool(files) and files <= {"requirements.txt", "requirements-postgres.txt"}
        )
        ours = {"--no-deps", "--no-build-isolation", "--no-index"} <= set(words) and words[
            -1
        ] == "."
        if not (locked or ours):
            wrong.append(command)
    return wrong


def test_every_image_of_ours_is_made_by_that_file() -> None:
    for path in COMPOSE:
        text = path.read_text("utf-8")
        builds = text.count("build:")
        assert builds == text.count("dockerfile: deploy/Dockerfile") > 0
        assert "dockerfile_inline" not in text


@pytest.mark.asvs("15.2.4")
def test_an_image_installs_by_hash_alone() -> None:
    text = DOCKERFILE.read_text("utf-8")
    assert text.count("pip install") == 2
    assert unhashed_installs(text) == []
    for source in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        assert re.fullmatch(r"python:3\.\d+-slim", source), "no tag that moves between versions"
    assert re.search(r"^USER (?!root|0)", text, re.MULTILINE)


@pytest.mark.parametrize(
    "line",
    [
        "RUN pip install hatchling==1.33.0",
        "RUN /opt/esl/bin/pip install --no-cache-dir --only-binary=:all: 'psycopg[binary]>=3.3'",
        "RUN true && pip install --require-hashes --only-binary=:all: -r other.txt",
        "RUN pip install --require-hashes -r requirements.txt",
        "RUN pip install .",
        "RUN apt-get update \\\n    && apt-get install --yes libpq5",
        "RUN curl https://example.org/install.sh | sh",
    ],
)
def test_an_install_without_hashes_is_found(line: str) -> None:
    assert unhashed_installs(f"FROM python:3.13-slim\n{line}\n")


def test_what_an_image_needs_beside_the_controller_is_locked() -> None:
    """PostgreSQL's driver and what builds the wheel stand in the image's own lock, and fit ours."""
    pins = {name: pins_of(DEPLOY.parent / name) for name in LOCKS}
    assert {"psycopg", "psycopg-binary", "hatchling"} <= set(pins["requirements-postgres.txt"])
    assert set(pins["requirements.txt"]) <= set(pins["requirements-postgres.txt"])
    for name, version in pins["requirements-postgres.txt"].items():
        for other in ("requirements.txt", "requirements-dev.txt"):
            assert pins[other].get(name, version) == version, f"{name} differs in {other}"


LOCKS = ("requirements.txt", "requirements-postgres.txt", "requirements-dev.txt")


def pins_of(path: Path) -> dict[str, str]:
    """Return the exact version of each requirement of a lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", path.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", COMPOSE, ids=lambda p: p.name)
def test_a_compose_file_names_services_commands_and_settings_that_there_are(path: Path) -> None:
    read = read_compose(path)
    services = read["services"]
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    ours = 0
    for service in services.values():
        for needed in service.get("depends_on", {}):
            assert needed in services
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in read["volumes"] or source.startswith((".", "/"))
        settings = {name for name in service.get("environment", ()) if name.startswith(PREFIX)}
        assert settings <= known, settings - known
        command = service.get("command")
        if command is None or not settings:
            continue
        ours += 1
        if command[:2] == ["sh", "-c"]:
            line = re.sub(r'"\$\$\(.*?\)"', "1", command[2])
            command = shlex.split(line.removeprefix("exec "))
        check_command(command)
    assert ours == {"workers.yaml": 2, "whole.yaml": 1}[path.name]


def test_no_port_of_ours_is_open_to_the_network() -> None:
    for path in COMPOSE:
        for service in read_compose(path)["services"].values():
            for port in service.get("ports", ()):
                # Gateways are elsewhere; compose.conf lets them in by TLS and with a login alone.
                assert port.startswith("127.0.0.1:") or port == "8883:8883"
