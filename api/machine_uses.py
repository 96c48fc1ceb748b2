"""Notes when a machine's token or secret was used: once a minute and key, beside the request."""

import threading
from collections import OrderedDict
from datetime import datetime

from api.house import House
from esl.services import access_times
from esl.store import access_times as rows
from esl.store.access_times import Times

_REMEMBERED = 10_000


class MachineUses:
    """What was handed to the writer lately, so that it is not twice. Any thread may note."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._noted: OrderedDict[str, datetime] = OrderedDict()
        self._changing = threading.Lock()

    def note(self, key: str, times: Times, now: datetime) -> None:
        """Have a use written down, unless the books or we know of one within the minute."""
        if not access_times.is_use_worth_a_note(times, now):
            return
        with self._changing:
            last = self._noted.get(key)
            if last is not None and now - last < access_times.USE_NOTED_EVERY:
                return
            self._noted[key] = now
            self._noted.move_to_end(key)
            while len(self._noted) > _REMEMBERED:
                self._noted.popitem(last=False)
        self._house.writer.submit(lambda tx: rows.note_used(tx, key, now))  # nobody waits for it
