"""Labels and their reports that are ordinary but for a twist, for both roads of taking them in."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, update

from esl.domain.ids import Digest, GatewayId, PanelId, StoreId
from esl.domain.report import (
    Report,
    SeenReport,
    Sender,
    ShownReport,
)
from esl.services.reports import Heard, Taken, take_in
from esl.services.roaming import Hearing
from esl.services.telemetry import Telemetry
from esl.services.weighing import Circumstances, weigh_all
from esl.store.tables import battery_samples, display_log, issued, revision_counter
from esl.store.tables import labels as label_table
from tests.builders import (
    GATEWAY,
    NOON,
    PANEL,
    STORE,
    bare_labels,
    label_id,
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
        if tx.dialect.name == "sqlite":
            tx.execute(update(revision_counter).values(last_rev=100))
        else:  # a sequence is not undone
            tx.exec_driver_sql("SELECT setval('esl_rev', 100)")
        taken = road(tx, heard, NOON + timedelta(seconds=1))
        after = everything(tx)
        undone.rollback()
    return outcome(taken), after


def every_twist() -> tuple[list[dict[str, Any]], Told, list[Heard]]:
    """Every single twist of a label with every one of its report, each on a label of its own."""
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
    return rows, told, heard
