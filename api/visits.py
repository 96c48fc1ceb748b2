"""How often short links are followed: counted here, written down some seconds later.

Nothing of who followed one is kept: a code, a day, a number. A controller that is killed forgets
the visits of its last seconds.
"""

import asyncio
from collections import Counter
from concurrent.futures import Future
from datetime import date

from api.house import House
from esl.store.short_links import count_visits
from esl.store.write_group import Priority

WRITES_AFTER_S = 2.0


class Visits:
    """Counts the visits of codes that there are; on the loop's thread alone."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._counted: Counter[tuple[str, date]] = Counter()
        self.turns = asyncio.Semaphore(4)
        """So many at once look a code up: strangers must not hold up the shop."""

    def note(self, code: str, day: date) -> None:
        """Count a visit."""
        if not self._counted:
            asyncio.get_running_loop().call_later(WRITES_AFTER_S, self.write)
        self._counted[code, day] += 1

    def write(self) -> "Future[None]":
        """Write down what was counted since; what cannot be written is forgotten."""
        counted, self._counted = dict(self._counted), Counter()
        return self._house.writer.submit(
            lambda tx: count_visits(tx, counted), priority=Priority.HOUSEKEEPING
        )

    async def written(self) -> None:
        """Wait until what was counted is written down."""
        await asyncio.wrap_future(self.write())
