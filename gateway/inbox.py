"""Believe what gateways report, as far as it can be true. One synchronous step at a time.

payloads ─▶ decode each ─▶ whose session? ─▶ reports ─▶ one transaction for the batch
             │ bad: counted and dropped, the loop lives
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection

from esl.domain.clock import EffectiveClock
from esl.domain.errors import Unavailable
from esl.domain.ids import GatewayId, LabelId
from esl.domain.panel import Panels
from esl.domain.report import ENDED_BY_A_SESSION, STAYS_FOR_A_PERSON, Report, Sender
from esl.domain.stages import NO_STAGES, Stage, Stages
from esl.domain.touch import Touch
from esl.services.reports import Heard, Taken, take_in
from esl.services.roaming import Hearing
from esl.services.telemetry import Telemetry
from esl.services.touches import take_touches
from esl.store import gateway_labels, places, traces
from esl.store.write_group import Priority, Writes
from gateway.aside import Aside, Told
from gateway.link import milliseconds
from gateway.mqtt import MqttMessage
from gateway.orders import OrderBook
from gateway.pacing import Backoff
from gateway.reported import failure_reports, seen_report, shown_report, touch
from gateway.roster import Roster, Standing
from gateway.tracing import trace_shown
from gateway.wire.codec import decode_events, decode_state
from gateway.wire.errors import WireError
from gateway.wire.failures import FailureCode
from gateway.wire.messages import (
    FEATURE_PAYLOAD_BYTES,
    AnyEvent,
    Failed,
    Heartbeat,
    Hello,
    Pressed,
    Seen,
    Shown,
    Tapped,
)
from gateway.wire.topics import Kind, parse_topic

log = structlog.get_logger()

CLOCK_TRUSTED_WITHIN_MS = 5 * 60_000
"""A gateway whose clock differs from ours by more cannot be given instants to act at (reliability
3.10): it is sent what holds now when it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a batch of messages came to.

    ``ask`` are gateways whose labels' word we want now; ``due`` says that labels became due;
    ``touched`` is what people did to labels.
    """

    changed: tuple[LabelId, ...] = ()
    gateways_changed: bool = False
    ask: tuple[GatewayId, ...] = ()
    due: bool = False
    touched: tuple[Touch, ...] = ()


Failure = tuple[GatewayId, int, LabelId]
"""A command, by its id, that came to nothing for a label."""


@dataclass(slots=True)
class _Gathered:
    """What the messages of a batch say, before it is written."""

    heard: list[Heard] = field(default_factory=list)
    said_hello: dict[GatewayId, Hello | Heartbeat | None] = field(default_factory=dict)
    began: set[GatewayId] = field(default_factory=set)
    left: set[GatewayId] = field(default_factory=set)
    ask: set[GatewayId] = field(default_factory=set)
    failed: set[Failure] = field(default_factory=set)
    touches: list[Touch] = field(default_factory=list)
    aside: list[Told] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Say whether there is anything to write, or to look up."""
        reported = self.heard or self.touches or self.aside
        return bool(reported or self.said_hello or self.began or self.left)


