"""Refreshes counted by label and by day, in the store's time, on both databases."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, insert

from esl.store.database import Database
from esl.store.refreshes import refreshes_of_label, refreshes_of_store
from esl.store.tables import display_log
from tests.builders import GATEWAY, STORE, build_shelf, label_id

ZONE = ZoneInfo("Europe/Zagreb")
NOW = datetime(2026, 3, 30, 22, 30, tzinfo=UTC)  # half past midnight of the 31st there
HOUR = timedelta(hours=1)


@pytest.fixture
def tx(either_database: Database) -> Iterator[Connection]:
    with either_database.writing.begin() as opened:
        build_shelf(opened, labels_count=3)
        yield opened


def painted(tx: Connection, *times: tuple[int, datetime]) -> None:
    for number, at in sorted(times, key=lambda one: one[1]):
        tx.execute(
            insert(display_log).values(
                label_id=label_id(number),
                rev=1,
                digest="ab" * 32,
                incarnation=1,
                gateway_id=GATEWAY,
                session="boot-1",
                painted_at=at,
                recorded_at=at,
            )
        )


def test_days_are_those_of_the_shop_also_when_clocks_go_forward(tx: Connection) -> None:
    painted(
        tx,
        (0, NOW - timedelta(minutes=10)),  # the 31st
        (0, NOW - HOUR),  # the 30th
        (0, NOW - 2 * HOUR),
        (1, datetime(2026, 3, 28, 23, 30, tzinfo=UTC)),  # the 29th, at half past midnight
        (1, datetime(2026, 3, 28, 22, 30, tzinfo=UTC)),  # the 28th
        (1, datetime(2026, 3, 1, 12, tzinfo=UTC)),  # long ago
    )
    found = refreshes_of_store(tx, STORE, NOW, zone=ZONE, days=4)
    assert found.days == (
        (date(2026, 3, 28), 1),
        (date(2026, 3, 29), 1),
        (date(2026, 3, 30), 2),
        (date(2026, 3, 31), 1),
    )
    assert found.labels == ((label_id(0), 3), (label_id(1), 2))
    one = refreshes_of_label(tx, label_id(0), NOW, zone=ZONE, days=3)
    assert [many for _, many in one] == [0, 2, 1]
    assert one[0][0] == date(2026, 3, 29)


def test_a_shop_that_painted_nothing_has_empty_days(tx: Connection) -> None:
    found = refreshes_of_store(tx, STORE, NOW, zone=ZONE, days=7)
    assert [many for _, many in found.days] == [0] * 7
    assert found.labels == ()


def test_where_the_days_begin_is_found_among_many(tx: Connection) -> None:
    begun = NOW - 400 * HOUR
    painted(tx, *((n % 3, begun + n * HOUR) for n in range(401)))
    found = refreshes_of_store(tx, STORE, NOW, zone=ZONE, days=2)
    assert sum(many for _, many in found.days) == 25, "since midnight of the 30th"
    assert sum(many for _, many in found.labels) == 25
