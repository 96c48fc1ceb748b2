"""Private files are for their owner only, whole or not there, and held by one process."""

import os
import stat
from pathlib import Path

import pytest

from api.books import open_books
from api.private_files import (
    RuntimeFile,
    hold_data_folder,
    make_data_folder,
    read_runtime_file,
    runtime_file,
    signing_key,
    write_private,
)
from esl.domain.errors import SetupError
from esl.settings import Settings

RUNTIME = RuntimeFile(url="http://127.0.0.1:1", token="esl_operator_x", pid=1)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder."""
    make_data_folder(tmp_path / "data")
    return tmp_path / "data"


def test_a_private_file_is_private_whatever_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old")
    path.chmod(0o666)
    draft = tmp_path / "token.draft"
    draft.write_text("a leftover that others may read")
    draft.chmod(0o666)
    before = os.umask(0)
    try:
        write_private(path, "new")
    finally:
        os.umask(before)
    assert (path.read_text(), mode(path)) == ("new", 0o600)
    assert not draft.exists()


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "token.draft").symlink_to(victim)
    write_private(tmp_path / "token", "secret")
    assert victim.read_text() == "mine"
    assert (tmp_path / "token").read_text() == "secret"


@pytest.mark.parametrize("path", ["nowhere/token", "folder"])
def test_a_file_that_cannot_be_written_is_refused_in_words(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SetupError, match="cannot be written"):
        write_private(tmp_path / path, "x")


def test_a_data_folder_is_held_by_one_and_free_again_after(data: Path) -> None:
    with (
        hold_data_folder(data),
        pytest.raises(SetupError, match="another controller or command uses"),
        hold_data_folder(data),
    ):
        pass
    with hold_data_folder(data):
        pass


def test_a_lock_that_cannot_be_opened_is_refused_in_words(data: Path) -> None:
    (data / "controller.lock").mkdir()
    with pytest.raises(SetupError, match=r"controller\.lock"), hold_data_folder(data):
        pass


def test_a_folder_that_is_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(SetupError, match="data folder"):
        make_data_folder(tmp_path / "data")


def test_a_folder_from_before_that_others_may_read_is_narrowed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "keys").mkdir(parents=True)
    (folder / "esl.db").write_text("")
    elsewhere = tmp_path / "elsewhere.db"
    elsewhere.write_text("")
    (folder / "esl.db-wal").symlink_to(elsewhere)
    for path, wide in ((folder, 0o755), (folder / "keys", 0o750), (folder / "esl.db", 0o644)):
        path.chmod(wide)
    elsewhere.chmod(0o644)
    make_data_folder(folder)
    modes = [mode(folder / name) for name in (".", "keys", "run", "esl.db")]
    assert modes == [0o700, 0o700, 0o700, 0o600]
    assert mode(elsewhere) == 0o644, "not ours: only a link leads there"


def test_a_database_is_private_from_its_first_moment(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with open_books(Settings(data_dir=tmp_path / "data")):
            modes = {path.name: mode(path) for path in (tmp_path / "data").glob("esl.db*")}
    finally:
        os.umask(before)
    assert set(modes) > {"esl.db", "esl.db-wal"}
    assert set(modes.values()) == {0o600}


def test_a_folder_that_everybody_shares_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(SetupError, match="name a folder in it"):
        make_data_folder(shared)
    assert mode(shared) == 0o1777
    assert not list(shared.iterdir())


def test_the_signing_key_is_made_once_and_private(data: Path) -> None:
    first = signing_key(data)
    path = data / "keys" / "signing.pem"
    assert mode(path) == 0o600
    assert signing_key(data).to_pem() == first.to_pem()


@pytest.mark.parametrize("wide", [0o640, 0o620, 0o604, 0o601, 0o677])
@pytest.mark.asvs("13.3.2")
def test_a_signing_key_that_others_may_touch_is_refused_with_the_fix(data: Path, wide: int) -> None:
    signing_key(data)
    path = data / "keys" / "signing.pem"
    path.chmod(wide)
    with pytest.raises(SetupError, match=f"chmod 600 {path}"):
        signing_key(data)


def test_the_runtime_file_is_private_and_goes_with_the_controller(data: Path) -> None:
    path = data / "run" / "controller.json"
    with runtime_file(data, RUNTIME):
        assert mode(path) == 0o600
        assert read_runtime_file(data) == RUNTIME
    assert not path.exists()
    assert read_runtime_file(data) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"url": "x", "token": "y", "pid": "z"}'])
def test_a_damaged_runtime_file_is_like_none(data: Path, text: str) -> None:
    (data / "run" / "controller.json").write_text(text)
    assert read_runtime_file(data) is None
