"""Forgetting what nobody needs any more, in small steps that no report waits for.

=================== ======================================================================
``display_log``     old lines, but never the newest old one of a label: so what it showed when
                    history begins is known, and the log replays to what is shown
``issued``          old pictures below the one that it showed then; what it shows, wants or may
                    still come to show stays, and the newest too
``frame``           pictures that nothing refers to any more and that were not sent lately
``failure_log``     old entries; younger ones, too, where a label has a hundred newer ones
``battery_sample``  old days, but never a label's newest
=================== ======================================================================

Each is two steps: a look in a reading transaction, which finds at most so many rows and says where
the next look begins, and the deletion of just those, which asks once more whether they may go.
Looks go on until that place is None, then begin anew some other day. A thousand rows are deleted in
a few milliseconds; where nothing is to go, nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from esl.domain.ids import Digest
from esl.store.bulk import ROWS_MOST, Bulk
from esl.store.columns import instant_text

ROWS_A_STEP = 1000

FRAME_PARTS: Final = "0123456789abcdef"
"""First digits of digests: frames are looked through in so many parts, to bound the memory."""

Place = tuple[str | int, ...]

FAILURES_OF_A_LABEL: Final = 100
"""A label whose template is broken fails with each change: a thousand a year say no more."""

_LABELS_A_LOOK: Final = ROWS_MOST  # of one statement: its LIMIT counts once
_YOUNG: Final = 0
_GOES: Final = 2
_HIGHEST: Final = 2**63 - 1
_LAST_DAY: Final = "9999-12-31"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look found: the keys of rows that may go, and where the next look begins.

    ``next_place`` None: everything was looked at.
    """

    rows: list[Place]
    next_place: Place | None


_LOG_LINES: Final = Bulk(
    """
    SELECT line.entry_id, CASE WHEN line.recorded_at >= :before THEN 0
        WHEN (SELECT next.recorded_at FROM display_log AS next
            WHERE next.label_id = line.label_id AND next.entry_id > line.entry_id
            ORDER BY next.entry_id LIMIT 1) < :before THEN 2
        ELSE 1 END
    FROM display_log AS line WHERE line.entry_id > :after ORDER BY line.entry_id LIMIT :most
    """
)
"""With each line: 0 it is young, 1 it is old and its label's next one is not, 2 it may go."""

_PRUNE_LOG: Final = Bulk(
    """
    DELETE FROM display_log WHERE entry_id IN (
        SELECT line.entry_id FROM {rows} CROSS JOIN display_log AS line
        WHERE line.entry_id = CAST(j.value->>0 AS bigint) AND line.recorded_at < {instant[1]}
            AND (SELECT next.recorded_at FROM display_log AS next
                WHERE next.label_id = line.label_id AND next.entry_id > line.entry_id
                ORDER BY next.entry_id LIMIT 1) < {instant[1]}
    ) RETURNING entry_id
    """
)
_LABELS_AFTER: Final = """
    WITH RECURSIVE named (label_id, number) AS (
        SELECT min(label_id), 1 FROM {table} WHERE label_id >= :label
        UNION ALL
        SELECT (SELECT min(t.label_id) FROM {table} AS t WHERE t.label_id > named.label_id),
            named.number + 1
        FROM named WHERE named.label_id IS NOT NULL AND named.number < :most
    )
    SELECT label_id FROM named WHERE label_id IS NOT NULL ORDER BY label_id
"""
"""The next labels of a table whose key begins with the label: one seek each, however many rows."""

_LABELS_ISSUED: Final = Bulk(_LABELS_AFTER.replace("{table}", "issued"))
_LABELS_FAILED: Final = Bulk(_LABELS_AFTER.replace("{table}", "failure_log"))
_LABELS_SAMPLED: Final = Bulk(_LABELS_AFTER.replace("{table}", "battery_sample"))

_MAY_GO: Final = """
    (label.label_id IS NULL
        OR (old.rev < label.shown_rev AND old.rev <> label.wanted_rev
            AND old.digest <> label.shown_digest
            AND EXISTS (SELECT 1 FROM display_log AS line
                WHERE line.label_id = old.label_id AND line.rev > old.rev
                    AND line.recorded_at < {before})))
    AND NOT EXISTS (SELECT 1 FROM staged
        WHERE staged.label_id = old.label_id
            AND (staged.rev = old.rev OR staged.show_rev = old.rev))
"""


def _may_go(place: int) -> str:
    return _MAY_GO.format(before=f"{{instant[{place}]}}")


