"""Hot folders: killed between any two steps, run by two processes, out of order, on both databases.

What may never happen: a file that is lost, one that is taken twice, an older one after a newer.
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from esl.domain.errors import Unavailable
from tests.builders import SimulatedClock
from tests.folder_rig import Fuse, Killed, Rig, rig_on
from tests.folders import lies_in, put

STEPS_LEAST = 30
"""So many steps the engine takes with two files, at the least; fewer would not be all."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("fresh_postgres_url"))
    return f"sqlite:///{tmp_path}/esl.db"


@pytest.fixture
def rig(url: str, tmp_path: Path) -> Iterator[Rig]:
    with rig_on(tmp_path / "data", url) as opened:
        opened.prepare()
        yield opened


def settle(rig: Rig, name: str) -> None:
    """Work on a folder until there is no more to be done at once."""
    with contextlib.closing(rig.pickup(name)) as pickup:
        while pickup.step():
            pass


def test_killed_between_any_two_steps_it_neither_loses_a_file_nor_takes_it_twice(
    rig: Rig,
) -> None:
    steps, stride, was_killed = 0, 1 if rig.database.is_sqlite else 6, True
    while was_killed:
        name = f"till-{steps}"
        folder = rig.folder(name, pickup="trigger")
        put(folder, "a.csv", {name: "1.00"})
        put(folder, "b.csv", {name: "2.00"})
        put(folder, "a.csv.ok", b"")
        put(folder, "b.csv.ok", b"")
        try:
            rig.pickup(name, Fuse(steps)).step()
            was_killed = False
        except Killed:
            rig.start_again()
        settle(rig, name)

        what = f"killed at step {steps}"
        assert lies_in(folder / "done") == ["a.csv", "b.csv"], what
        assert lies_in(folder) == ["a.csv.result.csv", "b.csv.result.csv", "done"], what
        taken = [job for job in rig.jobs(name) if job[1:] != ("cancelled", 0)]
        assert taken == [("a.csv", "done", 1), ("b.csv", "done", 1)], what
        assert rig.price(name) == 200, what
        assert rig.states(name) == ["gone", "gone"], what
        steps += stride
    assert steps > STEPS_LEAST


def test_a_rejected_file_has_its_error_beside_it_whenever_it_is_killed(rig: Rig) -> None:
    steps, stride, was_killed = 0, 2 if rig.database.is_sqlite else 9, True
    while was_killed:
        name = f"bad-{steps}"
        folder = rig.folder(name)
        put(folder, "bad.csv", b"no;list\n")
        put(folder, "none.csv", b"")
        try:
            rig.pickup(name, Fuse(steps)).step()
            was_killed = False
        except Killed:
            rig.start_again()
        settle(rig, name)

        beside = ["bad.csv", "bad.csv.error.txt", "none.csv", "none.csv.error.txt"]
        assert lies_in(folder / "rejected") == beside, f"killed at step {steps}"
        assert rig.states(name) == ["gone", "gone"]
        steps += stride
    assert steps > STEPS_LEAST


def test_a_file_whose_bytes_are_gone_with_their_process_is_handed_in_again(rig: Rig) -> None:
    folder = rig.folder("lost")
    put(folder, "a.csv", {"L": "1.00"})
    with pytest.raises(Killed):
        rig.pickup("lost", Fuse(9)).step()  # its job is written down, and nobody was told
    [(_, state, _)] = rig.jobs("lost")
    assert state == "queued"
    for job_id in rig.worker.spool.job_ids():
        rig.worker.spool.discard(job_id)

    rig.start_again()
    settle(rig, "lost")
    assert lies_in(folder / "done") == ["a.csv"]
    assert sorted(state for _, state, _ in rig.jobs("lost")) == ["cancelled", "done"]
    assert rig.price("L") == 100


def test_while_another_process_holds_the_folder_nothing_is_touched(rig: Rig) -> None:
    folder = rig.folder("held")
    put(folder, "a.csv", {"H": "1.00"})
    with pytest.raises(Killed):
        rig.pickup("held", Fuse(5)).step()
    settle(rig, "held")
    assert lies_in(folder) == ["a.csv"]
    rig.start_again()
    settle(rig, "held")
    assert lies_in(folder / "done") == ["a.csv"]


def test_two_processes_take_each_file_once_and_in_order(
    fresh_postgres_url: str, tmp_path: Path
) -> None:
    machine = SimulatedClock()
    names = [f"{number:03}.csv" for number in range(20)]
    with (
        rig_on(tmp_path / "one", fresh_postgres_url, machine) as one,
        rig_on(tmp_path / "two", fresh_postgres_url, machine) as two,
    ):
        one.prepare()
        folder = one.folder("both")
        (tmp_path / "two" / "hot").mkdir(parents=True)
        (tmp_path / "two" / "hot" / "both").symlink_to(folder)
        two.settings.hot_folder_roots.append(tmp_path / "one" / "hot")

        def work(rig: Rig) -> None:
            pickup = rig.pickup("both")
            while not put_all.is_set() or any(n.endswith(".csv") for n in waiting()):
                try:
                    pickup.step()
                except Unavailable:
                    continue

        def waiting() -> list[str]:
            return [n for n in lies_in(folder) if n in names]

        put_all = threading.Event()
        threads = [threading.Thread(target=work, args=(rig,)) for rig in (one, two)]
        for thread in threads:
            thread.start()
        for number, name in enumerate(names):
            put(folder, name, {"B": f"{number + 1}.00"})
        put_all.set()
        for thread in threads:
            thread.join(60)
        assert lies_in(folder / "done") == names
        assert sorted(one.jobs("both")) == [(name, "done", 1) for name in names]
        assert one.price("B") == 100 * len(names)
