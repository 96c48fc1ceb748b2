"""``esl keys``: a rotation is told as it is, nothing of it happens by mistake, and a start with
a key that no gateway obeys is refused."""

import json
import os
from pathlib import Path

import pytest

from api.books import open_books
from api.private_files import make_data_folder, signing_key, write_private
from api.signing import installation_key
from esl.domain.errors import SetupError
from esl.domain.ids import GatewayId
from esl.settings import Settings, read_settings
from esl.store import places, signing
from gateway.wire.signing import SigningKey
from tests.builders import NOON, STORE, a_store
from tests.running_house import Command

pytest_plugins = ["tests.shop_over_http"]

pytestmark = pytest.mark.timeout(120)

GATEWAYS = (GatewayId("gw-1"), GatewayId("gw-2"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder on which a controller was started, with two gateways enrolled."""
    found = read_settings(data_dir=tmp_path / "data")
    make_data_folder(found.data_dir)
    start(found)
    enrol(found, signing_key(found.data_dir).key_id)
    return found


def start(settings: Settings) -> str:
    """Do what a controller does first."""
    with open_books(settings) as books:
        return installation_key(settings, books).key_id


def enrol(settings: Settings, *keys: str) -> None:
    with open_books(settings) as books:

        def work(tx):  # type: ignore[no-untyped-def]
            places.put_store(tx, a_store())
            for gateway in GATEWAYS:
                places.put_gateway(tx, gateway, STORE)
                places.note_enrolment(tx, gateway, keys, NOON)

        books.writer.write(work)


def shown(command: Command, settings: Settings) -> dict[str, object]:
    ran = command("keys", "show", "--json", "--data", settings.data_dir)
    assert ran.status == 0, ran.stderr
    found: dict[str, object] = json.loads(ran.stdout)
    return found


def test_a_rotation_is_shown_as_it_is_between_its_steps(
    settings: Settings, command: Command
) -> None:
    data, old = settings.data_dir, start(settings)
    assert command("keys", "rotate", "--data", data).status == 0
    new = shown(command, settings)["other"]
    assert isinstance(new, str)
    enrol(settings, old, new)
    assert command("keys", "rotate", "--data", data).status == 0
    found = shown(command, settings)
    assert (found["signs_now"], found["signs_from_next_start"]) == (old, new)
    text = command("keys", "show", "--data", data).stdout
    assert f"until the controller and its workers are restarted: {old}" in text
    too_soon = command("keys", "rotate", "--data", data)
    assert too_soon.status == 1
    assert f"still signs with {old}" in too_soon.stderr
    assert start(settings) == new
    assert f"signs: {new}" in command("keys", "show", "--data", data).stdout
    assert command("keys", "rotate", "--data", data).status == 0

    unfinished = command("keys", "rotate", "--data", data)
    assert unfinished.status == 1
    assert "gw-1, gw-2 still hold the old key" in unfinished.stderr
    enrol(settings, new)
    just_now = command("keys", "rotate", "--data", data)
    assert just_now.status == 1
    assert "--again" in just_now.stderr
    os.utime(data / "keys" / "rotated", (1_700_000_000, 1_700_000_000))
    assert command("keys", "rotate", "--data", data).status == 0


def test_a_switch_that_is_taken_back_starts_with_the_old_key(
    settings: Settings, command: Command
) -> None:
    data, old = settings.data_dir, start(settings)
    command("keys", "rotate", "--data", data)
    new = str(shown(command, settings)["other"])
    enrol(settings, old, new)
    command("keys", "rotate", "--data", data)
    assert start(settings) == new
    undone = command("keys", "undo", "--data", data)
    assert (undone.status, undone.stderr) == (0, "")
    assert start(settings) == old
    assert command("keys", "undo", "--data", data).status == 0
    nothing = command("keys", "undo", "--data", data)
    assert nothing.status == 1
    assert "nothing to take back" in nothing.stderr


def test_a_start_with_another_key_is_refused_until_a_person_accepts_it(
    settings: Settings, command: Command
) -> None:
    data, old = settings.data_dir, start(settings)
    other = SigningKey.generate()
    write_private(data / "keys" / "signing.pem", other.to_pem().decode())
    with pytest.raises(SetupError, match=f"gateways obey {old}.*esl keys accept"):
        start(settings)
    accepted = command("keys", "accept", "--yes", "--data", data)
    assert accepted.status == 0, accepted.stderr
    assert "gw-1, gw-2" in accepted.stdout
    assert start(settings) == other.key_id


def test_a_lost_key_is_not_made_anew_in_silence(settings: Settings, command: Command) -> None:
    data, old = settings.data_dir, start(settings)
    (data / "keys" / "signing.pem").unlink()
    with pytest.raises(SetupError, match="is missing"):
        start(settings)
    assert not (data / "keys" / "signing.pem").exists()
    assert command("keys", "accept", "--new", "--yes", "--data", data).status == 0
    assert start(settings) not in ("", old)


def test_keys_of_before_a_rotation_that_ended_are_refused(
    settings: Settings, command: Command
) -> None:
    """The folder keys was put back from a backup made in the middle of a rotation."""
    data, old = settings.data_dir, start(settings)
    command("keys", "rotate", "--data", data)
    new = str(shown(command, settings)["other"])
    keys = {path: path.read_text() for path in (data / "keys").glob("*.pem")}
    enrol(settings, old, new)
    command("keys", "rotate", "--data", data)
    start(settings)
    command("keys", "rotate", "--data", data)
    enrol(settings, new)
    for path, text in keys.items():
        write_private(path, text)
    with pytest.raises(SetupError, match=f"gateways obey {new}"):
        start(settings)


def test_an_installation_from_before_this_was_noted_starts(settings: Settings) -> None:
    with open_books(settings) as books:
        books.writer.write(lambda tx: signing.note_signing_key(tx, None))
    assert start(settings) == start(settings)


@pytest.mark.parametrize("way", ["show", "rotate", "undo", "accept"])
def test_a_mistyped_folder_is_said_so_and_not_made(
    command: Command, tmp_path: Path, way: str
) -> None:
    folder = tmp_path / "dtaa"
    ran = command("keys", way, "--data", folder)
    assert ran.status == 1
    assert "no controller was ever started on it" in ran.stderr
    assert "--data" in ran.stderr
    assert not folder.exists()
