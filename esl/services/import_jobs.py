"""Import jobs, transaction by transaction: kept, begun, taken piece by piece, ended.

::

    piece of a file ──▶ take_piece ──▶ products, prices, quarantine   ┐
                                       report lines                   ├ one transaction
                                       how far the job is             ┘

So a piece is taken once, whatever crashes: `esl.services.import_runs` goes on behind the last
one. A job that was cancelled meanwhile takes nothing more: its next piece is undone.
"""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import groupby, pairwise
from operator import attrgetter

from sqlalchemy import Connection

from esl.domain.entry import Entry, RowProblem
from esl.domain.errors import Conflict, EslError, InvalidInput
from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.import_job import (
    ImportCounts,
    ImportJob,
    ImportMode,
    ImportState,
    ReportLine,
)
from esl.domain.pricing import Decision
from esl.domain.source import Source
from esl.services.import_lines import line_of, line_of_problem, sentence, with_moves
from esl.services.import_routing import source_of
from esl.services.listening import EntryResult, take_entries
from esl.services.retiring import retire_missing
from esl.store import audit, batches, import_jobs, sources
from esl.store.said_since import SaidSince

OPEN_MOST = 50
"""Imports that may wait; each keeps its file until it has ended."""


class ImportEnded(EslError):
    """The job was cancelled, or is gone on with elsewhere: this piece was not taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some items of a file in their order, and the job's cursor before and after them."""

    entries: Sequence[Entry]
    problems: Sequence[RowProblem]
    before: int
    cursor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceTaken:
    """What taking a piece gave: what to add to the job, and the labels that want more.

    ``by_store`` is what became of each store's products; a row whose store is not known is in
    ``counts`` alone.
    """

    counts: ImportCounts
    by_store: Mapping[StoreId, ImportCounts]
    lines: tuple[ReportLine, ...]
    labels: frozenset[LabelId]


def add_job(tx: Connection, job: ImportJob, now: datetime) -> None:
    """Keep a job, for whoever has its file to run.

    Raises:
        UnknownStore: There is no such store.
        InvalidInput: The source is another store's, or may not send complete lists.
        Conflict: The source is switched off, or too many imports wait.
    """
    source = source_of(tx, job)
    if source.disabled:
        raise Conflict(f"the source {source.source_id!r} is switched off")
    if job.mode is ImportMode.FULL and not source.accepts_full:
        raise InvalidInput.at(
            "/mode",
            "this source does not send complete lists",
            fix="Set accepts_full of the source, or import the file as delta.",
        )
    if len(import_jobs.open_jobs(tx)) >= OPEN_MOST:
        raise Conflict(f"{OPEN_MOST} imports wait already; cancel some, or wait for them")
    import_jobs.add_job(tx, job)
    audit.note(
        tx,
        now,
        actor=job.actor,
        action="import",
        subject=f"import/{job.job_id}",
        store_id=job.store_id,
        detail={"source": job.source, "title": job.title, "sha256": job.sha256, "mode": job.mode},
    )


def begin(tx: Connection, job: ImportJob, now: datetime) -> ImportJob:
    """Let a job run, and return it as it now is; a trial starts over.

    Raises:
        ImportEnded: It was cancelled.
    """
    batch_id = job.batch_id
    if job.dry_run:
        import_jobs.start_over(tx, job.job_id)
    elif batch_id is None:
        batch_id = begin_batch(tx, job, now)
    if not import_jobs.begin_job(tx, job, now, batch_id=batch_id):
        raise ImportEnded("the import was cancelled")
    return import_jobs.job_named(tx, job.job_id)


def begin_batch(tx: Connection, job: ImportJob, now: datetime) -> int:
    """Open the batch of a job, by which it can be rolled back."""
    return batches.begin_batch(
        tx, now, store_id=job.store_id, source=job.source, actor=job.actor, title=job.title
    )


def take_piece(
    tx: Connection,
    job: ImportJob,
    source: Source,
    piece: Piece,
    now: datetime,
    *,
    batch_id: int,
    lists_accepted: bool,
    since: SaidSince | None = None,
) -> PieceTaken:
    """Take the entries of a piece. Raises what `esl.services.listening.take_entries` does.

    With ``lists_accepted`` there is a line for each product that was accepted, too.
    """
    taken = take_entries(
        tx,
        source,
        piece.entries,
        now,
        actor=job.actor,
        batch_id=batch_id,
        full=job.mode is ImportMode.FULL,
        since=since,
    )
    tallies: defaultdict[StoreId | None, _Tally] = defaultdict(_Tally)
    for store_id, some in groupby(taken.results, key=attrgetter("store_id")):
        tallies[store_id].add(list(some))
    quiet = (Decision.UNCHANGED,) if lists_accepted else (Decision.UNCHANGED, Decision.ACCEPTED)
    lines = [line_of(result) for result in taken.results if result.decision not in quiet]
    if job.dry_run:
        lines = with_moves(tx, lines, batch_id)
    past = [problem for result in taken.results for problem in result.problems]
    for problem in [*piece.problems, *past]:
        tally = tallies[problem.store_id]
        tally.of[Decision.REJECTED.value] += problem.rejects
        lines.append(line_of_problem(problem))
    lines.sort(key=lambda line: line.row)
    counted = {store_id: tally.counts() for store_id, tally in tallies.items()}
    total = ImportCounts()
    for counts in counted.values():
        total = added(total, counts)
    return PieceTaken(
        counts=total,
        by_store={one: counts for one, counts in counted.items() if one is not None},
        lines=tuple(lines),
        labels=frozenset(taken.labels),
    )


