"""Running an import job: its file read through the mapping, and taken piece by piece.

::

    file ──▶ check pass ──▶ pieces of `PIECE_ITEMS` ──▶ writer, at bulk priority ──▶ … ──▶ end
                │                                          │
                ▼ cannot be believed                       └─ between two pieces, whoever waits
             failed, nothing taken                            for a single change is written

The next piece is read while the writer takes the one before. A trial (``dry_run``) takes its
pieces where nothing is kept: `Trial`.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO

from sqlalchemy import Connection

from esl.domain.entry import Entry, RowProblem
from esl.domain.errors import Conflict, EslError, InvalidInput, NotFound
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.import_job import ImportCounts, ImportJob, ImportMode, ReportLine
from esl.domain.pricing import Decision
from esl.domain.source import Source
from esl.intake.mapping.model import Mapping
from esl.intake.mapping.reading import read_entries
from esl.services import import_jobs, import_routing
from esl.services.import_jobs import ImportEnded, Piece, PieceTaken, RetiredOfStores
from esl.services.import_routing import IGNORED, UNKNOWN_STORES
from esl.store import import_jobs as rows
from esl.store.database import Database
from esl.store.said_since import SaidSince
from esl.store.statistics import learn_sizes
from esl.store.write_group import Priority, Writes

PIECE_ITEMS = 1000
"""Entries and problems of one piece: those who wait for a single change wait for one, about 50 ms.
With 500 each row costs a tenth more: what a piece asks of the database beside its rows is 3 ms.

