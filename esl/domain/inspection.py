"""An inspection: somebody walks with a sample of labels and says of each how it really is.

Whether a shop passes is judged by prices alone, as in the examination procedure of NIST Handbook
130: of those that could be read, at least 98 % are right. What is damaged, misplaced or missing is
counted apart; it wants work, and says nothing of a price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.shelf_report import PASSES_AT

NOTE_LONGEST: Final = 200


class Seen(StrEnum):
    """What somebody saw in front of the shelf."""

    RIGHT = "right"  #: what the till asks
    WRONG = "wrong"  #: another price
    DAMAGED = "damaged"  #: cannot be read
    MISPLACED = "misplaced"  #: stands at another product
    MISSING = "missing"  #: hangs nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A product on a label, as it was when the sample was drawn, and what was seen of it."""

    number: int  # 1 is the first of the walk
    label_id: LabelId
    sku: Sku
    name: str
    place: str | None
    shelf_minor: int | None  # as the label reported
    till_minor: int | None
    seen: Seen | None = None
    seen_minor: int | None = None  # the price on the shelf, where it is another
    note: str | None = None
    seen_at: datetime | None = None
    seen_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One walk."""

    inspection_id: int
    store_id: StoreId
    seed: int  # of the sample: `esl.domain.shelf_report.inspection_sample`
    size: int
    begun_at: datetime
    begun_by: str
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How far a walk has come, and how it looks."""

    items: int
    seen: dict[Seen, int]

    @property
    def done(self) -> int:
        """Say how many were looked at."""
        return sum(self.seen.values())

    @property
    def right_hundredths(self) -> int | None:
        """Hundredths of a percent of readable prices that are right; None: none was read."""
        right = self.seen[Seen.RIGHT]
        read = right + self.seen[Seen.WRONG]
        return right * 10_000 // read if read else None

    @property
    def passes(self) -> bool | None:
        """Say whether an inspector would pass it; None: no price was read."""
        right = self.seen[Seen.RIGHT]
        read = right + self.seen[Seen.WRONG]
        return right * 10_000 >= PASSES_AT * read if read else None


def count_seen(found: Sequence[Seen | None]) -> Counted:
    """Count what was seen; None was not looked at yet."""
    return Counted(items=len(found), seen={one: found.count(one) for one in Seen})
