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
