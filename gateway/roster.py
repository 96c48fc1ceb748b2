"""Who is on the line: each gateway's session, clock and room, as this process knows it.

A session is fresh for each connection of a gateway. Which one is current must survive messages
that are lost, repeated and late, so no single message decides it for ever:

* an event of a session never heard of makes it the current one;
* an event of an earlier session makes that current again only if its ``seq`` is above all heard
  of it: that is a gateway still speaking, anything else is an echo;
* once the current session has left or fallen silent, any session may begin;
* ``offline`` counts only for the current session.

A heartbeat every few seconds therefore mends every mistake. All of it is memory of one process
and is learned anew after a restart; nothing here is truth about a shelf.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from esl.domain.ids import GatewayId, LabelId, StoreId
from gateway.wire.messages import AnyEvent, GatewayState, Heartbeat, Hello

SILENT_AFTER_S = 95.0
"""A gateway not heard for three heartbeats of 30 s is away."""

_SESSIONS_REMEMBERED = 16
_CAPACITY_UNTOLD = 32


class Standing(StrEnum):
    """What an event's session says about it."""

    CURRENT = "current"
    NEW = "new"  #: it begins a session, or the gateway came back
    ECHO = "echo"  #: of an earlier session; drop it


@dataclass(slots=True, kw_only=True)
class _Presence:
    store_id: StoreId
    session: str = ""
    online: bool = False
    heard_s: float = 0.0
    clock_ahead_ms: int = 0
    capacity: int = _CAPACITY_UNTOLD
    last_seq: OrderedDict[str, int] = field(default_factory=OrderedDict)
    in_flight: dict[LabelId, float] = field(default_factory=dict)  # label -> given up at, s


class Roster:
    """The gateways this process speaks with. Thread safe."""

    def __init__(self, *, window: int) -> None:
        self._window = window
        self._lock = threading.Lock()
        self._known: OrderedDict[GatewayId, _Presence] = OrderedDict()

    def add(self, gateways: Iterable[tuple[GatewayId, StoreId]]) -> None:
        """Let gateways be heard; those known already stay as they are."""
        with self._lock:
            for gateway_id, store_id in gateways:
                self._known.setdefault(gateway_id, _Presence(store_id=store_id))

    def store_of(self, gateway_id: GatewayId) -> StoreId | None:
        """Name a gateway's store, or None if we do not speak with it."""
        with self._lock:
            presence = self._known.get(gateway_id)
            return presence.store_id if presence is not None else None

    def hear_state(self, gateway_id: GatewayId, state: GatewayState, *, now_s: float) -> Standing:
        """Weigh a ``state`` message; NEW where the gateway has come online or come back."""
        with self._lock:
            presence = self._known[gateway_id]
            if state.session == presence.session:
                changed = presence.online != state.online
                presence.online = state.online
                if state.online:
                    presence.heard_s = now_s
                return Standing.NEW if changed and state.online else Standing.CURRENT
            if not state.online or state.session in presence.last_seq:
                return Standing.ECHO
            self._begin(presence, state.session, 0, now_s)
            return Standing.NEW

    def hear_event(
        self, gateway_id: GatewayId, event: AnyEvent, *, now_s: float, now_ms: int
    ) -> tuple[Standing, bool]:
        """Weigh an event's session; return its standing, and whether events before it are missing.

        ``now_ms`` is our wall clock, to learn how far the gateway's own is ahead.
        """
        with self._lock:
            presence = self._known[gateway_id]
            last = presence.last_seq.get(event.session)
            gap = last is not None and event.seq > last + 1
            if event.session == presence.session:
                standing = Standing.CURRENT if presence.online else Standing.NEW
                presence.online = True
                presence.heard_s = now_s
                presence.last_seq[event.session] = max(last or 0, event.seq)
            elif last is None or event.seq > last or not presence.online:
                standing = Standing.NEW
                self._begin(presence, event.session, event.seq, now_s)
            else:
                return Standing.ECHO, False
            if isinstance(event, Hello | Heartbeat):
                presence.clock_ahead_ms = event.clock - now_ms
                presence.capacity = max(1, event.capacity)
            return standing, gap

    def note_silence(self, now_s: float) -> list[GatewayId]:
        """Take gateways that fell silent off the line; return them."""
        with self._lock:
            silent = [
                gateway_id
                for gateway_id, presence in self._known.items()
                if presence.online and now_s - presence.heard_s > SILENT_AFTER_S
            ]
            for gateway_id in silent:
                self._known[gateway_id].online = False
            return silent

    def online(self) -> frozenset[GatewayId]:
        """Return the gateways that are on the line."""
        with self._lock:
            return frozenset(g for g, presence in self._known.items() if presence.online)

    def session_of(self, gateway_id: GatewayId) -> tuple[str, int]:
        """Return a gateway's current session, and how far its clock is ahead of ours in ms."""
        with self._lock:
            presence = self._known[gateway_id]
            return presence.session, presence.clock_ahead_ms

    def room(self, now_s: float) -> dict[GatewayId, int]:
        """Say how many more labels each online gateway takes, if any.

        Begins with another gateway each time, so that none waits for the others.
        """
        with self._lock:
            if self._known:
                self._known.move_to_end(next(iter(self._known)))
            room: dict[GatewayId, int] = {}
            for gateway_id, presence in self._known.items():
                if not presence.online:
                    continue
                expired = [k for k, until_s in presence.in_flight.items() if until_s <= now_s]
                for label_id in expired:
                    del presence.in_flight[label_id]
                free = min(self._window, presence.capacity) - len(presence.in_flight)
                if free > 0:
                    room[gateway_id] = free
            return room

    def note_sent(
        self, gateway_id: GatewayId, label_ids: Iterable[LabelId], until_s: float
    ) -> None:
        """Note labels that are under way, until they answer or the time is up."""
        with self._lock:
            self._known[gateway_id].in_flight.update(dict.fromkeys(label_ids, until_s))

    def note_answered(self, answered: Iterable[tuple[GatewayId, LabelId]]) -> None:
        """Note labels that are no longer under way."""
        with self._lock:
            for gateway_id, label_id in answered:
                presence = self._known.get(gateway_id)
                if presence is not None:
                    presence.in_flight.pop(label_id, None)

    def _begin(self, presence: _Presence, session: str, seq: int, now_s: float) -> None:
        presence.session = session
        presence.online = True
        presence.heard_s = now_s
        presence.in_flight.clear()
        presence.last_seq[session] = max(presence.last_seq.get(session, 0), seq)
        presence.last_seq.move_to_end(session)
        while len(presence.last_seq) > _SESSIONS_REMEMBERED:
            presence.last_seq.popitem(last=False)
