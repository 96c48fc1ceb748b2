"""What gateways report of labels, and how much of it is believed.

A label's word counts only if we told it so: the revision must have been issued to it as that
very picture, through that gateway, and come from a label that did not lose its memory since.
What does not pass is counted and dropped; it never becomes a shelf in our books.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from esl.domain.conclusions import (
    DUPLICATE_ID,
    FOREIGN_REVISION,
    INSUFFICIENT_BATTERY,
    confirmed,
    foreign,
    no_longer_foreign,
    not_left_waiting,
    put_right,
    showing,
    with_a_fresh_battery,
)
from esl.domain.ids import Digest, GatewayId, LabelId, PanelId, StoreId
from esl.domain.label import NOTHING_SHOWN, LabelState


class OnFailure(StrEnum):
    """What a failure calls for."""

    RETRY = "retry"  #: the same again, after a while
    RESEND = "resend"  #: the whole picture again, at once
    REBASE = "rebase"  #: the same: the label no longer holds what the delta was made to
    GIVE_UP = "give_up"  #: a person must look
    REFRESH = "refresh"  #: the same again, after a while; the panel may be broken
    ASK = "ask"  #: the label shows something else: its next beacon says what


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReport:
    """A label says it painted a picture."""

    label_id: LabelId
    rev: int
    digest: Digest
    incarnation: int
    painted_at: datetime | None
    battery_mv: int | None = None
    temperature_c: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenReport:
    """A label's beacon: what it shows, and how it is."""

    label_id: LabelId
    panel_id: PanelId
    shown_rev: int
    shown_digest: Digest
    incarnation: int
    battery_mv: int | None = None
    temperature_c: int | None = None
    rssi_dbm: int | None = None
    firmware: str | None = None
    slots: tuple[tuple[int, bytes], ...] = ()  # revision and digest of each, if it said so


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureReport:
    """A gateway or label could not do what it was told."""

    label_id: LabelId
    rev: int
    code: str
    detail: str
    on_failure: OnFailure