class Inbox:
    """The controller's listening half; `step` is called by one thread at a time.

    ``dropped`` counts by reason what was not believed, for the health page and tests.
    """

    def __init__(
        self,
        *,
        writer: Writes,
        roster: Roster,
        clock: EffectiveClock,
        backoff: Backoff,
        stages: Stages = NO_STAGES,
        panels: Panels | None = None,
        aside: Aside | None = None,
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self._writer = writer
        self._roster = roster
        self._clock = clock
        self._backoff = backoff
        self._stages = stages
        self._panels = panels
        self._aside = aside or Aside(OrderBook())
        self._hearing = Hearing()
        self._telemetry = Telemetry()
        self._unwritten = _Gathered()  # what the roster has learned and the database has not

    def step(self, messages: Sequence[MqttMessage]) -> Step:
        """Take in a batch of messages; whatever they hold, this does not fail because of it.

        If the batch cannot be taken in one transaction, each message gets its own, and only what
        fails again is dropped.

        Raises:
            Unavailable: The database did not answer; the whole batch may be taken once more.
        """
        try:
            return self._take(messages)
        except Unavailable:
            raise
        except Exception:
            log.exception("a batch of reports failed", messages=len(messages))
        steps = [self._take_alone(())]  # what the roster has learned belongs to no message
        for message in messages:
            steps += [self._take_alone([message]), self._take_alone(())]
        return _together(steps)

    def _take_alone(self, messages: Sequence[MqttMessage]) -> Step:
        """Take in a message by itself; one that cannot be taken is counted and left out."""
        try:
            return self._take(messages)
        except Unavailable:
            raise
        except Exception:
            self._drop("failed")
            log.exception("a message was dropped", topics=[m.topic[:100] for m in messages])
            if not messages:
                self._unwritten = _Gathered()
            return Step()

    def _take(self, messages: Sequence[MqttMessage]) -> Step:
        began_ns = self._stages.cpu_ns()
        gathered = _Gathered(ask=set(self._unwritten.ask))
        for gateway_id in sorted(self._unwritten.began):
            self._begin(gateway_id, gathered)
        for message in messages:
            try:
                self._read(message, gathered)
            except WireError as exc:
                self._drop(type(exc).__name__)
            except Exception:  # what it said before that stays
                self._drop("failed")
                log.exception("a message could not be read", topic=message.topic[:100])
        now = self._clock.now()
        if not gathered:
            return Step(ask=tuple(sorted(gathered.ask)))
        online = self._roster.online()
        self._unwritten = gathered
        taken, due, touched = self._writer.write(
            lambda tx: self._store(tx, gathered, now, online), priority=Priority.REPORT
        )
        self._unwritten = _Gathered()
        if traces.is_on():
            trace_shown(gathered.heard, taken.changed)
        self._roster.note_acted_on(gathered.began)
        self._roster.note_answered(taken.answered)
        self._roster.note_failed(gathered.failed)
        self.dropped.update({k.value: n for k, n in taken.verdicts.items() if not _is_fine(k)})
        self._measure(began_ns, 0)
        for gateway_id in sorted(gathered.began):
            log.info("gateway is on the line", gateway=gateway_id)
        for label_id in taken.adopted:
            log.info("label was adopted", label=label_id)
        for gateway_id in sorted(gathered.left):
            log.warning("gateway went off the line", gateway=gateway_id)
        return Step(
            changed=taken.changed,
            gateways_changed=bool(gathered.began or gathered.left),
            ask=tuple(sorted(gathered.ask)),
            due=taken.due or due,
            touched=touched,
        )

    def _read(self, message: MqttMessage, gathered: _Gathered) -> None:
        topic_gateway, kind = parse_topic(message.topic)
        gateway_id = GatewayId(topic_gateway)
        if self._roster.store_of(gateway_id) is None:
            self._drop("unknown_gateway")
            return
        if kind is Kind.STATE:
            self._read_state(gateway_id, message.payload, gathered)
        elif kind is Kind.UP:
            decoded = decode_events(message.payload)
            for rejected in decoded.rejected:
                self._drop("bad_event" if rejected.known else "unsupported_event")
            self._read_events(gateway_id, decoded.messages, gathered)

    def _read_state(self, gateway_id: GatewayId, payload: bytes, gathered: _Gathered) -> None:
        if not payload:
            return  # the retained message was removed
        state = decode_state(payload)
        standing = self._roster.hear_state(gateway_id, state, now_s=self._clock.monotonic_s())
        if standing is Standing.ECHO:
            self._drop("echo")
        elif not state.online:
            gathered.left.add(gateway_id)
            gathered.began.discard(gateway_id)
        elif standing is Standing.NEW:
            self._begin(gateway_id, gathered)

    def _read_events(
        self, gateway_id: GatewayId, events: Sequence[AnyEvent], gathered: _Gathered
    ) -> None:
        store_id = self._roster.store_of(gateway_id)
        if store_id is None:
            return
        standings = self._roster.hear_events(
            gateway_id,
            events,
            now_s=self._clock.monotonic_s(),
            now_ms=milliseconds(self._clock.now()),
        )
        for event, (standing, gap) in zip(events, standings, strict=True):
            if standing is Standing.ECHO:
                self._drop("echo")
                continue
            if standing is Standing.NEW:
                self._begin(gateway_id, gathered)
            if gap:
                gathered.ask.add(gateway_id)
            if not isinstance(event, Shown) and self._aside.takes(gateway_id, event):
                gathered.aside.append((gateway_id, store_id, event))
            reports: Sequence[Report] = ()
            match event:
                case Shown():  # by far the most: what it costs, each label costs
                    reports = (shown_report(event),)
                case Seen():
                    reports = (seen_report(event),)
                case Hello() | Heartbeat():
                    gathered.said_hello[gateway_id] = event
                case Failed():
                    reports = self._read_failure(gateway_id, event, gathered)
                case Pressed() | Tapped():
                    gathered.touches.append(touch(event, gateway_id, store_id))
            for report in reports:
                sender = Sender(
                    gateway_id=gateway_id,
                    session=event.session,
                    store_id=store_id,
                    seq=event.seq,
                )
                gathered.heard.append(Heard(sender=sender, report=report))

    def _read_failure(
        self, gateway_id: GatewayId, event: Failed, gathered: _Gathered
    ) -> Sequence[Report]:
        reports = failure_reports(event, self._roster.told_by(gateway_id, event.id))
        if event.code == FailureCode.QUEUE_FULL:
            refused = reports[0].label_id if reports else None
            self._roster.note_queue_full(gateway_id, refused)
        if not reports:
            self._drop("failure_of_nothing_known")
        fresh: list[Report] = []
        for report in reports:
            failure = gateway_id, event.id, report.label_id
            if failure in gathered.failed or self._roster.has_failed(*failure):
                self._drop("failure_told_before")
                continue
            gathered.failed.add(failure)
            fresh.append(report)
        return fresh

    def _begin(self, gateway_id: GatewayId, gathered: _Gathered) -> None:
        gathered.began.add(gateway_id)
        gathered.left.discard(gateway_id)
        gathered.ask.add(gateway_id)
        gathered.said_hello.setdefault(gateway_id, None)

    def _store(
        self, tx: Connection, gathered: _Gathered, now: datetime, online: frozenset[GatewayId]
    ) -> tuple[Taken, bool, tuple[Touch, ...]]:
        began_ns = self._stages.cpu_ns()
        due = False
        for gateway_id, hello in gathered.said_hello.items():
            session, ahead_ms = self._roster.session_of(gateway_id)
            places.note_gateway_heard(
                tx,
                gateway_id,
                now,
                session=session,
                level=hello.level if hello else None,
                firmware=hello.firmware if hello else None,
                capacity=hello.capacity if hello else None,
                payload_bytes=hello.features.get(FEATURE_PAYLOAD_BYTES) if hello else None,
                features=json.dumps(hello.features, sort_keys=True) if hello else None,
                clock_trusted=abs(ahead_ms) <= CLOCK_TRUSTED_WITHIN_MS if hello else None,
            )
        for gateway_id in sorted(gathered.left):
            places.note_gateway_offline(tx, gateway_id)
        for gateway_id in sorted(gathered.began):
            due |= self._take_up(tx, gateway_id, now)
        taken = take_in(
            tx,
            gathered.heard,
            now,
            online=online,
            backoff=self._backoff.pause,
            telemetry=self._telemetry,
            hearing=self._hearing,
            patience=self._backoff.patience,
            panels=self._panels,
        )
        over = self._aside.write(tx, gathered.aside, now)
        taken = replace(taken, answered=taken.answered + over)
        touched = take_touches(tx, gathered.touches, now)
        self._measure(began_ns, len(gathered.heard))
        return taken, due, touched

    def _take_up(self, tx: Connection, gateway_id: GatewayId, now: datetime) -> bool:
        """Look again at what a gateway's new session, or our own beginning, may have changed.

        What was sent in the old session and not answered is lost, or will be answered now. A
        gateway that begins again and again gets what is due when it is due, and no sooner.
        """
        if self._roster.is_new_here(gateway_id):
            gateway_labels.make_due(tx, gateway_id, now, also_claimed=True)
            gateway_labels.take_up(tx, gateway_id, now, all_but=STAYS_FOR_A_PERSON)
            return True
        if self._roster.flaps(gateway_id):
            return False
        gateway_labels.make_due(tx, gateway_id, now)
        gateway_labels.take_up(tx, gateway_id, now, given_up_for=ENDED_BY_A_SESSION)
        return True

    def _measure(self, began_ns: int, labels: int) -> None:
        self._stages.add(Stage.INBOX, self._stages.cpu_ns() - began_ns, labels)

    def _drop(self, reason: str) -> None:
        self.dropped[reason] += 1
        log.debug("dropped", reason=reason)


def _together(steps: Sequence[Step]) -> Step:
    return Step(
        changed=tuple(label for step in steps for label in step.changed),
        gateways_changed=any(step.gateways_changed for step in steps),
        ask=tuple(sorted({gateway for step in steps for gateway in step.ask})),
        due=any(step.due for step in steps),
        touched=tuple(touch for step in steps for touch in step.touched),
    )


def _is_fine(verdict: object) -> bool:
    return verdict in ("believed", "known", "stale")
