"""Rows of CSV that may be believed to have their cells under the right header.

What a row means depends on every delimiter before it. A name with a delimiter in it moves the
columns behind it; where the last cell is empty, or lines end with a separator, nothing but the
number of cells shows it:

    sku;name;price;promotion          header
    1;Baterije;7,99;                  a row
    2;Baterije 1;5;7,99;              5 is no price: one cell more, and an empty one

So a list has one number of cells a row, that of most of its first rows, and another one is refused.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from esl.domain.entry import RowProblem
from esl.intake.mapping.columns import Columns
from esl.intake.mapping.model import Mapping
from esl.intake.mapping.opened import Cell, Cells

_ROWS_LOOKED_AT = 20
_DECIMALS_USUAL = 2

RawRows = Iterator[tuple[int, list[str]] | RowProblem]


@dataclass(frozen=True, slots=True)
class _Norm:
    """What the rows of one list have."""

    count: int  # cells
    named: int  # cells behind which there are only separators
    may_be_short: bool


def check_widths(
    rows: RawRows,
    columns: Columns,
    mapping: Mapping,
    *,
    is_item: Callable[[Sequence[str]], bool] | None = None,
) -> RawRows:
    """Hand on the rows that have as many cells as the list's rows have; empty ones are skipped.

    Where lines have types, ``is_item`` says which of them are rows; the others are handed on.
    """
    first = list(islice(rows, _ROWS_LOOKED_AT))
    tuples = [each[1] for each in first if isinstance(each, tuple) and any(each[1])]
    held = [cells for cells in tuples if is_item is None or is_item(cells)]
    norm = _find_norm(held, columns, mapping)
    count, named = norm.count, norm.named
    overhangs = count > named
    for each in chain(first, rows):
        if isinstance(each, RowProblem):
            yield each
            continue
        row, cells = each
        if is_item is not None and not is_item(cells):
            yield each
        elif len(cells) == count:
            if overhangs and any(cells[named:]):
                yield _shifted(row, f"a value in cell {len(cells)}, where rows have none")
            else:
                yield each
        elif not any(cells):
            continue
        elif norm.may_be_short and len(cells) < count:
            cells.extend([""] * (count - len(cells)))
            yield each
        elif len(cells) > count:
            yield _shifted(row, f"{len(cells)} cells where {count} are expected")
        else:
            yield RowProblem(
                row=row,
                field="",
                reason=f"{len(cells)} cells where {count} are expected",
                fix="Send every cell, or say short_rows: true if lines may end before their last.",
            )


def _find_norm(held: Sequence[Sequence[str]], columns: Columns, mapping: Mapping) -> _Norm:
    width, full = columns.width, columns.full
    counts = Counter(map(len, held))
    most = max(counts, key=lambda count: (counts[count], count == full, count), default=full)
    if mapping.header_row is None:
        return _Norm(max(most, width), max(most, width), mapping.short_rows)
    if most > full and (counts[most] == 1 or 2 * counts[most] <= len(held)):
        most = full  # one row with more cells than the header is no rule
    if most < width or (mapping.short_rows and most < full):
        most = full
    filled = sum(any(cells[width:]) for cells in held)
    is_named = most <= full and 2 * filled > len(held)  # a column whose name is missing
    return _Norm(most, most if is_named else min(width, most), mapping.short_rows)


def _shifted(row: int, reason: str) -> RowProblem:
    fix = "Put cells that hold the delimiter in quotes."
    return RowProblem(row=row, field="", reason=reason, fix=fix)


def doubt_last(rows: RawRows, money: Sequence[int], mapping: Mapping) -> RawRows:
    """Refuse the last row if its last value is a price that may have been cut.

    For files that end without an end of line: where that price has fewer decimals than others of
    its column, or than two where there are no others: ``12,9`` below ``12,99``.
    """
    decimal = mapping.decimal
    before: tuple[int, list[str]] | RowProblem | None = None
    most: dict[int, int] = {}
    for each in rows:
        if before is not None:
            yield before
            if isinstance(before, tuple):
                for at in (at for at in money if at < len(before[1])):
                    most[at] = max(most.get(at, 0), _decimals(before[1][at], decimal))
        before = each
    if isinstance(before, tuple):
        row, cells = before
        at = max((at for at, cell in enumerate(cells) if cell), default=-1)
        least = most.get(at, 0 if mapping.minor_units else _DECIMALS_USUAL)
        if at in money and _decimals(cells[at], decimal) < least:
            before = RowProblem(
                row=row,
                field="",
                reason="the file ends within this line: its last price may have been cut",
                fix="Send the whole file, with an end of line after its last row.",
            )
    if before is not None:
        yield before


def _decimals(cell: Cell, decimal: str) -> int:
    return len(cell.strip().partition(decimal)[2]) if isinstance(cell, str) else 0


def check_swallowed(cells: Cells, row: int, last: int, delimiter: str) -> RowProblem | None:
    """Refuse a cell of several lines that holds whole rows: a quote was opened and not closed."""
    for cell in cells:
        if isinstance(cell, str) and ("\n" in cell or "\r" in cell):
            most = max(line.count(delimiter) for line in cell.splitlines())
            if most > max(1, (len(cells) - 1) // 3):
                return RowProblem(
                    row=row,
                    field="",
                    reason=f"rows {row} to {last} are one, between two quotes",
                    fix="Close the quote, or double quotes within a cell.",
                )
    return None
