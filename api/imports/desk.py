"""Handing an import in: what was received, checked as far as it can be before it is read."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from api.imports.spool import Spool
from api.imports.upload import Upload
from esl.domain.errors import InvalidInput, UnknownMapping, UnknownSource
from esl.domain.ids import SourceId, StoreId, check_slug
from esl.domain.import_job import ImportCounts, ImportJob, ImportState
from esl.intake.mapping.document import parse_mapping
from esl.services import import_jobs
from esl.store import sources


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """An upload, and the mapping that came with it, if a document did."""

    upload: Upload
    store_id: StoreId
    document: str | None
    name: str | None  # of the mapping


def check_upload(upload: Upload, store_id: StoreId) -> HandedIn:
    """Check what can be checked without the database.

    Raises:
        InvalidInput: The mapping or the name of the source is wrong.
    """
    if upload.source is not None:
        check_slug(upload.source, path="/source", what="source")
    if upload.mapping is None and upload.source is None:
        raise InvalidInput.at(
            "/mapping", "missing", fix="Name a saved mapping, or send the document of one."
        )
    if upload.mapping is None or not upload.has_document:
        return HandedIn(upload=upload, store_id=store_id, document=None, name=upload.mapping)
    try:
        mapping = parse_mapping(upload.mapping)
    except InvalidInput as exc:
        raise InvalidInput(
            [replace(problem, path=f"/mapping{problem.path}") for problem in exc.problems]
        ) from exc
    return HandedIn(upload=upload, store_id=store_id, document=upload.mapping, name=mapping.name)


def keep_job(
    tx: Connection, handed: HandedIn, spool: Spool, now: datetime, *, actor: str
) -> ImportJob:
    """Make a job of it.

    Raises:
        UnknownStore: There is no such store.
        InvalidInput: There is no such mapping, or the source does not fit.
        Conflict: The source is switched off, or too many imports wait.
    """
    upload = handed.upload
    name, version = handed.name, None
    if name is None:
        name = _mapping_of_source(tx, SourceId(upload.source or ""))
    if handed.document is None:
        try:
            version = sources.mapping_named(tx, name).version
        except UnknownMapping as exc:
            raise InvalidInput.at(
                "/mapping",
                "no mapping has this name",
                fix="Save it: PUT /api/v1/mappings/NAME; or send the document of it.",
            ) from exc
    else:
        spool.keep_mapping(upload.file.job_id, handed.document)
    job = ImportJob(
        job_id=upload.file.job_id,
        source=SourceId(upload.source) if upload.source else import_jobs.source_named_after(name),
        store_id=handed.store_id,
        state=ImportState.QUEUED,
        mode=upload.mode,
        dry_run=upload.dry_run,
        title=upload.title,
        path=f"{upload.file.job_id}.file",
        sha256=upload.file.sha256,
        size_bytes=upload.file.size_bytes,
        mapping=name,
        mapping_version=version,
        batch_id=None,
        cursor=0,
        rows=0,
        counts=ImportCounts(),
        detail=None,
        actor=actor,
        created_at=now,
        began_at=None,
        ended_at=None,
    )
    import_jobs.add_job(tx, job, now)
    return job


def _mapping_of_source(tx: Connection, source_id: SourceId) -> str:
    try:
        mapping = sources.source_named(tx, source_id).mapping
    except UnknownSource:
        mapping = None
    if mapping is None:
        raise InvalidInput.at(
            "/mapping", "missing, and the source has none", fix="Name a mapping, or send one."
        )
    return mapping
