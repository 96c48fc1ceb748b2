"""Rows of a planogram: which label hangs where, and which code stands on which shelf.

row ──▶ placed · code       taken
├─▶ it hangs there already  unchanged
└─▶ no such label, or two   rejected, with the fix
"""

from dataclasses import dataclass
from enum import StrEnum

from esl.domain.ids import LabelId, Sku
from esl.domain.migration import RowDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRow:
    """Where a label hangs, by its id or by the product that it alone speaks for.

    With a ``code``, that is what a scanner reads off the shelf there.
    """

    row: int  # as a person counts: the first line of a file is 1
    place: str
    label_id: LabelId | None = None
    sku: Sku | None = None
    code: str | None = None


class PlaceDone(StrEnum):
    """What a row did, or would do."""

    PLACED = "placed"
    MOVED = "moved"  #: it hung elsewhere before
    CODE = "code"  #: the shelf's code is known from now on


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOutcome:
    """What became of a row, and of a refused one why and what to do."""

    row: int
    decision: RowDecision
    place: str
    label: str = ""
    before: str | None = None
    done: tuple[PlaceDone, ...] = ()
    field: str = ""
    reason: str = ""
    fix: str = ""
