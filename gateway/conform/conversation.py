"""Speaking with one gateway: sealed commands out, events in, kept in the order they came.

::

    send(put) ─▶ sealed, counted, published       events: [hello 1, seen 2, accepted 3, shown 4 …]
                                                              ▲
    answer_to(id) ◀── waits until an event says what came of it

Nothing here judges; it only remembers what was said in which order, and when. What cannot be
read is kept too: an unreadable event is a finding of its own.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.conform.line import Arrived, ConformError, Line
from gateway.wire.codec import decode_events, decode_state, encode_commands
from gateway.wire.errors import BadPayload
from gateway.wire.messages import (
    VERSION,
    Accepted,
    AnyEvent,
    Command,
    Failed,
    GatewayState,
    Header,
    Heartbeat,
    Hello,
    Report,
    Seen,
    Shown,
    Stored,
)
from gateway.wire.signing import SigningKey, seal
from gateway.wire.topics import Kind

T = TypeVar("T")

Answer = Shown | Stored | Failed

EXPIRES_AFTER_MS = 120_000
IDS_A_MS = 1024  # command ids that begin with the wall clock never come back


@dataclass(frozen=True, slots=True)
class Heard:
    """One event and when it came, by the line's monotonic clock."""

    event: AnyEvent
    at_s: float


@dataclass(slots=True)
class Numbers:
    """Where counters, command ids and revisions come from; each only rises.

    ``revisions`` are the installation's own where there is one: a label shown a higher revision
    than its controller ever takes would refuse that controller for ever.
    """

    counters: Iterator[int]
    ids: Iterator[int]
    revisions: Iterator[int]
    alone: bool = False  # counters may jump: nobody else counts for this gateway

    @classmethod
    def standing_alone(cls, wall_ms: int) -> "Numbers":
        """Numbers for a gateway and labels that no controller cares for."""
        ids = itertools.count(wall_ms * IDS_A_MS)
        return cls(itertools.count(1), ids, itertools.count(1), alone=True)


