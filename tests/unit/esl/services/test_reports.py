"""Both roads of taking in reports do the same: `esl.domain.report` stays the one truth."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select

from esl.domain.ids import Digest, LabelId
from esl.domain.report import (
    FailureReport,
    OnFailure,
    SeenReport,
    Sender,
    ShownReport,
    Verdict,
)
from esl.services.reports import Heard, take_in
from esl.services.telemetry import Telemetry
from esl.store import places
from esl.store.database import Database
from esl.store.tables import battery_samples, display_log
from esl.store.tables import labels as label_table
from tests.builders import (
    GATEWAY,
    NOON,
    PANEL,
    STORE,
    a_store,
    build_shelf,
    count_rows,
    label_id,
    open_database,
)
from tests.unit.esl.services.report_twists import (
    AWAY,
    LABEL_TWISTS,
    LATER,
    ONLINE,
    OTHER_STORE,
    REPORT_TWISTS,
    Told,
    a_report,
    a_row,
    each,
    every_twist,
    in_bulk,
    one_by_one,
    put_shop,
    tried,
    wait,
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Told, list[Heard]]:
    """Two labels, what they were told to show, and several reports of them, in their order."""
    rows = []
    for number in range(2):
        wanted = draw(st.integers(1, 3))
        shown = draw(st.integers(0, wanted))
        rows.append(a_row(number, wanted, shown, **draw(st.sampled_from(each(LABEL_TWISTS)))))
    told: Told = {(n, rev): ("one", GATEWAY) for n in range(2) for rev in (1, 2, 3)}
    strangers = [rows[0] | {"label_id": label_id(4)}]
    heard: list[Heard] = []
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.sampled_from(rows * 4 + strangers))
        twist = draw(st.sampled_from(each(REPORT_TWISTS)))
        health = {"battery_mv": draw(st.none() | st.integers(2000, 2002))}
        said = a_report(row, is_beacon=draw(st.booleans()), **(twist | health))
        if draw(st.integers(0, 9)) == 0:
            failure = FailureReport(
                label_id=row["label_id"],
                rev=row["wanted_rev"],
                code="retry",
                detail="",
                on_failure=draw(st.sampled_from(list(OnFailure))),
            )
            said = Heard(sender=said.sender, report=failure)
        heard.append(said)
    return rows, told, heard


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = open_database(tmp_path_factory.mktemp("reports"))
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=0, gateways=[GATEWAY, AWAY])
        places.put_store(tx, a_store(OTHER_STORE))
    yield database
    database.close()


def test_both_roads_do_the_same_with_every_twist_of_the_ordinary(shelf: Database) -> None:
    rows, told, heard = every_twist()
    with shelf.writing.connect() as tx, tx.begin() as undone:
        put_shop(tx, rows, told)
        (taken, books), (taken_one_by_one, books_one_by_one) = (
            tried(tx, road, heard) for road in (in_bulk, one_by_one)
        )
        for mine, theirs in zip(books, books_one_by_one, strict=True):
            known = set(theirs)
            assert [row for row in mine if row not in known] == []
            assert mine == theirs
        assert taken == taken_one_by_one
        undone.rollback()


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(situations())
def test_both_roads_do_the_same(
    shelf: Database, situation: tuple[list[dict[str, Any]], Told, list[Heard]]
) -> None:
    rows, told, heard = situation
    with shelf.writing.connect() as tx, tx.begin() as undone:
        put_shop(tx, rows, told)
        assert tried(tx, in_bulk, heard) == tried(tx, one_by_one, heard)
        undone.rollback()


# ── What the ordinary road costs, and what it leaves alone ──────────────────────────────────


def shown_by(label: LabelId, rev: int = 3, **changes: Any) -> Heard:
    fields = {"label_id": label, "rev": rev, "digest": Digest("one"), "incarnation": 1}
    fields |= {"painted_at": NOON, "battery_mv": 2900}
    sender = Sender(gateway_id=GATEWAY, session="boot-9", store_id=STORE, seq=8)
    return Heard(sender=sender, report=ShownReport(**(fields | changes)))  # type: ignore[arg-type]


def seen_by(label: LabelId, **changes: Any) -> Heard:
    fields = {"label_id": label, "panel_id": PANEL, "shown_rev": 3, "shown_digest": Digest("one")}
    fields |= {"incarnation": 1, "battery_mv": 2900, "rssi_dbm": -70}
    sender = Sender(gateway_id=GATEWAY, session="boot-9", store_id=STORE, seq=9)
    return Heard(sender=sender, report=SeenReport(**(fields | changes)))  # type: ignore[arg-type]


def waiting(number: int, **changes: Any) -> dict[str, Any]:
    row = {"label_id": label_id(number), "wanted_rev": 3, "sent_rev": 3, "incarnation": 1}
    row |= {"settled_rev": 0, "shown_rev": 0, "shown_digest": ""}
    return row | {"due_at": LATER, "attempts": 1, "seen_at": NOON} | changes


def settled(number: int, **changes: Any) -> dict[str, Any]:
    row = waiting(number) | {"due_at": None, "settled_rev": 3, "shown_rev": 3}
    return row | {"shown_digest": "one"} | changes


@pytest.fixture
def asked(tx: Connection) -> list[str]:
    """The statements that the database gets from now on."""
    build_shelf(tx, labels_count=0, gateways=[GATEWAY, AWAY])
    statements: list[str] = []
    event.listen(tx, "before_cursor_execute", lambda *args: statements.append(args[2]))
    return statements


def test_a_thousand_ordinary_reports_and_beacons_are_four_statements(
    tx: Connection, asked: list[str]
) -> None:
    put_shop(
        tx,
        [waiting(n) if n % 2 else settled(n) for n in range(1000)],
        {(n, 3): ("one", GATEWAY) for n in range(1000)},
    )
    heard = [shown_by(label_id(n)) if n % 2 else seen_by(label_id(n)) for n in range(1000)]
    asked.clear()
    taken = take_in(tx, heard, NOON, online=ONLINE, backoff=wait, telemetry=Telemetry(most=10_000))
    assert taken.verdicts == {Verdict.BELIEVED: 500, Verdict.KNOWN: 500}
    assert len(asked) == 4, (
        "confirm, log, look whether the beacons say anything new and whether anything is staged"
    )
    assert count_rows(tx, display_log) == 500


def test_what_quiet_beacons_say_is_written_together_and_late(
    tx: Connection, asked: list[str]
) -> None:
    put_shop(tx, [settled(0), settled(1)], {})
    telemetry = Telemetry(longest=timedelta(seconds=30))

    def beacon(number: int, after_s: int, **says: Any) -> None:
        heard = [seen_by(label_id(number), **says)]
        now = NOON + timedelta(seconds=after_s)
        take_in(tx, heard, now, online=ONLINE, backoff=wait, telemetry=telemetry)

    def health(number: int) -> tuple[Any, ...]:
        c = label_table.c
        columns = (c.seen_at, c.battery_mv, c.temperature_c, c.rssi_dbm, c.firmware)
        return tuple(tx.execute(select(*columns).where(c.label_id == label_id(number))).one())

    beacon(0, 1, battery_mv=2950, firmware="1.0")
    beacon(1, 2, temperature_c=20)
    beacon(0, 29, battery_mv=2940, rssi_dbm=None)
    assert health(0) == (NOON, None, None, None, None)
    assert len(telemetry) == 2
    beacon(1, 31, battery_mv=None, temperature_c=None, rssi_dbm=-60)
    assert health(0) == (NOON + timedelta(seconds=29), 2940, None, -70, "1.0")
    assert health(1) == (NOON + timedelta(seconds=31), 2900, 20, -60, None)
    assert len(telemetry) == 0
    samples = tx.execute(select(battery_samples).order_by(battery_samples.c.label_id)).all()
    assert [(row.label_id, row.on_day, row.millivolts) for row in samples] == [
        (label_id(0), NOON.date(), 2940),
        (label_id(1), NOON.date(), 2900),
    ]
    assert asked


def test_a_battery_is_noted_once_a_day(tx: Connection, asked: list[str]) -> None:
    put_shop(tx, [settled(0)], {})
    for hours, millivolts in ((0, 2950), (3, 2940), (12, 2930), (36, 2920)):
        heard = [seen_by(label_id(0), battery_mv=millivolts)]
        take_in(tx, heard, NOON + timedelta(hours=hours), online=ONLINE, backoff=wait)
    samples = tx.execute(select(battery_samples).order_by(battery_samples.c.on_day)).all()
    assert [row.millivolts for row in samples] == [2950, 2930, 2920]
    assert asked


def test_late_words_do_not_overwrite_newer_ones(tx: Connection, asked: list[str]) -> None:
    put_shop(tx, [settled(0)], {})
    telemetry = Telemetry(longest=timedelta(seconds=30))
    beacon = [seen_by(label_id(0), battery_mv=2000)]
    take_in(tx, beacon, NOON, online=ONLINE, backoff=wait, telemetry=telemetry)
    newer = NOON + timedelta(seconds=5)
    take_in(tx, [seen_by(label_id(0), battery_mv=2900)], newer, online=ONLINE, backoff=wait)
    telemetry.write_ripe(tx, NOON + timedelta(seconds=30))
    row = tx.execute(select(label_table.c.battery_mv, label_table.c.seen_at)).one()
    assert tuple(row) == (2900, newer)
    assert asked
