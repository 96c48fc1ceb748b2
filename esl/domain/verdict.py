"""What became of an update: a definite answer for every one, within the store's policy time.

::

    wanted ──▶ pending ──┬──▶ shown         the glass holds it, by the label's own word
                         ├──▶ superseded    something newer was wanted before it was shown,
                         │                  or no price any more
                         └──▶ failed        refused, given up, or not shown in time

While a store is ordered to show no prices, its changes wait: what hangs shows none of them.

A verdict is computed from what is written down anyway: a label's row, the display log, the
failure log and the price events. Only failures are written for its sake, and never on the way
of a picture. A failed update may still be shown later: it stays failed, with ``shown_at``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from esl.domain.ids import LabelId, Sku

TIMED_OUT = "timeout"
"""Reason of an update that nobody refused, and no label confirmed in the policy time."""


class Outcome(StrEnum):
    """What became of an update."""

    PENDING = "pending"
    SHOWN = "shown"
    SUPERSEDED = "superseded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one update on one label; ``reason`` is a code, for failures only."""

    label_id: LabelId
    outcome: Outcome
    sku: Sku | None = None
    reason: str | None = None
    detail: str | None = None
    at: datetime | None = None  # when it came to that
    shown_at: datetime | None = None  # of a failed one that was shown after all


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of a label and an update of revision ``rev``.

    ``next_rev`` is the next update of the same product, None if there is none. ``shown_at`` is
    when the label first said that it shows a picture of this update. A ``failure`` is the first
    from this update on and before the next: code, detail, when.
    """

    label_id: LabelId
    rev: int
    wanted_at: datetime
    next_rev: int | None
    settled_rev: int
    wanted_rev: int
    problem: str | None
    problem_detail: str | None
    shown_at: datetime | None
    failure: tuple[str, str, datetime] | None
    sku: Sku | None = None
    is_withdrawn: bool = False  # the price was taken away since, and none came after it
    shows_neutral: bool = False  # what the label said it shows last is a face without a price
    is_ordered: bool = False  # the store shows no prices now: nothing is late


def judge(evidence: Evidence, now: datetime, *, within: timedelta) -> Verdict:
    """Say what became of an update; ``within`` is the store's policy time."""
    e = evidence
    overdue_at = e.wanted_at + within
    failure = e.failure
    if failure is None and e.problem is not None and e.next_rev is None and not e.is_withdrawn:
        # Given up this moment, and the failure log does not know yet.
        failure = (e.problem, e.problem_detail or "", now)
    in_time = e.shown_at is not None and (failure is None or e.shown_at <= failure[2])
    if in_time:
        return _verdict(e, Outcome.SHOWN, at=e.shown_at)
    if failure is not None:
        code, detail, at = failure
        return _verdict(
            e, Outcome.FAILED, reason=code, detail=detail or None, at=at, shown_at=e.shown_at
        )
    if e.next_rev is not None or e.is_withdrawn:
        return _verdict(e, Outcome.SUPERSEDED)
    if e.settled_rev >= e.rev and not e.shows_neutral:
        # Nothing had to be sent: the label says that it shows this very picture.
        return _verdict(e, Outcome.SHOWN, at=None)
    if now >= overdue_at and not e.is_ordered:
        return _verdict(e, Outcome.FAILED, reason=TIMED_OUT, at=overdue_at)
    return _verdict(e, Outcome.PENDING)


def _verdict(
    evidence: Evidence,
    outcome: Outcome,
    *,
    at: datetime | None = None,
    reason: str | None = None,
    detail: str | None = None,
    shown_at: datetime | None = None,
) -> Verdict:
    return Verdict(
        label_id=evidence.label_id,
        sku=evidence.sku,
        outcome=outcome,
        reason=reason,
        detail=detail,
        at=at,
        shown_at=shown_at,
    )
