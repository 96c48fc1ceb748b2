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
from datetime import UTC, datetime
from enum import Enum, auto

from tests.chaos.campaigns import Campaign, Campaigns, Gain
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
        self.campaigns: Campaigns | None = None  # of a store that has promotions
        self.gains: dict[str, Gain] = {}
        self.edges: dict[datetime, PlannedFlip] = {}  # moments of promotions, that were or will be
        self.is_safe = False  # tills first where it gets cheaper, labels where it gets dearer
        self.now = datetime.min.replace(tzinfo=UTC)  # of the clock of whoever commits

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
        self._reckon([change.sku], self.now)
        self._tell([n for n, shelf in self.shelves.items() if shelf.sku == change.sku])
        return "accepted"

    def pair(self, label: str, sku: str | None) -> None:
        """Take a committed pairing, or its end."""
        self.shelves[label].sku = sku
        self._tell([label])

    def name(self, sku: str, name: str) -> None:
        """Take a product's committed name."""
        self.names[sku] = name
        self._reckon([sku], self.now)
        self._tell([n for n, shelf in self.shelves.items() if shelf.sku == sku])

    def add(self, label: str, sku: str) -> None:
        """Take a new label that speaks for a product."""
        self.shelves[label] = Shelf(sku)
        self._tell([label])

    def withdraw(self, sku: str) -> None:
        """Take a product's price away."""
        self.prices.pop(sku, None)
        self._reckon([sku], self.now)
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
            for flip in (*self.flips.values(), *self.edges.values())
            if label in flip.futures and milliseconds_of(flip.show_at) == show_at_ms
        ]

    # -- promotions ----------------------------------------------------------------------------

    def schedule(self, one: Campaign, now: datetime) -> bool:
        """Take a promotion that was scheduled; False if its time is over."""
        if self.campaigns is None or not self.campaigns.schedule(one, now):
            return False
        self._foresee(self._labels_of(one.skus))
        return True

    def stop(self, name: str, now: datetime) -> bool:
        """Take a committed stop of a promotion; False if it was over."""
        one = self._live(name)
        if self.campaigns is None or one is None:
            return False
        self.campaigns.stop(name, now)
        self._end_edges()
        self._foresee(self._labels_of(one.skus))
        return True

    def advance(self, name: str, now: datetime) -> bool:
        """Take a committed step of a roll-out; False if it does not run, or is rolled out."""
        one = self._live(name)
        if self.campaigns is None or one is None or not one.began:
            return False
        if one.reached >= len(one.percents):
            return False
        self.campaigns.advance(name, now)
        return True

    def turn(self, names: Iterable[str]) -> list[str]:
        """The moment of promotions has come; return the labels of their products."""
        if self.campaigns is None:
            return []
        skus: set[str] = set()
        for name in names:
            one = self.campaigns.all[name]
            self.campaigns.turn(one)
            skus |= one.skus
        self._reckon(skus, self.campaigns.turned)
        self._end_edges()
        touched = self._labels_of(skus)
        self._tell(touched)
        return touched

    def is_promoted(self, sku: str) -> bool:
        """Say whether a promotion was ever planned for a product: labels may say another price."""
        campaigns = self.campaigns.all.values() if self.campaigns is not None else ()
        return any(sku in one.skus for one in campaigns)

    def _live(self, name: str) -> Campaign | None:
        one = self.campaigns.all.get(name) if self.campaigns is not None else None
        return one if one is not None and one.is_live else None

    def _labels_of(self, skus: Iterable[str]) -> list[str]:
        return [n for n, shelf in self.shelves.items() if shelf.sku in skus]

    def _reckon(self, skus: Iterable[str], at: datetime) -> None:
        """Work out what promotions make of prices; a moment that was turned stays turned."""
        if self.campaigns is None:
            return
        for sku in skus:
            gain = self._gain(sku, self.prices.get(sku), max(at, self.campaigns.turned))
            self.gains.pop(sku, None)
            if gain is not None:
                self.gains[sku] = gain

    def _gain(self, sku: str, price: Change | None, at: datetime) -> Gain | None:
        if self.campaigns is None or price is None:
            return None
        return self.campaigns.gain(sku, at, price.price_minor, price.was_minor, price.badge)

    def _end_edges(self) -> None:
        """Moments that nobody waits for any more are past, or were taken back."""
        if self.campaigns is None:
            return
        wanted = {one.pending for one in self.campaigns.all.values()}
        for at, edge in self.edges.items():
            if edge.stands is Stands.PLANNED and at not in wanted:
                is_past = at <= self.campaigns.turned
                edge.stands = Stands.BEGUN if is_past else Stands.CANCELLED

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
            gain = self.gains.get(shelf.sku) if shelf.sku is not None else None
            says = self._says(label, shelf.sku, price, gain)
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
                self._foresee_one(label, flip, change)
        if self.campaigns is not None:
            for label in labels:
                sku = self.shelves[label].sku
                for at in self.campaigns.moments(sku) if sku is not None else ():
                    edge = self.edges.setdefault(at, PlannedFlip(flip_id=0, show_at=at, changes={}))
                    edge.stands = Stands.PLANNED
                    self._foresee_one(label, edge, self.prices.get(sku))

    def _foresee_one(self, label: str, flip: PlannedFlip, price: Change | None) -> None:
        shelf = self.shelves[label]
        says = shelf.truth
        if shelf.sku is not None and (price is not None or self.campaigns is not None):
            price = price or self.prices.get(shelf.sku)
            gain = self._gain(shelf.sku, price, flip.show_at)
            says = self._says(label, shelf.sku, price, gain)
        if says is not None:
            flip.futures[label].append((len(shelf.truths) - 1, says))

    def _says(
        self, label: str, sku: str | None, price: Change | None, gain: Gain | None
    ) -> Says | None:
        if sku is None or price is None:
            return None
        if gain is None or (self.campaigns is not None and self.campaigns.waits(gain, label)):
            gain = Gain(price.price_minor, price.was_minor, price.badge)
        return Says(
            sku,
            self.names[sku],
            gain.price_minor,
            gain.was_minor,
            gain.badge,
            member_minor=gain.member_minor,
            several=gain.several,
            template=self.template,
        )


def milliseconds_of(moment: datetime) -> int:
    """Name a moment as the wire does."""
    return round(moment.timestamp() * 1000)


def _prices(change: Change) -> tuple[int, int | None, str | None]:
    return change.price_minor, change.was_minor, change.badge
