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
        self._images: dict[tuple[GatewayId, bytes], int] = {}

    def image_id(self, gateway_id: GatewayId, digest: bytes, fresh_id: int) -> int:
        """Name the id that all parts of a firmware image leave under: that of its first."""
        with self._lock:
            return self._images.setdefault((gateway_id, digest), fresh_id)

    def end_image(self, gateway_id: GatewayId, digest: bytes) -> None:
        """Note that an image's last part left: sent again, it is another command."""
        with self._lock:
            self._images.pop((gateway_id, digest), None)

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
