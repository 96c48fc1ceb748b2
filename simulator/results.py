"""What came of the last commands, to be said again when one comes twice (G8)."""

from collections import OrderedDict
from collections.abc import Sequence

from gateway.wire.messages import AnyEvent

RESULTS_KEPT = 4096
"""Commands whose results a gateway can repeat: many windows."""


class Results:
    """Events by command id; the oldest command is forgotten first."""

    def __init__(self) -> None:
        self._events: OrderedDict[int, list[AnyEvent]] = OrderedDict()

    def begin(self, command_id: int) -> Sequence[AnyEvent] | None:
        """Note a command; None where it is new, else what it was answered so far."""
        known = self._events.get(command_id)
        if known is None:
            self._events[command_id] = []
            if len(self._events) > RESULTS_KEPT:
                self._events.popitem(last=False)
        return known

    def keep(self, command_id: int, event: AnyEvent) -> None:
        """Keep an answer of a command."""
        events = self._events.get(command_id)
        if events is not None:
            events.append(event)

    def forget(self) -> None:
        """The gateway rebooted."""
        self._events.clear()
