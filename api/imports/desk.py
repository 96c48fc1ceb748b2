"""Handing an import in: what was received, checked as far as it can be before it is read."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from api.imports.spool import Spool
from api.imports.upload import Upload
from esl.domain.errors import Conflict, InvalidInput, UnknownMapping, UnknownSource
from esl.domain.ids import SourceId, StoreId, check_slug
from esl.domain.import_job import ImportCounts, ImportJob, ImportState
from esl.intake.mapping.document import parse_mapping
from esl.intake.routing import parse_store_from
from esl.services import import_jobs, import_routing
from esl.store import sources


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """An upload, and the mapping that came with it, if a document did.

    ``store_id`` None: nobody named a store. ``stores`` are those that the asker may change; None
    is all.
    """

    upload: Upload
    store_id: StoreId | None
    document: str | None
    name: str | None  # of the mapping
    stores: frozenset[StoreId] | None = None


def check_upload(
    upload: Upload, store_id: StoreId | None, *, stores: frozenset[StoreId] | None = None
) -> HandedIn:
    """Check what can be checked without the database.

    Raises:
        InvalidInput: The mapping, the name of the source or the pattern of stores is wrong.
    """
    if upload.store_from is not None:
        if store_id is not None:
            raise InvalidInput.at(
                "/store_from", "the store is named already", fix="Say one of the two."
            )
        if parse_store_from(upload.store_from, path="/store_from").parts > 1:
            raise InvalidInput.at(
                "/store_from",
                "speaks of folders, and a file is sent without them",
                fix="Write the pattern of the name alone; or let a hot folder take the files.",
            )
    if upload.source is not None:
        check_slug(upload.source, path="/source", what="source")
    if upload.mapping is None and upload.source is None:
        raise InvalidInput.at(
            "/mapping", "missing", fix="Name a saved mapping, or send the document of one."
        )
    if upload.mapping is None or not upload.has_document:
        return HandedIn(
            upload=upload, store_id=store_id, document=None, name=upload.mapping, stores=stores
        )
    try:
        mapping = parse_mapping(upload.mapping)
    except InvalidInput as exc:
        raise InvalidInput(
            [replace(problem, path=f"/mapping{problem.path}") for problem in exc.problems]
        ) from exc
    return HandedIn(
        upload=upload,
        store_id=store_id,
        document=upload.mapping,
        name=mapping.name,
        stores=stores,
    )


def keep_job(
    tx: Connection, handed: HandedIn, spool: Spool, now: datetime, *, actor: str
) -> ImportJob:
    """Make a job of it.

    Raises:
        UnknownStore: There is no such store.
        InvalidInput: There is no such mapping, the source does not fit, or nothing says of which
            store the list is.
        Conflict: The source is switched off, or too many imports wait.
    """
    upload = handed.upload
    name, version = handed.name, None
    if name is None:
        name = _mapping_of_source(tx, SourceId(upload.source or ""))
    if handed.document is None:
        try:
            saved = sources.mapping_named(tx, name)
        except UnknownMapping as exc:
            raise InvalidInput.at(
                "/mapping",
                "no mapping has this name",
                fix="Save it: PUT /api/v1/mappings/NAME; or send the document of it.",
            ) from exc
        version, document = saved.version, saved.document
    else:
        document = handed.document
        spool.keep_mapping(upload.file.job_id, document)
    source = SourceId(upload.source) if upload.source else import_jobs.source_named_after(name)
    store_id = handed.store_id
    if store_id is None:
        store_id = import_routing.choose_store(
            tx,
            import_routing.registered(tx, source),
            parse_mapping(document),
            title=upload.title,
            store_from=upload.store_from,
            stores=handed.stores,
        )
    job = ImportJob(
        job_id=upload.file.job_id,
        source=source,
        store_id=store_id,
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
        stores=handed.stores if store_id is None else None,
    )
    import_jobs.add_job(tx, job, now)
    return job


def apply_tried(
    tx: Connection, tried: ImportJob, spool: Spool, job_id: str, now: datetime, *, actor: str
) -> ImportJob:
    """Make a job of a dry run: the same file, read in the same way, and this time in earnest.

    Raises:
        Conflict: It was no dry run that ended well, its file is kept no longer, the source is
            switched off, or too many imports wait.
    """
    if not tried.dry_run or tried.state is not ImportState.DONE:
        raise Conflict("only a dry run that has ended well can be applied")
    spool.take_tried(tried.job_id, job_id)
    job = replace(
        tried,
        job_id=job_id,
        state=ImportState.QUEUED,
        dry_run=False,
        path=f"{job_id}.file",
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
