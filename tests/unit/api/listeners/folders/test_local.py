"""A folder on this machine: what it lists, moves and writes, and where it refuses to be."""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.listeners.folders.folder import (
    DONE,
    NAME_LONGEST_BYTES,
    REJECTED,
    FileGone,
    FileUnusable,
    FolderUnreachable,
    fitting,
    numbered,
)
from api.listeners.folders.local import LocalFolder
from tests.folders import lies_in


def every(_: str) -> bool:
    return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "hot" / "till"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def folder(path: Path) -> Iterator[LocalFolder]:
    opened = LocalFolder("till", roots=[path.parent], home=path.parent)
    yield opened
    opened.close()


def test_only_plain_files_are_listed_the_oldest_first(folder: LocalFolder, path: Path) -> None:
    for at, name in enumerate(["c", "a", "b"]):
        (path / name).write_bytes(b"x" * at)
        os.utime(path / name, ns=(at, at))
    (path / "folder").mkdir()
    (path / "link").symlink_to(path / "a")
    os.mkfifo(path / "pipe")
    listed = folder.list(every)
    assert [(one.name, one.size_bytes, one.modified_ns) for one in listed] == [
        ("c", 0, 0),
        ("a", 1, 1),
        ("b", 2, 2),
    ]
    assert [one.name for one in folder.list(lambda name: name == "a")] == ["a"]


def test_no_more_than_so_many_are_listed(
    folder: LocalFolder, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.listeners.folders.folder.LISTED_MOST", 50)
    for number in range(80):
        (path / f"{number:05}").touch()
    listed = folder.list(every)
    assert len(listed) == 50
    times = [one.modified_ns for one in listed]
    assert times == sorted(times)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda p: p.symlink_to("/etc/passwd")])
def test_what_is_no_plain_file_is_never_opened_and_nobody_waits_for_it(
    folder: LocalFolder, path: Path, make: Callable[[Path], None]
) -> None:
    make(path / "p.csv")
    assert folder.look("p.csv") is None
    with pytest.raises(FileUnusable):
        folder.open("p.csv")


def test_a_move_never_goes_over_another_file(folder: LocalFolder, path: Path) -> None:
    for _ in range(3):
        (path / "p.csv").write_bytes(b"x")
        [found] = folder.list(every)
        folder.move(found, DONE)
    assert lies_in(path / "done") == ["p.2.csv", "p.3.csv", "p.csv"]
    with pytest.raises(FileGone):
        folder.move(found, REJECTED)
    assert lies_in(path / "rejected") == []


def test_another_file_of_the_name_is_not_moved(folder: LocalFolder, path: Path) -> None:
    (path / "p.csv").write_bytes(b"one")
    [found] = folder.list(every)
    (path / "new").write_bytes(b"another")
    (path / "new").rename(path / "p.csv")
    with pytest.raises(FileGone):
        folder.move(found, DONE)
    assert (path / "p.csv").read_bytes() == b"another"


def test_the_last_of_many_files_put_in_one_place_is_never_moved_unseen(
    folder: LocalFolder, path: Path
) -> None:
    versions = 300

    def replace() -> None:
        for number in range(versions):
            (path / ".part").write_bytes(b"x" * (number + 1))
            (path / ".part").rename(path / "p.csv")

    till = threading.Thread(target=replace)
    till.start()
    seen = 0
    while till.is_alive() or folder.look("p.csv") is not None:
        found = folder.look("p.csv")
        if found is None:
            continue
        seen = max(seen, found.size_bytes)
        try:
            moved = folder.move(found, DONE)
        except FileGone:
            continue
        assert (path / "done" / moved).stat().st_size == found.size_bytes
        (path / "done" / moved).unlink()
        for put_back in path.glob("p.*.csv"):  # it came the moment before the other was moved
            seen = max(seen, put_back.stat().st_size)
            put_back.unlink()
    till.join()
    assert seen == versions


def test_a_written_file_is_whole_and_others_may_read_it(folder: LocalFolder, path: Path) -> None:
    folder.write("r.csv", b"first")
    folder.write("r.csv", b"second")
    folder.write("e.txt", b"why", REJECTED)
    assert (path / "r.csv").read_bytes() == b"second"
    assert (path / "rejected/e.txt").read_bytes() == b"why"
    assert stat.S_IMODE((path / "r.csv").stat().st_mode) & 0o644 == 0o644
    assert lies_in(path) == ["r.csv", "rejected"]


def test_nothing_is_written_or_moved_through_a_link(folder: LocalFolder, path: Path) -> None:
    outside = path.parent.parent / "outside"
    outside.mkdir()
    (path / "done").symlink_to(outside)
    (path / "p.csv").write_bytes(b"x")
    [found] = folder.list(lambda name: name == "p.csv")
    with pytest.raises(FileUnusable):
        folder.move(found, DONE)
    with pytest.raises(FileUnusable):
        folder.write("e.txt", b"why", DONE)
    (path / "r.csv").symlink_to(outside / "target")
    folder.write("r.csv", b"mine")
    assert not (path / "r.csv").is_symlink()
    assert lies_in(outside) == []


@pytest.mark.parametrize("named", ["../outside", "/etc", "till/../../outside", "link"])
def test_a_folder_outside_of_the_roots_is_refused(path: Path, named: str) -> None:
    outside = path.parent.parent / "outside"
    outside.mkdir()
    (path.parent / "link").symlink_to(outside)
    folder = LocalFolder(named, roots=[path.parent], home=path.parent)
    with pytest.raises(FolderUnreachable, match="below none of the folders"):
        folder.list(every)
    assert lies_in(outside) == []


def test_a_folder_of_another_root_is_not_made(path: Path) -> None:
    other = path.parent.parent / "share"
    other.mkdir()
    named = str(other / "till")
    folder = LocalFolder(named, roots=[path.parent, other], home=path.parent)
    with pytest.raises(FolderUnreachable, match="is not there; make it"):
        folder.list(every)
    (other / "till").mkdir()
    assert folder.list(every) == []
    folder.close()


def test_names_of_any_bytes_go_there_and_back(folder: LocalFolder, path: Path) -> None:
    names = [b"\xff\xfe.csv", b"new\nline", b" ", b"-rf", "Ω".encode() * 127, b"..."]
    for name in names:
        (path / os.fsdecode(name)).write_bytes(b"x")
    for found in folder.list(every):
        with folder.open(found.name) as file:
            assert file.read() == b"x"
        folder.write(fitting(found.name, ".result.csv"), b"r")
        folder.move(found, DONE)
    assert lies_in(path / "done") == sorted(map(os.fsdecode, names))


@pytest.mark.parametrize("name", ["p.csv", "n" * 255, "Ω" * 127, os.fsdecode(b"\xff" * 255)])
def test_names_with_endings_and_numbers_are_never_too_long(name: str) -> None:
    for made in (fitting(name, ".result.csv"), numbered(name, 2), numbered(name, 10_000)):
        assert len(os.fsencode(made)) <= NAME_LONGEST_BYTES
    assert fitting(name, ".result.csv").endswith(".result.csv")
    assert len({numbered(name, number) for number in range(1, 100)}) == 99