@dataclass(slots=True)
class _Tally:
    """What became of the products of one store within a piece."""

    of: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys((decision.value for decision in Decision), 0)
    )
    products: int = 0
    labels: int = 0

    def add(self, results: Sequence[EntryResult]) -> None:
        """Count some results in a row; those of one product are one product."""
        decisions = [result.decision for result in results]
        for decision in Decision:
            self.of[decision.value] += decisions.count(decision)
        self.products += len(results) - sum(a.sku == b.sku for a, b in pairwise(results))
        self.labels += sum([result.labels for result in results])

    def counts(self) -> ImportCounts:
        """Return them all."""
        return ImportCounts(
            products=self.products,
            accepted=self.of["accepted"],
            unchanged=self.of["unchanged"],
            superseded=self.of["superseded"],
            quarantined=self.of["quarantined"],
            rejected=self.of["rejected"],
            labels=self.labels,
        )


def advance(
    tx: Connection,
    job: ImportJob,
    piece: Piece,
    *,
    by_store: Mapping[StoreId, ImportCounts],
    lines: Sequence[ReportLine],
    first_line: int,
) -> None:
    """Note how far a job is with a piece; ``job`` has its counts already, ``by_store`` is more.

    Raises:
        ImportEnded: It was cancelled, or somebody else goes on with it.
    """
    if not import_jobs.advance_job(
        tx,
        job.job_id,
        before=piece.before,
        cursor=piece.cursor,
        rows=job.rows,
        counts=job.counts,
    ):
        raise ImportEnded("the import was cancelled")
    if job.store_id is None:
        import_jobs.add_store_counts(tx, job.job_id, by_store)
    import_jobs.add_lines(tx, job.job_id, lines, first=first_line)


def finish(tx: Connection, job: ImportJob, now: datetime, *, detail: str | None) -> None:
    """End a job that was taken to its end.

    Raises:
        ImportEnded: It was cancelled.
    """
    is_here = import_jobs.advance_job(
        tx,
        job.job_id,
        before=job.cursor,
        cursor=job.cursor,
        rows=job.rows,
        counts=job.counts,
    )
    if not is_here or not import_jobs.end_job(tx, job.job_id, ImportState.DONE, now, detail=detail):
        raise ImportEnded("the import was cancelled")
    if not job.dry_run:
        sources.note_heard(tx, job.source, now, stores=_stores_heard(tx, job))


def _stores_heard(tx: Connection, job: ImportJob) -> list[StoreId]:
    """Name the stores of which a file said anything that was taken."""
    if job.store_id is not None:
        return [job.store_id]
    by_store = import_jobs.counts_by_store(tx, job.job_id)
    return [one for one, c in by_store.items() if c.accepted + c.unchanged + c.quarantined]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredOfStores:
    """What was retired in each store, how many products were held back, and the labels."""

    by_store: Mapping[StoreId, ImportCounts]
    held: Mapping[StoreId, int]
    labels: frozenset[LabelId]


def retire(
    tx: Connection,
    job: ImportJob,
    source: Source,
    listed: Mapping[StoreId, Container[Sku]],
    now: datetime,
    *,
    batch_id: int,
) -> RetiredOfStores:
    """Retire what a complete list leaves out, in each of its stores by that store's own numbers."""
    by_store: dict[StoreId, ImportCounts] = {}
    held: dict[StoreId, int] = {}
    labels: set[LabelId] = set()
    for store_id in sorted(listed):
        done = retire_missing(
            tx, source, store_id, listed[store_id], now, batch_id=batch_id, actor=job.actor
        )
        by_store[store_id] = ImportCounts(retired=len(done.skus), labels=len(set(done.labels)))
        if done.held:
            held[store_id] = done.held
        labels.update(done.labels)
    return RetiredOfStores(by_store=by_store, held=held, labels=frozenset(labels))


def fail(tx: Connection, job: ImportJob, problem: EslError, now: datetime) -> None:
    """End a job whose file cannot be believed; its report says all that is wrong."""
    words = str(problem)
    lines = [ReportLine(row=0, decision=Decision.REJECTED.value, reason=words)]
    if isinstance(problem, InvalidInput):
        lines = [
            ReportLine(
                row=0,
                decision=Decision.REJECTED.value,
                field=each.path,
                reason=" ".join(filter(None, (sentence(each.detail), each.fix))),
                fix=each.fix or "",
            )
            for each in problem.problems
        ]
        words = "; ".join(
            f"{each.path}: {each.detail}" if each.path else each.detail for each in problem.problems
        )
    if import_jobs.end_job(tx, job.job_id, ImportState.FAILED, now, detail=words):
        written = sum(import_jobs.count_lines(tx, job.job_id).values())
        import_jobs.add_lines(tx, job.job_id, lines, first=written + 1)


def cancel(tx: Connection, job_id: str, now: datetime, *, actor: str) -> ImportJob:
    """Cancel a job: what it took stays, and it takes nothing more.

    Raises:
        NotFound: There is none.
        Conflict: It has ended.
    """
    job = import_jobs.job_named(tx, job_id)
    if not import_jobs.end_job(tx, job_id, ImportState.CANCELLED, now):
        raise Conflict(f"the import has ended: {job.state}")
    audit.note(
        tx,
        now,
        actor=actor,
        action="import_cancelled",
        subject=f"import/{job_id}",
        store_id=job.store_id,
    )
    return import_jobs.job_named(tx, job_id)


def added(first: ImportCounts, second: ImportCounts) -> ImportCounts:
    """Add two counts."""
    more = asdict(second)
    return ImportCounts(**{name: count + more[name] for name, count in asdict(first).items()})


def source_named_after(mapping: str) -> SourceId:
    """Name the source of a file for which nobody named one: as its mapping."""
    return SourceId(mapping.replace("_", "-"))
