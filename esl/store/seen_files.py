"""Files that were found in folders: rows in and out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from sqlalchemy import Connection, delete, func, or_, select, text, update

from esl.domain.ids import SourceId, StoreId
from esl.domain.seen_file import FileState, Outcome, ResultState, SeenFile
from esl.store.columns import AnyRow
from esl.store.tables import import_rows, revision_counter, seen_files, sources
from esl.store.upsert import insert_if_new

PROBLEM_LONGEST = 500
LYING_MOST = 20_000
"""Files that lie in one folder and cannot be moved: so many are remembered at once."""

_LYING = (FileState.TAKEN.value, FileState.REFUSED.value, FileState.STAYS.value)


def add_file(tx: Connection, file: SeenFile) -> SeenFile | None:
    """Write a file down that was found; None if somebody has written it down already.

    One that was gone and lies there again is another file.
    """
    of_it = (seen_files.c.source == file.source, seen_files.c.instance == file.instance)
    tx.execute(delete(seen_files).where(*of_it, seen_files.c.state == FileState.GONE.value))
    held = select(seen_files.c.number).where(*of_it)
    if tx.execute(held).one_or_none() is not None:
        return None
    row = {
        "source": file.source,
        "instance": file.instance,
        "sha256": file.sha256,
        "name": quote_from_bytes(file.name.encode("utf-8", "surrogateescape")),
        "size_bytes": file.size_bytes,
        "modified_ns": file.modified_ns,
        "state": file.state.value,
        "outcome": file.outcome.value if file.outcome is not None else None,
        "job_id": file.job_id,
        "is_repeat": file.is_repeat,
        "problem": file.problem[:PROBLEM_LONGEST],
        "result": file.result.value,
        "result_due": file.result_due,
        "rev_before": file.rev_before,
        "seen_at": file.seen_at,
    }
    tx.execute(  # its result file has the name of theirs
        update(seen_files)
        .where(
            seen_files.c.source == file.source,
            seen_files.c.name == row["name"],
            seen_files.c.result.in_((ResultState.WANTED.value, ResultState.OPEN.value)),
        )
        .values(result=ResultState.WHOLE.value)
    )
    insert_if_new(tx, seen_files, [row])
    written = tx.execute(select(seen_files).where(*of_it)).one()
    ours = written.job_id == file.job_id and written.seen_at == file.seen_at
    return _file(written) if ours else None


def lying_files(tx: Connection, source: SourceId) -> list[SeenFile]:
    """List the files of a source that lie in its folder, as far as we know, in their order."""
    query = (
        select(seen_files)
        .where(seen_files.c.source == source, seen_files.c.state.in_(_LYING))
        .order_by(seen_files.c.number)
        .limit(LYING_MOST)
    )
    return [_file(row) for row in tx.execute(query)]


def last_taken(tx: Connection, source: SourceId) -> SeenFile | None:
    """Load the file of a source that was taken last, by a job of its own."""
    query = (
        select(seen_files)
        .where(
            seen_files.c.source == source,
            seen_files.c.job_id.is_not(None),
            seen_files.c.is_repeat.is_(False),
        )
        .order_by(seen_files.c.number.desc())
        .limit(1)
    )
    row = tx.execute(query).one_or_none()
    return _file(row) if row is not None else None


def update_file(tx: Connection, number: int, **values: Any) -> None:
    """Set columns of a file's row."""
    known = {
        name: value.value if isinstance(value, FileState | Outcome | ResultState) else value
        for name, value in values.items()
    }
    if "problem" in known:
        known["problem"] = str(known["problem"])[:PROBLEM_LONGEST]
    tx.execute(update(seen_files).where(seen_files.c.number == number).values(**known))


def results_due(
    tx: Connection, source: SourceId, now: datetime, *, limit: int = 20
) -> list[SeenFile]:
    """List the files of a source whose result file is to be looked at, the longest due first."""
    query = (
        select(seen_files)
        .where(
            seen_files.c.source == source,
            seen_files.c.state.in_((FileState.GONE.value, FileState.STAYS.value)),
            seen_files.c.result.in_((ResultState.WANTED.value, ResultState.OPEN.value)),
            seen_files.c.result_due <= now,
        )
        .order_by(seen_files.c.result_due, seen_files.c.number)
        .limit(limit)
    )
    return [_file(row) for row in tx.execute(query)]


def list_rejected(
    tx: Connection, store_id: StoreId, *, since: datetime, limit: int = 20
) -> list[SeenFile]:
    """List files of a store's sources that were rejected since then, the newest first.

    Not those after which one of the same name was taken.
    """
    later = seen_files.alias("later")
    mended = (
        select(later.c.number)
        .where(
            later.c.source == seen_files.c.source,
            later.c.name == seen_files.c.name,
            later.c.number > seen_files.c.number,
            later.c.outcome == Outcome.DONE.value,
        )
        .correlate(seen_files)
        .exists()
    )
    query = (
        select(seen_files)
        .join(sources, sources.c.source_id == seen_files.c.source)
        .where(
            seen_files.c.seen_at >= since,
            seen_files.c.outcome == Outcome.REJECTED.value,
            or_(sources.c.store_id == store_id, sources.c.store_id.is_(None)),
            sources.c.disabled.is_(False),
            ~mended,
        )
        .order_by(seen_files.c.number.desc())
        .limit(limit)
    )
    return [_file(row) for row in tx.execute(query)]


def count_revisions(tx: Connection, job_id: str) -> int:
    """Count the revisions that a job's report names."""
    query = select(func.count(import_rows.c.rev.distinct())).where(import_rows.c.job_id == job_id)
    return int(tx.execute(query).scalar_one())


def last_revision(tx: Connection) -> int:
    """Return the last revision that anything took in this installation; on PostgreSQL at least."""
    if tx.dialect.name == "sqlite":
        return int(tx.execute(select(revision_counter.c.last_rev)).scalar_one())
    return int(tx.execute(text("SELECT last_value FROM esl_rev")).scalar_one())


def forget_files(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget files that are gone since long ago; return how many."""
    query = (
        select(seen_files.c.number)
        .where(seen_files.c.seen_at < before, seen_files.c.state == FileState.GONE.value)
        .order_by(seen_files.c.number)
        .limit(most)
    )
    old: Sequence[int] = list(tx.execute(query).scalars())
    if old:
        tx.execute(delete(seen_files).where(seen_files.c.number.in_(old)))
    return len(old)


def _file(row: AnyRow) -> SeenFile:
    return SeenFile(
        number=int(row.number),
        source=SourceId(row.source),
        instance=row.instance,
        sha256=row.sha256,
        name=unquote_to_bytes(row.name).decode("utf-8", "surrogateescape"),
        size_bytes=int(row.size_bytes),
        modified_ns=int(row.modified_ns),
        state=FileState(row.state),
        outcome=Outcome(row.outcome) if row.outcome is not None else None,
        job_id=row.job_id,
        is_repeat=bool(row.is_repeat),
        problem=row.problem,
        result=ResultState(row.result),
        result_due=row.result_due,
        rev_before=int(row.rev_before),
        seen_at=row.seen_at,
    )