@dataclass(slots=True)
class Conversation:
    """One gateway's ear and mouth; ``patience_s`` is how long an answer may take."""

    line: Line
    gateway_id: str
    key: SigningKey
    numbers: Numbers
    patience_s: float
    session: str = ""
    state: GatewayState | None = None
    hello: Hello | Heartbeat | None = None
    heard: list[Heard] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    clock_ahead_ms: int = 0
    _sent: set[bytes] = field(default_factory=set)
    _strangers: int = 0

    # -- speaking ------------------------------------------------------------------------------

    def header(self, **changes: object) -> Header:
        """The header of the next payload, with a fresh counter unless one is given."""
        fields: dict[str, object] = {
            "version": VERSION,
            "key_id": self.key.key_id,
            "gateway": self.gateway_id,
            "session": self.session,
            "counter": changes["counter"] if "counter" in changes else next(self.numbers.counters),
            "expires": self.gateway_ms() + EXPIRES_AFTER_MS,
        }
        return Header(*(fields | changes).values())  # type: ignore[arg-type]

    async def send(self, *commands: Command) -> None:
        """Seal commands as they should be, and publish them."""
        await self.send_payload(seal(self.key, self.header(), encode_commands(commands)))

    async def send_body(self, body: bytes) -> None:
        """Seal the bytes of a body, whatever they hold, and publish them."""
        await self.send_payload(seal(self.key, self.header(), body))

    async def send_payload(self, payload: bytes) -> None:
        """Publish a payload as it stands."""
        self._sent.add(payload)
        await self.line.send(payload)

    def next_id(self) -> int:
        """A command id never used before."""
        return next(self.numbers.ids)

    def next_rev(self, above: int = 0) -> int:
        """A revision above another one.

        Raises:
            ConformError: This installation has none so high.
        """
        for revision in self.numbers.revisions:
            if revision > above:
                return revision
        raise ConformError(
            f"a label shows revision {above}, above everything this installation ever sent: it "
            f"belongs to another one; choose another label with --label"
        )

    def gateway_ms(self) -> int:
        """What the gateway's own clock says now, as far as it told."""
        return self.line.wall_ms() + self.clock_ahead_ms

    # -- listening -----------------------------------------------------------------------------

    @property
    def events(self) -> list[AnyEvent]:
        """Everything said in this session, in order."""
        return [heard.event for heard in self.heard]

    async def until(
        self, found: Callable[[], T | None], patience_s: float | None = None
    ) -> T | None:
        """Listen until something is found; None if it is not within the patience."""
        end_s = self.line.monotonic_s() + (self.patience_s if patience_s is None else patience_s)
        while (result := found()) is None:
            left_s = end_s - self.line.monotonic_s()
            arrived = await self.line.arrived(left_s) if left_s > 0 else None
            if arrived is None:
                return found()
            self._take(arrived)
        return result

    async def listen(self, seconds: float) -> None:
        """Listen for so long, whatever comes."""
        await self.until(lambda: None, seconds)

    def answers_to(self, command_id: int, since: int = 0) -> list[Answer]:
        """What came of a command so far, in order, not counting the first ``since`` events."""
        return [
            event
            for event in self.events[since:]
            if isinstance(event, Shown | Stored | Failed) and event.id == command_id
        ]

    def reactions_to(self, command_id: int, since: int = 0) -> list[AnyEvent]:
        """Everything said about a command, `Accepted` too."""
        return [
            event
            for event in self.events[since:]
            if isinstance(event, Accepted | Shown | Stored | Failed) and event.id == command_id
        ]

    async def answer_to(
        self, command_id: int, *, since: int = 0, patience_s: float | None = None
    ) -> Answer | None:
        """Wait for what came of a command; None if nothing is said within the patience."""
        return await self.until(
            lambda: next(iter(self.answers_to(command_id, since)), None), patience_s
        )

    async def ask_seen(self, label: str) -> Seen | None:
        """Ask what a label shows, by its own word; everything sent before is answered first."""
        since = len(self.heard)
        await self.send(Report(id=self.next_id(), labels=[label]))
        return await self.until(
            lambda: next(
                (e for e in self.events[since:] if isinstance(e, Seen) and e.label == label), None
            )
        )

    # -- taking in -----------------------------------------------------------------------------

    def _take(self, arrived: Arrived) -> None:
        match arrived.kind:
            case Kind.UP if not arrived.retained:
                self._take_events(arrived.payload)
            case Kind.STATE:
                self._take_state(arrived.payload)
            case Kind.DOWN if arrived.payload not in self._sent:
                raise ConformError(
                    f"another controller speaks to {self.gateway_id}; stop it first, since two "
                    f"cannot tell their answers apart"
                )

    def _take_state(self, payload: bytes) -> None:
        try:
            state = decode_state(payload)
        except BadPayload as exc:
            self.unreadable.append(f"state: {exc}")
            return
        if state.online or self.state is None or state.session == self.state.session:
            self.state = state

    def _take_events(self, payload: bytes) -> None:
        try:
            decoded = decode_events(payload)
        except BadPayload as exc:
            self.unreadable.append(f"up: {exc}")
            return
        self.unreadable += [
            f"event {rejected.type or 'without a type'}: {rejected.reason}"
            for rejected in decoded.rejected
        ]
        for event in decoded.messages:
            self._take_event(event)

    def _take_event(self, event: AnyEvent) -> None:
        if isinstance(event, Hello | Heartbeat):
            if self.session not in ("", event.session) and self.heard:
                raise ConformError(
                    f"{self.gateway_id} began a new session in the middle of the run: it was "
                    f"restarted or lost its broker; run the kit again"
                )
            self.session = event.session
            self.hello = event
            self.clock_ahead_ms = event.clock - self.line.wall_ms()
        if event.session == self.session:
            self.heard.append(Heard(event, self.line.monotonic_s()))


def gaps(events: Sequence[AnyEvent]) -> str | None:
    """Say where the sequence numbers of a session do not rise by one; None if they do."""
    for before, after in itertools.pairwise(events):
        if after.seq != before.seq + 1:
            return f"seq {after.seq} came after {before.seq}"
    return None
