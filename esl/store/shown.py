"""What labels say they show: rows in and out, in batches only.

Two roads lead here. `confirm_shown` and `known_beacons` weigh the ordinary report in the
statement itself; `issued_as` and `update_labels` serve those that `esl.domain.report` weighs.
Both roads do the same, which a test holds them to.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Boolean, Connection, Integer, String

from esl.domain.ids import Digest, GatewayId, LabelId
from esl.domain.label import LabelState
from esl.domain.report import SeenReport, Sender, ShownReport
from esl.store.bulk import Bulk
from esl.store.columns import UtcDateTime, instant_text
from esl.store.tables import labels


class DisplayEntry(NamedTuple):
    """One line of the display log: a label said it shows this."""

    label_id: LabelId
    rev: int
    digest: Digest
    incarnation: int
    gateway_id: GatewayId
    session: str
    painted_at: datetime | None


_CONFIRM_SHOWN: Final = Bulk(
    """
    UPDATE label SET
        shown_rev = CAST(j.value->>1 AS bigint), shown_digest = j.value->>2,
        shown_session = j.value->>6, shown_seq = CAST(j.value->>7 AS bigint),
        incarnation = CAST(j.value->>3 AS bigint),
        settled_rev = label.wanted_rev, due_at = NULL, attempts = 0, lane = 2,
        battery_mv = coalesce(CAST(j.value->>8 AS integer), label.battery_mv),
        temperature_c = coalesce(CAST(j.value->>9 AS integer), label.temperature_c),
        seen_at = :now
    FROM {rows} CROSS JOIN issued
    WHERE label.label_id = j.value->>0 AND issued.label_id = j.value->>0
        AND issued.rev = CAST(j.value->>1 AS bigint) AND issued.digest = j.value->>2
        AND (label.incarnation = CAST(j.value->>3 AS bigint)
            OR (label.seen_at IS NULL AND label.incarnation < CAST(j.value->>3 AS bigint)))
        AND {no_index}label.gateway_id = j.value->>4 AND {no_index}label.store_id = j.value->>5
        AND label.wanted_rev = CAST(j.value->>1 AS bigint)
        AND label.shown_rev < CAST(j.value->>1 AS bigint)
        AND label.problem IS NULL AND label.quarantine = 0 AND label.refresh_failures = 0
        AND NOT label.send_full
    RETURNING label.label_id
    """
)
_KNOWN_BEACONS: Final = Bulk(
    """
    SELECT label.label_id FROM {rows} CROSS JOIN label
    WHERE label.label_id = j.value->>0 AND label.shown_rev = CAST(j.value->>1 AS bigint)
        AND label.shown_digest = j.value->>2 AND label.incarnation = CAST(j.value->>3 AS bigint)
        AND {no_index}label.gateway_id = j.value->>4 AND {no_index}label.store_id = j.value->>5
        AND label.panel_id = j.value->>6
        AND label.due_at IS NULL AND label.settled_rev >= label.wanted_rev
        AND label.seen_at IS NOT NULL AND label.problem IS NULL
        AND label.quarantine = 0 AND label.refresh_failures = 0
    """
)
_LOCK: Final = Bulk(
    """
    SELECT label.label_id FROM {rows} CROSS JOIN label WHERE label.label_id = j.value->>0
    ORDER BY label.label_id {lock[label]}
    """
)
_ISSUED: Final = Bulk(
    """
    SELECT issued.label_id, issued.rev, issued.digest, issued.gateway_id
    FROM {rows} CROSS JOIN issued
    WHERE issued.label_id = j.value->>0 AND issued.rev = CAST(j.value->>1 AS bigint)
    """
)
_LOG: Final = Bulk(
    """
    INSERT INTO display_log
        (label_id, rev, digest, incarnation, gateway_id, session, painted_at, recorded_at)
    SELECT j.value->>0, CAST(j.value->>1 AS bigint), j.value->>2, CAST(j.value->>3 AS bigint),
        j.value->>4, j.value->>5, {instant[6]}, :now
    FROM {rows}
    """
)

_LOGGED: Final = Bulk(
    """
    SELECT DISTINCT d.label_id, d.rev, d.digest, d.incarnation
    FROM {rows} CROSS JOIN display_log AS d
    WHERE d.label_id = j.value->>0 AND d.rev = CAST(j.value->>1 AS bigint)
        AND d.digest = j.value->>2 AND d.incarnation = CAST(j.value->>3 AS bigint)
    """
)


def lock_reported(tx: Connection, label_ids: Iterable[LabelId]) -> None:
    """Lock labels' rows until the transaction ends, in the order everyone locks them.

    On SQLite the transaction has the whole database already.
    """
    if tx.dialect.name != "sqlite":
        _LOCK.run(tx, [[label_id] for label_id in sorted(set(label_ids))])


def confirm_shown(
    tx: Connection, reports: Sequence[tuple[Sender, ShownReport]], now: datetime
) -> set[LabelId]:
    """Take in reports of pictures that are just what was waited for; return their labels.

    At most one report a label. Taken is the ordinary one: the newest wish, issued as that
    picture, through the label's own gateway, of the same memory. All others are left as they are.
    """
    rows = [
        (
            r.label_id,
            r.rev,
            r.digest,
            r.incarnation,
            by.gateway_id,
            by.store_id,
            by.session,
            by.seq,
            r.battery_mv,
            r.temperature_c,
        )
        for by, r in reports
    ]
    rows.sort()  # as everyone locks labels
    return {row[0] for row in _CONFIRM_SHOWN.run(tx, rows, now=now)}


def known_beacons(tx: Connection, reports: Sequence[tuple[Sender, SeenReport]]) -> set[LabelId]:
    """Say which labels' beacons hold nothing new: settled, and as we know them. Only reads."""
    rows = [
        (
            r.label_id,
            r.shown_rev,
            r.shown_digest,
            r.incarnation,
            by.gateway_id,
            by.store_id,
            r.panel_id,
        )
        for by, r in reports
    ]
    return {row[0] for row in _KNOWN_BEACONS.run(tx, rows)}


