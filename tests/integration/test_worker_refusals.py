"""What ``esl worker`` and ``esl serve --no-delivery`` refuse, in one line that says what to do."""

from contextlib import closing
from pathlib import Path

import pytest

from api.private_files import hold_data_folder, make_data_folder, signing_key
from esl.store.database import Database
from esl.store.migrate import migrate
from tests.builders import NOON, build_shelf
from tests.running_house import Command

pytest_plugins = ["tests.shop_over_http"]

pytestmark = pytest.mark.timeout(60)  # what is not refused would run for ever

MQTT = ("--mqtt", "mqtt://u:p@127.0.0.1:1")


def _refusal(command: Command, *arguments: str | Path) -> str:
    ran = command(*arguments)
    assert (ran.status, ran.stdout) == (1, ""), ran.stderr
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    return ran.stderr


@pytest.mark.parametrize("what", [("worker",), ("serve", "--no-delivery")])
def test_sqlite_is_refused(command: Command, tmp_path: Path, what: tuple[str, ...]) -> None:
    assert "PostgreSQL" in _refusal(command, *what, "--data", tmp_path / "data", *MQTT)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("what", [("worker",), ("serve", "--no-delivery")])
def test_an_embedded_broker_is_refused(
    command: Command, tmp_path: Path, what: tuple[str, ...]
) -> None:
    url = "postgresql://127.0.0.1:1/esl"
    said = _refusal(command, *what, "--data", tmp_path / "data", "--database", url)
    assert "mqtt_url" in said


def test_a_worker_without_the_key_that_gateways_obey_is_refused(
    command: Command, tmp_path: Path, fresh_postgres_url: str
) -> None:
    with closing(Database(fresh_postgres_url)) as database:
        migrate(database, NOON)
        with database.writing.begin() as tx:
            build_shelf(tx)
    where = ("--data", tmp_path / "data", "--database", fresh_postgres_url, *MQTT)
    said = _refusal(command, "worker", *where)
    assert "signing.pem" in said
    assert "copy" in said
    assert not list((tmp_path / "data" / "keys").iterdir()), "none was made"


def test_a_second_worker_of_the_same_name_is_refused(
    command: Command, tmp_path: Path, fresh_postgres_url: str
) -> None:
    data = tmp_path / "data"
    make_data_folder(data)
    signing_key(data)
    where = ("--data", data, "--database", fresh_postgres_url, *MQTT)
    with hold_data_folder(data, "worker-1.lock"):
        assert "worker of this name" in _refusal(command, "worker", *where)


@pytest.mark.parametrize("name", ["", "A", "a/b", "x" * 13])
def test_an_odd_name_is_refused(command: Command, name: str) -> None:
    assert "--name" in _refusal(command, "worker", "--name", name, *MQTT)
