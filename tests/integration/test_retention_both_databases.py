"""What is forgotten, and above all what is not, on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from esl.domain.ids import Digest
from esl.store import retention
from esl.store.database import Database
from esl.store.frames import StoredFrame, keep_frames
from esl.store.retention import FRAME_PARTS, Found
from esl.store.tables import (
    battery_samples,
    display_log,
    failure_log,
    frames,
    issued,
    staged,
)
from tests.builders import GATEWAY, NOON, PANEL, bare_labels, build_shelf, label_id

OLD = NOON - timedelta(days=100)
BEFORE = NOON - timedelta(days=90)


@pytest.fixture
def tx(either_database: Database) -> Iterator[Connection]:
    """A writing transaction on a migrated database of either kind, with a store and a gateway."""
    with either_database.writing.begin() as opened:
        build_shelf(opened, labels_count=0)
        yield opened


def until_done(
    tx: Connection, find: Callable[..., Found], prune: Callable[..., int], most: int
) -> tuple[int, int]:
    """Look and prune to the end; return rows removed and how many looks there were."""
    removed, steps, place = 0, 0, None
    while steps == 0 or place is not None:
        found = find(tx, BEFORE, place=place, most=most)
        assert len(found.rows) <= most
        removed, steps = removed + prune(tx, found.rows, BEFORE), steps + 1
        place = found.next_place
    return removed, steps


def prune_log(tx: Connection, most: int) -> tuple[int, int]:
    return until_done(tx, retention.find_old_lines, retention.prune_display_log, most)


def prune_issues(tx: Connection, most: int) -> tuple[int, int]:
    return until_done(tx, retention.find_old_issues, retention.prune_issued, most)


def prune_samples(tx: Connection, most: int) -> tuple[int, int]:
    return until_done(tx, retention.find_old_samples, retention.prune_battery_samples, most)


def say(tx: Connection, label: str, rev: int, at: datetime = OLD) -> None:
    said = {"digest": "d", "incarnation": 1, "gateway_id": GATEWAY, "session": "s"}
    row = said | {"label_id": label, "rev": rev, "recorded_at": at}
    tx.execute(insert(display_log), [row])


def test_the_display_log_keeps_what_is_new_and_what_each_label_showed_before(
    tx: Connection,
) -> None:
    lines = [("a", 1, OLD), ("b", 1, OLD), ("a", 2, OLD), ("a", 3, NOON), ("c", 1, OLD)]
    for label, rev, at in lines:
        say(tx, label, rev, at)
    assert prune_log(tx, most=2) == (1, 2), "the first young line ends the look"
    kept = tx.execute(select(display_log.c.label_id, display_log.c.rev)).all()
    assert sorted(tuple(row) for row in kept) == [("a", 2), ("a", 3), ("b", 1), ("c", 1)]


def issue(tx: Connection, number: int, rev: int, digest: str, at: datetime = OLD) -> None:
    row = {"label_id": label_id(number), "rev": rev, "digest": digest, "gateway_id": GATEWAY}
    tx.execute(insert(issued).values(**row, issued_at=at))


def issues(tx: Connection) -> set[tuple[str, int]]:
    return {(r.label_id, r.rev) for r in tx.execute(select(issued))}


@pytest.mark.parametrize("most", [1, 2, 100])
def test_of_what_was_issued_only_old_pictures_below_the_shown_one_go(
    tx: Connection, most: int
) -> None:
    row = {"shown_digest": "three", "wanted_rev": 5, "shown_rev": 3}
    bare_labels(tx, [row | {"label_id": label_id(0)}])
    bare_labels(tx, [{"label_id": label_id(1), "wanted_rev": 5, "shown_rev": 0}])
    for rev, digest in enumerate(["one", "three", "three", "four", "five"], 1):
        issue(tx, 0, rev, digest)  # 2 is the picture that 3 is
        issue(tx, 1, rev, digest)  # nobody knows what this label shows
    issue(tx, 2, 9, "of a label that is gone")
    say(tx, label_id(0), 3)
    say(tx, label_id(1), 5)
    removed, _ = prune_issues(tx, most)
    assert removed == 2
    gone = {(label_id(0), 1), (label_id(2), 9)}
    every = {(label_id(n), rev) for n in (0, 1) for rev in range(1, 6)}
    assert issues(tx) == every - gone


def test_what_was_issued_lately_or_waits_in_a_slot_stays(tx: Connection) -> None:
    bare_labels(tx, [{"label_id": label_id(0), "wanted_rev": 9, "shown_rev": 9}])
    for rev in (1, 2, 3):
        issue(tx, 0, rev, "old")
    issue(tx, 0, 4, "new", at=NOON)
    slot: dict[str, Any] = {"label_id": label_id(0), "digest": "old", "state": 1}
    tx.execute(insert(staged).values(**slot, slot=1, rev=2))
    tx.execute(insert(staged).values(**slot, slot=2, rev=8, show_rev=3))
    say(tx, label_id(0), 9)
    assert prune_issues(tx, most=100) == (1, 1)
    assert issues(tx) == {(label_id(0), rev) for rev in (2, 3, 4)}


def test_what_was_issued_for_what_a_label_showed_before_history_ends_stays(
    tx: Connection,
) -> None:
    bare_labels(tx, [{"label_id": label_id(0), "wanted_rev": 9, "shown_rev": 9}])
    for rev in (1, 2, 3, 4):
        issue(tx, 0, rev, "old")
    say(tx, label_id(0), 3)  # 4 was sent, and nobody knows whether it hung
    say(tx, label_id(0), 9, NOON)
    assert prune_issues(tx, most=100) == (2, 1)
    assert issues(tx) == {(label_id(0), rev) for rev in (3, 4)}


def forget_frames(tx: Connection) -> set[str]:
    for part in FRAME_PARTS:
        found = retention.unreferenced_frames(tx, BEFORE, part=part)
        retention.prune_frames(tx, found, BEFORE)
    return set(tx.execute(select(frames.c.digest)).scalars())


def a_frame(base: str | None = None, depth: int = 0) -> StoredFrame:
    of = Digest(base) if base is not None else None
    return StoredFrame(panel_id=PANEL, data=b"z", base=of, depth=depth)


def test_frames_go_when_nothing_refers_to_them(tx: Connection) -> None:
    bare_labels(tx, [{"label_id": label_id(0), "shown_digest": "a1"}])
    issue(tx, 0, 1, "b1")
    tx.execute(insert(staged).values(label_id=label_id(0), slot=1, rev=2, digest="c1", state=1))
    chain = {"d1": a_frame("d2", 2), "d2": a_frame("d3", 1), "d3": a_frame()}
    named = {digest: a_frame() for digest in ("a1", "b1", "c1", "e1", "f1")}
    old = {Digest(digest): frame for digest, frame in (chain | named).items()}
    keep_frames(tx, old, OLD)
    keep_frames(tx, {Digest("f1"): a_frame()}, NOON)  # sent again today
    keep_frames(tx, {Digest("07"): a_frame()}, NOON)
    stays = {"a1", "b1", "c1", "f1", "07"}
    assert forget_frames(tx) == stays | {"d2", "d3"}, "a base stays while a delta to it is kept"
    assert forget_frames(tx) == stays | {"d3"}
    assert forget_frames(tx) == stays
    assert forget_frames(tx) == stays


def test_a_frame_that_is_sent_between_the_look_and_the_deletion_stays(tx: Connection) -> None:
    keep_frames(tx, {Digest("aa"): a_frame(), Digest("ab"): a_frame()}, OLD)
    found = retention.unreferenced_frames(tx, BEFORE, part="a")
    assert found == ["aa", "ab"]
    keep_frames(tx, {Digest("aa"): a_frame()}, NOON)
    assert retention.prune_frames(tx, found, BEFORE) == 1
    assert set(tx.execute(select(frames.c.digest)).scalars()) == {"aa"}
    assert retention.unreferenced_frames(tx, BEFORE, part="a") == []


def test_failures_go_by_age_the_oldest_first(tx: Connection) -> None:
    for number, at in enumerate([OLD, OLD, OLD, NOON]):
        row = {"label_id": label_id(number), "rev": 1, "code": "timeout", "attempts": 3}
        tx.execute(insert(failure_log).values(**row, failed_at=at))
    removed = [retention.prune_failures(tx, BEFORE, most=2) for _ in range(3)]
    assert removed == [2, 1, 0]
    assert [r.label_id for r in tx.execute(select(failure_log))] == [label_id(3)]


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_of_a_label_that_fails_and_fails_the_newest_hundred_stay(tx: Connection, most: int) -> None:
    ages = {0: (OLD, 130), 1: (OLD, 99), 2: (NOON, 130)}
    for number, (at, count) in ages.items():
        row = {"label_id": label_id(number), "code": "template", "attempts": 3, "failed_at": at}
        tx.execute(insert(failure_log), [row | {"rev": rev} for rev in range(1, count + 1)])
    removed, _ = until_done(
        tx, retention.find_many_failures, retention.prune_many_failures, most=most
    )
    assert removed == 30
    left = tx.execute(select(failure_log.c.label_id, failure_log.c.rev)).all()
    of_it = sorted(row.rev for row in left if row.label_id == label_id(0))
    assert of_it == list(range(31, 131))
    assert len(left) == 100 + 99 + 130, "young ones stay, however many"


def test_battery_samples_go_by_day_and_the_last_stays(tx: Connection) -> None:
    days = [("a", OLD), ("a", OLD + timedelta(days=1)), ("a", NOON), ("b", OLD)]
    for label, at in days:
        row = {"label_id": label, "on_day": at.date(), "millivolts": 2900}
        tx.execute(insert(battery_samples), [row])
    assert prune_samples(tx, most=2)[0] == 2
    kept = tx.execute(select(battery_samples)).all()
    assert [(row.label_id, row.on_day) for row in kept] == [("a", NOON.date()), ("b", OLD.date())]
