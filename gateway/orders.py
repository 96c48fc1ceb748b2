"""Commands of people under way, by the id they left under: whose answer an event is.

Memory of one process. After a restart nothing is known, and what was not answered is sent again
under a new id: all of these commands may be obeyed twice.
"""

import threading
from collections import OrderedDict

from esl.domain.ids import GatewayId

ORDERS_MOST = 4096


class OrderBook:
    """The latest commands beside pictures; thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: OrderedDict[tuple[GatewayId, int], int] = OrderedDict()

    def note_sent(self, gateway_id: GatewayId, wire_id: int, command_key: int) -> None:
        """Note that a command leaves under an id."""
        with self._lock:
            self._keys[gateway_id, wire_id] = command_key
            while len(self._keys) > ORDERS_MOST:
                self._keys.popitem(last=False)

    def key_of(self, gateway_id: GatewayId, wire_id: int) -> int | None:
        """Name the command that left under an id; None if it is none of these."""
        if not self._keys:
            return None
        with self._lock:
            return self._keys.get((gateway_id, wire_id))
