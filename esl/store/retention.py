"""Forgetting what nobody needs any more, in small steps that no report waits for.

=================== ======================================================================
``display_log``     old lines, but never a label's newest: it replays to what is shown
``issued``          old pictures below the one a label shows; what it shows, wants or may still
                    come to show stays, and the newest too
``frame``           pictures that nothing refers to any more and that were not sent lately
``failure_log``     old entries
``battery_sample``  old days, but never a label's newest
=================== ======================================================================

Each step looks at so many rows from a place on and says where the next begins: run steps until
that is None, then begin anew some other day. A step of 1,000 rows takes a few milliseconds.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from esl.domain.ids import Digest
from esl.store.bulk import Bulk
from esl.store.columns import instant_text

ROWS_A_STEP = 1000

FRAME_PARTS: Final = "0123456789abcdef"
"""First digits of digests: frames are looked through in so many parts, to bound the memory."""

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What a step did: rows removed, and where the next one begins; None at the end."""

    removed: int
    next_place: Place | None


_LOG_LINES: Final = Bulk(
    "SELECT entry_id FROM display_log WHERE entry_id > :after ORDER BY entry_id LIMIT :most"
)
_PRUNE_LOG: Final = Bulk(
    """
    DELETE FROM display_log WHERE entry_id IN (
        SELECT line.entry_id FROM {rows} CROSS JOIN display_log AS line
        WHERE line.entry_id = CAST(j.value->>0 AS bigint) AND line.recorded_at < {instant[1]}
            AND EXISTS (SELECT 1 FROM display_log AS newer
                WHERE newer.label_id = line.label_id AND newer.entry_id > line.entry_id)
    ) RETURNING entry_id
    """
)
_ISSUES: Final = Bulk(
    """
    SELECT label_id, rev FROM issued WHERE (label_id, rev) > (:label, CAST(:rev AS bigint))
    ORDER BY label_id, rev LIMIT :most
    """
)
_PRUNE_ISSUED: Final = Bulk(
    """
    DELETE FROM issued WHERE (label_id, rev) IN (
        SELECT old.label_id, old.rev FROM {rows} CROSS JOIN issued AS old
            LEFT JOIN label ON label.label_id = old.label_id
        WHERE old.label_id = j.value->>0 AND old.rev = CAST(j.value->>1 AS bigint)
            AND old.issued_at < {instant[2]}
            AND (label.label_id IS NULL
                OR (old.rev < label.shown_rev AND old.rev <> label.wanted_rev
                    AND old.digest <> label.shown_digest))
            AND NOT EXISTS (SELECT 1 FROM staged
                WHERE staged.label_id = old.label_id
                    AND (staged.rev = old.rev OR staged.show_rev = old.rev))
    ) RETURNING label_id
    """
)
_SAMPLES: Final = Bulk(
    """
    SELECT label_id, CAST(on_day AS text) FROM battery_sample
    WHERE (label_id, CAST(on_day AS text)) > (:label, :day)
    ORDER BY label_id, CAST(on_day AS text) LIMIT :most
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


def prune_display_log(
    tx: Connection, before: datetime, *, place: Place | None = None, most: int = ROWS_A_STEP
) -> Pruned:
    """Forget what labels said before a moment, but never the last that one said."""
    (after,) = place or (0,)
    found = _LOG_LINES.run(tx, after=after, most=most)
    limit = instant_text(before)
    removed = _PRUNE_LOG.run(tx, [(row[0], limit) for row in found])
    return _pruned(removed, found, most)


def prune_issued(
    tx: Connection, before: datetime, *, place: Place | None = None, most: int = ROWS_A_STEP
) -> Pruned:
    """Forget which pictures labels were told to show, where they show a newer one since.

    All above the revision shown stay: any of them may have been painted, and be reported yet.
    A label that is gone leaves nothing.
    """
    label_id, rev = place or ("", 0)
    found = _ISSUES.run(tx, label=label_id, rev=rev, most=most)
    limit = instant_text(before)
    removed = _PRUNE_ISSUED.run(tx, [(*row, limit) for row in found])
    return _pruned(removed, found, most)


def prune_battery_samples(
    tx: Connection, before: datetime, *, place: Place | None = None, most: int = ROWS_A_STEP
) -> Pruned:
    """Forget battery voltages of days before a moment's, but never a label's last."""
    label_id, day = place or ("", "")
    found = _SAMPLES.run(tx, label=label_id, day=day, most=most)
    removed = _PRUNE_SAMPLES.run(tx, [(*row, _day(before)) for row in found])
    return _pruned(removed, found, most)


def prune_failures(tx: Connection, before: datetime, *, most: int = ROWS_A_STEP) -> int:
    """Forget the oldest failures from before a moment; return how many, 0 if there are none."""
    return len(_PRUNE_FAILURES.run(tx, before=before, most=most))


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


def _pruned(removed: list[Any], found: list[tuple[Any, ...]], most: int) -> Pruned:
    return Pruned(removed=len(removed), next_place=tuple(found[-1]) if len(found) == most else None)


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
