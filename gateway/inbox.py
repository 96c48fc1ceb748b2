"""Believe what gateways report, as far as it can be true. One synchronous step at a time.

payloads ─▶ decode each ─▶ whose session? ─▶ reports ─▶ one transaction for the batch
             │ bad: counted and dropped, the loop lives
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection

from esl.domain.clock import EffectiveClock
from esl.domain.ids import Digest, GatewayId, LabelId, PanelId
from esl.domain.report import (
    FailureReport,
    OnFailure,
    Report,
    SeenReport,
    Sender,
    ShownReport,
)
from esl.domain.stages import NO_STAGES, Stage, Stages
from esl.services.reports import Heard, Taken, take_in
from esl.store import labels, places
from esl.store.write_group import Priority, Writes
from gateway.link import milliseconds
from gateway.mqtt import MqttMessage
from gateway.pacing import Backoff
from gateway.roster import Roster, Standing
from gateway.wire.codec import decode_events, decode_state
from gateway.wire.errors import WireError
from gateway.wire.failures import Policy, policy_of
from gateway.wire.messages import (
    FEATURE_PAYLOAD_BYTES,
    AnyEvent,
    Failed,
    Heartbeat,
    Hello,
    Seen,
    Shown,
)
from gateway.wire.topics import Kind, parse_topic

log = structlog.get_logger()

_ON_FAILURE = {
    Policy.RETRY: OnFailure.RETRY,
    Policy.RESEND_FULL: OnFailure.RESEND,
    Policy.GIVE_UP: OnFailure.GIVE_UP,
    Policy.SETTLED_BY_REPORT: OnFailure.ASK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a batch of messages came to.

    ``ask`` are gateways whose labels' word we want now; ``due`` says that labels became due.
    """

    changed: tuple[LabelId, ...] = ()
    gateways_changed: bool = False
    ask: tuple[GatewayId, ...] = ()
    due: bool = False


@dataclass(slots=True)
class _Gathered:
    """What the messages of a batch say, before it is written."""

    heard: list[Heard] = field(default_factory=list)
    said_hello: dict[GatewayId, Hello | Heartbeat | None] = field(default_factory=dict)
    began: set[GatewayId] = field(default_factory=set)
    left: set[GatewayId] = field(default_factory=set)
    ask: set[GatewayId] = field(default_factory=set)


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
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self._writer = writer
        self._roster = roster
        self._clock = clock
        self._backoff = backoff
        self._stages = stages
        self._unwritten = _Gathered()  # what the roster has learned and the database has not

    def step(self, messages: Sequence[MqttMessage]) -> Step:
        """Take in a batch of messages; whatever they hold, this does not fail because of it.

        Raises:
            Unavailable: The database did not answer; nothing of the batch was taken.
        """
        began_ns = self._stages.cpu_ns()
        gathered = _Gathered(ask=set(self._unwritten.ask))
        for gateway_id in sorted(self._unwritten.began):
            self._begin(gateway_id, gathered)
        for message in messages:
            try:
                self._read(message, gathered)
            except WireError as exc:
                self._drop(type(exc).__name__)
        now = self._clock.now()
        if not (gathered.heard or gathered.said_hello or gathered.began or gathered.left):
            return Step(ask=tuple(sorted(gathered.ask)))
        online = self._roster.online()
        self._unwritten = gathered
        taken, due = self._writer.write(
            lambda tx: self._store(tx, gathered, now, online), priority=Priority.REPORT
        )
        self._unwritten = _Gathered()
        self._roster.note_answered(taken.answered)
        self.dropped.update({k.value: n for k, n in taken.verdicts.items() if not _is_fine(k)})
        self._measure(began_ns, 0)
        for gateway_id in sorted(gathered.began):
            log.info("gateway is on the line", gateway=gateway_id)
        for gateway_id in sorted(gathered.left):
            log.warning("gateway went off the line", gateway=gateway_id)
        return Step(
            changed=taken.changed,
            gateways_changed=bool(gathered.began or gathered.left),
            ask=tuple(sorted(gathered.ask)),
            due=taken.due or due,
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
        self, gateway_id: GatewayId, events: Iterable[AnyEvent], gathered: _Gathered
    ) -> None:
        now_s, now_ms = self._clock.monotonic_s(), milliseconds(self._clock.now())
        store_id = self._roster.store_of(gateway_id)
        for event in events:
            standing, gap = self._roster.hear_event(gateway_id, event, now_s=now_s, now_ms=now_ms)
            if standing is Standing.ECHO:
                self._drop("echo")
                continue
            if standing is Standing.NEW:
                self._begin(gateway_id, gathered)
            if gap:
                gathered.ask.add(gateway_id)
            if isinstance(event, Hello | Heartbeat):
                gathered.said_hello[gateway_id] = event
            elif (report := _report(event)) is not None and store_id is not None:
                sender = Sender(
                    gateway_id=gateway_id,
                    session=event.session,
                    store_id=store_id,
                    seq=event.seq,
                )
                gathered.heard.append(Heard(sender=sender, report=report))

    def _begin(self, gateway_id: GatewayId, gathered: _Gathered) -> None:
        gathered.began.add(gateway_id)
        gathered.left.discard(gateway_id)
        gathered.ask.add(gateway_id)
        gathered.said_hello.setdefault(gateway_id, None)

    def _store(
        self, tx: Connection, gathered: _Gathered, now: datetime, online: frozenset[GatewayId]
    ) -> tuple[Taken, bool]:
        began_ns = self._stages.cpu_ns()
        due = False
        for gateway_id, hello in gathered.said_hello.items():
            session, _ = self._roster.session_of(gateway_id)
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
            )
        for gateway_id in sorted(gathered.left):
            places.note_gateway_offline(tx, gateway_id)
        for gateway_id in sorted(gathered.began):
            # What was under way to it is lost or will be answered: look at all of it again.
            labels.make_due(tx, gateway_id, now)
            due = True
        taken = take_in(tx, gathered.heard, now, online=online, backoff=self._backoff.pause)
        self._measure(began_ns, len(gathered.heard))
        return taken, due

    def _measure(self, began_ns: int, labels: int) -> None:
        self._stages.add(Stage.INBOX, self._stages.cpu_ns() - began_ns, labels)

    def _drop(self, reason: str) -> None:
        self.dropped[reason] += 1
        log.debug("dropped", reason=reason)


def _is_fine(verdict: object) -> bool:
    return verdict in ("believed", "known", "stale")


def _report(event: AnyEvent) -> Report | None:
    """Translate an event that speaks of a label; None for the others."""
    match event:
        case Shown():
            return ShownReport(
                label_id=LabelId(event.label),
                rev=event.rev,
                digest=Digest(event.digest.hex()),
                incarnation=event.incarnation,
                painted_at=_instant(event.at),
                battery_mv=event.battery_mv,
                temperature_c=event.temperature_c,
            )
        case Seen():
            return SeenReport(
                label_id=LabelId(event.label),
                panel_id=PanelId(event.panel),
                shown_rev=event.shown_rev,
                shown_digest=Digest(event.shown_digest.hex()),
                incarnation=event.incarnation,
                battery_mv=event.battery_mv,
                temperature_c=event.temperature_c,
                rssi_dbm=event.rssi_dbm,
                firmware=event.firmware,
            )
        case Failed(label=str() as label, rev=int() as rev):
            return FailureReport(
                label_id=LabelId(label),
                rev=rev,
                code=event.code,
                detail=event.detail,
                on_failure=_ON_FAILURE[policy_of(event.code)],
            )
        case _:
            return None


def _instant(milliseconds_since_1970: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds_since_1970 / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
