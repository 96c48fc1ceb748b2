"""What every reader hands on: rows of cells, in one shape whatever the file was.

A cell is a text, `None` where there is nothing, `Null` for an explicit null, a list of texts, or
`Unreadable` for what no target takes. Numbers that a format knows by itself (JSON, Excel) are
texts too, written with the decimal sign of the mapping.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass
from enum import Enum

from esl.domain.entry import RowProblem


class Null(Enum):
    """The type of `NULL`, an explicit null."""

    NULL = "null"


NULL = Null.NULL


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value of a kind that no target takes; ``what`` says it as a person would."""

    what: str


@dataclass(frozen=True, slots=True)
class Dated:
    """One member of a list of dated prices, both as texts."""

    day: str
    price: str


Cell = str | None | Null | Unreadable | tuple[str, ...] | tuple[Dated, ...]
Cells = Sequence[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row that is no product: the trailer, for its control totals."""

    number: int
    cells: Cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A file that was begun: where its values stand, and its rows, which are read once.

    A row is its number and its cells. Numbers of lines count from 1, as an editor does; those of
    items of JSON and XML count items.
    """

    index: Table[str, int]  # target -> place in a row's cells
    found: Table[str, str]  # target -> the column as the file names it
    rows: Iterator[tuple[int, Cells] | RowProblem]
