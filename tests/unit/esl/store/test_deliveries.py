"""What a row must still say before the dispatcher's conclusion is written into it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from esl.domain.ids import Digest
from esl.domain.label import LabelState
from esl.store import labels
from esl.store.deliveries import (
    Sending,
    frame_sent_to,
    issued_digests,
    record_refusals,
    record_sendings,
    settle_unchanged,
)
from esl.store.tables import issued
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
    record_sendings(tx, [sending()], {Digest("seven"): (PANEL, b"z")}, NOON)
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
    record_sendings(tx, [sending(7)], {Digest("seven"): (PANEL, b"z")}, NOON)
    after = state(tx)
    assert (after.sent_rev, after.due_at) == (8, NOON)


def test_a_revision_keeps_the_picture_it_was_first_issued_as(tx: Connection) -> None:
    label(tx)
    for digest in ("seven", "other"):
        record_sendings(tx, [sending(7, digest)], {Digest(digest): (PANEL, b"z")}, NOON)
    assert [row.digest for row in tx.execute(select(issued))] == ["seven"]


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
