"""What ``esl`` refuses, it refuses in one line that says what to do, and with status 1."""

import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.private_files import hold_data_folder, make_data_folder, signing_key
from esl.store.database import Database
from esl.store.migrate import migrate
from tests.running_house import Command
from tests.served import esl

pytest_plugins = ["tests.shop_over_http"]

pytestmark = pytest.mark.timeout(30)  # what is not refused would serve for ever

CANARY = "s3cret-Zq7"
Run = Callable[..., str]


@pytest.fixture
def refused(command: Command) -> Run:
    """Run ``esl`` with arguments it must refuse; return its one line."""

    def run(*arguments: str, **variables: str) -> str:
        ran = command(*arguments, **variables)
        assert ran.status == 1, ran.stderr
        assert ran.stdout == ""
        assert len(ran.stderr.splitlines()) == 1, ran.stderr
        assert ran.stderr.startswith("esl: ")
        assert CANARY not in ran.stderr
        return ran.stderr

    return run


def test_a_demo_that_lives_prints_no_json(refused: Run) -> None:
    assert "--json goes with --once" in refused("demo", "--json")


# ── Settings ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("ESL_PORT", "80a", "port"),
        ("ESL_PORT", "65536", "port"),
        ("ESL_PORT", "-1", "port"),
        ("ESL_PORT", "", "port"),
        ("ESL_PORT", "８０", "port"),
        ("ESL_PATIENCE_S", "0", "patience_s"),
        ("ESL_PATIENCE_S", "-5", "patience_s"),
        ("ESL_PATIENCE_S", "nan", "patience_s"),
        ("ESL_PATIENCE_S", "inf", "patience_s"),
        ("ESL_PATIENCE_S", "1e300", "patience_s"),
        ("ESL_WINDOW", "0", "window"),
        ("ESL_PLAIN_HTTP_ALLOWED", "maybe", "plain_http_allowed"),
        ("ESL_PROT", "8080", "ESL_PORT"),
        ("ESL_NONSENSE", "1", "ESL_NONSENSE"),
        ("ESL_HOST", "0.0.0.0", "TLS"),  # noqa: S104  it is refused
        ("ESL_HOST", "", "TLS"),
        ("ESL_MQTT_URL", "http://broker", "mqtt://"),
        ("ESL_MQTT_URL", f"mqtt://a:{CANARY}@", "mqtt://"),
        ("ESL_MQTT_URL", f"mqtt://a:{CANARY}@broker:99999", "mqtt://"),
        ("ESL_DATABASE_URL", "nonsense", "database address"),
        ("ESL_DATABASE_URL", f"mysql://root:{CANARY}@db/esl", "sqlite"),
        ("ESL_DATABASE_URL", f"postgresql+nonsense://a:{CANARY}@db/esl", "database address"),
        ("ESL_DATABASE_URL", "sqlite:////nowhere/at/all/esl.db", "database"),
        ("ESL_DATABASE_URL", "sqlite://", "database"),
        ("ESL_DATABASE_URL", "sqlite:///:memory:", "database"),
        ("ESL_DATABASE_URL", f"postgresql://a:{CANARY}@127.0.0.1:9/esl", "database"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_by_name(refused: Run, name: str, text: str, told: str) -> None:
    port = () if name == "ESL_PORT" else ("--port", "0")  # the command line counts more
    assert told in refused("serve", "--data", "data", *port, **{name: text})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port = 'x'", "port"),
        ("prot = 8080", "prot"),
        ("port = ", "esl.toml"),
        ("[port]\nnumber = 1", "port"),
        ("port = 1\nport = 2", "esl.toml"),
        ("patience_s = nan", "patience_s"),
        ("host = '0.0.0.0'", "TLS"),
    ],
)
def test_a_bad_settings_file_is_refused(refused: Run, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "esl.toml").write_text(text)
    assert told in refused("serve", "--data", "data")


def test_a_settings_file_that_is_no_text_is_refused(refused: Run, tmp_path: Path) -> None:
    (tmp_path / "esl.toml").write_bytes(b"\xff\xfeport = 1")
    assert "esl.toml" in refused("serve", "--data", "data")


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.168.1.5", "shop.example", "127.0.0.1.evil"],  # noqa: S104
)
def test_another_host_than_this_machine_is_refused_without_the_flag(
    refused: Run, host: str
) -> None:
    line = refused("serve", "--data", "data", "--host", host)
    assert host in line
    assert "plain_http_allowed" in line
    assert not Path("data").exists(), "nothing was begun"


