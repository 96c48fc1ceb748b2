"""Send what waits for a moment: puts into spare slots, timed shows, cancels; and begin flips.

A step looks what is due and does up to `STEP_MOST` of it. Puts come after everything else that
is due to a gateway, and only into room that it has left. Timed shows and cancels are small, go
ahead of all pictures, and one command holds those of a gateway for the same moment.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from esl.domain.clock import EffectiveClock
from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.panel import Panels
from esl.domain.staged import Staged
from esl.services import deliveries, flips, judging, staging, till_ahead
from esl.services.deliveries import DueCount, DueLabel
from esl.services.flips import Begun
from esl.services.neutral import NeutralBook
from esl.services.promotions import edges
from esl.services.staging import PAUSE_DOUBLES, DrawnPicture, Noted, StagingWork
from esl.store import flips as flip_rows
from esl.store import guarding, neutral_orders, places
from esl.store.database import Database
from esl.store.write_group import Priority, Writes
from gateway.batch import Step, room_of
from gateway.easel import Drawn, Draws
from gateway.leases import Holdings
from gateway.link import Manifest, Outgoing, command_id, milliseconds, seal_commands
from gateway.pacing import Backoff
from gateway.painter import Painter
from gateway.roster import Roster
from gateway.staged_payloads import Key, StagedPayload, fill_payloads
from gateway.wire.codec import digest_bytes
from gateway.wire.messages import (
    Cancel,
    CancelEntry,
    Command,
    Put,
    Show,
    ShowEntry,
)
from gateway.wire.signing import SigningKey

STEP_MOST = 200
"""Staged pictures a step looks at: a tenth of a second."""

PLAN_EVERY_S = 5.0
"""How often the next moments of promotions are looked at."""

PUT_AGAIN_AFTER = timedelta(minutes=2)
"""How long a label may take at least to say that it holds a picture: nobody waits for it. Labels
that listen seldom are given the patience of every other picture, and longer with each attempt."""

TIMED_WITHIN_MS = 2000
"""How far a gateway's clock may be off for timed shows: docs/protocol.md, `time`."""

log = structlog.get_logger()


