"""Weigh reports one by one: load their labels, judge by `esl.domain.report`, write it down."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from esl.domain.conclusions import quarantined, released
from esl.domain.ids import Digest, GatewayId, LabelId
from esl.domain.label import LabelState, Lane
from esl.domain.panel import Panels
from esl.domain.report import (
    FailureReport,
    Issued,
    Report,
    SeenReport,
    Sender,
    ShownReport,
    Verdict,
    judge_failure,
    judge_seen,
    judge_shown,
)
from esl.services.adoption import adopt_labels
from esl.services.roaming import Hearing
from esl.services.telemetry import Telemetry
from esl.store import gateway_labels, labels, places, shown
from esl.store.revisions import take_revision
from esl.store.shown import DisplayEntry
from esl.store.telemetry import Vitals

_HEARD_WITHIN = timedelta(seconds=95)
"""A gateway that another worker holds lives if it was heard within three heartbeats."""

_UNHEARD = "unknown_label"
"""Failure code of a gateway that does not hear the label."""

_UNANSWERED = "label_timeout"
"""Failure code of a gateway whose label did not answer: asleep, or carried away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What reports are weighed by, besides the rows of their labels.

    ``online`` are the gateways that live; ``backoff`` says how long to wait after so many
    attempts, and ``patience`` how long a label that lives may take; ``hearing`` is what was
    heard before; ``panels`` are the models of labels that may be adopted.
    """

    online: frozenset[GatewayId]
    backoff: Callable[[int], timedelta]
    hearing: Hearing
    patience: timedelta | None = None
    panels: Panels | None = None


class Heard(NamedTuple):
    """One report and who passed it on."""

    sender: Sender
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a batch of reports came to.

    ``answered`` are the labels whose sending is over, well or not; ``changed`` those whose row
    says something new to people; ``due`` whether a label became due at once; ``adopted`` are
    labels that were unknown and have a row now.
    """

    verdicts: Counter[Verdict]
    answered: tuple[tuple[GatewayId, LabelId], ...]
    changed: tuple[LabelId, ...]
    due: bool
    adopted: tuple[LabelId, ...] = ()

    def and_then(self, other: "Taken") -> "Taken":
        """Put what came of another part of the batch behind this one."""
        return Taken(
            verdicts=self.verdicts + other.verdicts,
            answered=self.answered + other.answered,
            changed=self.changed + other.changed,
            due=self.due or other.due,
            adopted=self.adopted + other.adopted,
        )


def vitals_of(report: Report, now: datetime) -> Iterator[Vitals]:
    """Give what a report says of the label's health, if it does."""
    if isinstance(report, FailureReport):
        return
    beacon = report if isinstance(report, SeenReport) else None
    yield Vitals(
        label_id=report.label_id,
        seen_at=now,
        battery_mv=report.battery_mv,
        temperature_c=report.temperature_c,
        rssi_dbm=beacon.rssi_dbm if beacon is not None else None,
        firmware=(beacon.firmware or None) if beacon is not None else None,
        slots=(beacon.slots or None) if beacon is not None else None,
    )


def display_entry(
    sender: Sender, report: ShownReport | SeenReport, rev: int, digest: Digest
) -> DisplayEntry:
    """Make the line of the display log that a believed report gives."""
    return DisplayEntry(
        label_id=report.label_id,
        rev=rev,
        digest=digest,
        incarnation=report.incarnation,
        gateway_id=sender.gateway_id,
        session=sender.session,
        painted_at=report.painted_at if isinstance(report, ShownReport) else None,
    )


class _Batch:
    """Label states as reports change them, and what the display log gets."""

    def __init__(
        self, states: dict[LabelId, LabelState], issued: Mapping[tuple[LabelId, int], Issued]
    ) -> None:
        self.states = states
        self.issued = issued
        self.before = dict(states)
        self.routes: dict[LabelId, GatewayId] = {}
        self.entries: list[DisplayEntry] = []
        self.earlier: list[DisplayEntry] = []  # of pictures older than what is shown
        self.answered: list[tuple[GatewayId, LabelId]] = []
        self.contradicted: set[LabelId] = set()
        self.unknown: list[tuple[Sender, SeenReport]] = []
        self.verdicts: Counter[Verdict] = Counter()


def weigh_all(
    tx: Connection,
    heard: Sequence[Heard],
    now: datetime,
    by: Circumstances,
    telemetry: Telemetry,
) -> Taken:
    """Take in the reports that need more than a statement: each is judged by itself."""
    label_ids = [h.report.label_id for h in heard]
    found = shown.issued_digests(tx, (told for h in heard if (told := _told(h.report))))
    batch = _Batch(
        labels.labels_by_id(tx, label_ids, lock=True),
        {k: Issued(digest=digest, gateway_id=gateway) for k, (digest, gateway) in found.items()},
    )
    by = replace(by, online=by.online | _online_elsewhere(tx, batch, by, now))
    for h in heard:
        label = batch.states.get(h.report.label_id)
        if label is None:
            batch.verdicts[Verdict.UNKNOWN_LABEL] += 1
            if isinstance(h.report, SeenReport):
                batch.unknown.append((h.sender, h.report))
            continue
        if isinstance(h.report, SeenReport):
            label = _listen(batch, label, h.sender, h.report, now, by)
        elif isinstance(h.report, FailureReport) and h.report.code == _UNHEARD:
            by.hearing.note_unheard(label.label_id, h.sender.gateway_id)
        elif isinstance(h.report, FailureReport) and h.report.code == _UNANSWERED:
            by.hearing.note_unanswered(label.label_id, h.sender.gateway_id)
        verdict, after = _judge(batch, label, h, now, by)
        own = label.gateway_id in (None, h.sender.gateway_id)
        is_of_health = isinstance(h.report, SeenReport) or verdict is Verdict.STALE
        if after is not label and own and is_of_health:
            telemetry.note(vitals_of(h.report, now))
        batch.states[label.label_id] = after
        batch.verdicts[verdict] += 1
        if verdict is Verdict.CONTRADICTS:
            batch.contradicted.add(label.label_id)
    adopted = adopt_labels(tx, batch.unknown, now, panels=by.panels) if batch.unknown else ()
    return _write(tx, batch, now, adopted)