Report = ShownReport | SeenReport | FailureReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The gateway a report came through, its store, its session and the report's number in it."""

    gateway_id: GatewayId
    session: str
    store_id: StoreId
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What a label was once told to show at a revision, and through which gateway."""

    digest: Digest
    gateway_id: GatewayId


class Verdict(StrEnum):
    """What a report was worth."""

    BELIEVED = "believed"  #: it changed what we hold to be shown
    KNOWN = "known"  #: it says what we know; only telemetry is new
    STALE = "stale"  #: true once, but the label has shown something newer since
    UNKNOWN_LABEL = "unknown_label"
    WRONG_STORE = "wrong_store"
    WRONG_GATEWAY = "wrong_gateway"
    NOT_ISSUED = "not_issued"
    OLD_INCARNATION = "old_incarnation"
    CONTRADICTS = "contradicts"  #: the same revision with another picture
    DENIED = "denied"  #: the label takes back what was reported of it
    QUARANTINED = "quarantined"  #: two labels use the id: nobody knows which of them speaks
    IMPLAUSIBLE = "implausible"  #: its memory cannot have been lost so often


ENDED_BY_A_SESSION = frozenset(
    {"unsupported", "capacity_limit", "invalid_opcode", "invalid_parameters"}
)
"""Problems whose cause may be gone when a gateway begins anew: it may have other firmware."""

STAYS_FOR_A_PERSON = frozenset(
    {
        INSUFFICIENT_BATTERY,
        "invalid_image_index",
        "implausible_absolute_time",
        FOREIGN_REVISION,
        DUPLICATE_ID,
    }
)
"""Problems of the label itself: neither a gateway nor a controller that begins anew ends them. All
others are looked at again when the controller starts: it may be another version."""


_REBASED_AT_ONCE = 3
"""So many attempts may end with `base_mismatch` and be followed by a whole picture at once."""

_REFRESH_FAILURES_COUNTED = 100
"""More are not told apart: its glass is broken, or somebody repeats himself without end."""

_INCARNATIONS_AT_ONCE = 1000
"""A known label's incarnation may rise by this at most: one forged report must not outbid all
honest ones to come."""


def judge_shown(
    label: LabelState, report: ShownReport, issued: Issued | None, sender: Sender, now: datetime
) -> tuple[Verdict, LabelState]:
    """Weigh a label's report of a picture; return the verdict and the label's new state."""
    refused = _refuse(label, report.incarnation, sender)
    if refused is None:
        refused = _refuse_issue(label, issued, report.digest, sender)
    if refused is not None:
        return refused, label
    seen = replace(
        label,
        send_full=False,
        battery_mv=_newer(report.battery_mv, label.battery_mv),
        temperature_c=_newer(report.temperature_c, label.temperature_c),
        seen_at=now,
    )
    if report.incarnation > label.incarnation:
        # New memory: what we had concluded or given up of the old one holds no more.
        seen = replace(
            seen,
            settled_rev=min(label.settled_rev, report.rev),
            problem=None,
            problem_detail=None,
        )
    elif report.rev < label.shown_rev:
        return Verdict.STALE, seen
    return Verdict.BELIEVED, showing(
        _said_by(seen, sender), report.rev, report.digest, report.incarnation, now=now
    )


def judge_seen(  # noqa: PLR0911  each case of what a beacon may mean ends here
    label: LabelState,
    report: SeenReport,
    issued: Issued | None,
    sender: Sender,
    now: datetime,
    *,
    patience: timedelta | None = None,
) -> tuple[Verdict, LabelState]:
    """Weigh a beacon. Beacons are the truth about labels whose reports were lost.

    A label that lost its memory, or shows what it should not, becomes due at once. One that is
    behind, and whose answer has been waited for before, lives: it is waited for no longer than
    ``patience``, which is what a first attempt gets.
    """
    refused = _refuse(label, report.incarnation, sender, roams=True)
    if refused is not None:
        return refused, label
    seen = with_a_fresh_battery(_telemetry(label, report, sender, now), label, now)
    shows = (report.shown_rev, report.shown_digest)
    if report.incarnation > label.incarnation:
        # New memory: whatever it shows now is all it knows of. An unissued picture is nothing.
        ours = issued is not None and issued.digest == report.shown_digest
        rev, digest = shows if ours else (0, NOTHING_SHOWN)
        return Verdict.BELIEVED, put_right(
            replace(
                _said_by(seen, sender),
                shown_rev=rev,
                shown_digest=digest,
                incarnation=report.incarnation,
                refresh_failures=0,
                problem=None,  # giving up ends here: somebody may have changed the battery
                problem_detail=None,
            ),
            now,
        )
    if shows == (label.shown_rev, label.shown_digest):
        known = no_longer_foreign(seen, now)
        return Verdict.KNOWN, confirmed(not_left_waiting(known, now, patience))
    if report.shown_rev < label.shown_rev:
        return _judge_denial(label, seen, sender, now)
    if issued is not None and issued.digest == report.shown_digest:
        believed = _said_by(no_longer_foreign(seen, now), sender)
        return Verdict.BELIEVED, showing(
            believed, report.shown_rev, report.shown_digest, report.incarnation, now=now
        )
    if issued is None and report.shown_rev > label.wanted_rev:
        return Verdict.NOT_ISSUED, foreign(seen, report.shown_rev)
    # We no longer know a picture that it shows: or an equal one would be spared, not sent.
    doubted = replace(seen, shown_digest=NOTHING_SHOWN)
    verdict = Verdict.NOT_ISSUED if issued is None else Verdict.CONTRADICTS
    return verdict, put_right(doubted, now, at_once=False)


def _judge_denial(
    label: LabelState, seen: LabelState, sender: Sender, now: datetime
) -> tuple[Verdict, LabelState]:
    """Weigh a beacon of a lower revision than was reported: late, or a denial of that report."""
    if not _was_said_later(label, sender):
        return Verdict.STALE, seen
    # It was reported to show more than it does: a lie, or a refresh that failed after all. The
    # revision stays in our books, or an old report could bring an old price back.
    first = label.shown_digest != NOTHING_SHOWN  # each beacon says so until it is put right
    doubted = replace(
        seen,
        shown_digest=NOTHING_SHOWN,
        refresh_failures=min(seen.refresh_failures + int(first), _REFRESH_FAILURES_COUNTED),
    )
    return Verdict.DENIED, put_right(no_longer_foreign(doubted, now), now, at_once=False)


def judge_failure(
    label: LabelState, report: FailureReport, sender: Sender, now: datetime, *, wait: timedelta
) -> tuple[Verdict, LabelState]:
    """Weigh a failure: only that of the revision under way counts. ``wait`` is the backoff."""
    refused = _refuse(label, label.incarnation, sender)
    if refused is not None:
        return refused, label
    if (
        report.rev != label.wanted_rev  # something newer waits, or a timed show is meant
        or label.sent_rev < report.rev
        or label.settled_rev >= report.rev
        or label.due_at is None
    ):
        return Verdict.STALE, label
    if report.on_failure is OnFailure.GIVE_UP:
        failed = replace(
            label, due_at=None, problem=report.code, problem_detail=report.detail or None
        )
        return Verdict.BELIEVED, failed
    soon = False
    match report.on_failure:
        case OnFailure.RESEND:
            label, soon = replace(label, send_full=True), label.attempts <= 1
        case OnFailure.REBASE:  # a whole picture cannot meet it again, but a liar may say so
            label, soon = replace(label, send_full=True), label.attempts <= _REBASED_AT_ONCE
        case OnFailure.REFRESH:
            failures = min(label.refresh_failures + 1, _REFRESH_FAILURES_COUNTED)
            label = replace(label, refresh_failures=failures)
    return Verdict.BELIEVED, replace(label, due_at=now if soon else now + wait)


def _refuse(
    label: LabelState, incarnation: int, sender: Sender, *, roams: bool = False
) -> Verdict | None:
    if label.store_id != sender.store_id:
        return Verdict.WRONG_STORE
    if label.quarantine:
        return Verdict.QUARANTINED
    if not roams and label.gateway_id not in (None, sender.gateway_id):
        return Verdict.WRONG_GATEWAY
    if incarnation < label.incarnation:
        return Verdict.OLD_INCARNATION
    if label.seen_at is not None and incarnation - label.incarnation > _INCARNATIONS_AT_ONCE:
        return Verdict.IMPLAUSIBLE
    return None


def _refuse_issue(
    label: LabelState, issued: Issued | None, digest: Digest, sender: Sender
) -> Verdict | None:
    if issued is None or issued.digest != digest:
        return Verdict.NOT_ISSUED
    if sender.gateway_id not in (issued.gateway_id, label.gateway_id):
        return Verdict.WRONG_GATEWAY
    return None


def _said_by(label: LabelState, sender: Sender) -> LabelState:
    """Note which of a gateway's words the label's shown revision rests on."""
    return replace(label, shown_session=sender.session, shown_seq=sender.seq)


def _was_said_later(label: LabelState, sender: Sender) -> bool:
    """Say whether a report was made after the one that the shown revision rests on.

    Within a session the gateway's numbers tell. Another session is a later one, for reports of
    an earlier one are echoes and never come here; only the label's own gateway is asked.
    """
    if label.gateway_id != sender.gateway_id:
        return False
    return sender.session != label.shown_session or sender.seq > label.shown_seq


def _newer(told: int | None, known: int | None) -> int | None:
    return known if told is None else told


def _telemetry(label: LabelState, report: SeenReport, sender: Sender, now: datetime) -> LabelState:
    """Note how a label is. How well and when it is heard counts for its own gateway alone."""
    own = label.gateway_id in (None, sender.gateway_id)
    return replace(
        label,
        battery_mv=_newer(report.battery_mv, label.battery_mv),
        temperature_c=_newer(report.temperature_c, label.temperature_c),
        rssi_dbm=_newer(report.rssi_dbm, label.rssi_dbm) if own else label.rssi_dbm,
        firmware=report.firmware or label.firmware,
        seen_at=now if own or label.seen_at is None else label.seen_at,
    )