# ── The machine ────────────────────────────────────────────────────────────────────────────


def test_a_taken_port_is_refused(refused: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        line = refused("serve", "--data", "data", "--port", port)
    assert port in line
    assert "--port" in line


def test_an_unknown_host_is_refused(refused: Run) -> None:
    line = refused(
        *("serve", "--data", "data", "--host", "nowhere.invalid", "--plain-http-allowed")
    )
    assert "nowhere.invalid" in line


def test_a_data_folder_that_cannot_be_is_refused(refused: Run, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert "data folder" in refused("serve", "--data", "data", "--port", "0")


def test_a_second_controller_on_the_same_folder_is_refused(refused: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_data_folder(data)
    with hold_data_folder(data):
        line = refused("serve", "--data", str(data), "--port", "0")
        assert "another controller" in line
        assert str(data) in line
        create = ("token", "create", "--name", "t", "--scope", "price:read", "--store", "*")
        assert "another controller" in refused(*create, "--data", str(data))


def test_a_key_that_others_may_read_is_refused_with_the_fix(refused: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_data_folder(data)
    signing_key(data)
    key = data / "keys" / "signing.pem"
    for mode in (0o640, 0o604, 0o660, 0o644):
        key.chmod(mode)
        assert f"chmod 600 {key}" in refused("serve", "--data", str(data), "--port", "0")


def test_a_damaged_key_is_refused(refused: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_data_folder(data)
    signing_key(data)
    key = data / "keys" / "signing.pem"
    key.write_text(f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n")
    assert "signing key" in refused("serve", "--data", str(data), "--port", "0")


def test_a_database_of_a_newer_version_is_refused(refused: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_data_folder(data)
    database = Database(f"sqlite:///{data}/esl.db")
    migrate(database, datetime(2026, 3, 1, tzinfo=UTC))
    database.close()
    with closing(sqlite3.connect(data / "esl.db")) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.commit()
    line = refused("serve", "--data", str(data), "--port", "0")
    assert "newer version" in line
    assert "9999" in line


def test_a_file_that_is_no_database_is_refused_and_left_alone(refused: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_data_folder(data)
    (data / "esl.db").write_bytes(b"not a database at all, but somebody's notes " * 100)
    before = (data / "esl.db").read_bytes()
    assert "database" in refused("serve", "--data", str(data), "--port", "0")
    assert (data / "esl.db").read_bytes() == before


def test_a_damaged_broker_file_is_refused_with_the_fix(refused: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_data_folder(data)
    (data / "run" / "broker.json").write_text("{")
    assert "broker.json" in refused("serve", "--data", str(data), "--port", "0")


@pytest.mark.parametrize(
    "words", [["token", "list"], ["token", "revoke", "abc"], ["sign-in"]], ids=" ".join
)
def test_what_needs_a_running_controller_says_so(refused: Run, words: list[str]) -> None:
    line = refused(*words, "--data", "data")
    assert "esl serve" in line
    assert "--data" in line


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": 1}', "\x00"])
def test_a_damaged_runtime_file_is_like_none(refused: Run, tmp_path: Path, content: str) -> None:
    data = tmp_path / "data"
    make_data_folder(data)
    (data / "run" / "controller.json").write_text(content)
    assert "esl serve" in refused("sign-in", "--data", str(data))


def test_an_enrolment_file_that_is_none_is_refused(refused: Run, tmp_path: Path) -> None:
    assert "cannot be read" in refused("simulate", "nowhere.json")
    (tmp_path / "bad.json").write_text("{}")
    assert "not an enrolment file" in refused("simulate", "bad.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    assert "cannot be read" in refused("simulate", "bytes.json")


# ── The same through a real process, whose status the system sees ──────────────────────────


def test_a_process_ends_with_status_1_and_one_line(tmp_path: Path) -> None:
    ran = esl("serve", "--data", "data", folder=tmp_path, env={"ESL_PORT": "x"})
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.splitlines() == [ran.stderr.strip()]
    assert "Traceback" not in ran.stderr


def test_a_word_that_is_no_command_is_refused_with_status_2(tmp_path: Path) -> None:
    ran = esl("serv", folder=tmp_path)
    assert ran.returncode == 2
    assert "serve" in ran.stderr
    assert "Traceback" not in ran.stderr
