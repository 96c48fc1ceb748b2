"""A simulated gateway on a table: a signing key above it, labels below, and a clock to turn."""

import zlib
from collections.abc import Sequence
from hashlib import sha256
from random import Random
from typing import Any, TypeVar

from esl.domain.ids import PanelId
from esl.domain.panel import Panel
from gateway.wire.codec import encode_commands
from gateway.wire.messages import (
    RAW,
    VERSION,
    ZLIB,
    AnyEvent,
    Command,
    Failed,
    Header,
    Put,
    ShowEntry,
)
from gateway.wire.signing import PublicKeys, SigningKey, seal
from simulator.gateway import GatewayOptions, SimGateway
from simulator.label import SimLabel
from simulator.moment import Moment

E = TypeVar("E")

NOON_MS = 1_767_268_800_000
KEY = SigningKey.from_seed(bytes(range(32)))
PANEL = Panel(
    panel_id=PanelId("tiny"), name="tiny", width_px=16, height_px=8, dpi=100, refresh_s=20
)


def picture(number: int) -> bytes:
    """A frame unlike those of other numbers."""
    return Random(number).randbytes(PANEL.frame_bytes)


def digest(frame: bytes) -> bytes:
    return sha256(frame).digest()


def deflate(frame: bytes) -> bytes:
    stream = zlib.compressobj(wbits=PANEL.zlib_window_bits)
    return stream.compress(frame) + stream.flush()


def put(rev: int, frame: bytes | None = None, **changes: Any) -> Put:
    """A good put for label-1, unless changed; its id is its revision."""
    frame = picture(rev) if frame is None else frame
    encoding = changes.pop("encoding", ZLIB)
    fields: dict[str, Any] = {
        "id": rev,
        "label": "label-1",
        "epoch": 1,
        "slot": 0,
        "rev": rev,
        "digest": digest(frame),
        "size": len(frame),
        "encoding": encoding,
        "data": frame if encoding == RAW else deflate(frame),
        "show": True,
        "deadline": NOON_MS + 3_600_000,
    }
    return Put(**(fields | changes))


def entry(rev: int, frame: bytes, *, label: str = "label-1", slot: int = 0) -> ShowEntry:
    return ShowEntry(label, rev, slot, digest(frame))


def of(kind: type[E], events: Sequence[object]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def codes(events: Sequence[AnyEvent]) -> list[str]:
    """Why things failed."""
    return [event.code for event in of(Failed, events)]


class Rig:
    """One gateway with labels label-1 … label-n; time only passes in `later`."""

    def __init__(
        self, labels: int = 1, *, key: SigningKey = KEY, seed: int = 1, **options: Any
    ) -> None:
        self.key = key
        self.now = Moment(NOON_MS, 1_000.0)
        self.gateway = SimGateway(
            "gw-1",
            [SimLabel(f"label-{n}", PANEL) for n in range(1, labels + 1)],
            PublicKeys.of(KEY),
            random=Random(seed),
            options=GatewayOptions(**options),
        )
        self.label = self.gateway.labels["label-1"]
        self.counter = 0
        self.welcome = self.connect()

    def connect(self) -> list[AnyEvent]:
        self.gateway.begin_session()
        self.counter = 0
        return self.gateway.connected(self.now)

    def seal(self, *commands: Command, **header: Any) -> bytes:
        return self.seal_body(encode_commands(commands), **header)

    def seal_body(self, body: bytes, **header: Any) -> bytes:
        self.counter += 1
        fields: dict[str, Any] = {
            "version": VERSION,
            "key_id": self.key.key_id,
            "gateway": "gw-1",
            "session": self.gateway.session,
            "counter": self.counter,
            "expires": self.now.wall_ms + 60_000,
        }
        return seal(self.key, Header(**(fields | header)), body)

    def deliver(self, payload: bytes) -> list[AnyEvent]:
        return self.gateway.receive_down(payload, self.now)

    def down(self, *commands: Command) -> list[AnyEvent]:
        return self.deliver(self.seal(*commands))

    def later(self, seconds: float) -> list[AnyEvent]:
        """Let time pass, waking the gateway whenever it asked for it."""
        end_s = self.now.monotonic_s + seconds
        events = []
        while (wake_s := self.gateway.next_wake_s()) <= end_s:
            self._move(max(wake_s, self.now.monotonic_s))
            events += self.gateway.tick(self.now)
        self._move(end_s)
        return events

    def _move(self, to_s: float) -> None:
        passed_ms = round((to_s - self.now.monotonic_s) * 1000)
        self.now = Moment(self.now.wall_ms + passed_ms, to_s)
