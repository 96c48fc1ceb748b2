"""One gateway on the line: its session, clock and abilities, as this process knows them.

A session is fresh for each connection of a gateway. Which one is current must survive messages
that are lost, repeated and late, so no single message decides it for ever:

* an event of a session never heard of makes it the current one;
* an event of an earlier session makes that current again only if its ``seq`` is above all heard
  of it: that is a gateway still speaking, anything else is an echo;
* once the current session has left or fallen silent, any session may begin;
* ``offline`` counts only for the current session.

A heartbeat every few seconds therefore mends every mistake.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from esl.domain.ids import StoreId
from gateway.wire.messages import AnyEvent, GatewayState, Heartbeat, Hello

SILENT_AFTER_S = 95.0
"""A gateway not heard for three heartbeats of 30 s is away."""

CAPACITY_UNTOLD = 32

REPORTS_APART_S = 15.0
"""Shortest time between two requests for all labels' word: each is answered with hundreds of
beacons, and a radio that loses some of them must not be asked for more and more."""

_SESSIONS_REMEMBERED = 16
_ABILITIES = (Hello, Heartbeat)


class Standing(StrEnum):
    """What an event's session says about it."""

    CURRENT = "current"
    NEW = "new"  #: it begins a session, or the gateway came back
    ECHO = "echo"  #: of an earlier session; drop it


@dataclass(slots=True, kw_only=True)
class Line:
    """What is known of a gateway. Seconds are monotonic."""

    store_id: StoreId
    session: str = ""
    online: bool = False
    heard_s: float = 0.0
    clock_ahead_ms: int = 0
    capacity: int = CAPACITY_UNTOLD
    last_seq: OrderedDict[str, int] = field(default_factory=OrderedDict)
    report_wanted: bool = False
    report_not_before_s: float = 0.0

    def hear_state(self, state: GatewayState, now_s: float) -> Standing:
        """Weigh a ``state`` message; NEW where the gateway has come online or come back."""
        if state.session == self.session:
            changed = self.online != state.online
            self.online = state.online
            if state.online:
                self.heard_s = now_s
            return Standing.NEW if changed and state.online else Standing.CURRENT
        if not state.online or state.session in self.last_seq:
            return Standing.ECHO
        self._begin(state.session, 0, now_s)
        return Standing.NEW

    def hear_event(self, event: AnyEvent, now_s: float, now_ms: int) -> tuple[Standing, bool]:
        """Weigh an event's session; return its standing, and whether events before it are missing.

        ``now_ms`` is our wall clock, to learn how far the gateway's own is ahead.
        """
        session, seq = event.session, event.seq
        last = self.last_seq.get(session)
        if session == self.session:
            standing = Standing.CURRENT if self.online else Standing.NEW
            self.online = True
            self.heard_s = now_s
            self.last_seq[session] = seq if last is None or seq > last else last
        elif last is None or seq > last or not self.online:
            standing = Standing.NEW
            self._begin(session, seq, now_s)
        else:
            return Standing.ECHO, False
        if isinstance(event, _ABILITIES):
            self.clock_ahead_ms = event.clock - now_ms
            self.capacity = max(1, event.capacity)
        return standing, last is not None and seq > last + 1

    def is_silent(self, now_s: float) -> bool:
        """Say whether it is on the line and has not been heard for too long."""
        return self.online and now_s - self.heard_s > SILENT_AFTER_S

    def take_report(self, now_s: float, random: Random) -> bool:
        """Say whether to ask for all labels' word now; the next time is some while later."""
        if not self.report_wanted or not self.online or now_s < self.report_not_before_s:
            return False
        self.report_wanted = False
        self.report_not_before_s = now_s + REPORTS_APART_S * random.uniform(1.0, 1.5)
        return True

    def _begin(self, session: str, seq: int, now_s: float) -> None:
        self.session = session
        self.online = True
        self.heard_s = now_s
        self.last_seq[session] = max(self.last_seq.get(session, 0), seq)
        self.last_seq.move_to_end(session)
        while len(self.last_seq) > _SESSIONS_REMEMBERED:
            self.last_seq.popitem(last=False)