def _online_elsewhere(
    tx: Connection, batch: _Batch, by: Circumstances, now: datetime
) -> frozenset[GatewayId]:
    """Say which of the labels' gateways live, though this process does not hear them.

    Another worker may hold them; to it, too, they are away once it writes so.
    """
    asked = {state.gateway_id for state in batch.states.values()} - by.online
    asked.discard(None)
    if not asked:
        return frozenset()
    return places.live_gateways(tx, (g for g in asked if g is not None), now - _HEARD_WITHIN)


def _judge(
    batch: _Batch,
    label: LabelState,
    heard: Heard,
    now: datetime,
    by: Circumstances,
) -> tuple[Verdict, LabelState]:
    sender = heard.sender
    told = _told(heard.report)
    issued = batch.issued.get(told) if told is not None else None
    match heard.report:
        case ShownReport() as report:
            verdict, after = judge_shown(label, report, issued, sender, now)
            if verdict in (Verdict.BELIEVED, Verdict.STALE):
                batch.answered.append((sender.gateway_id, label.label_id))
                entry = display_entry(sender, report, report.rev, report.digest)
                if verdict is Verdict.STALE:
                    batch.earlier.append(entry)
                elif _display(after) != _display(label):
                    batch.entries.append(entry)
        case SeenReport() as report:
            verdict, after = judge_seen(label, report, issued, sender, now, patience=by.patience)
            if verdict in (Verdict.BELIEVED, Verdict.KNOWN) and after.due_at is None:
                batch.answered.append((sender.gateway_id, label.label_id))
            is_new = after.shown_rev == report.shown_rev > 0 and _display(after) != _display(label)
            if verdict is Verdict.BELIEVED and is_new:
                entry = display_entry(sender, report, report.shown_rev, report.shown_digest)
                batch.entries.append(entry)
        case FailureReport() as report:
            wait = by.backoff(label.attempts)
            verdict, after = judge_failure(label, report, sender, now, wait=wait)
            ended = verdict is Verdict.STALE and report.rev == label.sent_rev
            if verdict is Verdict.BELIEVED or ended:
                batch.answered.append((sender.gateway_id, label.label_id))
    return verdict, after


def _listen(
    batch: _Batch,
    label: LabelState,
    sender: Sender,
    report: SeenReport,
    now: datetime,
    by: Circumstances,
) -> LabelState:
    """Draw from a beacon what it says besides the picture; return the label's state after that.

    Whether another gateway reaches the label better, and whether two labels use its id.
    """
    if not by.hearing.hear(sender, report, now):
        return label
    why = by.hearing.contradicts(label, sender, report, now)
    if was_held := label.quarantine > 0:
        single = why is None and by.hearing.is_single_again(label, now)
        if single:
            label = released(label, now)
        else:
            label = replace(label, quarantine=1 + by.hearing.quiet_min(label, now))
    if by.hearing.moves(label, sender, report, now, online=by.online):
        batch.routes[label.label_id] = sender.gateway_id
    if was_held:
        return label
    if by.hearing.was_misled(label, report):
        return replace(label, incarnation=max(0, report.incarnation - 1))
    return quarantined(label, why) if why is not None else label


def _write(tx: Connection, batch: _Batch, now: datetime, adopted: tuple[LabelId, ...]) -> Taken:
    touched = [
        state
        for label_id, state in batch.states.items()
        if state is not (before := batch.before[label_id]) and _essence(state) != _essence(before)
    ]
    shown.update_labels(tx, touched)
    shown.log_displays(tx, batch.entries, now)
    if batch.earlier:
        shown.log_earlier_displays(tx, batch.earlier, now)
    gateway_labels.route_labels(tx, sorted(batch.routes.items()), now)
    if batch.contradicted:
        # The glass holds another picture under our revision: only a newer one may replace it.
        labels.want(tx, batch.contradicted, take_revision(tx), now, lane=Lane.CORRECTION)
    changed = tuple(
        state.label_id
        for state in touched
        if _for_people(state) != _for_people(batch.before[state.label_id])
    )
    return Taken(
        verdicts=batch.verdicts,
        answered=tuple(batch.answered),
        changed=changed + tuple(batch.routes) + adopted,
        adopted=adopted,
        due=bool(batch.routes or batch.contradicted)
        or any(state.due_at is not None and state.due_at <= now for state in touched),
    )


def _essence(state: LabelState) -> LabelState:
    """The state without what may be written later; that a label was never seen is no such thing."""
    return replace(
        state,
        battery_mv=None,
        temperature_c=None,
        rssi_dbm=None,
        firmware=None,
        seen_at=None if state.seen_at is None else datetime.min,  # noqa: DTZ901  compared only
    )


def _display(state: LabelState) -> tuple[object, ...]:
    """What a line of the display log says; told again, it is none."""
    return (state.shown_rev, state.shown_digest, state.incarnation)


def _for_people(state: LabelState) -> tuple[object, ...]:
    return (state.shown_rev, state.shown_digest, state.settled_rev, state.problem, state.due_at)


def _told(report: Report) -> tuple[LabelId, int] | None:
    match report:
        case ShownReport():
            return report.label_id, report.rev
        case SeenReport() if report.shown_rev > 0:
            return report.label_id, report.shown_rev
        case _:
            return None
