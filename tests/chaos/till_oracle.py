"""What must hold of a till in the safe order: it never charges more than any label says (I15)."""

import sqlite3
from collections.abc import Callable

from tests.chaos.glass import Says
from tests.chaos.model import Model
from tests.chaos.order_oracle import Check
from tests.chaos.world import World

_HELD = "SELECT 1 FROM till_price WHERE sku = ? AND held IS NOT NULL"

Hangs = Callable[[str], Says | None]
"""Says what a label shows to customers; None if it shows nothing, or nobody can be blamed."""


class TillOracle:
    """Watches a till. ``check`` asks a question, ``hangs`` looks at a glass."""

    def __init__(
        self,
        world: World,
        model: Model,
        books: sqlite3.Connection,
        check: Check,
        hangs: Hangs,
    ) -> None:
        self.charges: dict[str, int] = {}
        self._world = world
        self._model = model
        self._books = books
        self._check = check
        self._hangs = hangs

    def charge(self, sku: str, price_minor: int) -> None:
        """The till charges this from now on."""
        if self.charges.get(sku) != price_minor:
            self._world.note(f"the till charges {price_minor} for {sku}")
        self.charges[sku] = price_minor
        for label, shelf in self._model.shelves.items():
            if shelf.sku == sku:
                self.judge(label)

    def judge(self, label: str) -> None:
        """Compare what a label says with what is charged at this instant."""
        says = self._hangs(label) if self._model.is_safe else None
        if says is None or says.sku is None or says.price_minor is None:
            return
        charged = self.charges.get(says.sku)
        if charged is None:
            return
        self._check(
            "I15", charged <= says.price_minor, f"{label} shows {says}, the till charges {charged}"
        )

    def is_held(self, label: str) -> bool:
        """Say whether a label may still show what it showed: its till may charge more."""
        sku = self._model.shelves[label].sku
        if not self._model.is_safe or sku is None:
            return False
        return self._books.execute(_HELD, (sku,)).fetchone() is not None
