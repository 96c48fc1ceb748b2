"""What must hold of promotions at their moments: each is turned once, in order, and none early.

::

    books   promotion_store.turned_at ──▶ what was turned     next_at ──▶ what is to come
    model   brute force, minute by minute of the store's clock      the two must be equal

The books only say *which* moment somebody has just turned. Whether it was its turn, and what labels
must show from then on, says the model.
"""

import sqlite3
from collections import defaultdict
from datetime import datetime

from tests.chaos.campaigns import Campaign
from tests.chaos.model import Model
from tests.chaos.order_oracle import Check
from tests.chaos.world import World

_MOMENTS = "SELECT promotion_id, next_at, turned_at FROM promotion_store"
_STATES = "SELECT promotion_id, state FROM promotion"
_LIVE = frozenset({"scheduled", "staging", "active"})


class EdgeOracle:
    """Watches the moments of promotions. ``check`` asks a question."""

    def __init__(self, world: World, model: Model, books: sqlite3.Connection, check: Check) -> None:
        self.turned = 0
        self._world = world
        self._model = model
        self._books = books
        self._check = check

    def look(self, now: datetime) -> list[str]:
        """Compare the books with the model after a commit; return the labels that turned.

        ``now`` is the clock of whoever committed.
        """
        if self._model.campaigns is None:
            return []
        turned: dict[datetime, list[Campaign]] = defaultdict(list)
        for row in self._books.execute(_MOMENTS):
            one = self._model.campaigns.all.get(row["promotion_id"])
            at = _moment(row["turned_at"])
            if one is not None and at is not None and at != one.turned:
                turned[at].append(one)
        touched: list[str] = []
        for at, some in sorted(turned.items()):
            names = sorted(one.name for one in some)
            early_s = (at - now).total_seconds()
            self._check("I10", early_s <= 0, f"{names} turn {early_s:.1f} s early")
            for one in some:
                self._check("I10", one.pending == at, f"{one.name} turns {at}, not {one.pending}")
            self._world.note(f"{names} turn {at:%H:%M:%S}")
            touched += self._model.turn(names)
            self.turned += len(names)
        self._check_moments()
        return touched

    def _check_moments(self) -> None:
        """What is to come must be what brute force says, no more and no less."""
        if self._model.campaigns is None:
            return
        rows = {
            row["promotion_id"]: _moment(row["next_at"]) for row in self._books.execute(_MOMENTS)
        }
        for name, one in self._model.campaigns.all.items():
            held = rows.get(name)
            self._check("I10", held == one.pending, f"{name}: next {held}, not {one.pending}")

    def check_none_left(self, now: datetime) -> None:
        """After somebody looked no moment of the past is left."""
        if self._model.campaigns is None:
            return
        left = [
            one.name
            for one in self._model.campaigns.all.values()
            if one.pending is not None and one.pending <= now
        ]
        self._check("I10", not left, f"moments of {left} have passed, and nobody turned them")

    def check_over(self) -> None:
        """At the end every promotion is over, in the books as in truth, and none is to turn."""
        if self._model.campaigns is None:
            return
        self._check_moments()
        states = {row["promotion_id"]: row["state"] for row in self._books.execute(_STATES)}
        for name, one in self._model.campaigns.all.items():
            is_live = states[name] in _LIVE
            self._check("I10", not is_live and not one.is_live, f"{name} is {states[name]}")
            self._check("I10", one.pending is None, f"{name} was never turned at {one.pending}")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(f"{text}+00:00") if text is not None else None
