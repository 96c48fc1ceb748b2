"""What the kit needs of the world: a way to a gateway, and two clocks.

A real one speaks MQTT (`gateway.conform.mqtt_line`); a test's drives a simulated gateway on a
simulated clock, so that minutes of listening cost nothing.
"""

from dataclasses import dataclass
from typing import Protocol

from gateway.wire.topics import Kind


class ConformError(Exception):
    """The gateway could not be judged at all; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One payload on one of the gateway's topics."""

    kind: Kind
    payload: bytes
    retained: bool = False


class Line(Protocol):
    """A way to one gateway."""

    def monotonic_s(self) -> float:
        """Seconds of a clock that never jumps."""
        ...

    def wall_ms(self) -> int:
        """True time, milliseconds since 1970-01-01 UTC."""
        ...

    async def send(self, payload: bytes) -> None:
        """Publish on the gateway's ``down`` topic.

        Raises:
            ConformError: The broker did not take it.
        """
        ...

    async def arrived(self, patience_s: float) -> Arrived | None:
        """Return the next payload from any of the three topics; None after so many seconds.

        Raises:
            ConformError: The broker is gone.
        """
        ...
