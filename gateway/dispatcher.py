"""Send every label what it should show: claim, load, render, write down, publish.

One synchronous step at a time, in three parts:

    begin    look what is due, claim it                   one read, one transaction
             load the truth for all of it                 one read, none per label
    draw     choose the template and render               unchanged and nothing unanswered: settle
             compare its codes with what was meant        a frame that fails is not sent
    finish   write down what is about to be sent          one transaction, which may claim the next
             hand the signed payloads to whoever publishes

Level-triggered: the truth is read at the moment it is sent, so ten changes in a second cost one
transmission, and a lost message costs patience and not correctness. A process may die between
any two parts: what was claimed is due again after the patience.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from esl.domain.clock import EffectiveClock
from esl.domain.errors import EslError, RenderRefused
from esl.domain.ids import GatewayId, LabelId
from esl.domain.label import may_skip_sending
from esl.domain.panel import Panels
from esl.domain.stages import NO_STAGES, Stage, Stages
from esl.services import deliveries
from esl.services.deliveries import DueLabel, Plan, Recorded, Sending, Share, StoredFrame
from esl.store.database import Database
from esl.store.write_group import Priority, Writes
from gateway.batch import Batch, Draft, Step
from gateway.link import Outgoing, command_id, milliseconds, seal_commands
from gateway.pacing import Backoff
from gateway.painter import Painter
from gateway.pictures import deflate
from gateway.roster import Roster
from gateway.shares import choose_shares
from gateway.wire.codec import digest_bytes
from gateway.wire.messages import Put, Report
from gateway.wire.signing import SigningKey
from renderer.frame import Frame

BATCH_MOST = 500
"""Labels a step takes at once: the sweet spot of the database, and a third of a second."""

_DEADLINE_AFTER = timedelta(hours=1)
_SLOT_SHOWN_AT_ONCE = 0

log = structlog.get_logger()


class Dispatcher:
    """The controller's sending half; called by one thread at a time."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writes,
        roster: Roster,
        painter: Painter,
        panels: Panels,
        key: SigningKey,
        clock: EffectiveClock,
        backoff: Backoff,
        stages: Stages = NO_STAGES,
    ) -> None:
        self._database = database
        self._writer = writer
        self._roster = roster
        self._painter = painter
        self._panels = panels
        self._key = key
        self._clock = clock
        self._backoff = backoff
        self._stages = stages

    def step(self) -> Step:
        """Look at up to `BATCH_MOST` due labels: begin, draw and finish.

        Raises:
            Unavailable: The database did not answer; nothing was sent.
        """
        batch = self.begin()
        return self.finish(self.draw(batch)) if batch is not None else Step()

    def begin(self, claimed: Sequence[LabelId] = ()) -> Batch | None:
        """Claim due labels and load their truth; None if nothing is due to a gateway with room.

        ``claimed`` are those that the last `finish` claimed already.

        Raises:
            Unavailable: The database did not answer; what was claimed is due again later.
        """
        now = self._clock.now()
        claimed = claimed or self._claim(now)
        if not claimed:
            return None
        began_ns = self._stages.cpu_ns()
        with self._database.read() as tx:
            due = deliveries.load(tx, claimed)
            sources = deliveries.load_templates(tx, self._painter.unknown(due))
        self._painter.learn(sources)
        self._measure(Stage.LOAD, began_ns, len(due))
        return Batch(claimed=len(claimed), due=tuple(due), now=now)

    def draw(self, batch: Batch) -> Draft:
        """Render every label and decide what becomes of it. Touches no database."""
        draft = Draft(batch=batch)
        began_ns = self._stages.cpu_ns()
        painted = [(label, self._paint(label, draft)) for label in batch.due]
        self._measure(Stage.RENDER, began_ns, len(batch.due))
        began_ns = self._stages.cpu_ns()
        for label, frame in painted:
            if frame is None:
                continue
            picture = draft.pictures.get(frame.digest) or self._make_picture(label, frame, draft)
            if picture is None:
                continue
            draft.pictures[frame.digest] = picture
            if label.issued_digest is not None and label.issued_digest != frame.digest:
                draft.renewed.append(label.label_id)
            draft.sendings.append(
                Sending(
                    label_id=label.label_id,
                    gateway_id=label.gateway_id,
                    rev=label.wanted_rev,
                    digest=frame.digest,
                    due_at=batch.now + self._backoff.pause(label.attempts),
                    template=str(label.template),
                    encoding=picture.encoding,
                    bytes=len(picture.data),
                )
            )
        self._measure(Stage.PICTURE, began_ns, len(draft.sendings))
        return draft

    def finish(self, draft: Draft, *, claim_next: bool = False) -> Step:
        """Write a draft down, then make its payloads; ``claim_next`` claims in the same breath.

        Raises:
            Unavailable: The database did not answer; nothing was sent.
        """
        batch, plan = draft.batch, draft.plan()
        payloads = list(draft.payloads())
        counters = Counter(sendings[0].gateway_id for sendings in payloads)
        shares = self._shares(batch.now, draft) if claim_next else []

        def write(tx: Connection) -> tuple[Recorded, list[LabelId]]:
            began_ns = self._stages.cpu_ns()
            recorded = deliveries.record(tx, plan, counters, batch.now)
            self._measure(Stage.RECORD, began_ns, len(batch.due))
            return recorded, self._claim_shares(tx, shares, batch.now)

        recorded, claimed = self._writer.write(write, priority=Priority.DISPATCH)
        began_ns = self._stages.cpu_ns()
        outgoing = self._send(draft, payloads, recorded)
        self._measure(Stage.PUBLISH, began_ns, len(recorded.sendings))
        return Step(
            looked_at=batch.claimed,
            outgoing=outgoing,
            changed=tuple(label.label_id for label in batch.due),
            claimed=tuple(claimed),
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

    # -- what is due -------------------------------------------------------------------------

    def _claim(self, now: datetime) -> Sequence[LabelId]:
        shares = self._shares(now)
        if not shares:
            return ()
        return self._writer.write(
            lambda tx: self._claim_shares(tx, shares, now), priority=Priority.DISPATCH
        )

    def _shares(self, now: datetime, under_way: Draft | None = None) -> list[Share]:
        """Look what is due, and divide the next batch; a draft's labels take room already."""
        room = self._roster.room(self._clock.monotonic_s())
        if under_way is not None:
            leaving = Counter(s.gateway_id for s in under_way.sendings)
            room = {g: free - leaving[g] for g, free in room.items() if free > leaving[g]}
        if not room:
            return []
        began_ns = self._stages.cpu_ns()
        with self._database.read() as tx:
            due = deliveries.peek(tx, now)
        shares = choose_shares(due, room, most=BATCH_MOST)
        self._measure(Stage.CLAIM, began_ns, 0)
        return shares

    def _claim_shares(
        self, tx: Connection, shares: Sequence[Share], now: datetime
    ) -> list[LabelId]:
        if not shares:
            return []
        began_ns = self._stages.cpu_ns()
        until = now + timedelta(seconds=self._backoff.base_s)
        claimed = deliveries.claim(tx, shares, now, until=until)
        self._measure(Stage.CLAIM, began_ns, len(claimed))
        return claimed

    # -- pictures ----------------------------------------------------------------------------

    def _paint(self, label: DueLabel, draft: Draft) -> Frame | None:
        """Draw a label's face; None where there is nothing to send, which is noted."""
        if label.face is None:
            _refuse(label, draft, "no_price", "the label's product has no price yet")
            return None
        try:
            frame = self._painter.paint(label)
        except Exception as exc:  # noqa: BLE001  fails this label and no other
            _refuse(label, draft, *_reason(exc, label))
            return None
        if may_skip_sending(
            digest=frame.digest,
            shown_digest=label.shown_digest,
            sent_rev=label.sent_rev,
            shown_rev=label.shown_rev,
        ):
            draft.unchanged.append((label.label_id, label.wanted_rev, frame.digest))
            return None
        return frame

    def _make_picture(self, label: DueLabel, frame: Frame, draft: Draft) -> StoredFrame | None:
        """Prove a frame and compress it; None where it does not stand its test."""
        try:
            self._painter.prove(label, frame)
            panel = self._panels.named(label.panel_id)
            return StoredFrame(panel_id=panel.panel_id, data=deflate(frame.pixels, panel))
        except Exception as exc:  # noqa: BLE001  fails this label and no other
            _refuse(label, draft, *_reason(exc, label))
            return None

    # -- payloads ----------------------------------------------------------------------------

    def _send(
        self, draft: Draft, payloads: Iterable[Sequence[Sending]], recorded: Recorded
    ) -> tuple[Outgoing, ...]:
        """Make the payloads of what was recorded."""
        now = draft.batch.now
        due = {label.label_id: label for label in draft.batch.due}
        revs = {s.label_id: s.rev for s in recorded.sendings}
        counter = dict(recorded.first_counter)
        outgoing: list[Outgoing] = []
        for sendings in payloads:
            gateway_id = sendings[0].gateway_id
            number = counter[gateway_id]
            counter[gateway_id] += 1
            here = [s for s in sendings if s.label_id in revs]
            if not here:
                continue  # their truth changed while they were drawn: they are due already
            _, ahead_ms = self._roster.session_of(gateway_id)
            deadline = milliseconds(now + _DEADLINE_AFTER) + ahead_ms
            puts = [
                self._put(
                    due[s.label_id],
                    s,
                    draft.pictures[s.digest],
                    rev=revs[s.label_id],
                    command=command_id(number, position),
                    deadline=deadline,
                )
                for position, s in enumerate(here)
            ]
            label_ids = tuple(s.label_id for s in here)
            outgoing.append(self._seal(gateway_id, puts, label_ids, number, now))
            waits_s = max((s.due_at - now).total_seconds() for s in sendings)
            self._roster.note_sent(gateway_id, label_ids, self._clock.monotonic_s() + waits_s)
        return tuple(outgoing)

    def _put(
        self,
        label: DueLabel,
        sending: Sending,
        picture: StoredFrame,
        *,
        rev: int,
        command: int,
        deadline: int,
    ) -> Put:
        return Put(
            id=command,
            label=label.label_id,
            epoch=label.epoch,
            slot=_SLOT_SHOWN_AT_ONCE,
            rev=rev,
            digest=digest_bytes(sending.digest),
            size=self._panels.named(label.panel_id).frame_bytes,
            encoding=picture.encoding,
            data=picture.data,
            show=True,
            deadline=deadline,
        )

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

    def _measure(self, stage: Stage, began_ns: int, labels: int) -> None:
        self._stages.add(stage, self._stages.cpu_ns() - began_ns, labels)


def _refuse(label: DueLabel, draft: Draft, problem: str, detail: str) -> None:
    draft.refused.append((label.label_id, label.wanted_rev, problem, detail))


def _reason(exc: Exception, label: DueLabel) -> tuple[str, str]:
    """Name what kept a label from being drawn, for its problem; a fault of ours is logged."""
    if isinstance(exc, RenderRefused):
        return exc.code, str(exc)
    if isinstance(exc, EslError):
        return "refused", str(exc)
    log.error("render failed", label=label.label_id, rev=label.wanted_rev, exc_info=exc)
    return "render_error", f"the renderer failed ({type(exc).__name__})"
