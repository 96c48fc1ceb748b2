"""The files mosquitto reads, byte by byte, and who may read them."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from api.broker_access.keeper import reload_broker, write_current_files
from api.broker_access.mosquitto_files import PASSWORDS, RULES, TlsFiles, acl_text, config_text
from api.broker_access.password_file import hash_password, is_password, read_hashes
from api.broker_access.rights import Login, Role
from esl.domain.errors import SetupError
from esl.settings import Settings
from gateway.wire.errors import BadTopic
from tests.secured_broker import known_as
from tests.served import wait_until
from tests.services import require


def test_a_hash_is_the_one_mosquitto_passwd_makes(tmp_path: Path) -> None:
    tool = shutil.which("mosquitto_passwd") or require("mosquitto").with_name("mosquitto_passwd")
    file = tmp_path / "p"
    subprocess.run(
        [tool, "-b", "-c", file, "gw-1", "pässword"], check=True, capture_output=True, timeout=60
    )
    theirs = read_hashes(file.read_text())["gw-1"]
    assert is_password("pässword", theirs)
    assert not is_password("password", theirs)
    assert is_password("x", hash_password("x", iterations=5))
    for damaged in ("", "$7$", "$6$1$a$b", "$7$0$a$b", "$7$1$%%$b", "x" * 99):
        assert not is_password("x", damaged)


def test_rules_name_literal_topics_of_each_login_alone() -> None:
    logins = [
        Login(username="gw-1", role=Role.GATEWAY),
        Login(username="till", role=Role.SOURCE),
        Login(username="esl", role=Role.CONTROLLER),
    ]
    blocks = acl_text(logins)
    gateway = (
        "# gateway\nuser gw-1\ntopic write esl/v1/gw-1/state\ntopic write esl/v1/gw-1/up\n"
        "topic read esl/v1/gw-1/down\n"
    )
    till = "# source\nuser till\ntopic write esl/v1/in/till\ntopic read esl/v1/in/till/result\n"
    assert gateway in blocks
    assert blocks.endswith(till)
    assert "pattern" not in blocks
    assert blocks.index("user esl") < blocks.index("user gw-1") < blocks.index("user till")
    with pytest.raises(BadTopic):
        acl_text([Login(username="gw-1\nuser root", role=Role.GATEWAY)])


def test_files_are_for_owner_and_group_and_stay_as_they_are_when_nothing_changed(
    tmp_path: Path,
) -> None:
    known = known_as({"esl": Role.CONTROLLER, "gw-1": Role.GATEWAY})
    assert write_current_files(tmp_path, known) is True
    before = {name: (tmp_path / name).read_bytes() for name in (PASSWORDS, RULES)}
    for name in before:
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o640
    assert write_current_files(tmp_path, known) is False
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    fewer = known_as({"esl": Role.CONTROLLER})
    assert write_current_files(tmp_path, fewer) is True
    assert "gw-1" not in (tmp_path / PASSWORDS).read_text() + (tmp_path / RULES).read_text()
    assert list(tmp_path.glob(".*")) == [], "no draft is left"


def test_no_certificate_no_listener_on_the_network(tmp_path: Path) -> None:
    text = config_text(tmp_path, tls=None)
    listeners = [line for line in text.splitlines() if line.startswith("listener")]
    assert listeners == ["listener 1883 127.0.0.1"]


def test_the_shipped_configurations_are_the_one_that_is_written() -> None:
    folder = Path(__file__).parents[4] / "deploy" / "mosquitto"
    tls = TlsFiles(
        ca=Path("/etc/esl/ca.crt"),
        certificate=Path("/etc/esl/broker.crt"),
        key=Path("/etc/esl/broker.key"),
    )
    written = config_text(Path("/etc/mosquitto/esl"), tls=tls)
    assert (folder / "esl.conf").read_text() == written
    files = ("password_file", "acl_file")
    of_plugin = ("plugin ", "plugin_opt_config_file ")
    shipped = (folder / "dynamic-security.conf").read_text().splitlines()
    rest = [line for line in shipped if not line.startswith((*of_plugin, "#"))]
    own = [line for line in written.splitlines() if not line.startswith((*files, "#"))]
    assert rest == own
    assert sum(line.startswith(of_plugin) for line in shipped) == len(of_plugin)


def test_only_a_mosquitto_is_signalled(tmp_path: Path) -> None:
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        pid_file = tmp_path / "pid"
        pid_file.write_text(f"{sleeper.pid}\n")
        named = Path(f"/proc/{sleeper.pid}/comm")
        wait_until(lambda: named.read_text() == "sleep\n", "the sleeper to have its name")
        with pytest.raises(SetupError, match="names a process of 'sleep'"):
            reload_broker(Settings(broker_pid_file=pid_file))
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()
    with pytest.raises(SetupError, match="names no process"):
        reload_broker(Settings(broker_pid_file=pid_file))
    with pytest.raises(SetupError, match="ended with 1"):
        reload_broker(Settings(broker_reload_command="false"))
    with pytest.raises(SetupError, match="could not be run"):
        reload_broker(Settings(broker_reload_command="/no/such/program"))
    reload_broker(Settings(broker_reload_command="true"))