class StagingDispatcher:
    """The controller's hand for what is to come; called by one thread at a time.

    ``grace`` is how long a label with an armed show may take, after its moment, to say that it
    showed it. ``leases`` are ours where several workers share the gateways.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writes,
        roster: Roster,
        painter: Painter,
        easel: Draws,
        panels: Panels,
        key: SigningKey,
        clock: EffectiveClock,
        backoff: Backoff,
        leases: Holdings | None = None,
    ) -> None:
        self._leases = leases
        self._database = database
        self._writer = writer
        self._roster = roster
        self._painter = painter
        self._easel = easel
        self._panels = panels
        self._key = key
        self._clock = clock
        self._backoff = backoff
        self._put_patience = max(PUT_AGAIN_AFTER, backoff.patience)
        self._plan_at_s = 0.0

    # -- flips -------------------------------------------------------------------------------

    def begin_flips(self) -> tuple[Begun, ...]:
        """Let prices hold whose moment has come; each flip in a transaction of its own.

        So begin and end promotions, and what they will show next is planned ahead.

        Raises:
            Unavailable: The database did not answer; the next look does it.
        """
        now = self._clock.now()
        with self._database.read() as tx:
            due = flip_rows.due_flips(tx, now)
            has_edges = edges.is_due(tx, now)
            to_judge = places.stores_to_judge(tx)
        begun: list[Begun] = []
        for flip_id in due:
            one = self._begin_flip(flip_id, now)
            if one is not None:
                begun.append(one)
        if has_edges:
            begun += self._turn_edges(now)
        begun += [self._judge(store_id, now) for store_id in to_judge]
        # The moments that were planned before come before new ones, which are later.
        for store_id in sorted({one.frees_in for one in begun if one.frees_in is not None}):
            self._fill_freed_slots(store_id, now)
        self._plan_edges(now, at_once=has_edges)
        return tuple(begun)

    def _fill_freed_slots(self, store_id: StoreId, now: datetime) -> None:
        self._writer.write(
            lambda tx: edges.fill_freed_slots(tx, store_id, now, panels=self._panels),
            priority=Priority.HOUSEKEEPING,
        )

    def _turn_edges(self, now: datetime) -> Iterable[Begun]:
        """Turn promotions whose moment has come, one moment after the other."""
        grace = timedelta(seconds=self._backoff.base_s)
        while True:
            one = self._writer.write(
                lambda tx: edges.begin_due(tx, now, grace=grace), priority=Priority.CHANGE
            )
            if one is None:
                return
            yield one

    def _judge(self, store_id: StoreId, now: datetime) -> Begun:
        """Let a store's new law judge some of what its tills claim; the next look goes on."""
        touched = self._writer.write(
            lambda tx: judging.judge_on(tx, store_id, now), priority=Priority.BULK
        )
        return Begun(flip_id=0, labels=touched)

    def _plan_edges(self, now: datetime, *, at_once: bool) -> None:
        """Plan what promotions will show at their next moments, and fill slots with it."""
        now_s = self._clock.monotonic_s()
        if now_s < self._plan_at_s and not at_once:
            return
        self._plan_at_s = now_s + PLAN_EVERY_S
        with self._database.read() as tx:
            is_needed = edges.needs_planning(tx, now)
            foreseen = edges.foresee(tx, now) if is_needed else {}
        if is_needed:
            self._writer.write(
                lambda tx: edges.plan_edges(tx, now, panels=self._panels, foreseen=foreseen),
                priority=Priority.HOUSEKEEPING,
            )

    def _begin_flip(self, flip_id: int, now: datetime) -> Begun | None:
        grace = timedelta(seconds=self._backoff.base_s)
        return self._writer.write(
            lambda tx: flips.begin_flip(tx, flip_id, now, grace=grace), priority=Priority.CHANGE
        )

    # -- pictures ahead of time --------------------------------------------------------------

    def step(self) -> Step:
        """Put, arm and cancel what is due.

        Raises:
            Unavailable: The database did not answer; nothing was sent.
        """
        now = self._clock.now()
        with self._database.read() as tx:
            if not staging.is_anything_staged(tx):
                return Step()
            # Nothing is sent to a frozen store but cancels; to a neutral one, no price for later.
            frozen = guarding.frozen_gateways(tx) | neutral_orders.gateways_ordered(tx)
            room = self._room(tx, now)
            ahead_ms = {g: self._roster.session_of(g)[1] for g in room}
            work = staging.look(
                tx,
                room,
                now,
                limit=STEP_MOST,
                frozen=frozen,
                untimely=[g for g, ms in ahead_ms.items() if abs(ms) > TIMED_WITHIN_MS],
            )
            future = work.future or {}
            sources = deliveries.load_templates(tx, self._painter.unknown(future.values()))
            takes = places.payload_bytes_of(tx, room)
        if not work:
            return Step()
        if work.withheld.asked:
            asked = work.withheld.asked
            self._writer.write(
                lambda tx: till_ahead.ask_ahead(tx, asked, now), priority=Priority.HOUSEKEEPING
            )
        self._painter.learn(sources)
        puts, arms, hopeless = self._draw(work, future)
        payloads = list(
            fill_payloads(
                puts,
                arms,
                work.cancels,
                future,
                room={gateway_id: room_of(largest) for gateway_id, largest in takes.items()},
            )
        )
        counters = Counter(payload.gateway_id for payload in payloads)
        sessions = {g: self._roster.session_of(g)[0] for g in room}
        noted = self._writer.write(
            lambda tx: staging.note(
                tx,
                work,
                puts=puts,
                arms=arms,
                hopeless=hopeless,
                sessions=sessions,
                counters=counters,
                now=now,
                again=now + self._put_patience,
            ),
            priority=Priority.DISPATCH,
        )
        outgoing = tuple(self._send(payloads, noted, future, now))
        return Step(looked_at=len(puts) + len(arms) + len(work.cancels), outgoing=outgoing)

    def _room(self, tx: Connection, now: datetime) -> dict[GatewayId, int]:
        """Say how many puts each gateway on the line takes; none while other pictures wait.

        One of several workers asks for its own gateways alone, and for no more than whether
        anything waits: a count of a whole chain takes as long as the chain is large.
        """
        online = self._roster.online()
        waits: Sequence[DueCount]
        if self._leases is None:
            waits = deliveries.peek(tx, now)
        else:
            waits = self._leases.look(tx, now, dict.fromkeys(sorted(online), 1))
        busy = {counted.gateway_id for counted in waits}
        free = self._roster.room(self._clock.monotonic_s())
        return {g: 0 if g in busy else free.get(g, 0) for g in online}

    def _draw(
        self, work: StagingWork, future: Mapping[Key, DueLabel]
    ) -> tuple[list[DrawnPicture], list[DrawnPicture], list[Staged]]:
        """Draw labels as they will be; return puts, shows to arm, and what cannot be drawn."""
        known = [one for one in (*work.puts, *work.arms) if _key(one) in future]
        hopeless = [one for one in (*work.puts, *work.arms) if _key(one) not in future]
        outcomes = self._easel.draw([future[_key(one)] for one in known], {}, NeutralBook())
        puts: list[DrawnPicture] = []
        arms: list[DrawnPicture] = []
        for one, outcome in zip(known, outcomes, strict=True):
            if not isinstance(outcome, Drawn):
                log.warning("not staged", label=one.label_id, flip=one.flip_id)
                hopeless.append(one)
                continue
            drawn = DrawnPicture(
                staged=one,
                digest=outcome.digest,
                template=outcome.template,
                kept=outcome.travels,
            )
            held = one.digest == outcome.digest and staging.is_stored(one)
            held = held and _key(one) not in work.withheld.keys
            (arms if held else puts).append(drawn)
        return puts, arms, hopeless

    def _send(
        self,
        payloads: Sequence[StagedPayload],
        noted: Noted,
        future: Mapping[Key, DueLabel],
        now: datetime,
    ) -> Iterable[Outgoing]:
        counters = dict(noted.first_counter)
        ids: dict[Key, int] = {}
        for payload in payloads:
            number = counters[payload.gateway_id]
            counters[payload.gateway_id] += 1
            session, ahead_ms = self._roster.session_of(payload.gateway_id)
            commands: list[Command] = []
            told: dict[int, list[tuple[LabelId, int]]] = {}
            for position, (drawn, data, start, total) in enumerate(payload.puts):
                key = _key(drawn.staged)
                if key not in noted.puts:
                    continue  # something newer is wanted since
                wire_id = ids.setdefault(key, command_id(number, position))
                told[wire_id] = [(key[0], noted.puts[key])]
                commands.append(
                    self._put(
                        drawn,
                        future[key],
                        data,
                        start,
                        total,
                        rev=noted.puts[key],
                        wire_id=wire_id,
                        deadline=milliseconds(self._put_until(drawn.staged, now)) + ahead_ms,
                    )
                )
            label_ids = tuple(sorted({label for held in told.values() for label, _ in held}))
            shown = [d for d in payload.arms if _key(d.staged) in noted.arms]
            if shown and payload.at is not None:
                entries = [
                    ShowEntry(
                        label=d.staged.label_id,
                        rev=noted.arms[_key(d.staged)],
                        slot=d.staged.slot,
                        digest=digest_bytes(d.digest),
                    )
                    for d in shown
                ]
                commands.append(
                    Show(id=command_id(number, 0), entries=entries, at=milliseconds(payload.at))
                )
            if payload.cancels:
                gone = [
                    CancelEntry(label=one.label_id, rev=one.show_rev)
                    for one in payload.cancels
                    if one.show_rev is not None
                ]
                commands.append(Cancel(id=command_id(number, 0), entries=gone))
            if not commands:
                continue
            sealed = seal_commands(
                self._key,
                payload.gateway_id,
                commands,
                session=session,
                clock_ahead_ms=ahead_ms,
                counter=number,
                now=now,
            )
            if label_ids:
                until_s = self._clock.monotonic_s() + self._put_patience.total_seconds()
                self._roster.note_sent(payload.gateway_id, label_ids, until_s)
            shows = tuple((d.staged.label_id, noted.arms[_key(d.staged)], d.digest) for d in shown)
            yield Outgoing(
                gateway_id=payload.gateway_id,
                payload=sealed,
                label_ids=label_ids,
                manifest=Manifest(session=session, counter=number, sent_at=now, shows=shows),
            )

    def _put_until(self, one: Staged, now: datetime) -> datetime:
        """Say until when a picture may be put; at its moment it is sent in another way."""
        times: int = 2 ** min(one.attempts, PAUSE_DOUBLES)
        return min(now + self._put_patience * times, one.show_at)

    def _put(
        self,
        drawn: DrawnPicture,
        label: DueLabel,
        data: bytes,
        start: int,
        total: int,
        *,
        rev: int,
        wire_id: int,
        deadline: int,
    ) -> Put:
        is_part = len(data) < total
        return Put(
            id=wire_id,
            label=label.label_id,
            epoch=label.epoch,
            slot=drawn.staged.slot,
            rev=rev,
            digest=digest_bytes(drawn.digest),
            size=self._panels.named(label.panel_id).frame_bytes,
            encoding=drawn.kept.encoding,
            data=data,
            offset=start if is_part else None,
            total=total if is_part else None,
            show=False,
            deadline=deadline,
        )


def _key(one: Staged) -> Key:
    return one.label_id, one.slot