def issued_digests(
    tx: Connection, told: Iterable[tuple[LabelId, int]]
) -> dict[tuple[LabelId, int], tuple[Digest, GatewayId]]:
    """Load which picture each (label, revision) was issued as, and through which gateway."""
    return {
        (LabelId(label_id), rev): (Digest(digest), GatewayId(gateway_id))
        for label_id, rev, digest, gateway_id in _ISSUED.run(tx, sorted(set(told)))
    }


_WRITTEN = (
    "shown_rev",
    "shown_digest",
    "incarnation",
    "shown_session",
    "shown_seq",
    "settled_rev",
    "attempts",
    "lane",
    "problem",
    "problem_detail",
    "battery_mv",
    "temperature_c",
    "rssi_dbm",
    "firmware",
    "send_full",
    "quarantine",
    "refresh_failures",
    "due_at",
    "seen_at",
)
"""What a report may change in a label's row; every one of these is written."""

_INSTANTS = 2  # the last so many of them


def _set_column(place: int, name: str) -> str:
    match labels.c[name].type:
        case UtcDateTime():
            value = f"{{instant[{place}]}}"
        case String():
            value = f"j.value->>{place}"
        case BigInteger() | Integer():
            value = f"CAST(j.value->>{place} AS bigint)"
        case Boolean():
            value = f"CAST(j.value->>{place} AS boolean)"
        case other:
            raise TypeError(f"{name}: no way to write {other!r}")
    return f"{name} = {value}"


_UPDATE: Final = Bulk(
    f"UPDATE label SET {', '.join(_set_column(n + 1, name) for n, name in enumerate(_WRITTEN))}"  # noqa: S608  # nosec B608
    " FROM {rows} WHERE label.label_id = j.value->>0"
)
_values_of = attrgetter("label_id", *_WRITTEN[:-_INSTANTS])
_instants_of = attrgetter(*_WRITTEN[-_INSTANTS:])


def update_labels(tx: Connection, states: Iterable[LabelState]) -> None:
    """Write what reports changed."""
    rows = [
        (
            *_values_of(state),
            *(None if at is None else instant_text(at) for at in _instants_of(state)),
        )
        for state in states
    ]
    rows.sort(key=lambda row: row[0])
    _UPDATE.run(tx, rows)


def log_displays(tx: Connection, entries: Sequence[DisplayEntry], now: datetime) -> None:
    """Append to the display log, in this order."""
    rows = [
        (*e[:-1], None if e.painted_at is None else instant_text(e.painted_at)) for e in entries
    ]
    _LOG.run(tx, rows, now=now)


def log_earlier_displays(tx: Connection, entries: Sequence[DisplayEntry], now: datetime) -> None:
    """Append what labels showed before what they show now, where the log does not say so yet."""
    new: dict[tuple[LabelId, int, Digest, int], DisplayEntry] = {}
    for e in entries:
        new.setdefault((e.label_id, e.rev, e.digest, e.incarnation), e)
    logged = {tuple(row) for row in _LOGGED.run(tx, sorted(new))}
    log_displays(tx, [entry for key, entry in new.items() if key not in logged], now)
