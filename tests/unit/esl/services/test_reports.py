"""Both roads of taking in reports do the same: `esl.domain.report` stays the one truth."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event, insert, select

from esl.domain.ids import Digest, GatewayId, LabelId, PanelId, StoreId
from esl.domain.report import (
    FailureReport,
    OnFailure,
    Report,
    SeenReport,
    Sender,
    ShownReport,
    Verdict,
)
from esl.services.reports import Heard, Taken, take_in
from esl.services.roaming import Hearing
from esl.services.telemetry import Telemetry
from esl.services.weighing import Circumstances, weigh_all
from esl.store import places
from esl.store.database import Database
from esl.store.tables import battery_samples, display_log, issued, revision_counter
from esl.store.tables import labels as label_table
from tests.builders import (
    GATEWAY,
    NOON,
    PANEL,
    STORE,
    a_store,
    bare_labels,
    build_shelf,
    count_rows,
    label_id,
    open_database,
)

AWAY = GatewayId("gw-2")
OTHER_STORE = StoreId("split-1")
ONLINE = frozenset({GATEWAY})
LATER = NOON + timedelta(minutes=5)
DIGESTS = ["", "one", "two"]

maybe_small = st.none() | st.integers(2000, 2003)
revisions = st.integers(0, 3)

LABEL_TWISTS: dict[str, list[Any]] = {
    "gateway_id": [AWAY, None],
    "wanted_rev": [0, 1, 2, 3],
    "sent_rev": [0, 1, 2, 3],
    "settled_rev": [0, 1, 2, 3],
    "shown_rev": [0, 1, 2, 3],
    "shown_digest": ["", "two"],
    "incarnation": [0, 2],
    "attempts": [0, 3],
    "due_at": [None, NOON, LATER],
    "lane": [0, 3],
    "problem": ["retry", "foreign_revision"],
    "seen_at": [None],
    "quarantine": [1],
    "refresh_failures": [1],
    "send_full": [True],
}
REPORT_TWISTS: dict[str, list[Any]] = {
    "rev": [0, 1, 2, 3],
    "digest": ["", "two"],
    "incarnation": [0, 2, 5000],
    "panel_id": ["other"],
    "gateway_id": [AWAY],
    "store_id": [OTHER_STORE],
    "session": ["boot-2"],
    "seq": [1, 3],
    "painted_at": [None],
    "firmware": [None, "", "2.0"],
}
ISSUE_TWISTS: list[Any] = [("two", GATEWAY), ("one", AWAY), None]


def wait(attempts: int) -> timedelta:
    return timedelta(seconds=60 * (attempts + 1))


def a_row(number: int, wanted: int, shown: int, **changes: Any) -> dict[str, Any]:
    """A label that waits for its picture, or shows it."""
    is_settled = shown == wanted
    row = {
        "label_id": label_id(number),
        "store_id": STORE,
        "gateway_id": GATEWAY,
        "panel_id": PANEL,
        "wanted_rev": wanted,
        "sent_rev": wanted,
        "settled_rev": shown,
        "shown_rev": shown,
        "shown_digest": "one" if shown else "",
        "incarnation": 1,
        "shown_session": "boot-1",
        "shown_seq": 3,
        "attempts": 0 if is_settled else 1,
        "due_at": None if is_settled else LATER,
        "lane": 2,
        "problem": None,
        "problem_detail": None,
        "battery_mv": 2002,
        "temperature_c": None,
        "rssi_dbm": None,
        "firmware": "1.0",
        "seen_at": NOON,
        "quarantine": 0,
        "refresh_failures": 0,
        "send_full": False,
    }
    return row | changes


def a_report(row: dict[str, Any], *, is_beacon: bool, **changes: Any) -> Heard:
    """What a label would say just now."""
    said = {
        "rev": row["shown_rev"] if is_beacon else row["wanted_rev"],
        "digest": row["shown_digest"] if is_beacon else "one",
        "incarnation": row["incarnation"],
        "panel_id": PANEL,
        "gateway_id": row["gateway_id"] or GATEWAY,
        "store_id": STORE,
        "session": "boot-1",
        "seq": 4,
        "painted_at": NOON,
        "firmware": "1.0",
        "battery_mv": None,
        "temperature_c": 21,
    }
    said |= changes
    sender = Sender(
        gateway_id=said["gateway_id"],
        session=said["session"],
        store_id=said["store_id"],
        seq=said["seq"],
    )
    common: dict[str, Any] = {
        name: said[name] for name in ("incarnation", "battery_mv", "temperature_c")
    } | {"label_id": row["label_id"]}
    report: Report
    if is_beacon:
        report = SeenReport(
            panel_id=PanelId(said["panel_id"]),
            shown_rev=said["rev"],
            shown_digest=Digest(said["digest"]),
            rssi_dbm=-70,
            firmware=said["firmware"],
            **common,
        )
    else:
        report = ShownReport(
            rev=said["rev"], digest=said["digest"], painted_at=said["painted_at"], **common
        )
    return Heard(sender=sender, report=report)


def each(twists: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """No twist, and every single one."""
    return [{}, *({name: value} for name, values in twists.items() for value in values)]


Told = dict[tuple[int, int], tuple[str, GatewayId]]


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


def put_shop(tx: Connection, rows: Sequence[dict[str, Any]], told: Told) -> None:
    for table in (label_table, issued, display_log, battery_samples):
        tx.execute(delete(table))
    bare_labels(tx, rows)
    issues = [
        {"label_id": label_id(number), "rev": rev, "digest": digest, "gateway_id": gateway_id}
        for (number, rev), (digest, gateway_id) in told.items()
    ]
    if issues:
        tx.execute(insert(issued), [row | {"issued_at": NOON} for row in issues])


def everything(tx: Connection) -> list[Any]:
    """All that reports may change, in an order that does not depend on the road."""
    entries = select(*[c for c in display_log.c if c is not display_log.c.entry_id])
    queries = [
        select(label_table).order_by(label_table.c.label_id),
        entries.order_by(display_log.c.label_id, display_log.c.entry_id),
        select(battery_samples).order_by(battery_samples.c.label_id),
        select(revision_counter),
    ]
    return [[tuple(row) for row in tx.execute(query)] for query in queries]


def outcome(taken: Taken) -> tuple[object, ...]:
    return +taken.verdicts, sorted(taken.answered), sorted(taken.changed), taken.due


def one_by_one(tx: Connection, heard: Sequence[Heard], now: datetime) -> Taken:
    telemetry = Telemetry(most=0)
    by = Circumstances(online=ONLINE, backoff=wait, hearing=Hearing())
    taken = weigh_all(tx, heard, now, by, telemetry)
    telemetry.write_ripe(tx, now)
    return taken


def in_bulk(tx: Connection, heard: Sequence[Heard], now: datetime) -> Taken:
    return take_in(tx, heard, now, online=ONLINE, backoff=wait)


def tried(
    tx: Connection,
    road: Callable[[Connection, Sequence[Heard], datetime], Taken],
    heard: Sequence[Heard],
) -> tuple[object, list[Any]]:
    """Take reports in, look at everything, and undo it."""
    with tx.begin_nested() as undone:
        taken = road(tx, heard, NOON + timedelta(seconds=1))
        after = everything(tx)
        undone.rollback()
    return outcome(taken), after


def test_both_roads_do_the_same_with_every_twist_of_the_ordinary(shelf: Database) -> None:
    rows: list[dict[str, Any]] = []
    told: Told = {}
    heard: list[Heard] = []
    for shown, is_beacon, of_label, of_report, as_issued in product(
        (1, 3), (True, False), each(LABEL_TWISTS), each(REPORT_TWISTS), (True, False)
    ):
        if not as_issued and of_label and of_report:
            continue
        number = len(rows)
        row = a_row(number, 3, shown, **of_label)
        rows.append(row)
        heard.append(a_report(row, is_beacon=is_beacon, **of_report))
        told |= {(number, rev): ("one", GATEWAY) for rev in (1, 2, 3)}
        twist = ISSUE_TWISTS[number % len(ISSUE_TWISTS)]
        if not as_issued and twist is not None:
            told[number, 3] = twist
        elif not as_issued:
            del told[number, 3]
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


def test_a_thousand_ordinary_reports_and_beacons_are_three_statements(
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
    assert len(asked) == 3, "confirm, log, and look whether the beacons say anything new"
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
