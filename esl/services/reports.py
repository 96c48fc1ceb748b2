"""Take in what gateways report: one load, pure judgements, one write for a whole batch."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.ids import GatewayId, LabelId
from esl.domain.label import LabelState, Lane
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
from esl.store import deliveries, labels
from esl.store.deliveries import DisplayEntry, LabelUpdate
from esl.store.revisions import take_revision

_ATTEMPTS_BEFORE_ROAMING = 2
"""A label that its own gateway did not reach so often is taken by another that hears it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One report and who passed it on."""

    sender: Sender
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a batch of reports came to.

    ``answered`` are the labels whose sending is over, well or not; ``changed`` those whose row
    says something new to people; ``due`` whether a label became due at once.
    """

    verdicts: Counter[Verdict]
    answered: tuple[tuple[GatewayId, LabelId], ...]
    changed: tuple[LabelId, ...]
    due: bool


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
        self.answered: list[tuple[GatewayId, LabelId]] = []
        self.contradicted: set[LabelId] = set()
        self.verdicts: Counter[Verdict] = Counter()


def take_in(
    tx: Connection,
    heard: Sequence[Heard],
    now: datetime,
    *,
    online: frozenset[GatewayId],
    backoff: Callable[[int], timedelta],
) -> Taken:
    """Take in a batch of reports, in their order.

    ``online`` are the gateways that live: a label beaconing through one of them while its own
    is away, or while it has none, is reached through that one from now on. ``backoff`` says how
    long to wait after so many attempts.
    """
    label_ids = [h.report.label_id for h in heard]
    found = deliveries.issued_digests(tx, (told for h in heard if (told := _told(h.report))))
    batch = _Batch(
        labels.labels_by_id(tx, label_ids, lock=True),
        {k: Issued(digest=digest, gateway_id=gateway) for k, (digest, gateway) in found.items()},
    )
    for h in heard:
        label = batch.states.get(h.report.label_id)
        if label is None:
            batch.verdicts[Verdict.UNKNOWN_LABEL] += 1
            continue
        _follow(batch, label, h, online)
        verdict, after = _judge(batch, label, h, now, backoff)
        batch.states[label.label_id] = after
        batch.verdicts[verdict] += 1
        if verdict is Verdict.CONTRADICTS:
            batch.contradicted.add(label.label_id)
    return _write(tx, batch, now)


def _judge(
    batch: _Batch,
    label: LabelState,
    heard: Heard,
    now: datetime,
    backoff: Callable[[int], timedelta],
) -> tuple[Verdict, LabelState]:
    sender = heard.sender
    told = _told(heard.report)
    issued = batch.issued.get(told) if told is not None else None
    match heard.report:
        case ShownReport() as report:
            verdict, after = judge_shown(label, report, issued, sender, now)
            if verdict in (Verdict.BELIEVED, Verdict.STALE):
                batch.answered.append((sender.gateway_id, label.label_id))
                _log(batch, sender, report.label_id, report.rev, report, report.painted_at)
        case SeenReport() as report:
            verdict, after = judge_seen(label, report, issued, sender, now)
            if verdict in (Verdict.BELIEVED, Verdict.KNOWN) and after.due_at is None:
                batch.answered.append((sender.gateway_id, label.label_id))
            if verdict is Verdict.BELIEVED and after.shown_rev == report.shown_rev > 0:
                _log(batch, sender, report.label_id, report.shown_rev, report, None)
        case FailureReport() as report:
            wait = backoff(label.attempts)
            verdict, after = judge_failure(label, report, sender, now, wait=wait)
            ended = verdict is Verdict.STALE and report.rev == label.sent_rev
            if verdict is Verdict.BELIEVED or ended:
                batch.answered.append((sender.gateway_id, label.label_id))
    return verdict, after


def _follow(batch: _Batch, label: LabelState, heard: Heard, online: frozenset[GatewayId]) -> None:
    """Reach a label through the gateway that hears it, if its own is none, away or unheard."""
    sender = heard.sender
    if (
        isinstance(heard.report, SeenReport)
        and label.store_id == sender.store_id
        and label.gateway_id != sender.gateway_id
        and (
            label.gateway_id is None
            or label.gateway_id not in online
            or (label.due_at is not None and label.attempts >= _ATTEMPTS_BEFORE_ROAMING)
        )
        and heard.report.incarnation >= label.incarnation
    ):
        batch.routes[label.label_id] = sender.gateway_id


def _log(
    batch: _Batch,
    sender: Sender,
    label_id: LabelId,
    rev: int,
    report: ShownReport | SeenReport,
    painted_at: datetime | None,
) -> None:
    digest = report.digest if isinstance(report, ShownReport) else report.shown_digest
    batch.entries.append(
        DisplayEntry(
            label_id=label_id,
            rev=rev,
            digest=digest,
            incarnation=report.incarnation,
            gateway_id=sender.gateway_id,
            session=sender.session,
            painted_at=painted_at,
        )
    )


def _write(tx: Connection, batch: _Batch, now: datetime) -> Taken:
    touched = [
        state for label_id, state in batch.states.items() if state is not batch.before[label_id]
    ]
    deliveries.update_labels(tx, [_update(state) for state in touched])
    deliveries.log_displays(tx, batch.entries, now)
    labels.route_labels(tx, sorted(batch.routes.items()), now)
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
        changed=changed + tuple(batch.routes),
        due=bool(batch.routes or batch.contradicted)
        or any(state.due_at is not None and state.due_at <= now for state in touched),
    )


def _for_people(state: LabelState) -> tuple[object, ...]:
    return (state.shown_rev, state.shown_digest, state.settled_rev, state.problem, state.due_at)


def _update(state: LabelState) -> LabelUpdate:
    return LabelUpdate(
        label_id=state.label_id,
        shown_rev=state.shown_rev,
        shown_digest=state.shown_digest,
        incarnation=state.incarnation,
        shown_session=state.shown_session,
        shown_seq=state.shown_seq,
        settled_rev=state.settled_rev,
        attempts=state.attempts,
        due_at=state.due_at,
        lane=int(state.lane),
        problem=state.problem,
        problem_detail=state.problem_detail,
        battery_mv=state.battery_mv,
        temperature_c=state.temperature_c,
        rssi_dbm=state.rssi_dbm,
        firmware=state.firmware,
        seen_at=state.seen_at,
    )


def _told(report: Report) -> tuple[LabelId, int] | None:
    match report:
        case ShownReport():
            return report.label_id, report.rev
        case SeenReport() if report.shown_rev > 0:
            return report.label_id, report.shown_rev
        case _:
            return None
