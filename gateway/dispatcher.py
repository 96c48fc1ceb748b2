"""Send every label what it should show: claim, load, render, write down, publish.

One synchronous step at a time:
    claim due labels of gateways with room        one transaction
    load the truth for all of them                one read, none per label
    choose the template and render                unchanged and nothing unanswered: settle
    compare its codes with what was meant         a frame that fails is not sent
    write down what is about to be sent           one transaction
    hand the signed payloads to whoever publishes

Level-triggered: the truth is read at the moment it is sent, so ten changes in a second cost one
transmission, and a lost message costs patience and not correctness.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from esl.domain.clock import EffectiveClock
from esl.domain.errors import EslError, RenderRefused
from esl.domain.ids import Digest, GatewayId, LabelId, PanelId
from esl.domain.label import may_skip_sending
from esl.domain.panel import Panels
from esl.services import deliveries
from esl.services.deliveries import DueLabel, Plan, Sending
from esl.store.database import Database
from esl.store.writer import Priority, Writer
from gateway.link import COMMANDS_MOST, Outgoing, command_id, milliseconds, seal_commands
from gateway.pacing import Backoff
from gateway.painter import Painter
from gateway.pictures import deflate
from gateway.roster import Roster
from gateway.wire.codec import digest_bytes
from gateway.wire.messages import ZLIB, Put, Report
from gateway.wire.signing import SigningKey
from renderer.frame import Frame

BATCH_MOST = 500
"""Labels a step takes at once: the sweet spot of the database, and a third of a second."""

PAYLOAD_ROOM_BYTES = 48 * 1024
"""Pictures put into one payload, of the 64 KiB agreed; the rest is for their envelopes."""

_ENVELOPE_BYTES = 256  # generous: a put's other fields take about 180
_DEADLINE_AFTER = timedelta(hours=1)
_SLOT_SHOWN_AT_ONCE = 0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step did: payloads to publish, labels whose state people see changed."""

    looked_at: int = 0
    outgoing: tuple[Outgoing, ...] = ()
    changed: tuple[LabelId, ...] = ()


@dataclass(slots=True)
class _Draft:
    """A plan in the making."""

    sendings: list[Sending] = field(default_factory=list)
    renewed: list[LabelId] = field(default_factory=list)
    pictures: dict[Digest, tuple[PanelId, bytes]] = field(default_factory=dict)
    unchanged: list[tuple[LabelId, int, Digest]] = field(default_factory=list)
    refused: list[tuple[LabelId, int, str, str]] = field(default_factory=list)


