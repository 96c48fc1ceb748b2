"""Rows of a CSV file in its declared dialect, one at a time.

Whether the cells of a row stand under the right header is `csv_widths`' business. One broken row
never costs the next one.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Table
from typing import BinaryIO, Protocol

from esl.domain.entry import RowProblem
from esl.domain.errors import InvalidInput
from esl.intake.mapping.columns import find_columns
from esl.intake.mapping.csv_widths import RawRows, check_swallowed, check_widths, doubt_last
from esl.intake.mapping.model import TARGETS, Kind, Mapping, Records, Value
from esl.intake.mapping.opened import Opened
from esl.intake.mapping.record_types import TYPE
from esl.intake.mapping.text_source import ends_a_line, open_text

_COLUMNS_MOST = 16_384
_SEPARATOR = re.compile(r"\ufeff?[sS][eE][pP]=.?")


class _Reader(Protocol):
    """What the standard library's csv reader is."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


def open_csv(source: BinaryIO, mapping: Mapping, wanted: Table[str, Value]) -> Opened:
    """Begin a CSV file: read its header and find the wanted columns.

    Raises:
        InvalidInput: No header, a column missing; reading rows raises it too, and
            UnicodeDecodeError.
    """
    is_whole = ends_a_line(source)
    text = open_text(source, mapping.encoding)
    quote = mapping.quote
    reader = csv.reader(
        text,
        delimiter=mapping.delimiter,
        quotechar=quote,
        quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
        strict=True,
        skipinitialspace=quote is not None and mapping.delimiter != " ",
    )
    if mapping.header_row is not None:
        header = _read_header(reader, mapping.header_row)
        columns = find_columns(wanted, header, row=mapping.header_row)
        rows = _read_rows(reader, mapping, None)
    else:
        first = _read_header(reader, 1) if mapping.records is None else None
        furthest = max((value.number or 0 for value in wanted.values()), default=0)
        columns = find_columns(wanted, None, row=1, first=len(first or ()) or furthest)
        rows = _read_rows(reader, mapping, first)
    is_item = None if mapping.records is None else _item_test(columns.index, mapping.records)
    rows = check_widths(rows, columns, mapping, is_item=is_item)
    if not is_whole:
        money = [
            at
            for target, at in columns.index.items()
            if target in TARGETS and TARGETS[target].kind is Kind.MONEY
        ]
        rows = doubt_last(rows, money, mapping)
    return Opened(index=columns.index, found=columns.found, rows=rows)


def _item_test(index: Table[str, int], records: Records) -> Callable[[Sequence[str]], bool]:
    at, item = index[TYPE], records.item
    return lambda cells: at < len(cells) and cells[at].strip().removeprefix("\ufeff") == item


def _read_header(reader: _Reader, row: int) -> list[str]:
    try:
        for cells in reader:
            if len(cells) > _COLUMNS_MOST:
                raise InvalidInput.at(
                    "",
                    f"row {row}: more than {_COLUMNS_MOST} columns",
                    fix="Check the delimiter of the mapping.",
                )
            if reader.line_num == 1 and cells and _SEPARATOR.fullmatch(cells[0]):
                continue  # Excel's own first line
            if reader.line_num >= row and "".join(cells).strip("\ufeff \t"):
                return cells
    except csv.Error as exc:
        raise InvalidInput.at(
            "", f"row {reader.line_num}: the header cannot be read: {exc}", fix=_advise(str(exc))
        ) from None
    raise InvalidInput.at(
        "", f"ends before row {row}, where the header is", fix="Send a file with rows."
    )


def _read_rows(reader: _Reader, mapping: Mapping, first: list[str] | None) -> RawRows:
    """Yield rows with the lines they begin in; ``first`` was read already."""
    if first is not None:
        yield reader.line_num, first
    last = reader.line_num
    while True:
        try:
            for cells in reader:
                row = last + 1
                last = reader.line_num
                if last != row and cells:
                    problem = check_swallowed(cells, row, last, mapping.delimiter)
                    if problem is not None:
                        yield problem
                        continue
                yield row, cells
        except csv.Error as exc:
            row = last + 1
            last = reader.line_num
            rows = f"rows {row} to {last}: " if last > row else ""
            yield RowProblem(row=row, field="", reason=f"{rows}{exc}", fix=_advise(str(exc)))
        else:
            return


def _advise(words: str) -> str:
    if "limit" in words:
        return "A quote may have been opened and not closed."
    return "Double quotes within a quoted cell, or say quote: null if quotes are plain characters."
