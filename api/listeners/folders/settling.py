"""After a file's job has ended: what became of it is told, and the file is moved away.

::

    result file ──▶ trigger removed ──▶ file moved ──▶ error or note beside it ──▶ row: gone
                                            │ cannot be moved
                                            └──────────────────────────────────▶ row: stays

Each step may be done again: a crash between two of them repeats the first. The result is written
once more when the labels have said what they show.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from api.listeners.folders.folder import FileGone, FileUnusable, Folder, Found, fitting
from api.listeners.folders.hold import Desk, Hold
from api.listeners.folders.ready import ERROR, NOTE, RESULT, Readiness
from api.listeners.folders.rules import FolderRules
from api.listeners.folders.texts import (
    KNOWN,
    NOT_TAKEN,
    TAKEN,
    error_text,
    note_text,
    result_text,
    summary_of,
)
from esl.domain.errors import Unavailable
from esl.domain.ids import SourceId
from esl.domain.import_job import ImportJob, ReportLine
from esl.domain.pricing import Decision
from esl.domain.seen_file import FileState, Outcome, ResultState, SeenFile
from esl.services import folder_files
from esl.services.import_results import result_rows
from esl.store import import_jobs, seen_files

JOB_LOOK_S = (0.02, 0.5)
"""How often a job is looked at: soon at first, then less often."""

RESULT_AGAIN_S = (2.0, 60.0)
RESULT_LONGEST = timedelta(days=3)
ERROR_LINES = 100

log = structlog.get_logger()


class Settling:
    """Settles files of one folder, under its hold."""

    def __init__(
        self,
        source: SourceId,
        rules: FolderRules,
        folder: Folder,
        readiness: Readiness,
        desk: Desk,
        hold: Hold,
    ) -> None:
        self._source = source
        self._rules = rules
        self._folder = folder
        self._readiness = readiness
        self._desk = desk
        self._hold = hold

    def settle(self, file: SeenFile) -> bool:
        """Wait for a file's job, and do what is left to do; False if it is to be taken again.

        Raises:
            FolderUnreachable: The folder went away; it is gone on with later.
            Unavailable: The database did not answer, or this process is stopping.
        """
        job = self._ended_job(file)
        if job is None and file.job_id is not None and not self._is_forgotten(file):
            return False
        outcome, words = folder_files.outcome_of(job)
        if file.state is FileState.REFUSED:
            outcome, words = Outcome.REJECTED, file.problem
        file = self._tell_result(replace(file, outcome=outcome, problem=words), job)
        self._remove_triggers(file)
        stays = ""
        try:
            self._put_aside(file, job)
        except FileUnusable as exc:
            stays = str(exc)
        self._update(
            file,
            state=FileState.STAYS if stays else FileState.GONE,
            outcome=outcome,
            problem=words,
        )
        log.info(
            "file settled",
            source=self._source,
            file=file.title,
            outcome=KNOWN if file.is_repeat else outcome.value,
            job=file.job_id,
            accepted=job.counts.accepted if job is not None and not file.is_repeat else 0,
            rejected=job.counts.rejected if job is not None else 0,
            why=stays or words,
        )
        return True

    def look_after(self, staying: Sequence[SeenFile]) -> None:
        """Move away what can be moved by now, and forget what is gone."""
        can_move = True
        for file in staying:
            self._hold.keep()
            is_gone = self._folder.look(file.name) != _found(file)
            if can_move and not is_gone:
                try:
                    self._folder.move(_found(file), (file.outcome or Outcome.DONE).value)
                    is_gone = True
                except FileUnusable:
                    can_move = False
            if is_gone:
                self._update(file, state=FileState.GONE)

    def tell_results(self, due: Sequence[SeenFile]) -> None:
        """Write results again whose labels may have said more by now."""
        for file in due:
            self._hold.keep()
            with self._desk.database.read() as tx:
                job = folder_files.job_of(tx, file)
            self._tell_result(file, job)

    def _ended_job(self, file: SeenFile) -> ImportJob | None:
        """Wait until a file's job has ended; None if it will not end here."""
        if file.job_id is None:
            return None
        pause_s, longest_s = JOB_LOOK_S
        while True:
            with self._desk.database.read() as tx:
                job = folder_files.job_of(tx, file)
            if job is None or job.state in folder_files.ENDED:
                return job
            if not self._desk.spool.has(job.job_id) and self._hand_in_again(file):
                log.warning("file handed in again", source=self._source, file=file.title)
                return None
            self._hold.keep()
            if self._desk.stopping.wait(pause_s):
                raise Unavailable("this process is stopping")
            pause_s = min(pause_s * 1.5, longest_s)

    def _hand_in_again(self, file: SeenFile) -> bool:
        now = self._desk.clock.now()
        return self._desk.writer.write(lambda tx: folder_files.hand_in_again(tx, file, now))

    def _remove_triggers(self, file: SeenFile) -> None:
        """Remove the triggers of a file, but not those of another that took its place."""
        triggers = self._readiness.triggers_of(file.name)
        if not triggers or self._folder.look(file.name) != _found(file):
            return
        for trigger in triggers:
            try:
                if self._folder.look(trigger.name) == trigger:
                    self._folder.remove(trigger.name)
            except FileUnusable as exc:
                log.warning("trigger stays", source=self._source, why=str(exc))

    def _is_forgotten(self, file: SeenFile) -> bool:
        """Say whether a file's job is so old that nobody knows of it any more."""
        with self._desk.database.read() as tx:
            return folder_files.job_of(tx, file) is None

    def _put_aside(self, file: SeenFile, job: ImportJob | None) -> None:
        """Move a file, and write beside it what is wrong; where it is gone, the last alone."""
        outcome = file.outcome or Outcome.DONE
        problem: FileUnusable | None = None
        name, folder = file.name, outcome.value
        try:
            name = self._folder.move(_found(file), folder)
        except FileGone:
            pass  # by us, before a crash; or its till took it back
        except FileUnusable as exc:
            problem, folder = exc, ""
        try:
            if outcome is Outcome.REJECTED:
                text = error_text(file.title, file.problem, job, self._errors(job))
                self._folder.write(fitting(name, ERROR), text, folder)
            elif file.is_repeat and folder:
                self._folder.write(fitting(name, NOTE), note_text(file.title), folder)
        except FileUnusable as exc:
            log.warning("error file not written", source=self._source, why=str(exc))
        if problem is not None:
            raise problem

    def _errors(self, job: ImportJob | None) -> list[ReportLine]:
        if job is None:
            return []
        with self._desk.database.read() as tx:
            found = import_jobs.lines_of(
                tx, job.job_id, limit=ERROR_LINES, decision=Decision.REJECTED.value
            )
        return [line for _, line in found]

    def _tell_result(self, file: SeenFile, job: ImportJob | None) -> SeenFile:
        """Write the result of a file, as far as it is known."""
        if file.result not in (ResultState.WANTED, ResultState.OPEN):
            return file
        now = self._desk.clock.now()
        if file.outcome is Outcome.REJECTED:
            decision, summary = NOT_TAKEN, file.problem
        else:
            decision, summary = (KNOWN if file.is_repeat else TAKEN), summary_of(job)
        if job is None:
            text, is_whole = result_text(decision, summary)
        else:
            with self._desk.database.read() as tx:
                text, is_whole = result_text(decision, summary, result_rows(tx, job, now))
        age = now - file.seen_at
        is_whole = is_whole or age > RESULT_LONGEST
        state = ResultState.WHOLE if is_whole else ResultState.OPEN
        try:
            self._folder.write(fitting(file.name, RESULT), text)
        except FileUnusable as exc:
            if file.result is ResultState.WANTED:
                log.warning("result not written", source=self._source, why=str(exc))
            state = ResultState.WHOLE if age > RESULT_LONGEST else ResultState.WANTED
        least_s, most_s = RESULT_AGAIN_S
        again_s = min(max(age.total_seconds() / 4, least_s), most_s)
        due = now + timedelta(seconds=again_s)
        self._update(file, result=state, result_due=due)
        return replace(file, result=state, result_due=due)

    def _update(self, file: SeenFile, **values: object) -> None:
        self._desk.writer.write(lambda tx: seen_files.update_file(tx, file.number, **values))


def _found(file: SeenFile) -> Found:
    return Found(name=file.name, size_bytes=file.size_bytes, modified_ns=file.modified_ns)
