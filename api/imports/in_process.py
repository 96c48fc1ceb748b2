"""An import in a command's own process, where no controller runs: the same job, the same spool.

A command that is killed leaves its job; the controller goes on with it when it starts.
"""

import secrets
import threading
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from api.books import Books
from api.imports.desk import check_upload, keep_job
from api.imports.report import report_pieces
from api.imports.spool import BUFFER_BYTES
from api.imports.upload import Upload, title_of
from api.imports.views import job_view, summary_of
from api.imports.worker import ImportWorker
from esl.domain.errors import Unavailable
from esl.domain.ids import StoreId
from esl.domain.import_job import ImportMode
from esl.services import import_jobs
from esl.settings import Settings
from esl.store import import_jobs as rows

ACTOR = "operator"


class ImportsInProcess:
    """Hands an import in and runs it in a thread. One at a time."""

    def __init__(self, settings: Settings, books: Books) -> None:
        self._books = books
        self._worker = ImportWorker(settings, books)
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def begin(
        self, store: str | None, file: BinaryIO, *, name: str, options: Mapping[str, str]
    ) -> str:
        """Begin to import a file; return the job's id."""
        job_id = secrets.token_hex(8)
        spooled = self._worker.spool.receive(job_id)
        try:
            while data := file.read(BUFFER_BYTES):
                spooled.write(data)
            upload = Upload(
                file=spooled.finish(),
                title=title_of(name),
                mapping=options.get("mapping"),
                mode=ImportMode(options["mode"]),
                dry_run=options["dry_run"] == "true",
                source=options.get("source"),
                store_from=options.get("store_from"),
            )
            handed = check_upload(upload, StoreId(store) if store is not None else None)
            now = self._books.clock.now()
            job = self._books.writer.write(
                lambda tx: keep_job(tx, handed, self._worker.spool, now, actor=ACTOR)
            )
        except BaseException:
            self._worker.spool.discard(job_id)
            raise

        def run() -> None:
            try:
                self._worker.run_job(job)
            except Unavailable as exc:
                self._failure = exc

        self._thread = threading.Thread(target=run, name="import")
        self._thread.start()
        return job_id

    def look(self, job_id: str) -> dict[str, Any]:
        """Say how far the job is.

        Raises:
            Unavailable: It could not go on.
        """
        if self._failure is not None:
            raise self._failure
        with self._books.database.read() as tx:
            job = rows.job_named(tx, job_id)
            return job_view(job, self._worker.progress, summary=summary_of(tx, job))

    def cancel(self, job_id: str) -> None:
        """Cancel the job, and wait for its thread."""
        now = self._books.clock.now()
        self._books.writer.write(lambda tx: import_jobs.cancel(tx, job_id, now, actor=ACTOR))
        self._worker.let_go(job_id)
        self.close()

    def report(self, job_id: str, form: str) -> Iterator[bytes]:
        """Write the job's report."""
        for piece in report_pieces(self._books.database, job_id, form):
            yield piece.encode()

    def close(self) -> None:
        """Wait until the thread has ended."""
        if self._thread is not None:
            self._thread.join()
