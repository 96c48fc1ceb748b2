"""What every label must show, worked out by rules of its own from what was committed.

The model hears of each committed request, in commit order, and never reads the database. It
keeps for each label the row of pictures that were true of it one after another; a glass may show
any of them, but only ever a later one than before.

Of a flip it keeps what each label would show if its moment came: a label with a timed show may
show that at the moment, before any controller has let the prices hold.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

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


class Stands(Enum):
    """How a flip stands."""

    PLANNED = auto()
    BEGUN = auto()
    CANCELLED = auto()


@dataclass(slots=True, kw_only=True)
class PlannedFlip:
    """Prices for a moment. ``futures`` are, by label, the pictures that it would then show.

    Each comes with the place of the truth that held when it was so.
    """

    flip_id: int
    show_at: datetime
    changes: dict[str, Change]
    stands: Stands = Stands.PLANNED
    futures: dict[str, list[tuple[int, Says]]] = field(default_factory=lambda: defaultdict(list))


class Model:
    """The truth of one store. ``template`` is the digest of the one that labels are drawn with."""

    def __init__(self, template: str = "") -> None:
        self.template = template
        self.flips: dict[int, PlannedFlip] = {}
        self.orders: dict[int, tuple[str, int]] = {}  # number: kind, and what tells it apart
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

    def withdraw(self, sku: str) -> None:
        """Take a product's price away."""
        self.prices.pop(sku, None)
        self._tell([n for n, shelf in self.shelves.items() if shelf.sku == sku])

    def draw_with(self, template: str) -> None:
        """Take another version of the template that all labels are drawn with."""
        self.template = template
        self._tell(self.shelves)

    # -- prices for a moment -------------------------------------------------------------------

    def plan(self, flip_id: int, show_at: datetime, changes: Iterable[Change]) -> list[str]:
        """Take a flip; return the labels of its products."""
        flip = PlannedFlip(
            flip_id=flip_id, show_at=show_at, changes={change.sku: change for change in changes}
        )
        self.flips[flip_id] = flip
        touched = [n for n, shelf in self.shelves.items() if shelf.sku in flip.changes]
        self._foresee(touched)
        return touched

    def cancel(self, flip_id: int) -> str:
        """Take a committed cancel; return what must have become of it."""
        flip = self.flips[flip_id]
        if flip.stands is Stands.BEGUN:
            return "begun"
        flip.stands = Stands.CANCELLED
        return "cancelled"

    def begin(self, flip_id: int) -> None:
        """The prices of a flip hold from here on."""
        flip = self.flips[flip_id]
        flip.stands = Stands.BEGUN
        for change in flip.changes.values():
            self.apply(change)

    def planned(self) -> list[PlannedFlip]:
        """Return the flips that are still to begin."""
        return [flip for flip in self.flips.values() if flip.stands is Stands.PLANNED]

    def flips_of(self, label: str, show_at_ms: int) -> list[PlannedFlip]:
        """Return the flips ever planned for a moment that concern a label."""
        return [
            flip
            for flip in self.flips.values()
            if label in flip.futures and milliseconds_of(flip.show_at) == show_at_ms
        ]

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

    def _tell(self, labels: Iterable[str]) -> None:
        labels = list(labels)
        for label in labels:
            shelf = self.shelves[label]
            price = self.prices.get(shelf.sku) if shelf.sku is not None else None
            says = self._says(shelf.sku, price)
            if says is None and shelf.truths:
                says = NEUTRAL
            if says != shelf.truth:
                shelf.truths.append(says)
        self._foresee(labels)

    def _foresee(self, labels: Iterable[str]) -> None:
        """Note what labels would show if the moments of flips came now."""
        labels = list(labels)
        for flip in self.planned():
            for label in labels:
                shelf = self.shelves[label]
                change = flip.changes.get(shelf.sku) if shelf.sku is not None else None
                says = self._says(shelf.sku, change) if change is not None else shelf.truth
                if says is not None:
                    flip.futures[label].append((len(shelf.truths) - 1, says))

    def _says(self, sku: str | None, price: Change | None) -> Says | None:
        if sku is None or price is None:
            return None
        return Says(
            sku,
            self.names[sku],
            price.price_minor,
            price.was_minor,
            price.badge,
            template=self.template,
        )


def milliseconds_of(moment: datetime) -> int:
    """Name a moment as the wire does."""
    return round(moment.timestamp() * 1000)


def _prices(change: Change) -> tuple[int, int | None, str | None]:
    return change.price_minor, change.was_minor, change.badge