class Dispatcher:
    """The controller's sending half; `step` is called by one thread at a time."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        roster: Roster,
        painter: Painter,
        panels: Panels,
        key: SigningKey,
        clock: EffectiveClock,
        backoff: Backoff,
    ) -> None:
        self._database = database
        self._writer = writer
        self._roster = roster
        self._painter = painter
        self._panels = panels
        self._key = key
        self._clock = clock
        self._backoff = backoff

    def step(self) -> Step:
        """Look at up to `BATCH_MOST` due labels.

        Raises:
            Unavailable: The database did not answer; nothing was sent.
        """
        room = self._roster.room(self._clock.monotonic_s())
        if not room:
            return Step()
        now = self._clock.now()
        patience = timedelta(seconds=self._backoff.base_s)
        claimed = self._writer.write(
            lambda tx: deliveries.claim(tx, room, now, most=BATCH_MOST, patience=patience),
            priority=Priority.DISPATCH,
        )
        if not claimed:
            return Step()
        with self._database.read() as tx:
            due = deliveries.load(tx, claimed)
            sources = deliveries.load_templates(tx, self._painter.unknown(due))
        self._painter.learn(sources)
        draft = self._draft(due, now)
        outgoing = self._record(draft, {d.label_id: d for d in due}, now)
        return Step(
            looked_at=len(claimed),
            outgoing=outgoing,
            changed=tuple(d.label_id for d in due),
        )

    def ask_reports(self, gateway_ids: Iterable[GatewayId]) -> tuple[Outgoing, ...]:
        """Ask gateways what all of their labels show."""
        wanted = sorted(set(gateway_ids) & self._roster.online())
        if not wanted:
            return ()
        now = self._clock.now()
        recorded = self._writer.write(
            lambda tx: deliveries.record(tx, Plan(), dict.fromkeys(wanted, 1), now),
            priority=Priority.DISPATCH,
        )
        return tuple(
            self._seal(g, [Report(id=command_id(counter, 0))], (), counter, now)
            for g, counter in recorded.first_counter.items()
        )

    def _draft(self, due: Sequence[DueLabel], now: datetime) -> _Draft:
        """Render every label and decide what becomes of it."""
        draft = _Draft()
        for label in due:
            frame = self._frame_for(label, draft)
            if frame is None:
                continue
            if label.issued_digest is not None and label.issued_digest != frame.digest:
                draft.renewed.append(label.label_id)
            draft.sendings.append(
                Sending(
                    label_id=label.label_id,
                    gateway_id=label.gateway_id,
                    rev=label.wanted_rev,
                    digest=frame.digest,
                    due_at=now + self._backoff.pause(label.attempts),
                    template=str(label.template),
                )
            )
        return draft

    def _frame_for(self, label: DueLabel, draft: _Draft) -> Frame | None:
        """Draw a label's face; None where there is nothing to send, which is noted.

        What cannot be drawn, or does not stand its test, fails this label and no other.
        """
        if label.face is None:
            problem, detail = "no_price", "the label's product has no price yet"
        else:
            try:
                frame = self._painter.paint(label)
                if may_skip_sending(
                    digest=frame.digest,
                    shown_digest=label.shown_digest,
                    sent_rev=label.sent_rev,
                    shown_rev=label.shown_rev,
                ):
                    draft.unchanged.append((label.label_id, label.wanted_rev, frame.digest))
                    return None
                if frame.digest not in draft.pictures:
                    self._painter.prove(label, frame)
                    panel = self._panels.named(label.panel_id)
                    draft.pictures[frame.digest] = (panel.panel_id, deflate(frame.pixels, panel))
            except RenderRefused as exc:
                problem, detail = exc.code, str(exc)
            except EslError as exc:
                problem, detail = "refused", str(exc)
            except Exception as exc:
                log.exception("render failed", label=label.label_id, rev=label.wanted_rev)
                problem, detail = "render_error", f"the renderer failed ({type(exc).__name__})"
            else:
                return frame
        draft.refused.append((label.label_id, label.wanted_rev, problem, detail))
        return None

    def _record(
        self, draft: _Draft, due: dict[LabelId, DueLabel], now: datetime
    ) -> tuple[Outgoing, ...]:
        """Write the plan down, then make the payloads."""
        payloads = list(_payloads(draft))
        counters: dict[GatewayId, int] = defaultdict(int)
        for sendings in payloads:
            counters[sendings[0].gateway_id] += 1
        plan = Plan(
            sendings=draft.sendings,
            renewed=draft.renewed,
            pictures=draft.pictures,
            unchanged=draft.unchanged,
            refused=draft.refused,
        )
        recorded = self._writer.write(
            lambda tx: deliveries.record(tx, plan, counters, now), priority=Priority.DISPATCH
        )
        revs = {s.label_id: s.rev for s in recorded.sendings}
        counter = dict(recorded.first_counter)
        outgoing: list[Outgoing] = []
        for sendings in payloads:
            gateway_id = sendings[0].gateway_id
            number = counter[gateway_id]
            counter[gateway_id] += 1
            _, ahead_ms = self._roster.session_of(gateway_id)
            deadline = milliseconds(now + _DEADLINE_AFTER) + ahead_ms
            recorded_here = [s for s in sendings if s.label_id in revs]
            if not recorded_here:
                continue  # their truth changed while they were drawn: they are due already
            puts = [
                Put(
                    id=command_id(number, position),
                    label=s.label_id,
                    epoch=due[s.label_id].epoch,
                    slot=_SLOT_SHOWN_AT_ONCE,
                    rev=revs[s.label_id],
                    digest=digest_bytes(s.digest),
                    size=self._panels.named(due[s.label_id].panel_id).frame_bytes,
                    encoding=ZLIB,
                    data=draft.pictures[s.digest][1],
                    show=True,
                    deadline=deadline,
                )
                for position, s in enumerate(recorded_here)
            ]
            label_ids = tuple(s.label_id for s in recorded_here)
            outgoing.append(self._seal(gateway_id, puts, label_ids, number, now))
            waits_s = max((s.due_at - now).total_seconds() for s in sendings)
            self._roster.note_sent(gateway_id, label_ids, self._clock.monotonic_s() + waits_s)
        return tuple(outgoing)

    def _seal(
        self,
        gateway_id: GatewayId,
        commands: Sequence[Put | Report],
        label_ids: tuple[LabelId, ...],
        counter: int,
        now: datetime,
    ) -> Outgoing:
        session, ahead_ms = self._roster.session_of(gateway_id)
        payload = seal_commands(
            self._key,
            gateway_id,
            commands,
            session=session,
            clock_ahead_ms=ahead_ms,
            counter=counter,
            now=now,
        )
        return Outgoing(gateway_id=gateway_id, payload=payload, label_ids=label_ids)


def _payloads(draft: _Draft) -> Iterable[list[Sending]]:
    """Group sendings by gateway, in their order, as many as one payload holds."""
    groups: dict[GatewayId, list[Sending]] = defaultdict(list)
    sizes: dict[GatewayId, int] = defaultdict(int)
    for sending in draft.sendings:
        size = len(draft.pictures[sending.digest][1]) + _ENVELOPE_BYTES
        group = groups[sending.gateway_id]
        if group and (
            sizes[sending.gateway_id] + size > PAYLOAD_ROOM_BYTES or len(group) >= COMMANDS_MOST
        ):
            yield group
            group = groups[sending.gateway_id] = []
            sizes[sending.gateway_id] = 0
        group.append(sending)
        sizes[sending.gateway_id] += size
    yield from (group for group in groups.values() if group)
