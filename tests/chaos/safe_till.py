"""The tills of a store that keeps the safe order: they ask, charge what they hear, and say so.

::

    page ─▶ charged from now on ─▶ acknowledged (asked again until answered)
     ▲                │
     └── 5 to 20 s ───┘ now and then a till sleeps for minutes, and charges what it charged

I15: whatever it charges, no label that hangs says less at that instant. A picture that a broken
clock brought early, a label whose id is used twice and a glass that fell back are beyond anybody.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from esl.domain.ids import Sku
from esl.services import tilling
from esl.store import tills
from tests.builders import STORE
from tests.chaos.model import Model
from tests.chaos.requests import Request
from tests.chaos.till_oracle import TillOracle
from tests.chaos.world import World

_ASKS_S = (5.0, 20.0)
_SLEEPS_S = (60.0, 600.0)
_SLEEPS = 0.03
_PAGE = 100

Heard = list[tuple[str, int, int]]
"""Of each product: what may be charged, and under which number that is said."""


class Counter(Protocol):
    """A controller's door, as far as a till goes to it to ask."""

    def look_up(self, read: Callable[[Connection], Heard]) -> Heard | None:
        """Read something; None if nobody answers."""


class SafeTill:
    """One till for the whole store. ``ask`` posts a request until it is answered."""

    def __init__(
        self,
        world: World,
        counters: Sequence[Counter],
        oracle: TillOracle,
        ask: Callable[[Request], None],
    ) -> None:
        self._world = world
        self._counters = counters
        self._oracle = oracle
        self._ask = ask
        self._cursor = 0
        self._number = 0
        self._sleeps_until_s = 0.0

    def begin(self) -> None:
        """Begin to ask."""
        self._later(self._world.between(*_ASKS_S))

    def _later(self, delay_s: float) -> None:
        self._world.after(delay_s, self._look)

    def _look(self) -> None:
        world = self._world
        self._later(world.between(*_ASKS_S))
        if world.happens(_SLEEPS):
            world.count("till asleep")
            self._sleeps_until_s = world.now_s + world.between(*_SLEEPS_S)
        if world.faulty and world.now_s < self._sleeps_until_s:
            return
        heard = world.random.choice(list(self._counters)).look_up(self._page)
        if heard:
            world.after(world.between(0.0, 1.0), self._charge, heard)

    def _page(self, tx: Connection) -> Heard:
        page = tills.page_of(tx, STORE, since=self._cursor, limit=_PAGE)
        if page:
            self._cursor = page[-1].rev
        return [(one.sku, one.standing.grant.price_minor, one.standing.grant_rev) for one in page]

    def _charge(self, heard: Heard) -> None:
        for sku, price, _ in heard:
            self._oracle.charge(sku, price)
        self._number += 1
        self._ask(_word_request(f"till-{self._number}", heard))


def _word_request(key: str, heard: Heard) -> Request:
    def do(tx: Connection, now: datetime) -> Any:
        words = [(Sku(sku), rev) for sku, _, rev in heard]
        said = tilling.acknowledge_prices(tx, STORE, words, now)
        return [one.value for one in said.heard]

    def happened(_: Model, given: Any) -> Any:
        return given

    return Request(key, f"charges {json.dumps(heard)}", do, happened)
