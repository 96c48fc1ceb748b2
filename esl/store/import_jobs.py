"""Import jobs and their reports: rows in and out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from esl.domain.errors import NotFound
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.import_job import (
    ImportCounts,
    ImportJob,
    ImportMode,
    ImportState,
    ReportLine,
)
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.tables import import_jobs, import_rows, import_stores
from esl.store.upsert import insert_if_new

FIELD_LONGEST = 40
REASON_LONGEST = 300
DETAIL_LONGEST = 500
NumberedLine = tuple[int, ReportLine]
OPEN_STATES: Final = (ImportState.QUEUED, ImportState.RUNNING)

_ADD_LINES: Final = Bulk(
    """
    INSERT INTO import_row (job_id, number, "row", store_id, sku, decision, field, reason, rev, fix)
    SELECT :job, CAST(j.value->>0 AS bigint), CAST(j.value->>1 AS bigint), j.value->>2,
        j.value->>3, j.value->>4, j.value->>5, j.value->>6, CAST(j.value->>7 AS bigint),
        j.value->>8
    FROM {rows} WHERE true
    """
)
_ADVANCE: Final = Bulk(
    """
    UPDATE import_job SET cursor = :cursor, rows_seen = :seen, products = :products,
        accepted = :accepted, unchanged = :unchanged, superseded = :superseded,
        quarantined = :quarantined, rejected = :rejected, retired = :retired, labels = :labels
    WHERE job_id = :job AND state = :state AND cursor = :before RETURNING job_id
    """
)


def add_job(tx: Connection, job: ImportJob) -> None:
    """Keep a new job."""
    fields = {
        name: getattr(job, name)
        for name in (
            *("job_id", "source", "store_id", "dry_run", "title", "path", "sha256"),
            *("size_bytes", "mapping", "mapping_version", "actor", "created_at"),
        )
    }
    stores = None if job.stores is None else json.dumps(sorted(job.stores))
    state, mode = job.state.value, job.mode.value
    tx.execute(insert(import_jobs).values(**fields, state=state, mode=mode, stores=stores))


def job_named(tx: Connection, job_id: str) -> ImportJob:
    """Look a job up.

    Raises:
        NotFound: There is none.
    """
    row = tx.execute(select(import_jobs).where(import_jobs.c.job_id == job_id)).one_or_none()
    if row is None:
        raise NotFound("no import has this id")
    return _job(row)


def list_jobs(
    tx: Connection,
    *,
    stores: Sequence[str] | None,
    before: datetime | None,
    limit: int,
    actor: str = "",
) -> list[ImportJob]:
    """List jobs, the newest first; of some stores alone where ``stores`` names them.

    With those of several stores that ``actor`` handed in, or that have touched one of ``stores``.
    """
    query = select(import_jobs).order_by(import_jobs.c.created_at.desc(), import_jobs.c.job_id)
    if stores is not None:
        own = and_(import_jobs.c.store_id.is_(None), import_jobs.c.actor == actor)
        touched = exists().where(
            import_stores.c.job_id == import_jobs.c.job_id, import_stores.c.store_id.in_(stores)
        )
        query = query.where(or_(import_jobs.c.store_id.in_(stores), own, touched))
    if before is not None:
        query = query.where(import_jobs.c.created_at < before)
    return [_job(row) for row in tx.execute(query.limit(limit))]


def open_jobs(tx: Connection) -> list[ImportJob]:
    """List the jobs that are not ended, the oldest first: those that had begun before others."""
    query = (
        select(import_jobs)
        .where(import_jobs.c.state.in_([state.value for state in OPEN_STATES]))
        .order_by(import_jobs.c.began_at.is_(None), import_jobs.c.created_at, import_jobs.c.job_id)
    )
    return [_job(row) for row in tx.execute(query)]


def begin_job(tx: Connection, job: ImportJob, now: datetime, *, batch_id: int | None) -> bool:
    """Let a job run, for the first time or again from its begin; False if it has ended."""
    began = {"began_at": now} if job.began_at is None else {}
    done = tx.execute(
        update(import_jobs)
        .where(
            import_jobs.c.job_id == job.job_id,
            import_jobs.c.state.in_([state.value for state in OPEN_STATES]),
        )
        .values(state=ImportState.RUNNING.value, batch_id=batch_id, **began)
    )
    return done.rowcount == 1


def start_over(tx: Connection, job_id: str) -> None:
    """Forget how far a job was: what it did was on trial, and is gone."""
    zeros = dict.fromkeys(asdict(ImportCounts()), 0)
    tx.execute(update(import_jobs).where(import_jobs.c.job_id == job_id).values(cursor=0, **zeros))
    tx.execute(delete(import_rows).where(import_rows.c.job_id == job_id))
    tx.execute(delete(import_stores).where(import_stores.c.job_id == job_id))


def advance_job(
    tx: Connection, job_id: str, *, before: int, cursor: int, rows: int, counts: ImportCounts
) -> bool:
    """Note how far a job is now; False if it has ended, or somebody else has gone on with it."""
    state = ImportState.RUNNING.value
    more = asdict(counts)
    return bool(
        _ADVANCE.run(tx, job=job_id, state=state, before=before, cursor=cursor, seen=rows, **more)
    )


def end_job(
    tx: Connection, job_id: str, state: ImportState, now: datetime, *, detail: str | None = None
) -> bool:
    """End a job; False if it had ended before."""
    done = tx.execute(
        update(import_jobs)
        .where(
            import_jobs.c.job_id == job_id,
            import_jobs.c.state.in_([state.value for state in OPEN_STATES]),
        )
        .values(
            state=state.value,
            ended_at=now,
            detail=None if detail is None else detail[:DETAIL_LONGEST],
        )
    )
    return done.rowcount == 1


def add_lines(tx: Connection, job_id: str, lines: Sequence[ReportLine], *, first: int) -> None:
    """Add lines to a job's report, numbered from ``first``."""
    rows = [
        (
            number,
            line.row,
            line.store_id,
            line.sku,
            line.decision,
            line.field[:FIELD_LONGEST],
            line.reason[:REASON_LONGEST],
            line.rev,
            line.fix[:REASON_LONGEST],
        )
        for number, line in enumerate(lines, first)
    ]
    _ADD_LINES.run(tx, rows, job=job_id)


