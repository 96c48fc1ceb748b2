"""What is written beside files: results for tills, errors and notes for people.

prices.csv.result.csv    row;sku;decision;field;reason;fix;labels;shown;failed;why;store
prices.csv.error.txt     what is wrong, row by row, and what to do
prices.csv.note.txt      why a file was taken as known
"""

import csv
import io
from collections.abc import Iterable

from esl.domain.import_job import ImportJob, ImportState, ReportLine
from esl.domain.pricing import Decision
from esl.services.import_results import ResultRow

RESULT_FIELDS = (
    *("row", "sku", "decision", "field", "reason", "fix"),
    *("labels", "shown", "failed", "why", "store"),
)
WHY_LONGEST = 500
ERRORS_TOLD = 100
TAKEN, NOT_TAKEN, KNOWN = "taken", "not_taken", "unchanged"
"""What the first line of a result, of row 0, says of the file as a whole."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def result_text(
    decision: str, summary: str, rows: Iterable[ResultRow] = (), *, fix: str = ""
) -> tuple[bytes, bool]:
    """Write a result file; return it, and whether nothing more will be added to it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(RESULT_FIELDS)
    writer.writerow(["0", "", decision, "", _cell(summary), _cell(fix), "", "", "", "", ""])
    is_whole = True
    for row in rows:
        is_whole = is_whole and not row.waits and (row.shelf is None or not row.shelf.pending)
        writer.writerow(_cells(row))
    return text.getvalue().encode("utf-8", "replace"), is_whole


def _cells(row: ResultRow) -> list[str]:
    line, shelf = row.line, row.shelf
    reason = line.reason.removesuffix(line.fix).rstrip() if line.fix else line.reason
    on_shelf = ["", "", "", ""]
    if shelf is not None:
        why = "; ".join(shelf.why)[:WHY_LONGEST]
        on_shelf = [str(shelf.labels), str(shelf.shown), str(shelf.failed), _cell(why)]
    said = (line.sku or "", line.decision, line.field, reason, line.fix)
    return [str(line.row), *map(_cell, said), *on_shelf, line.store_id or ""]


def _cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, on one line."""
    flat = " ".join(text.split())
    return f"'{flat}" if flat.startswith(_FORMULA) else flat


def summary_of(job: ImportJob | None) -> str:
    """Say in words what an import came to."""
    if job is None:
        return "It was taken; its report is no longer kept."
    counts = job.counts
    said = [f"{job.rows} rows", f"{counts.products} products"]
    said += [
        f"{many} {name}"
        for name in ("accepted", "unchanged", "superseded", "quarantined", "rejected", "retired")
        if (many := getattr(counts, name)) or name in ("accepted", "unchanged", "rejected")
    ]
    words = ", ".join(said)
    return f"{words}. {job.detail}" if job.detail and job.state is ImportState.DONE else words


def error_text(title: str, words: str, job: ImportJob | None, lines: Iterable[ReportLine]) -> bytes:
    """Write for a person what is wrong with a file that was not taken."""
    parts = [f"{title} was not taken.", "", "What is wrong:", f"  {words}"]
    told = 0
    for line in lines:
        if line.decision != Decision.REJECTED.value or told >= ERRORS_TOLD:
            continue
        where = f"row {line.row}" if line.row else "the file"
        field = f", {line.field}" if line.field else ""
        if line.row or line.reason not in words:
            parts.append(f"  {where}{field}: {line.reason}")
            told += 1
    if job is not None and job.counts.rejected > told >= ERRORS_TOLD:
        parts.append(f"  … and {job.counts.rejected - told} more")
    parts += ["", "What to do:"]
    if job is not None and job.state is ImportState.CANCELLED:
        parts.append("  To take it after all, put it into the folder again.")
    else:
        parts.append("  No price of it holds. Mend what is said above, in the file or in the")
        parts.append("  source's mapping, and put the file into the folder again.")
    if job is not None:
        parts += ["", f"Report: GET /api/v1/imports/{job.job_id}/report?format=csv"]
    return ("\r\n".join(parts) + "\r\n").encode("utf-8", "replace")


def note_text(title: str) -> bytes:
    """Write for a person why a file was not read."""
    return (
        f"{title} has the same bytes as the file before it, and nothing has changed since.\r\n"
        "It was not read again; all it says holds.\r\n"
    ).encode("utf-8", "replace")
