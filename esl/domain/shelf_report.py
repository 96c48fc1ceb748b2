"""Shelf = till: what the glass reported to show against what the till says, and what to inspect.

The examination procedure for price verification of NIST Handbook 130 looks at 50 items (small
shops) or 100, chosen at random from all parts of a store, and fails it where more than 2 % are
wrong. The same is computed here of every label, and a sample is drawn for whoever walks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from random import Random
from typing import Final, NamedTuple

from esl.domain.ids import LabelId, Sku

PASSES_AT: Final = 9800
"""Hundredths of a percent that must be right: NIST Handbook 130, price verification."""


class Comparison(StrEnum):
    """How shelf and till stand."""

    RIGHT = "right"
    OVERCHARGE = "overcharge"  #: the till asks for more than the shelf
    UNDERCHARGE = "undercharge"  #: the till asks for less
    UNVERIFIED = "unverified"  #: the label has reported nothing, or one of the two says no price


class ShelfItem(NamedTuple):
    """A product on a label: prices in minor units, None is none or unknown.

    A tuple, since a store makes ten thousand of them for one report.
    """

    label_id: LabelId
    sku: Sku
    name: str
    category: str | None
    place: str | None
    shelf_minor: int | None
    till_minor: int | None
    shown_rev: int
    heard_at: datetime | None  # when the label last said anything

    @property
    def comparison(self) -> Comparison:
        """Compare the two prices."""
        if self.shelf_minor is None or self.till_minor is None:
            return Comparison.UNVERIFIED
        if self.till_minor > self.shelf_minor:
            return Comparison.OVERCHARGE
        return Comparison.RIGHT if self.till_minor == self.shelf_minor else Comparison.UNDERCHARGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfSummary:
    """Counts over items; what is unverified is counted apart and judged by nobody."""

    checked: int
    right: int
    overcharges: int
    undercharges: int
    unverified: int

    @property
    def right_hundredths(self) -> int | None:
        """Hundredths of a percent that are right, rounded down; None: nothing was checked."""
        return self.right * 10_000 // self.checked if self.checked else None

    @property
    def passes(self) -> bool | None:
        """Say whether an inspector would pass it; None: nothing was checked."""
        return self.right * 10_000 >= PASSES_AT * self.checked if self.checked else None


def summarise(items: Sequence[ShelfItem]) -> ShelfSummary:
    """Count how items compare."""
    found = [item.comparison for item in items]
    counts = {one: found.count(one) for one in Comparison}
    return ShelfSummary(
        checked=len(found) - counts[Comparison.UNVERIFIED],
        right=counts[Comparison.RIGHT],
        overcharges=counts[Comparison.OVERCHARGE],
        undercharges=counts[Comparison.UNDERCHARGE],
        unverified=counts[Comparison.UNVERIFIED],
    )


def inspection_sample(items: Sequence[ShelfItem], size: int, random: Random) -> list[ShelfItem]:
    """Draw items from all categories, of each as many as its part of the store.

    Every item of a category is put at an even distance along one line, in a random order and from
    a random begin; the first on the line are the sample. So a sample of 100 begins with that of 50
    of the same seed, which is how a second stage is inspected.
    """
    strata: dict[str, list[ShelfItem]] = {}
    for item in sorted(items, key=attrgetter("label_id", "sku")):
        strata.setdefault(item.category or "", []).append(item)
    placed: list[tuple[float, str, int, ShelfItem]] = []
    for name, members in sorted(strata.items()):
        random.shuffle(members)
        begin = random.random()
        first = enumerate(members[:size])  # no other can be among the sample
        placed += [((n + begin) / len(members), name, n, item) for n, item in first]
    placed.sort(key=lambda one: one[:3])
    return [item for *_, item in placed[:size]]
