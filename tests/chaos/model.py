"""What every label must show, worked out by rules of its own from what was committed.

The model hears of each committed request, in commit order, and never reads the database. It
keeps for each label the row of pictures that were true of it one after another; a glass may show
any of them, but only ever a later one than before.
"""

from dataclasses import dataclass, field

from tests.chaos.glass import NEUTRAL, Says


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One price, as a source sends it."""

    sku: str
    price_minor: int
    was_minor: int | None = None
    badge: str | None = None
    source: str = "till"
    seq: int | None = None


@dataclass(slots=True)
class Shelf:
    """A label in the model: its product, and what was true of it, oldest first."""

    sku: str | None
    truths: list[Says | None] = field(default_factory=list)

    @property
    def truth(self) -> Says | None:
        """What it must show now; None where it was never told anything."""
        return self.truths[-1] if self.truths else None


class Model:
    """The truth of one store."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.prices: dict[str, Change] = {}
        self.reached: dict[tuple[str, str], int] = {}
        self.shelves: dict[str, Shelf] = {}
        self.changed_s: dict[str, float] = {}
        self.committed = 0

    # -- what was committed --------------------------------------------------------------------

    def apply(self, change: Change) -> str:
        """Take a committed price; return what must have become of it."""
        key = (change.source, change.sku)
        if change.seq is not None:
            if change.seq <= self.reached.get(key, 0):
                return "superseded"
            self.reached[key] = change.seq
        before = self.prices.get(change.sku)
        if before is not None and _prices(before) == _prices(change):
            return "unchanged"
        self.prices[change.sku] = change
        self._tell([n for n, shelf in self.shelves.items() if shelf.sku == change.sku])
        return "accepted"

    def pair(self, label: str, sku: str | None) -> None:
        """Take a committed pairing, or its end."""
        self.shelves[label].sku = sku
        self._tell([label])

    def name(self, sku: str, name: str) -> None:
        """Take a product's committed name."""
        self.names[sku] = name
        self._tell([n for n, shelf in self.shelves.items() if shelf.sku == sku])

    def add(self, label: str, sku: str) -> None:
        """Take a new label that speaks for a product."""
        self.shelves[label] = Shelf(sku)
        self._tell([label])

    # -- what must be --------------------------------------------------------------------------

    def truth(self, label: str) -> Says | None:
        """Say what a label must show now."""
        return self.shelves[label].truth

    def place_of(self, label: str, says: Says, at_least: int) -> int | None:
        """Find a picture among a label's truths, not before a place; None if it never was."""
        truths = self.shelves[label].truths
        for place in range(at_least, len(truths)):
            if truths[place] == says:
                return place
        return None

    def _tell(self, labels: list[str]) -> None:
        for label in labels:
            shelf = self.shelves[label]
            price = self.prices.get(shelf.sku) if shelf.sku is not None else None
            says: Says | None
            if price is None or shelf.sku is None:
                says = NEUTRAL if shelf.truths else None
            else:
                says = Says(
                    shelf.sku,
                    self.names[shelf.sku],
                    price.price_minor,
                    price.was_minor,
                    price.badge,
                )
            if says != shelf.truth:
                shelf.truths.append(says)


def _prices(change: Change) -> tuple[int, int | None, str | None]:
    return change.price_minor, change.was_minor, change.badge
