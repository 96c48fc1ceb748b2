"""What a row must still say before the dispatcher's conclusion is written into it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from esl.domain.ids import Digest, GatewayId
from esl.domain.label import LabelState, Lane
from esl.store import labels
from esl.store.deliveries import (
    DueCount,
    Sending,
    claim_due,
    count_due,
    frame_sent_to,
    record_refusals,
    record_sendings,
    release_labels,
    settle_unchanged,
)
from esl.store.frames import StoredFrame, frames_by_digest, keep_frames
from esl.store.shown import issued_digests
from esl.store.tables import issued
from esl.store.tables import labels as labels_table
from tests.builders import GATEWAY, NOON, PANEL, bare_labels, build_shelf, label_id, open_database

LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[Connection]:
    database = open_database(tmp_path)
    with database.writing.begin() as opened:
        build_shelf(opened, labels_count=0)
        yield opened
    database.close()


def label(tx: Connection, **changes: Any) -> None:
    """A label that wants revision 7, shows revision 5 as "five", and was sent nothing since."""
    fields = {
        "label_id": label_id(0),
        "wanted_rev": 7,
        "sent_rev": 5,
        "shown_rev": 5,
        "shown_digest": "five",
        "settled_rev": 5,
        "due_at": LATER,
        "attempts": 1,
    }
    bare_labels(tx, [fields | changes])


def state(tx: Connection) -> LabelState:
    return labels.label_named(tx, label_id(0))


def sending(rev: int = 7, digest: str = "seven") -> Sending:
    return Sending(
        label_id=label_id(0),
        gateway_id=GATEWAY,
        rev=rev,
        digest=Digest(digest),
        due_at=NOON + timedelta(minutes=5),
        bytes=1,
    )


def test_a_label_that_shows_the_right_picture_is_settled(tx: Connection) -> None:
    label(tx, problem="retry", problem_detail="x")
    settle_unchanged(tx, [(label_id(0), 7, Digest("five"))])
    after = state(tx)
    assert (after.settled_rev, after.due_at, after.attempts, after.problem) == (7, None, 0, None)
    assert (after.shown_rev, after.sent_rev) == (5, 5)


@pytest.mark.parametrize(
    "changes",
    [
        {"wanted_rev": 8},  # a newer wish came meanwhile
        {"sent_rev": 6},  # another dispatcher has sent something that is not answered yet
        {"shown_digest": "six", "shown_rev": 6, "sent_rev": 6},  # a report came meanwhile
    ],
)
def test_a_label_whose_row_says_something_else_by_now_stays_due(
    tx: Connection, changes: dict[str, Any]
) -> None:
    label(tx, **changes)
    before = state(tx)
    settle_unchanged(tx, [(label_id(0), 7, Digest("five"))])
    assert state(tx) == before


def test_what_is_sent_is_noted_and_waited_for(tx: Connection) -> None:
    label(tx)
    keep_frames(tx, {Digest("seven"): StoredFrame(panel_id=PANEL, data=b"z")}, NOON)
    assert record_sendings(tx, [sending()], NOON) == [sending()]
    row = tx.execute(select(issued)).one()
    assert (row.encoding, row.bytes) == ("zlib", 1)
    after = state(tx)
    assert (after.sent_rev, after.due_at) == (7, NOON + timedelta(minutes=5))
    assert issued_digests(tx, [(label_id(0), 7), (label_id(0), 8)]) == {
        (label_id(0), 7): (Digest("seven"), GATEWAY)
    }
    assert frame_sent_to(tx, label_id(0), Digest("seven")) == (PANEL, b"z")
    assert frame_sent_to(tx, label_id(1), Digest("seven")) is None, "nobody else may see it"


def test_sending_an_older_wish_neither_lowers_what_was_sent_nor_delays_the_newer(
    tx: Connection,
) -> None:
    label(tx, wanted_rev=9, sent_rev=8, due_at=NOON)
    record_sendings(tx, [sending(7)], NOON)
    after = state(tx)
    assert (after.sent_rev, after.due_at) == (8, NOON)


def test_a_revision_keeps_the_picture_it_was_first_issued_as(tx: Connection) -> None:
    label(tx)
    assert record_sendings(tx, [sending(7, "seven")], NOON)
    before = state(tx)
    later = sending(7, "other")._replace(due_at=NOON + timedelta(hours=1))
    assert record_sendings(tx, [later], NOON) == [], "another picture under it is not sent"
    assert [row.digest for row in tx.execute(select(issued))] == ["seven"]
    assert state(tx) == before


def test_a_label_that_hangs_elsewhere_by_now_is_not_waited_for_there(tx: Connection) -> None:
    label(tx, due_at=NOON)
    moved = sending()._replace(gateway_id=GatewayId("gw-2"))
    assert record_sendings(tx, [moved], NOON) == [moved]
    assert (state(tx).sent_rev, state(tx).due_at) == (7, NOON)


@pytest.mark.parametrize(("wanted_rev", "full"), [(7, False), (8, True)])
def test_a_picture_to_be_sent_whole_is_asked_for_once(
    tx: Connection, wanted_rev: int, *, full: bool
) -> None:
    label(tx, send_full=True, wanted_rev=wanted_rev)
    record_sendings(tx, [sending()], NOON)
    assert tx.execute(select(labels_table.c.send_full)).scalar_one() is full


@pytest.mark.parametrize(
    ("due_at", "after"),
    [(LATER, NOON), (None, None), (NOON - timedelta(hours=1), NOON - timedelta(hours=1))],
)
def test_what_never_left_is_due_again_and_what_is_settled_stays(
    tx: Connection, due_at: datetime | None, after: datetime | None
) -> None:
    label(tx, due_at=due_at)
    release_labels(tx, [label_id(0), label_id(7)], NOON)
    assert state(tx).due_at == after


def test_what_is_due_is_counted_by_gateway_and_lane(tx: Connection) -> None:
    rows = [(2, NOON), (2, NOON - timedelta(microseconds=1)), (0, NOON), (2, LATER), (2, None)]
    bare_labels(
        tx,
        [
            {"label_id": label_id(n), "lane": lane, "due_at": due_at}
            for n, (lane, due_at) in enumerate(rows)
        ],
    )
    bare_labels(tx, [{"label_id": "lost", "lane": 2, "due_at": NOON, "gateway_id": None}])
    assert set(count_due(tx, NOON)) == {
        DueCount(gateway_id=GATEWAY, lane=Lane.CORRECTION, count=1),
        DueCount(gateway_id=GATEWAY, lane=Lane.NORMAL, count=2),
    }


def test_an_id_used_twice_is_claimed_by_nobody(tx: Connection) -> None:
    label(tx, due_at=NOON, quarantine=1)
    assert claim_due(tx, GATEWAY, NOON, limit=9, until=LATER) == []


def test_a_kept_frame_gives_way_only_to_one_with_fewer_deltas_below_it(tx: Connection) -> None:
    whole = StoredFrame(panel_id=PANEL, data=b"w")
    delta = StoredFrame(panel_id=PANEL, data=b"d", encoding="xor-zlib", base=Digest("one"), depth=1)
    deeper = StoredFrame(panel_id=PANEL, data=b"dd", encoding="xor-zlib", base=Digest("x"), depth=2)
    keep_frames(tx, {Digest("two"): delta, Digest("one"): whole}, NOON)
    keep_frames(tx, {Digest("one"): delta, Digest("two"): deeper}, NOON)
    asked = [Digest("two"), Digest("one"), Digest("gone")]
    assert frames_by_digest(tx, asked) == {"one": whole, "two": delta}
    keep_frames(tx, {Digest("two"): whole}, NOON)
    assert frames_by_digest(tx, asked) == {"one": whole, "two": whole}
    assert frames_by_digest(tx, []) == {}


def test_a_refusal_of_an_older_wish_does_not_stop_the_newer(tx: Connection) -> None:
    label(tx)
    before = state(tx)
    record_refusals(tx, [(label_id(0), 6, "price_does_not_fit", "")])
    assert state(tx) == before
    record_refusals(tx, [(label_id(0), 7, "price_does_not_fit", "x" * 999)])
    after = state(tx)
    assert (after.problem, after.problem_detail, after.due_at) == (
        "price_does_not_fit",
        "x" * 300,
        None,
    )
