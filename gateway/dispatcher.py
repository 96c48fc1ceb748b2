"""Send every label what it should show: claim, load, render, write down, publish.

One synchronous step at a time, in three parts:

    begin    look what is due, claim it                   one read, one transaction
             load the truth for all of it                 one read, none per label
    draw     faces become pictures, proven                `gateway.easel`, here or in a pool
    finish   write down what is about to be sent          one transaction, which may claim the next
             hand the signed payloads to whoever publishes

Level-triggered: the truth is read at the moment it is sent, so ten changes in a second cost one
transmission, and a lost message costs patience and not correctness. A process may die between
any two parts: what was claimed is due again after the patience.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.clock import EffectiveClock
from esl.domain.errors import Unavailable
from esl.domain.ids import GatewayId, LabelId
from esl.domain.panel import Panels
from esl.domain.stages import NO_STAGES, Stage, Stages
from esl.services import deliveries
from esl.services.deliveries import DueLabel, Plan, Recorded, Sending, Share
from esl.services.neutral import load_neutral
from esl.store import guarding, traces
from esl.store.database import Database
from esl.store.write_group import Priority, Writes
from gateway.bases import Base, Bases, find_bases
from gateway.batch import Batch, Draft, Step
from gateway.easel import Drawn, Draws, Easel, Refused, Unchanged
from gateway.leases import Holdings
from gateway.link import Outgoing
from gateway.pacing import Backoff
from gateway.painter import Painter
from gateway.roster import Roster
from gateway.sealer import Sealer
from gateway.shares import choose_shares
from gateway.tracing import trace_draft
from gateway.wire.signing import SigningKey

BATCH_MOST = 500
"""Labels a step takes at once: the sweet spot of the database, and a third of a second."""

UNSENT_AGAIN_AFTER = timedelta(seconds=2)
"""How long labels wait whose payload the broker did not take; the circuit says when it is worth
another try."""


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
        bases: Bases | None = None,
        pool: Draws | None = None,
        leases: Holdings | None = None,
    ) -> None:
        self._database = database
        self._writer = writer
        self._roster = roster
        self._panels = panels
        self._clock = clock
        self._backoff = backoff
        self._stages = stages
        self._bases = bases if bases is not None else Bases()
        self._sealer = Sealer(roster=roster, panels=panels, key=key, clock=clock)
        self._draws = pool or Easel(painter=painter, panels=panels, stages=stages)
        self._leases = leases

    def step(self) -> Step:
        """Look at up to `BATCH_MOST` due labels: begin, draw and finish.

        Raises:
            Unavailable: The database did not answer; nothing was sent.
        """
        batch = self.begin()
        return self.finish(self.draw(batch)) if batch is not None else Step()

    def warm_up(self) -> None:
        """Draw some labels for nothing, so that fonts and tables are known before any is due.

        Raises:
            Unavailable: The database did not answer.
        """
        with self._database.read() as tx:
            label_ids = deliveries.some_labels(tx)
        self.draw(self._load(label_ids, self._clock.now()))

    def advance(self, claimed: Sequence[LabelId] = ()) -> Step:
        """Take a step, with the labels that the last one claimed.

        While much is due, the next batch is claimed in the transaction that writes this one
        down: one commit a batch, and the next is drawn while this one is published.

        Raises:
            Unavailable: The database did not answer; nothing was sent.
        """
        batch = self.begin(claimed)
        if batch is None:
            return Step()
        return self.finish(self.draw(batch), claim_next=2 * batch.claimed >= BATCH_MOST)

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
        return self._load(claimed, now)

    def draw(self, batch: Batch) -> Draft:
        """Render every label and decide what becomes of it. Touches no database."""
        draft = Draft(batch=batch)
        for label, outcome in zip(
            batch.due, self._draws.draw(batch.due, batch.bases, batch.neutral), strict=True
        ):
            wanted = label.label_id, label.wanted_rev
            match outcome:
                case Refused(problem, detail):
                    draft.refused.append((*wanted, problem, detail))
                    continue
                case Unchanged(digest):
                    draft.unchanged.append((*wanted, digest))
                case Drawn():
                    draft.drawn[label.label_id] = outcome
                    draft.sendings.append(self._sending(label, outcome, batch.now))
                    if label.issued_digest not in (None, outcome.digest):
                        draft.renewed.append(label.label_id)
            if (cause := outcome.instead_of) is not None:
                draft.replaced.append((*wanted, cause.problem, cause.detail))
        return draft

    def finish(self, draft: Draft, *, claim_next: bool = False) -> Step:
        """Write a draft down, then make its payloads; ``claim_next`` claims in the same breath.

        Raises:
            Unavailable: The database did not answer; nothing was sent.
        """
        batch, plan = draft.batch, draft.plan()
        payloads = draft.payloads()
        counters = Counter(payload[0].sending.gateway_id for payload in payloads)
        shares = self._shares(batch.now, draft) if claim_next else []

        def write(tx: Connection) -> tuple[Recorded, list[LabelId]]:
            began_ns = self._stages.cpu_ns()
            recorded = deliveries.record(tx, plan, counters, batch.now)
            self._measure(Stage.RECORD, began_ns, len(batch.due))
            return recorded, self._claim_shares(tx, shares, batch.now)

        recorded, claimed = self._writer.write(write, priority=Priority.DISPATCH)
        if traces.is_on():
            trace_draft(draft, recorded)
        began_ns = self._stages.cpu_ns()
        self._keep_bases(draft, recorded)
        outgoing = self._sealer.seal_draft(draft, payloads, recorded)
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
            self._sealer.seal_report(gateway_id, counter, now)
            for gateway_id, counter in recorded.first_counter.items()
        )

    def want_reports(self, gateway_ids: Iterable[GatewayId]) -> None:
        """Wish that gateways be asked what all of their labels show, as soon as that is fair."""
        self._roster.want_report(gateway_ids)

    def ask_wanted_reports(self) -> tuple[Outgoing, ...]:
        """Ask the gateways whose turn it is.

        Raises:
            Unavailable: The database did not answer; the wish stays.
        """
        wanted = self._roster.take_reports(self._clock.monotonic_s())
        try:
            return self.ask_reports(wanted)
        except Unavailable:
            self._roster.want_report(wanted)
            raise

    def let_go(self, claimed: Iterable[LabelId]) -> None:
        """Give back labels that were claimed and not looked at: they are due now.

        Raises:
            Unavailable: The database did not answer; they are due again after their patience.
        """
        now = self._clock.now()
        self._writer.write(
            lambda tx: deliveries.release(tx, claimed, now), priority=Priority.DISPATCH
        )

    def release(self, unsent: Mapping[GatewayId, Iterable[LabelId]]) -> None:
        """Take back labels whose payload never left: due again soon, and their room is free.

        Raises:
            Unavailable: The database did not answer; they are due again after their patience.
        """
        label_ids: set[LabelId] = set()
        for gateway_id, labels in unsent.items():
            label_ids |= (here := frozenset(labels))
            self._roster.note_unsent(gateway_id, here, self._clock.monotonic_s())
        if label_ids:
            due_at = self._clock.now() + UNSENT_AGAIN_AFTER
            self._writer.write(
                lambda tx: deliveries.release(tx, label_ids, due_at), priority=Priority.DISPATCH
            )

    def _load(self, label_ids: Sequence[LabelId], now: datetime) -> Batch:
        """Load the truth for labels, and all that is needed to draw it."""
        began_ns = self._stages.cpu_ns()
        with self._database.read() as tx:
            due = deliveries.load(tx, label_ids)
            neutral = load_neutral(tx, due)
            priceless = [x for x in due if x.face is None or neutral.is_ordered(x)]
            ways = [way for label in priceless for way in neutral.ways(label)]
            sources = deliveries.load_templates(tx, self._draws.unknown([*due, *ways]))
            bases = find_bases(tx, self._bases, (label.shown_digest for label in due), self._panels)
        self._draws.learn(sources)
        self._measure(Stage.LOAD, began_ns, len(due))
        return Batch(claimed=len(label_ids), due=tuple(due), now=now, bases=bases, neutral=neutral)

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
            if self._leases is not None:
                due = self._leases.look(tx, now, room)
            else:
                due = deliveries.peek(tx, now)
            if due and (frozen := guarding.frozen_gateways(tx)):
                room = {g: free for g, free in room.items() if g not in frozen}
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
        if self._leases is not None:
            shares = self._leases.fence(tx, shares)
        claimed = deliveries.claim(tx, shares, now, until=until)
        self._measure(Stage.CLAIM, began_ns, len(claimed))
        return claimed

    # -- pictures ----------------------------------------------------------------------------

    def _keep_bases(self, draft: Draft, recorded: Recorded) -> None:
        """Remember what labels will show: what they show now is then of no more use."""
        shown = {label.label_id: label.shown_digest for label in draft.batch.due}
        for sending in recorded.sendings:
            drawn = draft.drawn[sending.label_id]
            kept = drawn.kept
            base = Base(kept.panel_id, drawn.pixels, kept.depth, kept.mark)
            self._bases.put(drawn.digest, base, instead_of=shown[sending.label_id])

    def _sending(self, label: DueLabel, drawn: Drawn, now: datetime) -> Sending:
        return Sending(
            label_id=label.label_id,
            gateway_id=label.gateway_id,
            rev=label.wanted_rev,
            digest=drawn.digest,
            due_at=now + self._backoff.pause(label.attempts),
            template=drawn.template,
            encoding=drawn.travels.encoding,
            bytes=len(drawn.travels.data),
        )

    def _measure(self, stage: Stage, began_ns: int, labels: int) -> None:
        self._stages.add(stage, self._stages.cpu_ns() - began_ns, labels)
