"""Rows of a sheet of an .xlsx file, one at a time.

Cells come as a person sees them in the sheet: a number with 15 digits as the program shows it,
with the zeros, percent sign or date of its format. What a formula gave when the file was saved is
its value; one that was never computed, and an error such as #N/A, is unreadable.
"""

import re
from collections import deque
from collections.abc import Iterator
from collections.abc import Mapping as Table
from datetime import datetime, timedelta
from typing import BinaryIO
from xml.parsers import expat

from esl.domain.entry import RowProblem
from esl.domain.errors import InvalidInput
from esl.intake.mapping.columns import find_columns
from esl.intake.mapping.model import Mapping, Value
from esl.intake.mapping.opened import Cell, Cells, Opened, Unreadable
from esl.intake.mapping.xlsx_book import (
    SHEET_LONGEST,
    Book,
    NumberFormat,
    local_name,
    open_book,
    parse_part,
    refuse,
    stream_part,
)

_COLUMNS_MOST = 16_384
_CELL_LONGEST = 65_536
_ROWS_MOST = 1_048_576
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_DAYS_MOST = 73_050  # the year 2100
_BEFORE_LEAP = 60


def open_xlsx(source: BinaryIO, mapping: Mapping, wanted: Table[str, Value]) -> Opened:
    """Begin a sheet: find its header and the wanted columns.

    Raises:
        InvalidInput: No .xlsx file, no such sheet, a column missing; reading rows raises it for
            what is broken or beyond a bound.
    """
    book = open_book(source, mapping.sheet)
    sheet = _Sheet(book, mapping.decimal)
    rows = sheet.rows()
    if mapping.header_row is None:
        furthest = max((value.number or 0 for value in wanted.values()), default=0)
        columns = find_columns(wanted, None, row=1, first=furthest)
        return Opened(index=columns.index, found={}, rows=_as_wide(rows, furthest))
    row, cells = next(((row, cells) for row, cells in rows if row >= mapping.header_row), (0, []))
    names = [cell if isinstance(cell, str) else "" for cell in cells]
    if row != mapping.header_row or not any(names):
        raise InvalidInput.at(
            "/header_row",
            f"row {mapping.header_row} of the sheet is empty",
            fix="Say in which row the names of the columns stand.",
        )
    furthest = max((value.number or 0 for value in wanted.values()), default=0)
    names.extend([""] * (furthest - len(names)))
    columns = find_columns(wanted, names, row=row)
    width = max(columns.index.values(), default=0) + 1
    return Opened(index=columns.index, found=columns.found, rows=_as_wide(rows, width))


def _as_wide(
    rows: Iterator[tuple[int, list[Cell]]], width: int
) -> Iterator[tuple[int, Cells] | RowProblem]:
    for row, cells in rows:
        if len(cells) < width:
            cells.extend([""] * (width - len(cells)))
        yield row, cells


class _Sheet:
    """What the parser calls for the cells of a sheet."""

    def __init__(self, book: Book, decimal: str) -> None:
        self._book = book
        self._decimal = decimal
        self._ready: deque[tuple[int, list[Cell]]] = deque()
        self._row = 0
        self._cells: list[Cell] = []
        self._at = -1
        self._type = "n"
        self._style = 0
        self._is_formula = False
        self._text: list[str] = []
        self._takes_text = False
        self._size = 0

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Yield each row that is written, by its number, with the cells up to its last."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        name = self._book.sheet
        chunks = stream_part(self._book.archive, name, SHEET_LONGEST)
        for _ in parse_part(chunks, parser, "the sheet"):
            while self._ready:
                yield self._ready.popleft()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local_name(tag)
        if name == "row":
            number = attributes.get("r", "")
            row = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0  # noqa: PLR2004
            row = row or self._row + 1
            if row <= self._row or row > _ROWS_MOST:
                refuse(f"row {row} of the sheet stands after row {self._row}")
            self._row = row
            self._cells = []
            self._at = -1
        elif name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "t"):
            self._takes_text = True
        elif name == "f":
            self._is_formula = True
        elif name == "rPh":
            self._takes_text = False

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        found = _REFERENCE.fullmatch(attributes.get("r", ""))
        if found is not None:
            number = 0
            for letter in found[1]:
                number = number * 26 + ord(letter) - 64
            if number - 1 <= self._at:
                refuse(f"row {self._row} of the sheet has its cells in disorder")
            self._at = number - 1
        else:
            self._at += 1
        if self._at >= _COLUMNS_MOST:
            refuse(f"row {self._row} of the sheet has more than {_COLUMNS_MOST} columns")
        self._type = attributes.get("t", "n")
        style = attributes.get("s", "0")
        self._style = int(style) if style.isascii() and style.isdigit() and len(style) < 7 else 0  # noqa: PLR2004
        self._is_formula = False
        self._text = []
        self._size = 0

    def _characters(self, text: str) -> None:
        if self._takes_text:
            self._size += len(text)
            if self._size > _CELL_LONGEST:
                refuse(f"row {self._row} of the sheet has a cell of {self._size} characters")
            self._text.append(text)

    def _end(self, tag: str) -> None:
        name = local_name(tag)
        if name in ("v", "t"):
            self._takes_text = False
        elif name == "c":
            cells = self._cells
            if len(cells) < self._at:
                cells.extend([""] * (self._at - len(cells)))
            cells.append(self._read_cell("".join(self._text)))
        elif name == "row":
            self._ready.append((self._row, self._cells))
            self._cells = []

    def _read_cell(self, text: str) -> Cell:
        match self._type:
            case "s":
                number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1  # noqa: PLR2004
                shared = self._book.texts.get(number)
                cell: Cell = Unreadable("a text that is not in the file")
                if shared is not None:
                    cell = shared
            case "n" if text:
                cell = self._read_number(text.strip())
            case "n":
                cell = Unreadable("a formula without a value") if self._is_formula else ""
            case "str" | "inlineStr" | "d":
                cell = text
            case "b":
                cell = Unreadable("true or false")
            case "e":
                cell = Unreadable(f"the error {text[:10]}")
            case _:
                cell = Unreadable("a cell of an unknown kind")
        return cell

    def _read_number(self, text: str) -> Cell:
        if not _NUMBER.fullmatch(text) or len(text) > 40:  # noqa: PLR2004
            return Unreadable("a number that is none")
        value = float(text)
        formats = self._book.formats
        shown = formats[self._style] if self._style < len(formats) else NumberFormat()
        if shown.is_date:
            return _write_date(value, is_from_1904=self._book.is_from_1904)
        if shown.is_percent:
            return f"{value * 100:.13g}%".replace(".", self._decimal)
        plain = f"{value:.15g}"
        if shown.zeros and plain.isdigit():
            return plain.zfill(shown.zeros)
        return plain.replace(".", self._decimal)


def _write_date(days: float, *, is_from_1904: bool) -> Cell:
    """Write a spreadsheet's day number as ISO 8601; day 60 of 1900 never was, and is skipped."""
    if not 0 <= days <= _DAYS_MOST:
        return Unreadable("a date that is none")
    if is_from_1904:
        start = datetime(1904, 1, 1)  # noqa: DTZ001  a sheet has no time zone
    else:
        start = datetime(1899, 12, 30 if days >= _BEFORE_LEAP else 31)  # noqa: DTZ001
    moment = start + timedelta(seconds=round(days * 86_400))
    if days == int(days):
        return moment.date().isoformat()
    return moment.isoformat()
