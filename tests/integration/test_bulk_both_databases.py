"""The bulk statements say the same on SQLite and PostgreSQL."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from esl.domain.ids import Digest
from esl.domain.label import Lane
from esl.store import deliveries, labels
from esl.store.bulk import ISSUED_AS, PEEK, RECORD_LABELS, Bulk
from esl.store.columns import instant_text
from esl.store.database import Database
from esl.store.frames import StoredFrame, frames_by_digest, keep_frames
from esl.store.revisions import take_revision
from esl.store.tables import issued
from esl.store.tables import labels as label_table
from tests.builders import GATEWAY, NOON, PANEL, bare_labels, build_shelf, label_id

LATER = NOON + timedelta(minutes=1, microseconds=7)
HARD = "q\"u\\o'te :now %s {rows} š \U0001f600"


@pytest.fixture
def tx(either_database: Database) -> Iterator[Connection]:
    """A writing transaction on a migrated database of either kind, with a store and a gateway."""
    with either_database.writing.begin() as opened:
        build_shelf(opened, labels_count=0)
        yield opened


def put_label(tx: Connection, number: int, **changes: Any) -> None:
    fields = {"label_id": label_id(number), "wanted_rev": 7, "sent_rev": 5, "due_at": NOON}
    bare_labels(tx, [fields | changes])


def due_of(tx: Connection) -> dict[str, tuple[int, datetime | None, bool]]:
    query = select(label_table)
    return {r.label_id: (r.sent_rev, r.due_at, r.send_full) for r in tx.execute(query)}


def test_what_is_due_is_counted(tx: Connection) -> None:
    for number, (lane, due_at) in enumerate([(0, NOON), (2, NOON), (2, LATER), (2, None)]):
        put_label(tx, number, lane=lane, due_at=due_at)
    just_before = NOON - timedelta(microseconds=1)
    assert PEEK.run(tx, now=just_before) == []
    assert sorted(PEEK.run(tx, now=NOON)) == [(GATEWAY, 0, 1), (GATEWAY, 2, 1)]
    assert sorted(PEEK.run(tx, now=LATER)) == [(GATEWAY, 0, 1), (GATEWAY, 2, 2)]


def test_what_is_about_to_be_sent_is_noted_label_by_label(tx: Connection) -> None:
    put_label(tx, 0, send_full=True)
    put_label(tx, 1, wanted_rev=9, sent_rev=8, send_full=True)  # a newer wish
    put_label(tx, 2, gateway_id=None)  # no longer there
    put_label(tx, 3)  # not in the batch
    text = instant_text(LATER)
    RECORD_LABELS.run(tx, [[label_id(n), 7, GATEWAY, text] for n in (0, 1, 2, 99)])
    assert due_of(tx) == {
        label_id(0): (7, LATER, False),
        label_id(1): (8, NOON, True),
        label_id(2): (7, NOON, False),
        label_id(3): (5, NOON, False),
    }


def test_only_what_was_issued_as_this_picture_is_ours(tx: Connection) -> None:
    rows = [("a", 1, "one"), ("a", 2, "two"), ("b", 1, "other"), (HARD, 2**40, "big")]
    for label, rev, digest in rows:
        told = {"label_id": label, "rev": rev, "digest": digest}
        tx.execute(insert(issued).values(**told, gateway_id=GATEWAY, issued_at=NOON))
    asked = [["a", 2, "two"], ["b", 1, "one"], [HARD, 2**40, "big"], ["c", 1, "one"]]
    assert {row[0] for row in ISSUED_AS.run(tx, asked)} == {"a", HARD}


def test_frames_come_back_as_they_were_kept(tx: Connection) -> None:
    kept = {
        Digest("one"): StoredFrame(panel_id=PANEL, data=bytes(range(256))),
        Digest("two"): StoredFrame(
            panel_id=PANEL, data=b"\0", encoding="xor-zlib", base=Digest("one"), depth=1
        ),
    }
    keep_frames(tx, kept, NOON)
    assert frames_by_digest(tx, [*kept, Digest("three")]) == kept


def test_text_in_a_statement_is_the_databases_own(tx: Connection) -> None:
    hard = Bulk("SELECT j.value->>0, CAST(:word AS text), 7 % 4 FROM {rows}")
    assert hard.run(tx, [[HARD], [None]], word=HARD) == [(HARD, HARD, 3), (None, HARD, 3)]


def test_a_no_instant_stays_none(tx: Connection) -> None:
    put_label(tx, 0)
    RECORD_LABELS.run(tx, [[label_id(0), 7, GATEWAY, None]])
    assert due_of(tx) == {label_id(0): (7, None, False)}


def test_a_claim_is_due_again_at_its_moment(tx: Connection) -> None:
    put_label(tx, 0)
    put_label(tx, 1, quarantine=1)
    assert deliveries.claim_due(tx, GATEWAY, NOON, limit=9, until=LATER) == [label_id(0)]
    assert due_of(tx)[label_id(0)] == (5, LATER, False)


def test_policy_time_runs_from_the_newest_wish(tx: Connection) -> None:
    put_label(tx, 0, wanted_rev=0)
    labels.want(tx, [label_id(0)], take_revision(tx), NOON, lane=Lane.NORMAL)
    newer = take_revision(tx)
    labels.want(tx, [label_id(0)], newer, LATER, lane=Lane.NORMAL)
    labels.want(tx, [label_id(0)], newer, LATER + timedelta(hours=1), lane=Lane.NORMAL)
    assert tx.execute(select(label_table.c.wanted_at)).scalar_one() == LATER
