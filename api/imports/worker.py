"""The thread of a process that takes import jobs, one after another, the oldest first.

After a crash it goes on with those whose files are here. A job that a fault of ours ends is
failed and logged: it would end the next start as well.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from api.books import Books
from api.imports.spool import ImportStopped, Spool
from esl.domain.errors import EslError, NotFound, Unavailable
from esl.domain.ids import LabelId
from esl.domain.import_job import ImportJob, ImportState
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.model import Mapping
from esl.services import import_jobs
from esl.services.ageing import aged_by
from esl.services.import_runs import ImportEnded, ImportRun
from esl.settings import Settings
from esl.store import import_jobs as rows
from esl.store import sources
from esl.store.trial import open_trial
from esl.store.writer import Priority
from gateway.worker import Notice

LOOK_EVERY_S = 5.0
"""A job that could not go on is tried again after this long."""

KEPT = timedelta(days=30)
"""Reports of imports that ended longer ago are forgotten."""

_FORGOTTEN_AT_ONCE = 20

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the job that runs has read its file: in its first pass, or its second."""

    job_id: str
    read_bytes: int
    is_checked: bool


class ImportWorker:
    """Runs the jobs whose files are in this process's folder."""

    def __init__(self, settings: Settings, books: Books) -> None:
        self.spool = Spool(settings.data_dir)
        self._books = books
        self._arrived = asyncio.Event()
        self._stopping = threading.Event()
        self._tell: Callable[[Notice], None] = lambda _notice: None
        self._cancelled: set[str] = set()
        self.progress: Progress | None = None

    def let_go(self, job_id: str) -> None:
        """Read no further for a job: it was cancelled."""
        self._cancelled.add(job_id)
        self.wake()

    def wake(self) -> None:
        """Say that a job was added; called on the loop."""
        self._arrived.set()

    async def run(self, tell: Callable[[Notice], None]) -> None:
        """Take jobs until cancelled; ``tell`` hears, on the loop, of labels that changed."""
        loop = asyncio.get_running_loop()

        def tell_on_loop(notice: Notice) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is left to tell
                loop.call_soon_threadsafe(tell, notice)

        self._tell = tell_on_loop
        self._stopping.clear()
        try:
            await asyncio.to_thread(self.tidy)
            while True:
                self._arrived.clear()
                while await asyncio.to_thread(self.work_once):
                    pass
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._arrived.wait()
        finally:
            self._stopping.set()

    def work_once(self) -> bool:
        """Run the next job to its end; False if there is none, or it cannot go on now."""
        for job_id in list(self._cancelled):  # none of them runs: this is the thread that would
            self.spool.discard(job_id)
            self._cancelled.discard(job_id)
        self.spool.forget_tried()
        try:
            with self._books.database.read() as tx:
                waiting = rows.open_jobs(tx)
            job = next((job for job in waiting if self.spool.has(job.job_id)), None)
            if job is None or self._stopping.is_set():
                return False
            log.info("import begins", job=job.job_id, source=job.source, bytes=job.size_bytes)
            ended = self.run_job(job, keeps_tried=True)
        except ImportStopped:
            return False
        except Unavailable as exc:
            log.warning("import waits", why=str(exc))
            return False
        log.info(
            "import ended",
            job=job.job_id,
            source=job.source,
            state=ended.state.value,
            rows=ended.rows,
            accepted=ended.counts.accepted,
            rejected=ended.counts.rejected,
            labels=ended.counts.labels,
        )
        return True

    def run_job(self, job: ImportJob, *, keeps_tried: bool = False) -> ImportJob:
        """Run one job to its end, in the calling thread; return it as it ended.

        With ``keeps_tried`` the file of a dry run is kept for who wants to apply it.

        Raises:
            Unavailable: The database is busy or gone.
            ImportStopped: This process is stopping.
        """
        try:
            self._run(job)
        except (ImportStopped, Unavailable):
            raise
        except ImportEnded:
            pass  # it was cancelled
        except Exception:  # a file that we stumble over must end its own job only
            log.exception("import failed by a fault of ours", job=job.job_id)
            fault = EslError("a fault of ours; the log has the details")
            self._write(lambda tx: import_jobs.fail(tx, job, fault, self._books.clock.now()))
        finally:
            self.progress = None
        with self._books.database.read() as tx:
            ended = rows.job_named(tx, job.job_id)
        if keeps_tried and ended.dry_run and ended.state is ImportState.DONE:
            self.spool.keep_tried(job.job_id)
        else:
            self.spool.discard(job.job_id)
        self._cancelled.discard(job.job_id)
        return ended

    def _run(self, job: ImportJob) -> None:
        try:
            mapping = self._mapping_of(job)
        except EslError as exc:
            failure = exc
            self._write(lambda tx: import_jobs.fail(tx, job, failure, self._books.clock.now()))
            return
        watch = self._watch(job)
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(self.spool.open(job.job_id, watch))
            trial = None
            if job.dry_run:
                copy = self.spool.trial_of(job.job_id)
                trial = stack.enter_context(open_trial(self._books.database, copy))
            run = ImportRun(
                self._books.database,
                self._books.writer,
                self._books.clock.now,
                tell=self._told,
                trial=trial,
            )
            run.run(job, file, mapping)

    def _watch(self, job: ImportJob) -> Callable[[int], None]:
        before, passes = 0, 0

        def watch(read_bytes: int) -> None:
            nonlocal before, passes
            if self._stopping.is_set():
                raise ImportStopped("this process is stopping")
            if job.job_id in self._cancelled:
                raise ImportEnded("the import was cancelled")
            passes += read_bytes < before
            before = read_bytes
            self.progress = Progress(job.job_id, read_bytes, is_checked=passes > 0)

        return watch

    def _told(self, labels: frozenset[LabelId]) -> None:
        self._tell(Notice(labels=tuple(sorted(labels))))

    def _mapping_of(self, job: ImportJob) -> Mapping:
        if job.mapping_version is None:
            return parse_mapping(self.spool.mapping_of(job.job_id))
        with self._books.database.read() as tx:
            saved = sources.mapping_named(tx, job.mapping, job.mapping_version)
        return parse_mapping(saved.document)

    def _write(self, work: Callable[[Connection], None]) -> None:
        self._books.writer.write(work, priority=Priority.CHANGE)

    def tidy(self) -> None:
        """Delete files that no job needs, and forget old jobs."""
        try:
            with self._books.database.read() as tx:
                before = aged_by(tx, self._books.clock.now()) - KEPT
                needed = {job.job_id for job in rows.open_jobs(tx)}
            for job_id in self.spool.job_ids() - needed:
                self.spool.discard(job_id)
            while self._books.writer.write(
                lambda tx: rows.forget_jobs(tx, before, limit=_FORGOTTEN_AT_ONCE),
                priority=Priority.HOUSEKEEPING,
            ):
                pass
        except (NotFound, Unavailable) as exc:
            log.warning("old imports are kept for now", why=str(exc))
