"""Lines of several types (H, D, T): the items are handed on, the trailer is checked at the end.

A till that writes a trailer wants it believed: where one is declared and missing, or where it says
another count or sum than the lines give, the file was cut or changed, and nothing of it is taken.
"""

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Table

from esl.domain.entry import RowProblem
from esl.domain.errors import InvalidInput
from esl.intake.mapping.bad_value import BadValue, shorten
from esl.intake.mapping.model import Records, Value
from esl.intake.mapping.opened import Cells, Opened

TYPE, COUNT, TOTAL = "record type", "record count", "record total"
_WHOLE = re.compile(r"[0-9]{1,18}")

Rows = Iterator[tuple[int, Cells] | RowProblem]
ReadTotal = Callable[[str], int]


def wanted_of(records: Records | None) -> dict[str, Value]:
    """Return where the type and the control totals stand, to be found with the fields."""
    if records is None:
        return {}
    wanted = {TYPE: records.type}
    if records.count is not None:
        wanted[COUNT] = records.count
    if records.total is not None:
        wanted[TOTAL] = records.total.value
    return wanted


class ControlTotals:
    """What the trailer must say, counted while items are read."""

    def __init__(self) -> None:
        self.items = 0
        self.sum_minor = 0
        self.unreadable: list[int] = []
        self.trailer: tuple[int, Cells] | None = None


def select_items(opened: Opened, records: Records, totals: ControlTotals) -> Rows:
    """Hand on the items; note the trailer.

    Raises:
        InvalidInput: From the iterator: lines after the trailer, or two trailers.
    """
    at = opened.index[TYPE]
    others = max((i for name, i in opened.index.items() if name not in (COUNT, TOTAL)), default=0)
    for each in opened.rows:
        if isinstance(each, RowProblem):
            totals.items += 1  # a broken item is one that the trailer counts
            totals.unreadable.append(each.row)
            yield each
            continue
        row, cells = each
        cell = cells[at] if at < len(cells) else ""
        mark = cell.strip().removeprefix("\ufeff") if isinstance(cell, str) else ""
        if not mark and not any(isinstance(one, str) and one.strip() for one in cells):
            continue
        if totals.trailer is not None:
            raise InvalidInput.at(
                "", f"row {row}: follows the trailer of row {totals.trailer[0]}", fix=_FIX
            )
        if mark == records.item:
            totals.items += 1
            if others >= len(cells):
                totals.unreadable.append(row)
                yield _width_problem(row, len(cells), others + 1)
            else:
                yield each
        elif mark == records.trailer:
            totals.trailer = (row, cells)
        elif mark != records.header:
            yield RowProblem(
                row=row,
                field="",
                reason=f"{shorten(mark)} is no type of record of this mapping",
                fix="Declare it under records, or correct the line.",
            )


def check_totals(
    opened: Opened, records: Records, totals: ControlTotals, read_total: ReadTotal | None
) -> bool:
    """Compare the trailer with what was read; say whether there was one to compare.

    Raises:
        InvalidInput: It is missing or says otherwise.
    """
    if records.trailer is None:
        return False
    if totals.trailer is None:
        raise InvalidInput.at(
            "", f"ends without its trailer {records.trailer!r}: it was cut off", fix=_FIX
        )
    row, cells = totals.trailer
    if records.count is not None:
        said = _cell(opened.index, COUNT, cells)
        if not _WHOLE.fullmatch(said) or int(said) != totals.items:
            raise InvalidInput.at(
                "", f"row {row}: says {shorten(said)} items, and there are {totals.items}", fix=_FIX
            )
    if records.total is not None and read_total is not None:
        said = _cell(opened.index, TOTAL, cells)
        if totals.unreadable:
            raise InvalidInput.at(
                "",
                f"row {row}: its total cannot be checked, because {records.total.of} cannot be "
                f"read in row {totals.unreadable[0]}",
                fix="Correct that row and send the file again.",
            )
        try:
            stated = read_total(said)
        except BadValue as exc:
            raise InvalidInput.at("", f"row {row}: its total: {exc.reason}", fix=_FIX) from None
        if stated != totals.sum_minor:
            raise InvalidInput.at(
                "",
                f"row {row}: says a total of {stated} in minor units, and the items have "
                f"{totals.sum_minor}",
                fix=_FIX,
            )
    return records.count is not None or records.total is not None


_FIX = "Nothing was applied. Send the whole file again."


def _cell(index: Table[str, int], name: str, cells: Cells) -> str:
    at = index[name]
    cell = cells[at] if at < len(cells) else ""
    return cell.strip() if isinstance(cell, str) else ""


def _width_problem(row: int, count: int, width: int) -> RowProblem:
    return RowProblem(
        row=row,
        field="",
        reason=f"{count} cells where {width} are expected",
        fix="Put cells that hold the delimiter in quotes.",
    )