def add_store_counts(tx: Connection, job_id: str, by_store: Mapping[StoreId, ImportCounts]) -> None:
    """Add to what a job came to in each store."""
    known = [{"job_id": job_id, "store_id": store_id} for store_id in sorted(by_store)]
    if not known:
        return
    insert_if_new(tx, import_stores, known)
    names = list(asdict(ImportCounts()))
    query = (
        update(import_stores)
        .where(
            import_stores.c.job_id == bindparam("job"),
            import_stores.c.store_id == bindparam("store"),
        )
        .values({name: import_stores.c[name] + bindparam(f"more_{name}") for name in names})
    )
    more = [
        {"job": job_id, "store": store_id}
        | {f"more_{name}": count for name, count in asdict(counts).items()}
        for store_id, counts in sorted(by_store.items())
    ]
    tx.execute(query, more)


def counts_by_store(tx: Connection, job_id: str) -> dict[StoreId, ImportCounts]:
    """Return what a job of several stores came to in each."""
    query = (
        select(import_stores)
        .where(import_stores.c.job_id == job_id)
        .order_by(import_stores.c.store_id)
    )
    return {StoreId(row.store_id): _counts(row) for row in tx.execute(query)}


def count_lines(tx: Connection, job_id: str) -> dict[str, int]:
    """Count the lines of a report by decision."""
    query = (
        select(import_rows.c.decision, func.count())
        .where(import_rows.c.job_id == job_id)
        .group_by(import_rows.c.decision)
    )
    return {str(decision): int(count) for decision, count in tx.execute(query)}


def lines_of(
    tx: Connection, job_id: str, *, after: int = 0, limit: int, decision: str | None = None
) -> list[NumberedLine]:
    """List lines of a report with their numbers, those above ``after``."""
    query = (
        select(import_rows)
        .where(import_rows.c.job_id == job_id, import_rows.c.number > after)
        .order_by(import_rows.c.number)
        .limit(limit)
    )
    if decision is not None:
        query = query.where(import_rows.c.decision == decision)
    return [
        (
            int(row.number),
            ReportLine(
                row=int(row.row),
                decision=row.decision,
                field=row.field,
                reason=row.reason,
                store_id=None if row.store_id is None else StoreId(row.store_id),
                sku=None if row.sku is None else Sku(row.sku),
                rev=None if row.rev is None else int(row.rev),
                fix=row.fix,
            ),
        )
        for row in tx.execute(query)
    ]


def forget_jobs(tx: Connection, ended_before: datetime, *, limit: int) -> int:
    """Forget jobs that ended long ago, with their reports; return how many."""
    query = select(import_jobs.c.job_id).where(import_jobs.c.ended_at < ended_before).limit(limit)
    old = list(tx.execute(query).scalars())
    if old:
        tx.execute(delete(import_rows).where(import_rows.c.job_id.in_(old)))
        tx.execute(delete(import_stores).where(import_stores.c.job_id.in_(old)))
        tx.execute(delete(import_jobs).where(import_jobs.c.job_id.in_(old)))
    return len(old)


def _job(row: AnyRow) -> ImportJob:
    return ImportJob(
        job_id=row.job_id,
        source=SourceId(row.source),
        store_id=None if row.store_id is None else StoreId(row.store_id),
        state=ImportState(row.state),
        mode=ImportMode(row.mode),
        dry_run=bool(row.dry_run),
        title=row.title,
        path=row.path or "",
        sha256=row.sha256,
        size_bytes=int(row.size_bytes),
        mapping=row.mapping or "",
        mapping_version=row.mapping_version,
        batch_id=None if row.batch_id is None else int(row.batch_id),
        cursor=int(row.cursor),
        rows=int(row.rows_seen),
        counts=_counts(row),
        detail=row.detail,
        actor=row.actor,
        created_at=row.created_at,
        began_at=row.began_at,
        ended_at=row.ended_at,
        stores=None if row.stores is None else frozenset(map(StoreId, json.loads(row.stores))),
    )


def _counts(row: AnyRow) -> ImportCounts:
    return ImportCounts(
        products=int(row.products),
        accepted=int(row.accepted),
        unchanged=int(row.unchanged),
        superseded=int(row.superseded),
        quarantined=int(row.quarantined),
        rejected=int(row.rejected),
        retired=int(row.retired),
        labels=int(row.labels),
    )
