"""Files of folders, transaction by transaction: taken as import jobs, refused, put aside.

::

    file ──▶ take_file ──▶ its row and its job, one transaction ──▶ … ──▶ put_aside

A file is taken once, whoever looks and whatever crashes: its row says that it was. The same bytes
again are a file of their own, which says again what it says; only if nothing at all has changed
since is it known without reading that it changes nothing.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import Conflict, EslError, InvalidInput, NotFound
from esl.domain.ids import SourceId
from esl.domain.import_job import ImportCounts, ImportJob, ImportMode, ImportState
from esl.domain.seen_file import FileState, Outcome, ResultState, SeenFile, instance_of
from esl.domain.source import Source, StandingSource
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.model import Mapping
from esl.intake.routing import STORE_FROM
from esl.services import import_jobs
from esl.services.import_routing import choose_store
from esl.store import import_jobs as jobs
from esl.store import seen_files, sources

ENDED = (ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED)


class FileTaken(EslError):
    """Somebody else has taken this file; nothing was written."""


class FileRefused(EslError):
    """The file cannot be taken, whatever it holds: says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A file that was read whole. ``path`` is its folder and name, ``title`` fit to be shown."""

    source: SourceId
    name: str
    size_bytes: int
    modified_ns: int
    sha256: str
    job_id: str
    path: str
    title: str
    mode: ImportMode
    has_result: bool


def take_file(tx: Connection, arrived: Arrived, now: datetime) -> SeenFile:
    """Make an import job of a file, or note that it says what the last one said.

    Raises:
        FileTaken: Somebody has it.
        FileRefused: Its name says no store that there is.
        EslError: Its source cannot be used: it is gone, switched off, without a mapping.
    """
    standing = sources.standing_named(tx, arrived.source)
    source = standing.source
    if source.disabled:
        raise Conflict("the source is switched off")
    if source.mapping is None:
        raise InvalidInput.at("/mapping", "missing", fix="Give the source a mapping.")
    saved = sources.mapping_named(tx, source.mapping)
    mapping = _parsed(saved.document)
    names_store = STORE_FROM in source.settings or mapping.store_from is not None
    earlier = _same_as_before(tx, standing, arrived, saved.version, names_store=names_store)
    file = _row_of(
        arrived,
        now,
        job_id=earlier.job_id if earlier is not None else arrived.job_id,
        is_repeat=earlier is not None,
        rev_before=seen_files.last_revision(tx),
    )
    written = seen_files.add_file(tx, file)
    if written is None:
        raise FileTaken("somebody else has taken this file")
    if earlier is not None:
        sources.note_heard(tx, source.source_id, now)
        return written
    job = _job_of(tx, arrived, source, mapping, saved.version, now)
    import_jobs.add_job(tx, job, now)
    return written


def refuse_file(tx: Connection, arrived: Arrived, words: str, now: datetime) -> SeenFile:
    """Note that a file is worth no job.

    Raises:
        FileTaken: Somebody has it.
    """
    file = _row_of(arrived, now, job_id=None, is_repeat=False, rev_before=0, refused=words)
    written = seen_files.add_file(tx, file)
    if written is None:
        raise FileTaken("somebody else has taken this file")
    return written


def job_of(tx: Connection, file: SeenFile) -> ImportJob | None:
    """Load the job of a file; None if it has none, or it is forgotten by now."""
    if file.job_id is None:
        return None
    try:
        return jobs.job_named(tx, file.job_id)
    except NotFound:
        return None


def hand_in_again(tx: Connection, file: SeenFile, now: datetime) -> bool:
    """Forget that a file was taken: who had its bytes is gone. What it took of it stays.

    Returns False, and changes nothing, if its job has ended meanwhile: its bytes go just after.
    """
    job = job_of(tx, file)
    if job is not None and job.state in ENDED:
        return False
    if job is not None:
        import_jobs.cancel(tx, job.job_id, now, actor=f"source {file.source}")
    seen_files.update_file(tx, file.number, state=FileState.GONE, result=ResultState.NONE)
    return True


def outcome_of(job: ImportJob | None) -> tuple[Outcome, str]:
    """Say where the file of a job that has ended goes, and in words why."""
    if job is None:
        return Outcome.DONE, ""
    counts = job.counts
    if job.state is ImportState.CANCELLED:
        return (
            Outcome.REJECTED,
            "Its import was cancelled; what it took until then holds.",
        )
    if job.state is ImportState.FAILED:
        return Outcome.REJECTED, job.detail or "It cannot be read."
    taken = counts.accepted + counts.unchanged + counts.superseded + counts.quarantined
    if counts.rejected and not taken:
        return Outcome.REJECTED, f"None of its {job.rows} rows can be taken."
    return Outcome.DONE, job.detail or ""


def _same_as_before(
    tx: Connection,
    standing: StandingSource,
    arrived: Arrived,
    mapping_version: int,
    *,
    names_store: bool,
) -> SeenFile | None:
    """Return the file before, if this one says the same and nothing has changed since.

    Where the name says the store, the same bytes under another name are another store's list.

    Nothing: no revision but those of its own job was taken in the whole installation. The price
    may be another by now, and then the file says that it is not.
    """
    last = seen_files.last_taken(tx, arrived.source)
    if last is None or last.sha256 != arrived.sha256 or standing.changed_at >= last.seen_at:
        return None
    if names_store and last.name != arrived.name:
        return None
    job = job_of(tx, last)
    if job is None or job.state is not ImportState.DONE or job.detail is not None:
        return None
    counts = job.counts
    is_same = (job.mapping, job.mapping_version, job.mode) == (
        standing.source.mapping,
        mapping_version,
        arrived.mode,
    )
    if not is_same or counts.rejected or counts.quarantined or counts.superseded or counts.retired:
        return None
    own = seen_files.count_revisions(tx, job.job_id)
    return last if seen_files.last_revision(tx) == last.rev_before + own else None


def _row_of(
    arrived: Arrived,
    now: datetime,
    *,
    job_id: str | None,
    is_repeat: bool,
    rev_before: int,
    refused: str | None = None,
) -> SeenFile:
    return SeenFile(
        number=0,
        source=arrived.source,
        instance=instance_of(arrived.name, arrived.size_bytes, arrived.modified_ns, arrived.sha256),
        sha256=arrived.sha256,
        name=arrived.name,
        size_bytes=arrived.size_bytes,
        modified_ns=arrived.modified_ns,
        state=FileState.TAKEN if refused is None else FileState.REFUSED,
        job_id=job_id,
        is_repeat=is_repeat,
        problem=refused or "",
        result=ResultState.WANTED if arrived.has_result else ResultState.NONE,
        result_due=now if arrived.has_result else None,
        rev_before=rev_before,
        seen_at=now,
    )


def _job_of(
    tx: Connection,
    arrived: Arrived,
    source: Source,
    mapping: Mapping,
    mapping_version: int,
    now: datetime,
) -> ImportJob:
    try:
        store_id = choose_store(
            tx, source, mapping, title=arrived.path, store_from=None, stores=None
        )
    except InvalidInput as exc:
        if exc.problems[0].path != "/name":
            raise
        first = exc.problems[0]
        raise FileRefused(f"{first.detail}. {first.fix or ''}".strip()) from exc
    return ImportJob(
        job_id=arrived.job_id,
        source=source.source_id,
        store_id=store_id,
        state=ImportState.QUEUED,
        mode=arrived.mode,
        dry_run=False,
        title=arrived.title,
        path=f"{arrived.job_id}.file",
        sha256=arrived.sha256,
        size_bytes=arrived.size_bytes,
        mapping=source.mapping or "",
        mapping_version=mapping_version,
        batch_id=None,
        cursor=0,
        rows=0,
        counts=ImportCounts(),
        detail=None,
        actor=f"source {source.source_id}",
        created_at=now,
        began_at=None,
        ended_at=None,
    )


_parsed: Callable[[str], Mapping] = functools.lru_cache(maxsize=64)(parse_mapping)
