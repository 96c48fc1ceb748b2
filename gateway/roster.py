"""Who is on the line, and how much each of them takes: the gateways this process speaks with.

    each gateway:   `Line`         session, clock, abilities      gateway.sessions
                    `Window`       labels under way, how many     gateway.windows
                    `Circuit`      do commands get through        gateway.circuit
                    `CommandsOut`  whom an id concerns            gateway.commands

All of it is memory of one process and is learned anew after a restart; nothing here is truth
about a shelf. Thread safe: one lock, held for moments. A gateway may be taken away at any time,
by its lease: what is asked of it then is answered as of one that was never heard.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from esl.domain.ids import GatewayId, LabelId, StoreId
from gateway.circuit import Circuit
from gateway.commands import CommandsOut, Told
from gateway.sessions import SILENT_AFTER_S, Line, Standing
from gateway.windows import Window
from gateway.wire.messages import Accepted, AnyEvent, Failed, GatewayState, Shown, Stored

__all__ = ["SILENT_AFTER_S", "Roster", "RosterEntry", "Standing"]

REPORTS_AT_ONCE = 8
"""Gateways asked for their labels' word in one go: when the power comes back to a chain, all of
them begin a session in the same second."""


_ANSWERS = (Shown, Stored, Failed, Accepted)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterEntry:
    """How a gateway stands, for people and metrics."""

    online: bool
    window: int
    under_way: int
    circuit_open: bool


@dataclass(slots=True)
class _Known:
    line: Line
    window: Window
    circuit: Circuit
    commands: CommandsOut = field(default_factory=CommandsOut)
    acted_on: bool = False  # a session of it was, by this process
    flaps: bool = False


class Roster:
    """The gateways this process speaks with."""

    def __init__(self, *, window: int, random: Random | None = None) -> None:
        self._most = window
        self._random = random or Random(window)  # noqa: S311  spreads requests, guards nothing
        self._lock = threading.Lock()
        self._known: OrderedDict[GatewayId, _Known] = OrderedDict()
        self._now_s = 0.0  # the latest we were told

    def add(self, gateways: Iterable[tuple[GatewayId, StoreId]]) -> None:
        """Let gateways be heard; those known already stay as they are."""
        with self._lock:
            for gateway_id, store_id in gateways:
                if gateway_id not in self._known:
                    line = Line(store_id=store_id)
                    window = Window(min(self._most, line.capacity))
                    self._known[gateway_id] = _Known(line, window, Circuit(self._random))

    def remove(self, gateway_ids: Iterable[GatewayId]) -> None:
        """Forget gateways: another process speaks with them."""
        with self._lock:
            for gateway_id in gateway_ids:
                self._known.pop(gateway_id, None)

    def store_of(self, gateway_id: GatewayId) -> StoreId | None:
        """Name a gateway's store, or None if we do not speak with it."""
        known = self._known.get(gateway_id)
        return known.line.store_id if known is not None else None

    # -- what is heard -----------------------------------------------------------------------

    def hear_state(self, gateway_id: GatewayId, state: GatewayState, *, now_s: float) -> Standing:
        """Weigh a ``state`` message; NEW where the gateway has come online or come back."""
        with self._lock:
            if (known := self._known.get(gateway_id)) is None:
                return Standing.ECHO
            before = known.line.session
            standing = known.line.hear_state(state, now_s)
            if standing is Standing.NEW:
                self._begin(known, before, now_s)
            return standing

    def hear_event(
        self, gateway_id: GatewayId, event: AnyEvent, *, now_s: float, now_ms: int
    ) -> tuple[Standing, bool]:
        """Weigh an event's session; return its standing, and whether events before it are missing.

        ``now_ms`` is our wall clock, to learn how far the gateway's own is ahead.
        """
        [(standing, gap)] = self.hear_events(gateway_id, (event,), now_s=now_s, now_ms=now_ms)
        return standing, gap

    def hear_events(
        self, gateway_id: GatewayId, events: Sequence[AnyEvent], *, now_s: float, now_ms: int
    ) -> list[tuple[Standing, bool]]:
        """Weigh the events of one payload, in their order, as `hear_event` does each."""
        with self._lock:
            if (known := self._known.get(gateway_id)) is None:
                return [(Standing.ECHO, False)] * len(events)
            line = known.line
            heard: list[tuple[Standing, bool]] = []
            for event in events:
                before, capacity = line.session, line.capacity
                standing, gap = line.hear_event(event, now_s, now_ms)
                heard.append((standing, gap))
                if standing is Standing.ECHO:
                    continue
                if standing is Standing.NEW:
                    self._begin(known, before, now_s)
                if line.capacity != capacity:
                    known.window.allow(min(self._most, line.capacity))
                if isinstance(event, _ANSWERS) and event.id > 0:
                    known.circuit.note_answer()
                    if isinstance(event, Shown):
                        known.commands.note_shown(event.id)
            return heard

    def note_silence(self, now_s: float) -> list[GatewayId]:
        """Take gateways that fell silent off the line; return them."""
        with self._lock:
            silent = [g for g, known in self._known.items() if known.line.is_silent(now_s)]
            for gateway_id in silent:
                self._known[gateway_id].line.online = False
            return silent

    def online(self) -> frozenset[GatewayId]:
        """Return the gateways that are on the line."""
        with self._lock:
            return frozenset(g for g, known in self._known.items() if known.line.online)

    def session_of(self, gateway_id: GatewayId) -> tuple[str, int]:
        """Return a gateway's current session, and how far its clock is ahead of ours in ms."""
        with self._lock:
            if (known := self._known.get(gateway_id)) is None:
                return "", 0
            return known.line.session, known.line.clock_ahead_ms

    def flaps(self, gateway_id: GatewayId) -> bool:
        """Say whether a gateway's sessions follow each other too fast to act on each."""
        known = self._known.get(gateway_id)
        return known is not None and known.flaps

    def is_new_here(self, gateway_id: GatewayId) -> bool:
        """Say whether nothing was ever done about this gateway's sessions by this process."""
        known = self._known.get(gateway_id)
        return known is not None and not known.acted_on

    def note_acted_on(self, gateway_ids: Iterable[GatewayId]) -> None:
        """Note that a session's beginning was written down."""
        with self._lock:
            for gateway_id in gateway_ids:
                if (known := self._known.get(gateway_id)) is not None:
                    known.acted_on = True

    def entry(self, gateway_id: GatewayId) -> RosterEntry | None:
        """Say how a gateway stands; None if we do not speak with it."""
        with self._lock:
            known = self._known.get(gateway_id)
            if known is None:
                return None
            return RosterEntry(
                online=known.line.online,
                window=known.window.size,
                under_way=known.window.under_way,
                circuit_open=known.circuit.is_open,
            )

    # -- all labels' word --------------------------------------------------------------------

    def want_report(self, gateway_ids: Iterable[GatewayId]) -> None:
        """Wish that gateways be asked what all of their labels show, soon."""
        with self._lock:
            for gateway_id in gateway_ids:
                if (known := self._known.get(gateway_id)) is not None:
                    known.line.report_wanted = True

    def take_reports(self, now_s: float) -> tuple[GatewayId, ...]:
        """Return the gateways to ask now, and count them as asked; the others keep waiting."""
        with self._lock:
            asked: list[GatewayId] = []
            for gateway_id, known in self._known.items():
                if len(asked) >= REPORTS_AT_ONCE:
                    break
                if known.line.report_wanted and known.line.take_report(now_s, self._random):
                    asked.append(gateway_id)
            return tuple(sorted(asked))

    # -- what is under way -------------------------------------------------------------------

    def room(self, now_s: float) -> dict[GatewayId, int]:
        """Say how many more labels each online gateway takes, if any.

        Begins with another gateway each time, so that none waits for the others. A gateway that
        does not answer gets single labels, with pauses.
        """
        with self._lock:
            self._now_s = max(self._now_s, now_s)
            if self._known:
                self._known.move_to_end(next(iter(self._known)))
            room: dict[GatewayId, int] = {}
            for gateway_id, known in self._known.items():
                if not known.line.online:
                    continue
                if expired := known.window.expire(now_s):
                    known.circuit.note_timed_out(expired, now_s)
                allowed = known.circuit.allows(now_s)
                free = known.window.room() if allowed is None else allowed
                if free > 0:
                    room[gateway_id] = free
            return room

    def note_sent(
        self,
        gateway_id: GatewayId,
        label_ids: Iterable[LabelId],
        until_s: float,
        *,
        commands: Mapping[int, Sequence[Told]] | None = None,
    ) -> None:
        """Note one payload's labels as under way, until they answer or the time is up.

        ``commands`` says by command id which label was told which revision.
        """
        label_ids = tuple(label_ids)
        with self._lock:
            if (known := self._known.get(gateway_id)) is None:
                return  # taken over by another process
            known.window.note_sent(label_ids, until_s)
            known.circuit.note_sent(label_ids, self._now_s)
            if commands:
                known.commands.note_sent(commands)

    def note_unsent(
        self, gateway_id: GatewayId, label_ids: Iterable[LabelId], now_s: float
    ) -> None:
        """Note that a payload could not be published: its labels are not under way."""
        label_ids = tuple(label_ids)
        with self._lock:
            if (known := self._known.get(gateway_id)) is not None:
                known.window.forget(label_ids)
                known.circuit.note_unsent(label_ids, now_s)

    def note_answered(self, answered: Iterable[tuple[GatewayId, LabelId]]) -> None:
        """Note labels that are no longer under way."""
        with self._lock:
            for gateway_id, label_id in answered:
                if (known := self._known.get(gateway_id)) is not None:
                    known.window.note_answered(label_id)
                    known.circuit.note_label_answered(label_id)

    def note_queue_full(self, gateway_id: GatewayId, label_id: LabelId | None) -> None:
        """Note that a gateway refused a command for want of room."""
        with self._lock:
            if (known := self._known.get(gateway_id)) is not None:
                known.window.note_queue_full(label_id)

    def told_by(self, gateway_id: GatewayId, command_id: int) -> Sequence[Told]:
        """Say which labels a command under way told what; none if it is not known."""
        with self._lock:
            known = self._known.get(gateway_id)
            return known.commands.told(command_id) if known is not None else ()

    def note_failed(self, failed: Iterable[tuple[GatewayId, int, LabelId]]) -> None:
        """Note commands, by id, that came to nothing for a label."""
        with self._lock:
            for gateway_id, command_id, label_id in failed:
                if (known := self._known.get(gateway_id)) is not None:
                    known.commands.note_failed(command_id, label_id)

    def has_failed(self, gateway_id: GatewayId, command_id: int, label_id: LabelId) -> bool:
        """Say whether a command under way is known to have come to nothing for a label."""
        with self._lock:
            known = self._known.get(gateway_id)
            return known is not None and known.commands.has_failed(command_id, label_id)

    def _begin(self, known: _Known, before: str, now_s: float) -> None:
        """Begin a session, or take up the one that had left."""
        if known.line.session != before:
            known.window.forget()
            known.commands.clear()
        known.flaps = known.circuit.begin_session(now_s)