Always the same, because the guards count what there is: so a trial comes to the same, and a run
after a crash to what it would have come to without.
"""

_COUNTED_AFTER = 4
"""Pieces after which the database learns how long the list is, if it knows of none."""

PROBLEMS_MOST = 100_000
ACCEPTED_MOST = 20_000
"""Lines of a report, of problems and of products that were accepted; others are only counted."""

Tell = Callable[[frozenset[LabelId]], None]


class _Listed:
    """The SKUs of a complete list, as hashes of 8 bytes.

    Two that share a hash by chance are taken for one: a product is then not retired that should
    be, never the other way about.
    """

    def __init__(self) -> None:
        self._hashes = array("q")
        self._sorted = True

    def add(self, sku: Sku) -> None:
        """Note that a SKU is on the list."""
        self._hashes.append(hash(sku))
        self._sorted = False

    def __contains__(self, sku: object) -> bool:
        if not self._sorted:
            self._hashes = array("q", sorted(self._hashes))
            self._sorted = True
        wanted = hash(sku)
        at = bisect_left(self._hashes, wanted)
        return at < len(self._hashes) and self._hashes[at] == wanted


@dataclass(frozen=True, slots=True)
class _ListedHere:
    """What a list of several stores lists for one; a row of an unknown store may be of any."""

    here: _Listed
    anywhere: _Listed

    def __contains__(self, sku: object) -> bool:
        return sku in self.here or sku in self.anywhere


@dataclass(slots=True)
class _Reader:
    """Cuts what is read into pieces, and notes what a complete list lists."""

    items: Iterator[Entry | RowProblem]
    is_full: bool
    store_id: StoreId | None
    ignores_other_stores: bool = False
    cursor: int = 0
    listed: dict[StoreId, _Listed] = field(default_factory=dict)
    anywhere: _Listed = field(default_factory=_Listed)  # on refused rows whose store nobody knows
    nameless: int = 0  # refused rows whose SKU nobody could read
    _ahead: Entry | RowProblem | None = None

    def skip(self, count: int) -> None:
        """Pass over what was taken before a crash."""
        for _ in range(count):
            self._next()

    def piece(self) -> Piece | None:
        """Read the next piece; None at the end. Entries of one product are never parted."""
        entries: list[Entry] = []
        problems: list[RowProblem] = []
        before = self.cursor
        while (item := self._next()) is not None:
            if not isinstance(item, Entry):
                problems.append(item)
            elif len(entries) + len(problems) >= PIECE_ITEMS and not _is_same(entries, item):
                self._ahead = item
                break
            else:
                entries.append(item)
            if len(problems) >= 2 * PIECE_ITEMS:
                break
        read = before + len(entries) + len(problems)
        self.cursor = read
        return (
            Piece(entries=entries, problems=problems, before=before, cursor=read)
            if (read > before)
            else None
        )

    def _next(self) -> Entry | RowProblem | None:
        item, self._ahead = self._ahead, None
        if item is None:
            item = next(self.items, None)
            if item is not None and self.is_full:
                self._note(item)
        return item

    def _note(self, item: Entry | RowProblem) -> None:
        store_id = item.store_id or self.store_id
        if item.sku is not None and store_id is not None:
            self.listed.setdefault(store_id, _Listed()).add(item.sku)
        elif isinstance(item, RowProblem) and item.rejects:
            if item.field == "store" and self.ignores_other_stores:
                return
            if item.sku is not None:
                self.anywhere.add(item.sku)
            else:
                self.nameless += 1

    def listed_by_store(self) -> dict[StoreId, _ListedHere]:
        """Return what the list lists, for each store of which it has a row."""
        return {one: _ListedHere(here, self.anywhere) for one, here in self.listed.items()}


def _is_same(entries: Sequence[Entry], item: Entry) -> bool:
    return bool(entries) and (entries[-1].store_id, entries[-1].sku) == (item.store_id, item.sku)


class ImportRun:
    """Runs one job, in the thread that calls `run`.

    ``trial`` is where a dry run takes its pieces; its effects are thrown away by whoever made it.
    ``tell`` hears of the labels that want something new, after each commit.
    """

    def __init__(
        self,
        database: Database,
        writes: Writes,
        now: Callable[[], datetime],
        *,
        tell: Tell = lambda _labels: None,
        trial: Writes | None = None,
    ) -> None:
        self._database = database
        self._writes = writes
        self._now = now
        self._tell = tell
        self._trial = trial
        self._labels: set[LabelId] = set()
        self._since: SaidSince | None = None
        self._lines = 0
        self._room = {True: PROBLEMS_MOST, False: ACCEPTED_MOST}

    def run(self, job: ImportJob, file: BinaryIO, mapping: Mapping) -> None:
        """Take a job from where it stands to its end, or fail it.

        Raises:
            Unavailable: The database is busy or gone: run it again later.
            ImportEnded: It was cancelled.
        """
        if job.dry_run and self._trial is None:
            raise AssertionError("a dry run needs a trial")
        job = self._writes.write(lambda tx: import_jobs.begin(tx, job, self._now()))
        try:
            self._take(job, file, mapping)
        except (InvalidInput, NotFound, Conflict) as exc:
            problem: EslError = exc
            self._writes.write(lambda tx: import_jobs.fail(tx, job, problem, self._now()))

    def _take(self, job: ImportJob, file: BinaryIO, mapping: Mapping) -> None:
        with self._database.read() as tx:
            source = import_routing.source_of(tx, job)
            context = import_routing.context_of(tx, source, job.store_id, stores=job.stores)
            written = rows.count_lines(tx, job.job_id)
        self._lines = sum(written.values())
        accepted = written.get(Decision.ACCEPTED.value, 0)
        self._room = {
            True: PROBLEMS_MOST - (self._lines - accepted),
            False: ACCEPTED_MOST - accepted,
        }
        reading = read_entries(file, mapping, store=context, file_name=job.title)
        job = replace(job, rows=reading.summary.rows)
        ignores = source.settings.get(UNKNOWN_STORES) == IGNORED
        reader = _Reader(reading, job.mode is ImportMode.FULL, job.store_id, ignores)
        reader.skip(job.cursor)
        reader.cursor = job.cursor
        batch_id = self._batch_of(job)
        self._since = SaidSince(job.created_at, batch_id)
        with self._database.read() as tx:
            self._since.begin(tx)
        pending: tuple[Piece, Future[PieceTaken]] | None = None
        pieces = 0
        while True:
            piece = reader.piece()
            if pending is not None:
                job = self._note(job, pending)
            if piece is None:
                break
            pending = piece, self._submit(job, source, piece, batch_id)
            pieces += 1
            if pieces == _COUNTED_AFTER and self._trial is None:
                self._writes.write(learn_sizes, priority=Priority.BULK)
        self._end(job, source, reader, batch_id)

    def _batch_of(self, job: ImportJob) -> int:
        if self._trial is not None:
            return self._trial.write(lambda tx: import_jobs.begin_batch(tx, job, self._now()))
        if job.batch_id is None:
            raise AssertionError("a job that runs has a batch")
        return job.batch_id

    def _submit(
        self, job: ImportJob, source: Source, piece: Piece, batch_id: int
    ) -> "Future[PieceTaken]":
        def work(tx: Connection) -> PieceTaken:
            taken = import_jobs.take_piece(
                tx,
                job,
                source,
                piece,
                self._now(),
                batch_id=batch_id,
                lists_accepted=self._room[False] > 0,
                since=self._since,
            )
            if self._trial is None:
                self._advance(tx, job, piece, taken)
            return taken

        where = self._trial if self._trial is not None else self._writes
        return where.submit(work, priority=Priority.BULK)

    def _note(self, job: ImportJob, pending: "tuple[Piece, Future[PieceTaken]]") -> ImportJob:
        """Wait for a piece's commit, and return the job with it."""
        piece, done = pending
        taken = done.result()
        if self._trial is not None:
            self._writes.write(
                lambda tx: self._advance(tx, job, piece, taken), priority=Priority.BULK
            )
        kept, problems, others = self._fitting(taken.lines)
        self._lines += len(kept)
        self._room[True] -= problems
        self._room[False] -= others
        counts = self._counts_with(job, taken)
        self._labels |= taken.labels
        if taken.labels and self._trial is None:
            self._tell(taken.labels)
        return replace(job, counts=counts, cursor=piece.cursor)

    def _advance(self, tx: Connection, job: ImportJob, piece: Piece, taken: PieceTaken) -> None:
        then = replace(job, counts=self._counts_with(job, taken))
        kept, _, _ = self._fitting(taken.lines)
        import_jobs.advance(
            tx,
            then,
            piece,
            by_store=taken.by_store,
            lines=kept,
            first_line=self._lines + 1,
        )

    def _counts_with(self, job: ImportJob, taken: PieceTaken) -> ImportCounts:
        fresh = len(taken.labels - self._labels)
        return import_jobs.added(job.counts, replace(taken.counts, labels=fresh))

    def _fitting(self, lines: Sequence[ReportLine]) -> tuple[list[ReportLine], int, int]:
        """Choose the lines that the report has room for; count the problems and the others."""
        room = dict(self._room)
        kept: list[ReportLine] = []
        for line in lines:
            is_problem = line.decision != Decision.ACCEPTED.value
            if room[is_problem] > 0:
                room[is_problem] -= 1
                kept.append(line)
        return kept, self._room[True] - room[True], self._room[False] - room[False]

    def _end(self, job: ImportJob, source: Source, reader: _Reader, batch_id: int) -> None:
        """Retire what a complete list leaves out, and end the job."""
        if job.mode is not ImportMode.FULL or reader.nameless or not reader.listed:
            detail = None
            if reader.nameless:
                detail = (
                    f"nothing was retired: {reader.nameless} rows have no readable SKU, and each "
                    f"may be a product that seems to be missing"
                )
            self._writes.write(lambda tx: import_jobs.finish(tx, job, self._now(), detail=detail))
            return
        told: list[frozenset[LabelId]] = []
        listed = reader.listed_by_store()

        def retire(tx: Connection) -> RetiredOfStores:
            now = self._now()
            done = import_jobs.retire(tx, job, source, listed, now, batch_id=batch_id)
            told.append(done.labels)
            return done

        def finish(tx: Connection, done: RetiredOfStores) -> None:
            fresh = len(done.labels - self._labels)
            retired = sum(counts.retired for counts in done.by_store.values())
            counts = replace(job.counts, retired=retired, labels=job.counts.labels + fresh)
            if job.store_id is None:
                rows.add_store_counts(tx, job.job_id, done.by_store)
            then, detail = replace(job, counts=counts), _words_of_held(done, job)
            import_jobs.finish(tx, then, self._now(), detail=detail)

        if self._trial is None:
            self._writes.write(lambda tx: finish(tx, retire(tx)), priority=Priority.BULK)
            self._tell(told[-1])
        else:
            done = self._trial.write(retire)
            self._writes.write(lambda tx: finish(tx, done))


def _words_of_held(done: RetiredOfStores, job: ImportJob) -> str | None:
    if not done.held:
        return None
    of = f" of {', '.join(sorted(done.held))}" if job.store_id is None else ""
    return (
        f"{sum(done.held.values())} products{of} are missing from the list, too many to believe "
        f"it: none was retired. Confirm it for the batch, or send the whole list"
    )


__all__ = ["ImportEnded", "ImportRun"]
