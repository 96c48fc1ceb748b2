"""What becomes of a label's row: each conclusion from a report, as a pure function of the row.

`esl.domain.report` weighs reports and draws these conclusions; nothing else changes what a label
is held to show.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from esl.domain.ids import Digest
from esl.domain.label import NOTHING_SHOWN, LabelState, Lane

FOREIGN_REVISION = "foreign_revision"
"""Problem of a label that shows a revision above ours: it refuses all that we can send."""

DUPLICATE_ID = "duplicate_id"
"""Problem of a label whose id is used twice: `esl.domain.doubles`."""

INSUFFICIENT_BATTERY = "insufficient_battery"

BATTERY_CHANGED_MV = 150
"""A battery that reads so much more than at the beacon before was changed: cells recover by some
tens of millivolts after a load."""


def showing(
    label: LabelState, rev: int, digest: Digest, incarnation: int, *, now: datetime
) -> LabelState:
    """The label's state once it shows an issued picture."""
    shown = replace(label, shown_rev=rev, shown_digest=digest, incarnation=incarnation)
    if rev >= label.wanted_rev:
        return replace(
            shown,
            settled_rev=label.wanted_rev,
            due_at=None,
            attempts=0,
            lane=Lane.NORMAL,
            problem=None,
            problem_detail=None,
        )
    under_way = label.sent_rev >= label.wanted_rev and label.due_at is not None
    if label.problem is None and label.wanted_rev > label.settled_rev and not under_way:
        return replace(shown, due_at=now)
    return shown  # the picture it should show was sent after this one: it has its time to answer


def put_right(label: LabelState, now: datetime, *, at_once: bool = True) -> LabelState:
    """Make a label due that we have ever told something: it does not show what it should.

    Unless ``at_once``, one that is under way already keeps its time and its attempts, or every
    beacon of a label that will not change would be answered with a picture.
    """
    if label.wanted_rev == 0 or label.problem is not None:
        return label
    settled_rev = min(label.settled_rev, label.shown_rev, label.wanted_rev - 1)
    if label.due_at is not None and not at_once:
        return replace(label, settled_rev=settled_rev)
    return replace(
        label,
        settled_rev=settled_rev,
        due_at=now if label.due_at is None else min(label.due_at, now),
        attempts=0,
        lane=Lane.CORRECTION,
    )


def foreign(label: LabelState, rev: int) -> LabelState:
    """Give a label up that holds a revision we never issued: it refuses every lower one."""
    doubted = replace(label, shown_digest=NOTHING_SHOWN)
    if label.wanted_rev == 0 or label.problem is not None:
        return doubted
    return replace(
        doubted,
        due_at=None,
        attempts=0,
        settled_rev=min(label.settled_rev, label.wanted_rev - 1),
        problem=FOREIGN_REVISION,
        problem_detail=f"it holds revision {rev}, which this controller never gave out",
    )


def no_longer_foreign(label: LabelState, now: datetime) -> LabelState:
    """Take a label up again that turns out to hold a revision of ours."""
    if label.problem != FOREIGN_REVISION:
        return label
    freed = replace(label, problem=None, problem_detail=None)
    return replace(freed, due_at=now) if freed.settled_rev < freed.wanted_rev else freed


def with_a_fresh_battery(seen: LabelState, before: LabelState, now: datetime) -> LabelState:
    """Take a label up again that was given up for its battery and has a fresh one."""
    if (
        seen.problem != INSUFFICIENT_BATTERY
        or seen.battery_mv is None
        or before.battery_mv is None
        or seen.battery_mv < before.battery_mv + BATTERY_CHANGED_MV
    ):
        return seen
    freed = replace(seen, problem=None, problem_detail=None)
    return replace(freed, due_at=now) if freed.settled_rev < freed.wanted_rev else freed


def not_left_waiting(label: LabelState, now: datetime, patience: timedelta | None) -> LabelState:
    """Shorten the wait of a label that lives and is behind."""
    if patience is None or label.due_at is None or label.attempts <= 1:
        return label
    return replace(label, attempts=1, due_at=min(label.due_at, now + patience))


def confirmed(label: LabelState) -> LabelState:
    """Forget failed refreshes of a label whose own word is that it shows what it should."""
    if label.refresh_failures and label.due_at is None and label.problem is None:
        return replace(label, refresh_failures=0)
    return label


def quarantined(label: LabelState, reason: str) -> LabelState:
    """Return a label as it is once its id was found to be used twice: nothing is sent to it."""
    return replace(
        label, quarantine=1, due_at=None, problem=DUPLICATE_ID, problem_detail=reason[:300]
    )


def released(label: LabelState, now: datetime) -> LabelState:
    """Return a label as it is once its id is used by one again: what it shows is not known."""
    free = replace(
        label,
        quarantine=0,
        problem=None,
        problem_detail=None,
        shown_digest=NOTHING_SHOWN,
        attempts=0,
    )
    if free.wanted_rev == 0:
        return free
    return replace(free, due_at=now, settled_rev=min(free.settled_rev, free.wanted_rev - 1))
