"""Both roads of taking in reports do the same: `esl.domain.report` stays the one truth."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
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

revisions = st.integers(0, 3)
maybe_small = st.none() | st.integers(2000, 2003)


def wait(attempts: int) -> timedelta:
    return timedelta(seconds=60 * (attempts + 1))


@st.composite
def label_rows(draw: st.DrawFn, number: int) -> dict[str, Any]:
    ordinary = draw(st.booleans())
    wanted = draw(st.integers(1, 3)) if ordinary else draw(revisions)
    shown = draw(st.integers(0, wanted))
    row = {
        "label_id": label_id(number),
        "store_id": STORE,
        "gateway_id": GATEWAY,
        "panel_id": PANEL,
        "wanted_rev": wanted,
        "sent_rev": wanted,
        "settled_rev": shown,
        "shown_rev": shown,
        "shown_digest": draw(st.sampled_from(DIGESTS)),
        "incarnation": 1,
        "shown_session": "boot-1",
        "shown_seq": 3,
        "attempts": draw(st.integers(0, 3)),
        "due_at": draw(st.sampled_from([None, NOON, LATER])),
        "lane": draw(st.integers(0, 3)),
        "problem": None,
        "problem_detail": None,
        "battery_mv": draw(maybe_small),
        "temperature_c": draw(maybe_small),
        "rssi_dbm": None,
        "firmware": draw(st.sampled_from([None, "1.0"])),
        "seen_at": NOON,
        "quarantine": 0,
        "refresh_failures": 0,
        "send_full": False,
    }
    if not ordinary:
        row |= {
            "gateway_id": draw(st.sampled_from([GATEWAY, AWAY, None])),
            "sent_rev": draw(revisions),
            "settled_rev": draw(revisions),
            "shown_rev": draw(revisions),
            "incarnation": draw(st.integers(0, 2)),
            "problem": draw(st.sampled_from([None, "retry", "foreign_revision"])),
            "seen_at": draw(st.sampled_from([None, NOON])),
            "quarantine": draw(st.integers(0, 1)),
            "refresh_failures": draw(st.integers(0, 2)),
            "send_full": draw(st.booleans()),
        }
    return row


@st.composite
def reports(draw: st.DrawFn) -> Heard:
    sender = Sender(
        gateway_id=draw(st.sampled_from([GATEWAY, GATEWAY, GATEWAY, AWAY])),
        session=draw(st.sampled_from(["boot-1", "boot-2"])),
        store_id=draw(st.sampled_from([STORE, STORE, STORE, OTHER_STORE])),
        seq=draw(st.integers(1, 5)),
    )
    label = label_id(draw(st.integers(0, 4)))  # the last is unknown
    rev, digest = draw(revisions), Digest(draw(st.sampled_from(DIGESTS)))
    incarnation = draw(st.sampled_from([1, 1, 1, 0, 2, 5000]))
    battery_mv, temperature_c = draw(maybe_small), draw(maybe_small)
    report: Report
    match draw(st.integers(0, 4)):
        case 0 | 1:
            report = ShownReport(
                label_id=label,
                rev=rev,
                digest=digest,
                incarnation=incarnation,
                painted_at=draw(st.sampled_from([None, NOON])),
                battery_mv=battery_mv,
                temperature_c=temperature_c,
            )
        case 2 | 3:
            report = SeenReport(
                label_id=label,
                panel_id=PanelId(draw(st.sampled_from([PANEL, PANEL, "other"]))),
                shown_rev=rev,
                shown_digest=digest,
                incarnation=incarnation,
                battery_mv=battery_mv,
                temperature_c=temperature_c,
                rssi_dbm=draw(st.none() | st.integers(-90, -88)),
                firmware=draw(st.sampled_from([None, "", "2.0"])),
            )
        case _:
            report = FailureReport(
                label_id=label,
                rev=rev,
                code="retry",
                detail="",
                on_failure=draw(st.sampled_from(list(OnFailure))),
            )
    return Heard(sender=sender, report=report)


Told = dict[tuple[int, int], tuple[str, GatewayId]]
told_pictures: st.SearchStrategy[Told] = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(1, 3)),
    st.tuples(st.sampled_from(DIGESTS[1:]), st.sampled_from([GATEWAY, GATEWAY, AWAY])),
)
shops = st.tuples(*(label_rows(number) for number in range(4)))


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
    for (number, rev), (digest, gateway_id) in told.items():
        row = {"label_id": label_id(number), "rev": rev, "digest": digest}
        tx.execute(insert(issued).values(**row, gateway_id=gateway_id, issued_at=NOON))


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


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=shops, told=told_pictures, heard=st.lists(reports(), min_size=1, max_size=7))
def test_both_roads_do_the_same(
    shelf: Database, rows: Sequence[dict[str, Any]], told: Told, heard: list[Heard]
) -> None:
    with shelf.writing.connect() as tx, tx.begin() as undone:
        put_shop(tx, rows, told)
        assert tried(tx, in_bulk, heard) == tried(tx, one_by_one, heard)
        undone.rollback()


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=shops,
    heard=st.lists(reports(), min_size=1, max_size=4, unique_by=lambda h: h.report.label_id),
)
def test_both_roads_do_the_same_where_every_label_says_what_was_issued(
    shelf: Database, rows: Sequence[dict[str, Any]], heard: list[Heard]
) -> None:
    told: Told = {
        (number, row["wanted_rev"]): ("one", GATEWAY)
        for number, row in enumerate(rows)
        if row["wanted_rev"]
    }
    wanted = {row["label_id"]: row["wanted_rev"] for row in rows}
    said = [
        Heard(sender=h.sender, report=_as_told(h.report, wanted.get(h.report.label_id, 1)))
        for h in heard
    ]
    with shelf.writing.connect() as tx, tx.begin() as undone:
        put_shop(tx, rows, told)
        assert tried(tx, in_bulk, said) == tried(tx, one_by_one, said)
        undone.rollback()


def _as_told(report: Report, rev: int) -> Report:
    if not isinstance(report, ShownReport):
        return report
    return ShownReport(
        label_id=report.label_id,
        rev=rev,
        digest=Digest("one"),
        incarnation=1,
        painted_at=report.painted_at,
        battery_mv=report.battery_mv,
        temperature_c=report.temperature_c,
    )


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
