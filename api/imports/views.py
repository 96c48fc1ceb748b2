"""Import jobs as JSON: the job, its summary, its report."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from api.imports.worker import Progress
from esl.domain.ids import Sku, StoreId
from esl.domain.import_job import ImportCounts, ImportJob, ImportMode, ImportState, ReportLine
from esl.domain.pricing import Decision
from esl.store import import_jobs
from esl.store.products import products_by_sku

REJECTED_SHOWN = 1000
"""Refused rows within a summary; a report has more of them."""


def job_view(
    job: ImportJob, progress: Progress | None = None, *, summary: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A job, where it is, and what it came to so far."""
    counts = job.counts
    read = job.size_bytes if job.ended_at is not None else 0
    is_checked = job.rows > 0 or job.ended_at is not None
    if progress is not None and progress.job_id == job.job_id:
        read, is_checked = min(progress.read_bytes, job.size_bytes), progress.is_checked
    return {
        "id": job.job_id,
        "state": job.state.value,
        "store": job.store_id,
        "source": job.source,
        "mapping": job.mapping,
        "mapping_version": job.mapping_version,
        "mode": job.mode.value,
        "dry_run": job.dry_run,
        "title": job.title,
        "sha256": job.sha256,
        "bytes": job.size_bytes,
        "batch": job.batch_id,
        "actor": job.actor,
        "created_at": job.created_at,
        "began_at": job.began_at,
        "ended_at": job.ended_at,
        "progress": {
            "pass": "taking" if is_checked else "checking",
            "read_bytes": read,
            "rows": job.rows,
            "taken": job.cursor,
        },
        "detail": job.detail,
        "counts": {"rows": job.rows} | _counts_view(counts),
    } | ({"summary": summary} if summary is not None else {})


def summary_of(tx: Connection, job: ImportJob) -> dict[str, Any]:
    """What an import came to, with the first rows that were refused.

    Beside what is always there: ``rejected_count`` where the list of refusals was cut,
    ``retired`` of a complete list, ``stores`` where rows name their store: the same for each.
    """
    counts = job.counts
    found = import_jobs.lines_of(
        tx, job.job_id, limit=REJECTED_SHOWN, decision=Decision.REJECTED.value
    )
    refused = [line for _, line in found]
    summary: dict[str, Any] = {
        "rows": job.rows,
        "products": counts.products,
        "accepted": counts.accepted,
        "unchanged": counts.unchanged,
        "superseded": counts.superseded,
        "quarantined": counts.quarantined,
        "rejected": [
            {"row": line.row, "field": line.field, "reason": line.reason} for line in refused
        ],
        "labels_affected": counts.labels,
    }
    if job.state is ImportState.DONE and counts.rejected > len(refused):
        summary["rejected_count"] = counts.rejected
    if job.mode is ImportMode.FULL:
        summary["retired"] = counts.retired
    if job.store_id is None:
        by_store = import_jobs.counts_by_store(tx, job.job_id)
        summary["stores"] = {one: _counts_view(each) for one, each in by_store.items()}
    return summary


def _counts_view(counts: ImportCounts) -> dict[str, int]:
    return {
        "products": counts.products,
        "accepted": counts.accepted,
        "unchanged": counts.unchanged,
        "superseded": counts.superseded,
        "quarantined": counts.quarantined,
        "rejected": counts.rejected,
        "retired": counts.retired,
        "labels_affected": counts.labels,
    }


REPORT_FIELDS = ("row", "store", "sku", "decision", "field", "reason", "rev")


def line_view(line: ReportLine) -> dict[str, Any]:
    """One line of a report."""
    return {
        "row": line.row,
        "store": line.store_id,
        "sku": line.sku,
        "decision": line.decision,
        "field": line.field,
        "reason": line.reason,
        "rev": line.rev,
    }


def named_lines(tx: Connection, lines: Sequence[ReportLine]) -> list[dict[str, Any]]:
    """Lines of a report, with the names of the products that stores know."""
    named: dict[tuple[StoreId, Sku], str] = {}
    for store_id in {line.store_id for line in lines if line.store_id is not None}:
        skus = [line.sku for line in lines if line.store_id == store_id and line.sku is not None]
        for sku, product in products_by_sku(tx, store_id, skus).items():
            named[store_id, sku] = product.name
    return [
        line_view(line)
        | {
            "name": named.get((line.store_id, line.sku))
            if line.store_id is not None and line.sku is not None
            else None,
            "fix": line.fix or None,
        }
        for line in lines
    ]


def csv_cells(line: ReportLine) -> Sequence[str]:
    """One line of a report for a spreadsheet, in which no cell is a formula."""
    return [
        f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
        for text in ("" if value is None else str(value) for value in line_view(line).values())
    ]
