"""Tables for spreadsheets, in which no cell is a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.journal_views import FORMULAS


def spreadsheet(
    columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, numbers: Sequence[str] = ()
) -> bytes:
    """Write rows as CSV (RFC 4180, UTF-8) with a line of names; ``numbers`` may be negative."""
    written = io.StringIO(newline="")
    lines = csv.writer(written, lineterminator="\r\n")
    lines.writerow(columns)
    for row in rows:
        lines.writerow([_cell(row.get(name), is_number=name in numbers) for name in columns])
    return written.getvalue().encode()


def _cell(value: Any, *, is_number: bool) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULAS) and not is_number else text
