"""Folders that misbehave: files that grow, are replaced, cannot be moved; disks that are full."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import select

from api.listeners.folders.local import LocalFolder
from esl.domain.ids import SourceId
from esl.store import sources
from esl.store.tables import connectors
from tests.folder_rig import Rig, rig_on
from tests.folders import lies_in, put
from tests.imports import plain_list


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rig_on(tmp_path / "data", f"sqlite:///{tmp_path}/esl.db") as opened:
        opened.prepare()
        yield opened


def problem(rig: Rig, source: str) -> str:
    with rig.database.read() as tx:
        query = select(connectors.c.problem).where(connectors.c.source == source)
        return tx.execute(query).scalar_one_or_none() or ""


def test_a_file_that_grows_while_it_is_read_is_read_again_when_it_is_whole(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = rig.folder("till")
    path = put(folder, "p.csv", plain_list({"A": "1.00"}))
    pickup = rig.pickup("till")
    open_it = LocalFolder.open

    def open_and_grow(self: LocalFolder, name: str) -> BinaryIO:
        opened = open_it(self, name)
        with path.open("ab") as more:
            more.write(b"B,Product B,2.00,\n")
        monkeypatch.undo()
        return opened

    monkeypatch.setattr(LocalFolder, "open", open_and_grow)
    pickup.step()
    assert lies_in(folder) == ["p.csv"]
    assert rig.jobs("till") == []
    pickup.step()
    assert lies_in(folder / "done") == ["p.csv"]
    assert (rig.price("A"), rig.price("B")) == (100, 200)
    pickup.close()


def test_a_file_put_in_the_place_of_one_that_is_being_taken_is_taken_next(rig: Rig) -> None:
    folder = rig.folder("till")
    put(folder, "p.csv", {"A": "1.00"})
    take_jobs = rig.take_jobs

    def take_and_replace() -> None:
        take_jobs()
        if rig.price("A") == 100:
            put(folder, "p.csv", {"A": "2.00"})

    rig.take_jobs = take_and_replace  # type: ignore[method-assign]  another process, just then
    pickup = rig.pickup("till")
    pickup.step()
    assert rig.price("A") == 100
    assert "p.csv" in lies_in(folder)
    assert lies_in(folder / "done") == []
    pickup.step()
    assert rig.price("A") == 200
    assert lies_in(folder / "done") == ["p.csv"]
    pickup.close()


def test_files_that_cannot_be_moved_are_taken_once_and_moved_when_they_can_be(rig: Rig) -> None:
    folder = rig.folder("till")
    (folder / "done").write_bytes(b"no folder")
    for number in range(3):
        put(folder, f"{number}.csv", {"A": f"{number + 1}.00"})
    pickup = rig.pickup("till")
    for _ in range(3):
        pickup.step()
        rig.machine.pass_s(30)
    assert len(rig.jobs("till")) == 3
    assert rig.states("till") == ["stays"] * 3
    assert problem(rig, "till").startswith("3 files were taken and cannot be moved away")

    pickup.close()
    pickup = rig.pickup("till")  # a new process remembers
    pickup.step()
    assert len(rig.jobs("till")) == 3
    put(folder, "1.csv", {"A": "9.00"})  # another file under a name that stays
    pickup.step()
    assert rig.price("A") == 900

    (folder / "done").unlink()
    rig.machine.pass_s(120)
    pickup.step()
    assert lies_in(folder / "done") == ["0.csv", "1.csv", "2.csv"]
    assert rig.states("till") == ["gone"] * 4
    assert problem(rig, "till") == ""
    assert len(rig.jobs("till")) == 4
    pickup.close()


def test_a_disk_of_ours_that_takes_nothing_leaves_the_file_and_is_a_problem(rig: Rig) -> None:
    folder = rig.folder("till")
    put(folder, "p.csv", {"A": "1.00"})
    spool = rig.settings.data_dir / "imports"
    spool.write_bytes(b"in the way")
    pickup = rig.pickup("till")
    pickup.step()
    assert "imports" in problem(rig, "till")
    assert lies_in(folder) == ["p.csv"]
    spool.unlink()
    pickup.step()
    assert lies_in(folder) == ["p.csv"], "it rests a little before the next try"
    rig.machine.pass_s(60)
    pickup.step()
    assert lies_in(folder / "done") == ["p.csv"]
    assert problem(rig, "till") == ""
    pickup.close()


def test_a_result_that_cannot_be_written_is_written_when_it_can_be(rig: Rig) -> None:
    folder = rig.folder("till")
    in_the_way = folder / "p.csv.result.csv"
    in_the_way.mkdir()
    put(folder, "p.csv", {"A": "1.00"})
    pickup = rig.pickup("till")
    pickup.step()
    assert lies_in(folder / "done") == ["p.csv"]
    in_the_way.rmdir()
    rig.machine.pass_s(120)
    pickup.step()
    assert in_the_way.is_file()
    assert [name for name in lies_in(folder) if name.startswith(".")] == []
    pickup.close()


def test_a_folder_that_is_gone_is_said_at_once_and_asked_for_less_and_less(rig: Rig) -> None:
    folder = rig.folder("till")
    roots = rig.settings.hot_folder_roots
    away = folder.parent.parent / "share"
    away.mkdir()
    roots.append(away)
    rig.set("till", folder=str(away / "main"))
    pickup = rig.pickup("till")
    pickup.step()
    assert "is not there; make it, or mount" in problem(rig, "till")
    (away / "main").mkdir()
    put(away / "main", "p.csv", {"A": "1.00"})
    pickup.step()
    assert rig.price("A") is None, "it backs off"
    rig.machine.pass_s(6)
    pickup.step()
    assert rig.price("A") == 100
    assert problem(rig, "till") == ""
    pickup.close()


def test_a_source_that_is_switched_off_or_has_no_mapping_keeps_its_files(rig: Rig) -> None:
    folder = rig.folder("till")
    put(folder, "p.csv", {"A": "1.00"})
    pickup = rig.pickup("till")
    rig.set("till", disabled=True)
    pickup.step()
    assert problem(rig, "till") == "the source is switched off"
    assert (lies_in(folder), rig.jobs("till")) == (["p.csv"], [])
    assert rig.worker.spool.job_ids() == set()
    rig.set("till", disabled=False)
    rig.machine.pass_s(60)
    pickup.step()
    assert lies_in(folder / "done") == ["p.csv"]
    pickup.close()


def test_a_stable_file_is_taken_when_it_has_rested_and_an_empty_one_much_later(rig: Rig) -> None:
    folder = rig.folder("till", pickup="stable", stable_s="10")
    path = put(folder, "p.csv", plain_list({"A": "1.00"}))
    (folder / "empty.csv").touch()
    pickup = rig.pickup("till")
    pickup.step()
    rig.machine.pass_s(9)
    with path.open("ab") as more:
        more.write(b"B,Product B,2.00,\n")
    pickup.step()
    rig.machine.pass_s(9)
    pickup.step()
    assert lies_in(folder) == ["empty.csv", "p.csv"]
    rig.machine.pass_s(1)
    pickup.step()
    assert lies_in(folder / "done") == ["p.csv"]
    assert rig.price("B") == 200
    rig.machine.pass_s(60)
    pickup.step()
    assert lies_in(folder / "rejected") == ["empty.csv", "empty.csv.error.txt"]
    pickup.close()


def test_a_folder_with_more_files_than_are_listed_at_once_is_worked_off_in_order(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.listeners.folders.folder.LISTED_MOST", 5)
    folder = rig.folder("till", results="false")
    for number in range(12):
        path = put(folder, f"{11 - number:02}.csv", {"A": f"{number + 1}.00"})
        os.utime(path, ns=(number * 10**9, number * 10**9))
    pickup = rig.pickup("till")
    for _ in range(3):
        pickup.step()
    assert rig.price("A") == 1200
    assert len(lies_in(folder / "done")) == 12
    assert lies_in(folder) == ["done"]
    pickup.close()


def test_a_source_is_heard_when_its_file_says_what_holds_already(rig: Rig) -> None:
    folder = rig.folder("till")

    def heard() -> object:
        with rig.database.read() as tx:
            return sources.standing_named(tx, SourceId("till")).heard_at

    pickup = rig.pickup("till")
    rig.machine.pass_s(1)
    put(folder, "1.csv", {"A": "1.00"})
    pickup.step()
    first = heard()
    rig.machine.pass_s(3600)
    put(folder, "2.csv", {"A": "1.00"})
    pickup.step()
    assert len(rig.jobs("till")) == 1
    assert first is not None
    assert heard() != first
    pickup.close()
