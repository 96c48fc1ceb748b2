"""The journal as JSON and as lines of a spreadsheet, in which no cell is a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from api.schemas import money
from esl.domain.instants import instant_or_none
from esl.services.journal import Line

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""With which a cell begins that spreadsheets would compute (OWASP, CSV Injection)."""

COLUMNS = (
    *("at", "kind", "sku", "name", "old", "new", "currency", "action", "reason", "source"),
    *("actor", "promotions", "labels", "shown", "first_shown", "last_shown", "event"),
)


def line_view(line: Line) -> dict[str, Any]:
    """One line of the journal."""
    currency = line.currency or ""
    return {
        "at": instant_or_none(line.at),
        "kind": line.kind.value,
        "sku": line.sku,
        "name": line.name,
        "old": money(line.old_minor, currency),
        "new": money(line.new_minor, currency),
        "currency": line.currency,
        "action": line.action,
        "reason": line.reason,
        "source": line.source,
        "actor": line.actor,
        "promotions": list(line.promotions),
        "labels": line.labels,
        "shown": line.shown,
        "first_shown": instant_or_none(line.first_shown),
        "last_shown": instant_or_none(line.last_shown),
        "event": line.event_id,
    }


def csv_pieces(pages: Iterable[Iterable[Line]]) -> Iterator[bytes]:
    """Write pages of lines as CSV (RFC 4180, UTF-8), each as it is read."""
    yield _rows([COLUMNS])
    for page in pages:
        piece = _rows(_cells(line_view(line)) for line in page)
        if piece:
            yield piece


def _cells(view: Mapping[str, Any]) -> list[str]:
    return [_cell(view[name]) for name in COLUMNS]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = " ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(FORMULAS) else text


def _rows(rows: Iterable[Iterable[str]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()
