"""The first rows of the first sheet of an .xlsx file."""

import io
from itertools import islice

from esl.domain.entry import RowProblem
from esl.intake.mapping.model import Format, Mapping, Value
from esl.intake.mapping.opened import Cell
from esl.intake.mapping.xlsx_rows import open_xlsx
from esl.intake.suggest.csv_sample import ROWS_MOST, build_sample
from esl.intake.suggest.suggestion import Sample


def sample_xlsx(data: bytes) -> Sample:
    """Read the first rows of an .xlsx file, as its mapping will read them.

    Raises:
        InvalidInput: No .xlsx file, or broken.
    """
    wanted = {"sku": Value(number=1)}
    mapping = Mapping(name="sample", format=Format.XLSX, header_row=None, fields=wanted)
    opened = open_xlsx(io.BytesIO(data), mapping, wanted)
    rows: list[tuple[int, list[str]]] = []
    for each in islice(opened.rows, ROWS_MOST):
        if isinstance(each, RowProblem):
            continue
        number, cells = each
        texts = [_text(cell) for cell in cells]
        if any(texts):
            rows.append((number, texts))
    return build_sample(Format.XLSX, rows, [])


def _text(cell: Cell) -> str:
    return cell.strip() if isinstance(cell, str) else ""
