"""Files of places: planograms and lists of shelf codes, as CSV, a sheet of .xlsx, or JSON.

label,aisle,bay,shelf,position       or  sku,place  or  code,place
label-0001,3,2,4,11

Columns of other names are left alone: a planogram knows more than we ask. The separator of a CSV
file is found in its header; JSON is an array of objects, or ``{"rows": […]}``.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from esl.domain.entry import RowProblem
from esl.domain.errors import InvalidInput
from esl.domain.planogram import PlaceRow
from esl.intake.mapping.model import Format, Mapping, Value
from esl.intake.mapping.xlsx_rows import open_xlsx
from esl.intake.shelf_json import ROW_FIELDS, parse_place_row
from esl.intake.strict_json import parse_strict_json

ROWS_MOST = 200_000
"""Rows of one file: three times the labels of the largest store."""

_COLUMNS_MOST = 64
_SEPARATORS: Final = ",;\t|"
_NAMES_A_PLACE: Final = ("place", "aisle")
_NAMES_A_THING: Final = ("label", "sku", "code")
_XLSX_BEGINS: Final = b"PK\x03\x04"


def read_planogram(content: bytes) -> list[PlaceRow | RowProblem]:
    """Read a file whole: its rows in their order, and why others cannot be taken.

    Raises:
        InvalidInput: The file as a whole cannot be believed.
    """
    if content.startswith(_XLSX_BEGINS):
        return _from_table(_sheet(content))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise InvalidInput.at("", f"byte {exc.start} is not UTF-8", fix="Save as UTF-8.") from None
    if text.lstrip()[:1] in ("[", "{"):
        return _from_objects(parse_strict_json(content.removeprefix(b"\xef\xbb\xbf")))
    return _from_table(_lines(text))


def _lines(text: str) -> Iterator[tuple[int, Sequence[Any]]]:
    head = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    began = 1
    try:
        for cells in reader:
            yield began, cells
            began = reader.line_num + 1
    except csv.Error as exc:
        raise InvalidInput.at(
            "", f"line {began} is no CSV: {exc}", fix="Export it again."
        ) from None


def _sheet(content: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
    wanted = {f"c{number}": Value(number=number) for number in range(1, _COLUMNS_MOST + 1)}
    mapping = Mapping(name="planogram", format=Format.XLSX, header_row=None, fields=wanted)
    opened = open_xlsx(io.BytesIO(content), mapping, wanted)
    for each in opened.rows:
        if isinstance(each, RowProblem):
            yield each.row, [each]
        else:
            yield each


def _from_table(
    lines: Iterator[tuple[int, Sequence[Any]]],
) -> list[PlaceRow | RowProblem]:
    _, head = next(lines, (0, ()))
    names = [cell.strip().casefold() if isinstance(cell, str) else "" for cell in head]
    index = {name: names.index(name) for name in ROW_FIELDS if name in names}
    for needed in (_NAMES_A_PLACE, _NAMES_A_THING):
        if not any(name in index for name in needed):
            raise InvalidInput.at(
                "",
                f"the first line names no column {' or '.join(needed)}",
                fix="Name the columns label or sku, and place or aisle, bay, shelf, position.",
            )
    twice = [name for name in index if names.count(name) > 1]
    if twice:
        raise InvalidInput.at("", f"two columns are named {twice[0]}", fix="Rename one.")
    return _within(_table_row(number, cells, index) for number, cells in lines)


def _table_row(
    number: int, cells: Sequence[Any], index: dict[str, int]
) -> PlaceRow | RowProblem | None:
    if cells and isinstance(cells[0], RowProblem):
        return cells[0]
    said = {
        name: cells[at].strip()
        for name, at in index.items()
        if at < len(cells) and isinstance(cells[at], str) and cells[at].strip()
    }
    return _row(number, said) if said else None


def _from_objects(value: Any) -> list[PlaceRow | RowProblem]:
    rows = value.get("rows") if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise InvalidInput.at("", "not an array of rows", fix='Send [{"label": …, "place": …}].')
    return _within(
        _row(number, {name: _as_text(each[name]) for name in ROW_FIELDS if name in each})
        if isinstance(each, dict)
        else RowProblem(row=number, field="", reason="not an object", fix="Send an object.")
        for number, each in enumerate(rows, 1)
    )


def _as_text(value: Any) -> Any:
    """Let a number of a bay, a shelf or a product be one: ``3`` is "3"."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


def _row(number: int, said: dict[str, Any]) -> PlaceRow | RowProblem:
    if isinstance(said.get("label"), str):
        said["label"] = said["label"].lower()  # as gateways report it
    try:
        return parse_place_row(said | {"row": number}, "/0")
    except InvalidInput as exc:
        first = exc.problems[0]
        return RowProblem(
            row=number,
            field=first.path.rpartition("/")[2],
            reason=first.detail,
            fix=first.fix or "Correct the row.",
        )


def _within(
    rows: Iterable[PlaceRow | RowProblem | None],
) -> list[PlaceRow | RowProblem]:
    found: list[PlaceRow | RowProblem] = []
    for each in rows:
        if len(found) >= ROWS_MOST:
            raise InvalidInput.at("", f"more than {ROWS_MOST} rows", fix="Send it in parts.")
        if each is not None:
            found.append(each)
    return found
