"""Old rows go in small steps; what a label shows and the last that it said stay."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, select

from esl.services import signals
from esl.services.retention import HISTORY_KEPT, ORDERS_KEPT, Forgetting
from esl.services.signals import Order
from esl.store import commands
from esl.store.database import Database
from esl.store.failures import log_failures
from esl.store.shelf_tables import pairing_events
from esl.store.tables import display_log, failure_log
from esl.store.writer import Writer
from tests.builders import GATEWAY, NOON, STORE, build_shelf, count_rows, label_id, running_writer


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    with running_writer(database) as opened:
        opened.write(lambda tx: build_shelf(tx, labels_count=1))
        yield opened


def go_round(forgetting: Forgetting, now: datetime) -> int:
    steps = 0
    while forgetting.step(now, now):
        steps += 1
        assert steps < 200, "a round ends"
    return steps


def say(tx: Connection, rev: int, at: datetime) -> None:
    line = {
        "label_id": label_id(0),
        "rev": rev,
        "digest": "ab" * 32,
        "incarnation": 1,
        "gateway_id": GATEWAY,
        "session": "s",
        "recorded_at": at,
    }
    tx.execute(insert(display_log), [line])


def test_a_round_forgets_what_is_old_and_then_rests(database: Database, writer: Writer) -> None:
    def fill(tx: Connection) -> None:
        order = Order(gateway_id=GATEWAY, kind="time", body=b"", expires_after=timedelta(minutes=1))
        signals.order(tx, STORE, [order], NOON)
        commands.expire_commands(tx, NOON + timedelta(minutes=2))
        log_failures(tx, [(label_id(0), 1, "timeout", "")], NOON)
        for rev in (1, 2, 3):
            say(tx, rev, NOON)

    writer.write(fill)
    forgetting = Forgetting(database=database, writer=writer)
    go_round(forgetting, NOON + timedelta(days=1))
    assert forgetting.removed == 0
    go_round(forgetting, NOON + ORDERS_KEPT + timedelta(days=1))
    assert forgetting.removed == 1
    go_round(forgetting, NOON + HISTORY_KEPT + timedelta(days=1))
    with database.read() as tx:
        assert count_rows(tx, failure_log) == 0
        revs = tx.execute(select(display_log.c.rev)).scalars().all()
    assert revs == [3], "a label's newest line stays for ever"


def test_a_step_is_bounded(database: Database, writer: Writer) -> None:
    def fill(tx: Connection) -> None:
        for rev in range(1, 1501):
            say(tx, rev, NOON)

    writer.write(fill)
    forgetting = Forgetting(database=database, writer=writer)
    late = NOON + HISTORY_KEPT + timedelta(days=1)
    removed = []
    while True:
        before = forgetting.removed
        if not forgetting.step(late, late):
            break
        removed.append(forgetting.removed - before)
    assert sum(removed) == 1499 + 1, "all but the label's newest line, and how it was paired"
    with database.read() as tx:
        assert count_rows(tx, display_log) == 1
        assert count_rows(tx, pairing_events) == 0
    assert max(removed) <= 1000
