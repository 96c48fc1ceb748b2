"""Secrets are sealed under one key, made once, and open for their source and kind alone."""

import threading
from pathlib import Path

import pytest

from api.private_files import make_data_folder
from api.secret_box import open_box
from esl.domain.errors import SetupError


def test_the_key_is_made_once_however_many_want_it(tmp_path: Path) -> None:
    make_data_folder(tmp_path)
    begin = threading.Barrier(16)
    sealed: list[bytes] = []

    def seal() -> None:
        begin.wait()
        sealed.append(open_box(tmp_path).seal("secret", source="shop", kind="token"))

    threads = [threading.Thread(target=seal) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    box = open_box(tmp_path)
    assert [box.open(one, source="shop", kind="token") for one in sealed] == ["secret"] * 16
    assert (tmp_path / "keys" / "secrets.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.asvs("11.3.3")
def test_a_secret_opens_for_nobody_else(tmp_path: Path) -> None:
    make_data_folder(tmp_path)
    box = open_box(tmp_path)
    sealed = box.seal("secret", source="shop", kind="token")
    for source, kind in (("other", "token"), ("shop", "webhook")):
        with pytest.raises(SetupError, match="give the source a new secret"):
            box.open(sealed, source=source, kind=kind)


def test_a_damaged_key_is_said_in_words(tmp_path: Path) -> None:
    make_data_folder(tmp_path)
    open_box(tmp_path)
    (tmp_path / "keys" / "secrets.key").write_text("no key")
    with pytest.raises(SetupError, match="restore it from a backup"):
        open_box(tmp_path)