_OLD_ISSUES: Final = Bulk(
    f"""
    SELECT old.label_id, old.rev FROM {{rows}} CROSS JOIN issued AS old
        LEFT JOIN label ON label.label_id = old.label_id
    WHERE old.label_id = j.value->>0 AND old.issued_at < {{instant[1]}}
        AND (old.label_id, old.rev) > (:label, CAST(:rev AS bigint))
        AND {_may_go(1)}
    ORDER BY old.label_id, old.rev LIMIT :most
    """  # noqa: S608  words of our own  # nosec B608
)
_PRUNE_ISSUED: Final = Bulk(
    f"""
    DELETE FROM issued WHERE (label_id, rev) IN (
        SELECT old.label_id, old.rev FROM {{rows}} CROSS JOIN issued AS old
            LEFT JOIN label ON label.label_id = old.label_id
        WHERE old.label_id = j.value->>0 AND old.rev = CAST(j.value->>1 AS bigint)
            AND old.issued_at < {{instant[2]}} AND {_may_go(2)}
    ) RETURNING label_id
    """  # noqa: S608  words of our own  # nosec B608
)
_OLD_SAMPLES: Final = Bulk(
    """
    SELECT old.label_id, CAST(old.on_day AS text)
    FROM {rows} CROSS JOIN battery_sample AS old
    WHERE old.label_id = j.value->>0 AND old.on_day < {day[1]}
        AND (old.label_id, CAST(old.on_day AS text)) > (:label, :day)
        AND EXISTS (SELECT 1 FROM battery_sample AS newer
            WHERE newer.label_id = old.label_id AND newer.on_day > old.on_day)
    ORDER BY old.label_id, old.on_day LIMIT :most
    """
)
_PRUNE_SAMPLES: Final = Bulk(
    """
    DELETE FROM battery_sample WHERE (label_id, on_day) IN (
        SELECT old.label_id, old.on_day FROM {rows} CROSS JOIN battery_sample AS old
        WHERE old.label_id = j.value->>0 AND old.on_day = {day[1]} AND old.on_day < {day[2]}
            AND EXISTS (SELECT 1 FROM battery_sample AS newer
                WHERE newer.label_id = old.label_id AND newer.on_day > old.on_day)
    ) RETURNING label_id
    """
)
_PRUNE_FAILURES: Final = Bulk(
    """
    DELETE FROM failure_log WHERE entry_id IN (
        SELECT entry_id FROM failure_log ORDER BY entry_id LIMIT :most
    ) AND failed_at < :before RETURNING entry_id
    """
)
_MANY_FAILURES: Final = Bulk(
    f"""
    SELECT old.label_id, old.rev FROM {{rows}} CROSS JOIN failure_log AS old
    WHERE old.label_id = j.value->>0 AND old.failed_at < {{instant[1]}}
        AND (old.label_id, old.rev) > (:label, CAST(:rev AS bigint))
        AND old.rev < (SELECT newer.rev FROM failure_log AS newer
            WHERE newer.label_id = old.label_id
            ORDER BY newer.rev DESC LIMIT 1 OFFSET {FAILURES_OF_A_LABEL - 1})
    ORDER BY old.label_id, old.rev LIMIT :most
    """  # noqa: S608  a number of our own  # nosec B608
)
_PRUNE_MANY: Final = Bulk(
    """
    DELETE FROM failure_log WHERE entry_id IN (
        SELECT old.entry_id FROM {rows} CROSS JOIN failure_log AS old
        WHERE old.label_id = j.value->>0 AND old.rev = CAST(j.value->>1 AS bigint)
            AND old.failed_at < {instant[2]}
    ) RETURNING entry_id
    """
)
_UNREFERENCED: Final = Bulk(
    """
    SELECT digest FROM frame
    WHERE digest >= :low AND digest < :high AND CAST(kept_on AS text) < :day
        AND digest NOT IN (SELECT digest FROM issued WHERE digest >= :low AND digest < :high)
        AND digest NOT IN
            (SELECT shown_digest FROM label WHERE shown_digest >= :low AND shown_digest < :high)
        AND digest NOT IN (SELECT digest FROM staged WHERE digest >= :low AND digest < :high)
        AND digest NOT IN (SELECT base FROM frame WHERE base >= :low AND base < :high)
    ORDER BY digest LIMIT :most
    """
)
_PRUNE_FRAMES: Final = Bulk(
    """
    DELETE FROM frame WHERE digest IN (
        SELECT old.digest FROM {rows} CROSS JOIN frame AS old
        WHERE old.digest = j.value->>0 AND old.kept_on < {day[1]}
    ) RETURNING digest
    """
)


def find_old_lines(
    tx: Connection, before: datetime, *, place: Place | None = None, most: int = ROWS_A_STEP
) -> Found:
    """Find what labels said before a moment, but never the last that each said until then.

    Lines are written in the order of their numbers, so the first young one ends the look; a line
    that PostgreSQL committed late is found some other day.
    """
    (after,) = place or (0,)
    found = _LOG_LINES.run(tx, after=after, before=before, most=most)
    is_past = len(found) < most or found[-1][1] == _YOUNG
    return Found(
        rows=[(int(row[0]),) for row in found if row[1] == _GOES],
        next_place=None if is_past else (int(found[-1][0]),),
    )


