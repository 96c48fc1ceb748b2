"""A gateway's words: events with the session and the next sequence number, or silence.

Silence is while no connection stands: events are still made, since their results are kept for
duplicates (G8), but they take no number and nobody hears them.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from gateway.wire.codec import encode_events
from gateway.wire.messages import (
    FEATURE_PAYLOAD_BYTES,
    MAX_PAYLOAD_BYTES,
    VERSION,
    Accepted,
    AnyEvent,
    Failed,
    Heartbeat,
    Hello,
    Pressed,
    Seen,
    Shown,
    Stored,
    Tapped,
)
from simulator.label import SimLabel, Slot
from simulator.picture import Refusal

_SILENT_SEQ = 1  # of an event nobody hears: any valid number


class Voice:
    """Makes one gateway's events. ``now_ms`` is the gateway's own clock, set by each step."""

    def __init__(self, *, level: str, payload_bytes: int) -> None:
        self.now_ms = 0
        self._level = level
        self._features = {FEATURE_PAYLOAD_BYTES: payload_bytes}
        self._session = "silent"
        self._seq = 0
        self._live = False
        self._said: list[AnyEvent] = []

    def begin(self, session: str) -> None:
        """Speak in a new session."""
        self._session = session
        self._seq = 0
        self._live = True
        self._said.clear()

    def stop(self) -> None:
        """Fall silent."""
        self._live = False
        self._said.clear()

    def take(self) -> list[AnyEvent]:
        """Return what was said since last asked."""
        said, self._said = self._said, []
        return said

    # -- words ---------------------------------------------------------------------------------

    def hello(self, *, firmware: str, capacity: int) -> None:
        """Begin the session (said again by every heartbeat)."""
        self._say(
            Hello(
                session=self._session,
                seq=self._next_seq(),
                protocol=VERSION,
                level=self._level,
                firmware=firmware,
                capacity=capacity,
                clock=self.now_ms,
                features=self._features,
            )
        )

    def heartbeat(self, *, firmware: str, capacity: int, queued: int) -> None:
        """Say that the gateway lives."""
        self._say(
            Heartbeat(
                session=self._session,
                seq=self._next_seq(),
                protocol=VERSION,
                level=self._level,
                firmware=firmware,
                capacity=capacity,
                clock=self.now_ms,
                queued=queued,
                features=self._features,
            )
        )

    def seen(self, label: SimLabel, rssi_dbm: int) -> None:
        """Pass a label's beacon on, with the signal it came with."""
        self._say(
            Seen(
                session=self._session,
                seq=self._next_seq(),
                label=label.label_id,
                panel=label.panel.panel_id,
                shown_rev=label.shown_rev,
                shown_digest=label.shown_digest,
                incarnation=label.incarnation,
                slots=[(slot.rev, slot.digest) for slot in label.slots],
                battery_mv=label.battery_mv,
                temperature_c=label.temperature_c,
                rssi_dbm=rssi_dbm,
                firmware=label.firmware,
            )
        )

    def accepted(self, command_id: int) -> None:
        """A command was taken and its results follow."""
        self._say(Accepted(session=self._session, seq=self._next_seq(), id=command_id))

    def stored(self, command_id: int, label: SimLabel, index: int, slot: Slot) -> AnyEvent:
        """A label holds a picture."""
        return self._say(
            Stored(
                session=self._session,
                seq=self._next_seq(),
                id=command_id,
                label=label.label_id,
                rev=slot.rev,
                slot=index,
                digest=slot.digest,
            )
        )

    def shown(self, command_id: int, label: SimLabel) -> AnyEvent:
        """A label shows a picture, in its own words (G7)."""
        return self._say(
            Shown(
                session=self._session,
                seq=self._next_seq(),
                id=command_id,
                label=label.label_id,
                rev=label.shown_rev,
                digest=label.shown_digest,
                incarnation=label.incarnation,
                at=self.now_ms,
                battery_mv=label.battery_mv,
                temperature_c=label.temperature_c,
            )
        )

    def failed(
        self, command_id: int, refusal: Refusal, label: str | None = None, rev: int | None = None
    ) -> AnyEvent:
        """A command, or one label's part of it, came to nothing."""
        return self._say(
            Failed(
                session=self._session,
                seq=self._next_seq(),
                id=command_id,
                code=refusal.code,
                label=label,
                rev=rev,
                detail=refusal.detail,
            )
        )

    def pressed(self, label: SimLabel, button: int) -> None:
        """Somebody pressed a label's button."""
        self._say(
            Pressed(
                session=self._session,
                seq=self._next_seq(),
                label=label.label_id,
                button=button,
                at=self.now_ms,
            )
        )

    def tapped(self, label: SimLabel) -> None:
        """A phone read a label's tag."""
        self._say(
            Tapped(
                session=self._session, seq=self._next_seq(), label=label.label_id, at=self.now_ms
            )
        )

    def repeat(self, event: AnyEvent) -> None:
        """Say again what was said before, in this session."""
        self._say(replace(event, session=self._session, seq=self._next_seq()))

    def _next_seq(self) -> int:
        if not self._live:
            return _SILENT_SEQ
        self._seq += 1
        return self._seq

    def _say(self, event: AnyEvent) -> AnyEvent:
        if self._live:
            self._said.append(event)
        return event


def up_payloads(events: Sequence[AnyEvent], max_bytes: int = MAX_PAYLOAD_BYTES) -> Iterator[bytes]:
    """Encode events into as many payloads as their limit asks for, in order."""
    payload = encode_events(events)
    if len(payload) <= max_bytes or len(events) == 1:
        yield payload
        return
    half = len(events) // 2
    yield from up_payloads(events[:half], max_bytes)
    yield from up_payloads(events[half:], max_bytes)
