"""Send what waits for a moment: puts into spare slots, timed shows, cancels; and begin flips.

A step looks what is due and does up to `STEP_MOST` of it. Puts come after everything else that
is due to a gateway, and only into room that it has left. Timed shows and cancels are small, go
ahead of all pictures, and one command holds those of a gateway for the same moment.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from esl.domain.clock import EffectiveClock
from esl.domain.ids import GatewayId, LabelId
from esl.domain.panel import Panels
from esl.domain.staged import Staged
from esl.services import deliveries, flips, staging
from esl.services.deliveries import DueLabel
from esl.services.flips import Begun
from esl.services.neutral import NeutralBook
from esl.services.staging import DrawnPicture, Noted, StagingWork
from esl.store import flips as flip_rows
from esl.store.database import Database
from esl.store.write_group import Priority, Writes
from gateway.batch import ENVELOPE_BYTES, PAYLOAD_ROOM_BYTES, Step, room_of
from gateway.easel import Drawn, Draws
from gateway.link import COMMANDS_MOST, Outgoing, command_id, milliseconds, seal_commands
from gateway.pacing import Backoff
from gateway.painter import Painter
from gateway.roster import Roster
from gateway.wire.codec import digest_bytes
from gateway.wire.messages import (
    MAX_PAYLOAD_BYTES,
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

PUT_AGAIN_AFTER = timedelta(minutes=2)
"""How long a label may take to say that it holds a picture: nobody waits for it."""

_TAKES_PARTS = "full"
_ENTRY_BYTES = 128  # of a show or a cancel: 117 with the longest ids
_ENTRIES_MOST = PAYLOAD_ROOM_BYTES // _ENTRY_BYTES

log = structlog.get_logger()

Key = tuple[LabelId, int]
K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class _Payload:
    """One signed payload in the making: staged pictures and what is said of each."""

    gateway_id: GatewayId
    puts: list[tuple[DrawnPicture, bytes, int, int]] = field(default_factory=list)  # from, to
    arms: list[DrawnPicture] = field(default_factory=list)
    cancels: list[Staged] = field(default_factory=list)
    at: datetime | None = None


class StagingDispatcher:
    """The controller's hand for what is to come; called by one thread at a time.

    ``grace`` is how long a label with an armed show may take, after its moment, to say that it
    showed it.
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
    ) -> None:
        self._database = database
        self._writer = writer
        self._roster = roster
        self._painter = painter
        self._easel = easel
        self._panels = panels
        self._key = key
        self._clock = clock
        self._backoff = backoff

    # -- flips -------------------------------------------------------------------------------

    def begin_flips(self) -> tuple[Begun, ...]:
        """Let prices hold whose moment has come; each flip in a transaction of its own.

        Raises:
            Unavailable: The database did not answer; the next look does it.
        """
        now = self._clock.now()
        with self._database.read() as tx:
            due = flip_rows.due_flips(tx, now)
        begun: list[Begun] = []
        for flip_id in due:
            one = self._begin_flip(flip_id, now)
            if one is not None:
                begun.append(one)
        return tuple(begun)

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
            room = self._room(tx, now)
            work = staging.look(tx, room, now, limit=STEP_MOST)
            future = work.future or {}
            sources = deliveries.load_templates(tx, self._painter.unknown(future.values()))
        if not work:
            return Step()
        self._painter.learn(sources)
        puts, arms, hopeless = self._draw(work, future)
        payloads = list(self._fill(puts, arms, work.cancels, future))
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
                again=now + PUT_AGAIN_AFTER,
            ),
            priority=Priority.DISPATCH,
        )
        outgoing = tuple(self._send(payloads, noted, future, now))
        return Step(looked_at=len(puts) + len(arms) + len(work.cancels), outgoing=outgoing)

    def _room(self, tx: Connection, now: datetime) -> dict[GatewayId, int]:
        """Say how many puts each gateway on the line takes; none while other pictures wait."""
        busy = {counted.gateway_id for counted in deliveries.peek(tx, now)}
        free = self._roster.room(self._clock.monotonic_s())
        return {g: 0 if g in busy else free.get(g, 0) for g in self._roster.online()}

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
            (arms if held else puts).append(drawn)
        return puts, arms, hopeless

    # -- payloads ----------------------------------------------------------------------------

    def _fill(
        self,
        puts: Sequence[DrawnPicture],
        arms: Sequence[DrawnPicture],
        cancels: Sequence[Staged],
        future: Mapping[Key, DueLabel],
    ) -> Iterable[_Payload]:
        """Divide what is to be said into payloads: cancels, then shows, then pictures."""
        for gateway_id, some in _by_gateway((one.gateway_id, one) for one in cancels):
            for start in range(0, len(some), _ENTRIES_MOST):
                yield _Payload(gateway_id, cancels=some[start : start + _ENTRIES_MOST])
        moments = _by_gateway(((d.staged.gateway_id, d.staged.show_at), d) for d in arms)
        for (gateway_id, at), some_arms in moments:
            for start in range(0, len(some_arms), _ENTRIES_MOST):
                here = some_arms[start : start + _ENTRIES_MOST]
                yield _Payload(gateway_id, arms=here, at=at)
        for gateway_id, some_puts in _by_gateway((d.staged.gateway_id, d) for d in puts):
            label = future[_key(some_puts[0].staged)]
            yield from _fill_puts(gateway_id, some_puts, label)

    def _send(
        self,
        payloads: Sequence[_Payload],
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
                        deadline=milliseconds(now + PUT_AGAIN_AFTER) + ahead_ms,
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
                until_s = self._clock.monotonic_s() + PUT_AGAIN_AFTER.total_seconds()
                self._roster.note_sent(payload.gateway_id, label_ids, until_s)
            yield Outgoing(gateway_id=payload.gateway_id, payload=sealed, label_ids=label_ids)

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


def _fill_puts(
    gateway_id: GatewayId, puts: Sequence[DrawnPicture], label: DueLabel
) -> Iterable[_Payload]:
    """Fill payloads of one gateway; a picture larger than one travels in parts, if it may."""
    room = room_of(label.payload_bytes or MAX_PAYLOAD_BYTES)
    payload, left = _Payload(gateway_id), room
    for drawn in puts:
        data = drawn.kept.data
        size = len(data) + ENVELOPE_BYTES
        if size > room:
            if label.level != _TAKES_PARTS:
                continue  # looked at again, in vain, until its moment: then it is sent as it can
            most = room - ENVELOPE_BYTES
            for start in range(0, len(data), most):
                yield _Payload(
                    gateway_id, puts=[(drawn, data[start : start + most], start, len(data))]
                )
            continue
        if size > left or len(payload.puts) >= COMMANDS_MOST:
            yield payload
            payload, left = _Payload(gateway_id), room
        payload.puts.append((drawn, data, 0, len(data)))
        left -= size
    if payload.puts:
        yield payload


def _by_gateway(pairs: Iterable[tuple[K, V]]) -> Iterable[tuple[K, list[V]]]:
    groups: dict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups.items()


def _key(one: Staged) -> Key:
    return one.label_id, one.slot