def prune_display_log(tx: Connection, lines: Sequence[Place], before: datetime) -> int:
    """Forget lines that `find_old_lines` found; return how many went."""
    limit = instant_text(before)
    return len(_PRUNE_LOG.run(tx, [(*line, limit) for line in lines]))


def find_old_issues(
    tx: Connection, before: datetime, *, place: Place | None = None, most: int = ROWS_A_STEP
) -> Found:
    """Find which pictures labels were told to show, where they showed a newer one before a moment.

    What they showed at that moment stays, for it is asked for later. All above the revision shown
    stay: any of them may have been painted, and be reported yet.
    A label that is gone leaves nothing.
    """
    label, rev = place or ("", 0)
    labels = [row[0] for row in _LABELS_ISSUED.run(tx, label=label, most=_LABELS_A_LOOK)]
    rows = [(one, instant_text(before)) for one in labels]
    found = _OLD_ISSUES.run(tx, rows, label=label, rev=rev, most=most)
    return _found(found, labels, most, end=_HIGHEST)


def prune_issued(tx: Connection, issues: Sequence[Place], before: datetime) -> int:
    """Forget what `find_old_issues` found; return how much went."""
    limit = instant_text(before)
    return len(_PRUNE_ISSUED.run(tx, [(*one, limit) for one in issues]))


def find_old_samples(
    tx: Connection, before: datetime, *, place: Place | None = None, most: int = ROWS_A_STEP
) -> Found:
    """Find battery voltages of days before a moment's, but never a label's last."""
    label, day = place or ("", "")
    labels = [row[0] for row in _LABELS_SAMPLED.run(tx, label=label, most=_LABELS_A_LOOK)]
    rows = [(one, _day(before)) for one in labels]
    found = _OLD_SAMPLES.run(tx, rows, label=label, day=day, most=most)
    return _found(found, labels, most, end=_LAST_DAY)


def prune_battery_samples(tx: Connection, samples: Sequence[Place], before: datetime) -> int:
    """Forget what `find_old_samples` found; return how much went."""
    return len(_PRUNE_SAMPLES.run(tx, [(*one, _day(before)) for one in samples]))


def prune_failures(tx: Connection, before: datetime, *, most: int = ROWS_A_STEP) -> int:
    """Forget the oldest failures from before a moment; return how many, 0 if there are none."""
    return len(_PRUNE_FAILURES.run(tx, before=before, most=most))


def find_many_failures(
    tx: Connection, before: datetime, *, place: Place | None = None, most: int = ROWS_A_STEP
) -> Found:
    """Find failures from before a moment of labels that have failed a hundred times since."""
    label, rev = place or ("", 0)
    labels = [row[0] for row in _LABELS_FAILED.run(tx, label=label, most=_LABELS_A_LOOK)]
    rows = [(one, instant_text(before)) for one in labels]
    found = _MANY_FAILURES.run(tx, rows, label=label, rev=rev, most=most)
    return _found(found, labels, most, end=_HIGHEST)


def prune_many_failures(tx: Connection, many: Sequence[Place], before: datetime) -> int:
    """Forget what `find_many_failures` found; return how much went."""
    limit = instant_text(before)
    return len(_PRUNE_MANY.run(tx, [(*one, limit) for one in many]))


def unreferenced_frames(
    tx: Connection, before: datetime, *, part: str, most: int = ROWS_A_STEP
) -> list[Digest]:
    """Find frames of a part (of `FRAME_PARTS`) that nothing refers to, last sent before that day.

    For a reading transaction: it looks through all that was issued. No picture that a label was
    told to show, shows or has in a slot, and no base of another frame, is among them.
    """
    low, high = part, chr(ord(part) + 1)
    found = _UNREFERENCED.run(tx, low=low, high=high, day=_day(before), most=most)
    return [Digest(row[0]) for row in found]


def prune_frames(tx: Connection, unreferenced: list[Digest], before: datetime) -> int:
    """Forget frames that `unreferenced_frames` found, unless they were sent again since then.

    ``before`` is the same moment, and at least two days past: what is sent after the look is of
    a later day. Frames that deltas were made to go when nothing is made to them any more.
    """
    rows = [(digest, _day(before)) for digest in sorted(unreferenced)]
    return len(_PRUNE_FRAMES.run(tx, rows))


def _found(rows: list[Any], labels: list[str], most: int, *, end: str | int) -> Found:
    """Say where the next look begins: after the last row, or else after the last label."""
    keys: list[Place] = [tuple(row) for row in rows]
    if len(keys) == most:
        return Found(rows=keys, next_place=keys[-1])
    is_more = len(labels) == _LABELS_A_LOOK
    return Found(rows=keys, next_place=(labels[-1], end) if is_more else None)


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
