"""What became of each row of an import, as far as to the shelf: for result files.

::

    line of the report ──▶ its revision ──▶ the labels of its product ──▶ shown, failed, not yet
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import NotFound
from esl.domain.ids import Sku, StoreId
from esl.domain.import_job import ImportJob, ReportLine
from esl.domain.pricing import Decision
from esl.domain.quarantine import QuarantineState
from esl.domain.verdict import TIMED_OUT, Outcome, Verdict
from esl.services.verdicts import verdicts_of_change
from esl.store import import_jobs, places, quarantine, verdicts
from esl.store.import_jobs import NumberedLine

LINES_AT_ONCE = 2000


@dataclass(slots=True, kw_only=True)
class OnShelf:
    """How far a product's labels are with a change."""

    shown: int = 0
    failed: int = 0
    pending: int = 0
    why: list[str] = field(default_factory=list)

    @property
    def labels(self) -> int:
        """Count the labels that were to show it; one that something newer overtook is none."""
        return self.shown + self.failed + self.pending


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One row of a result. ``shelf`` is None where nothing of the row was to be shown.

    One that ``waits`` does so for a person: what comes of it is told later.
    """

    line: ReportLine
    shelf: OnShelf | None
    waits: bool = False


def result_rows(tx: Connection, job: ImportJob, now: datetime) -> Iterator[ResultRow]:
    """Say what became of the rows of a job that its report names, in their order.

    Rows that said what held already are not named.
    """
    known: dict[tuple[StoreId, int], dict[Sku, OnShelf]] = {}
    after = 0
    while page := import_jobs.lines_of(tx, job.job_id, after=after, limit=LINES_AT_ONCE):
        after = page[-1][0]
        page = _with_rulings(tx, job, page)
        wanted = _wanted_of(page)
        for (store_id, rev), skus in wanted.items():
            if (store_id, rev) not in known:
                known[store_id, rev] = _of_change(tx, store_id, rev, now)
            missing = [sku for sku in skus if sku not in known[store_id, rev]]
            known[store_id, rev] |= _of_texts(tx, store_id, rev, missing, job, now)
        for _, line in page:
            waits = line.decision == Decision.QUARANTINED.value
            yield ResultRow(line=line, shelf=_shelf_of(line, known), waits=waits)
        known = {key: held for key, held in known.items() if key in wanted}


def _with_rulings(
    tx: Connection, job: ImportJob, page: Sequence[NumberedLine]
) -> list[NumberedLine]:
    """Say of prices that were held back what a person, or a newer price, has made of them since."""
    held: dict[StoreId, set[Sku]] = {}
    for _, line in page:
        if line.decision == Decision.QUARANTINED.value and line.store_id and line.sku:
            held.setdefault(line.store_id, set()).add(line.sku)
    until = job.ended_at or job.created_at
    ruled = {
        store_id: quarantine.rulings_of(
            tx, store_id, job.source, skus, until, batch_id=job.batch_id
        )
        for store_id, skus in held.items()
    }
    told: list[NumberedLine] = []
    for number, line in page:
        ruling = ruled.get(line.store_id, {}).get(line.sku) if line.store_id and line.sku else None
        if ruling is None or line.decision != Decision.QUARANTINED.value:
            told.append((number, line))
        else:
            told.append((number, _ruled(line, *ruling)))
    return told


def _ruled(line: ReportLine, state: QuarantineState, rev: int | None) -> ReportLine:
    match state:
        case QuarantineState.OPEN:
            return line
        case QuarantineState.APPROVED:
            decision = Decision.ACCEPTED if rev is not None else Decision.UNCHANGED
            reason = "held back, and approved by a person"
        case QuarantineState.REJECTED:
            decision, reason = Decision.REJECTED, "held back, and rejected by a person"
        case QuarantineState.SUPERSEDED:
            decision, reason = Decision.SUPERSEDED, "held back, and a newer price took its place"
    return replace(line, decision=decision.value, reason=reason, field="", fix="", rev=rev)


def _wanted_of(page: Sequence[NumberedLine]) -> dict[tuple[StoreId, int], list[Sku]]:
    wanted: dict[tuple[StoreId, int], list[Sku]] = {}
    for _, line in page:
        if line.store_id is not None and line.rev is not None and line.sku is not None:
            wanted.setdefault((line.store_id, line.rev), []).append(line.sku)
    return wanted


def _shelf_of(
    line: ReportLine, known: dict[tuple[StoreId, int], dict[Sku, OnShelf]]
) -> OnShelf | None:
    if line.decision != Decision.ACCEPTED.value:
        return None
    if line.store_id is None or line.rev is None or line.sku is None:
        return None
    return known.get((line.store_id, line.rev), {}).get(line.sku)


def _of_change(tx: Connection, store_id: StoreId, rev: int, now: datetime) -> dict[Sku, OnShelf]:
    """Say how far the labels of all products are whose price changed with a revision."""
    found: dict[Sku, OnShelf] = {}
    after = ""
    while True:
        try:
            page = verdicts_of_change(tx, store_id, rev, now, after=after)
        except NotFound:  # it changed texts alone
            return found
        _add(found, page.verdicts)
        if page.after is None:
            return found
        after = page.after


def _add(found: dict[Sku, OnShelf], page: Iterable[Verdict]) -> None:
    for verdict in page:
        if verdict.sku is None:
            continue
        shelf = found.setdefault(verdict.sku, OnShelf())
        match verdict.outcome:
            case Outcome.SHOWN:
                shelf.shown += 1
            case Outcome.PENDING:
                shelf.pending += 1
            case Outcome.FAILED:
                shelf.failed += 1
                words = ": ".join(filter(None, (verdict.reason, verdict.detail)))
                shelf.why.append(f"{verdict.label_id} {words}")
            case Outcome.SUPERSEDED:
                shelf.why.append(f"{verdict.label_id} superseded")


def _of_texts(
    tx: Connection, store_id: StoreId, rev: int, skus: Sequence[Sku], job: ImportJob, now: datetime
) -> dict[Sku, OnShelf]:
    """Say the same of products whose texts changed and whose price did not."""
    if not skus:
        return {}
    ended_at = job.ended_at or now
    overdue = now >= ended_at + places.store_policies(tx)[store_id].verdict_within
    found = {sku: OnShelf() for sku in skus}
    for sku, standing in verdicts.labels_of_products(tx, store_id, skus).items():
        for label in standing:
            if label.paired_at is not None and label.paired_at > ended_at:
                continue
            if label.wanted_rev < rev:
                continue  # it was told nothing: what changed does not stand on labels
            if label.settled_rev >= rev:
                found[sku].shown += 1
            elif overdue or label.problem is not None:
                found[sku].failed += 1
                found[sku].why.append(f"{label.label_id} {label.problem or TIMED_OUT}")
            else:
                found[sku].pending += 1
    return found
