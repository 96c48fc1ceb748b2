"""Imports: price lists handed in as files, their progress, their reports."""

import hashlib
import json
import secrets
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_imports
from api.auth import Asker, TheHouse
from api.errors import problem
from api.house import House
from api.imports.desk import HandedIn, apply_tried, check_upload, keep_job
from api.imports.report import report_pieces
from api.imports.upload import TooLarge, TooSlow, Upload, receive_upload
from api.imports.views import job_view, named_lines, summary_of
from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.errors import NotFound
from esl.domain.ids import StoreId
from esl.domain.import_job import ImportJob
from esl.services import import_jobs
from esl.services.requests import StoredAnswer, answer_once
from esl.store import import_jobs as rows
from esl.store import sources
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1", tags=["imports"])

PAGE_MOST = 200
_MIB = 1024 * 1024
_UNKNOWN = "no import has this id"


class ImportPage(BaseModel, extra="forbid"):
    """Which imports, the newest first."""

    store: str = Field(default="", max_length=64)
    before: AwareDatetime | None = None
    limit: int = Field(default=50, ge=1, le=PAGE_MOST)


class LinePage(BaseModel, extra="forbid"):
    """Which lines of a report."""

    decision: Literal["", "accepted", "quarantined", "superseded", "rejected", "left_out"] = ""
    after: int = Field(default=0, ge=0, le=2**53 - 1)
    limit: int = Field(default=100, ge=1, le=1000)


class ReportForm(BaseModel, extra="forbid"):
    """How a report is written."""

    format: Literal["json", "csv"] = "json"


@router.post(
    "/stores/{store}/imports",
    status_code=HTTPStatus.ACCEPTED,
    openapi_extra=openapi_imports.IMPORT,
)
async def begin_import(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Take a price list, to be imported as a job: the body is the file, or a part of a form."""
    store_id = await doors.enter(house, who, Scope.PRICE_WRITE, store)
    return await _begin(request, house, who, store_id, None)


@router.post("/imports", status_code=HTTPStatus.ACCEPTED, openapi_extra=openapi_imports.ROUTED)
async def begin_routed_import(request: Request, house: TheHouse, who: Asker) -> Response:
    """Take a price list of several stores: its rows, its name or its source say which.

    Rows of stores that the asker may not change are refused, as those of stores that are not
    there.
    """
    if ALL_STORES in who.stores:
        who.require(Scope.PRICE_WRITE)
        return await _begin(request, house, who, None, None)
    stores = frozenset(StoreId(one) for one in who.stores)
    for one in sorted(stores):
        who.require(Scope.PRICE_WRITE, one)
    return await _begin(request, house, who, None, stores)


async def _begin(
    request: Request,
    house: House,
    who: Principal,
    store_id: StoreId | None,
    stores: frozenset[StoreId] | None,
) -> Response:
    key = doors.idempotency_key(request)
    spool = house.imports.spool
    job_id = secrets.token_hex(8)
    most_bytes = house.settings.import_largest_mib * _MIB
    try:
        upload = await receive_upload(request, spool, job_id, most_bytes=most_bytes)
    except TooLarge as exc:
        return problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"{exc}; nothing was stored",
            fix="Send it in parts, or raise import_largest_mib in the settings.",
            headers={"Connection": "close"},
        )
    except TooSlow as exc:
        return problem(
            HTTPStatus.REQUEST_TIMEOUT,
            f"{exc}; nothing was stored",
            fix="Send it again, without a pause.",
            headers={"Connection": "close"},
        )
    try:
        handed = check_upload(upload, store_id, stores=stores)
        answer, is_new = await _keep(house, who, handed, key, request.url.path)
    except BaseException:
        spool.discard(job_id)
        raise
    if is_new:
        house.imports.wake()
    else:
        spool.discard(job_id)
    replayed = {} if is_new else {"Idempotency-Replayed": "true"}
    return Response(answer.answer, answer.status, replayed, media_type="application/json")


async def _keep(
    house: House, who: Principal, handed: HandedIn, key: str | None, path: str
) -> tuple[StoredAnswer, bool]:
    now = house.clock.now()
    digest = _digest_of(handed.upload, path)
    kept: list[ImportJob] = []

    def do(tx: Connection) -> StoredAnswer:
        job = keep_job(tx, handed, house.imports.spool, now, actor=who.name)
        kept.append(job)
        answer = json.dumps({"id": job.job_id, "state": job.state.value})
        return StoredAnswer(request_sha256=digest, status=HTTPStatus.ACCEPTED, answer=answer)

    def once(tx: Connection) -> StoredAnswer:
        return answer_once(tx, do, principal=who.name, key=key, request_sha256=digest, now=now)

    return await doors.write(house, once), bool(kept)


def _digest_of(upload: Upload, path: str) -> str:
    said = [path, upload.file.sha256, upload.mapping, upload.mode, upload.dry_run, upload.source]
    if upload.store_from is not None:
        said.append(upload.store_from)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@router.get("/stores/{store}/import-choices")
async def get_import_choices(store: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say by what a price list of a store may be read: mappings and sources, by name."""
    store_id = await doors.enter(house, who, Scope.PRICE_WRITE, store)

    def query(tx: Connection) -> dict[str, Any]:
        known = [one.source for one in sources.list_sources(tx, store_id=store_id)]
        return {
            "mappings": [one.name for one in sources.list_mappings(tx)],
            "sources": [
                {"source": one.source_id, "name": one.name, "accepts_full": one.accepts_full}
                for one in known
                if one.mapping is not None and not one.disabled
            ],
        }

    return await doors.read(house, query)


@router.get("/imports")
async def list_imports(
    house: TheHouse, who: Asker, page: Annotated[ImportPage, Query()]
) -> dict[str, Any]:
    """List imports, the newest first: those of the asker's stores.

    Who is for some stores only sees, of the imports of several, those that he handed in.
    """
    stores: list[str] | None = None
    actor = ""
    if page.store:
        store_id = doors.store_id(page.store)
        who.require(Scope.PRICE_READ, store_id)
        await doors.store_for(house, store_id)
        stores = [store_id]
    elif ALL_STORES in who.stores:
        who.require(Scope.PRICE_READ)
    else:
        stores, actor = sorted(who.stores), who.name
        for one in stores:
            who.require(Scope.PRICE_READ, doors.store_id(one))
    found = await doors.read(
        house,
        lambda tx: rows.list_jobs(
            tx, stores=stores, before=page.before, limit=page.limit, actor=actor
        ),
    )
    more = found[-1].created_at if len(found) == page.limit else None
    progress = house.imports.progress
    shown = [job_view(job, progress) for job in found if _may_know(who, job)]
    return {"imports": shown, "before": more}


@router.get("/imports/{import_id}")
async def get_import(import_id: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say how far an import is; once it has ended, what it came to."""

    def query(tx: Connection) -> dict[str, Any]:
        job = _job_for(tx, who, Scope.PRICE_READ, import_id)
        view = job_view(job, house.imports.progress, summary=summary_of(tx, job))
        return view | {"can_apply": house.imports.spool.has_tried(job.job_id)}

    return await doors.read(house, query)


@router.get("/imports/{import_id}/report", openapi_extra=openapi_imports.REPORT)
async def get_report(
    import_id: str, house: TheHouse, who: Asker, form: Annotated[ReportForm, Query()]
) -> Response:
    """Download what became of each row that was not simply unchanged, as JSON or CSV."""
    job = await doors.read(house, lambda tx: _job_for(tx, who, Scope.PRICE_READ, import_id))
    name = f"import-{job.job_id}.{form.format}"
    media = "text/csv; charset=utf-8" if form.format == "csv" else "application/json"
    return StreamingResponse(
        report_pieces(house.database, job.job_id, form.format),
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/imports/{import_id}/lines")
async def list_import_lines(
    import_id: str, house: TheHouse, who: Asker, page: Annotated[LinePage, Query()]
) -> dict[str, Any]:
    """List the lines of a report, with the names of their products as far as they are known.

    A product that a dry run would change has its price before and after as the reason.
    """

    def query(tx: Connection) -> dict[str, Any]:
        job = _job_for(tx, who, Scope.PRICE_READ, import_id)
        found = rows.lines_of(
            tx, job.job_id, after=page.after, limit=page.limit, decision=page.decision or None
        )
        return {
            "lines": named_lines(tx, [line for _, line in found]),
            "counts": rows.count_lines(tx, job.job_id),
            "after": found[-1][0] if len(found) == page.limit else None,
        }

    return await doors.read(house, query)


@router.post("/imports/{import_id}/apply", openapi_extra=openapi_imports.APPLY)
async def apply_import(import_id: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Take the file of a dry run in earnest: as a new import, read in the same way.

    Its file is kept for a day, and of the last few dry runs.
    """
    who_may = Scope.PRICE_WRITE
    await doors.read(house, lambda tx: _job_for(tx, who, who_may, import_id))
    body = await doors.read_nothing(request)
    spool, job_id = house.imports.spool, secrets.token_hex(8)
    is_kept = False

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        nonlocal is_kept
        tried = _job_for(tx, who, who_may, import_id)
        job = apply_tried(tx, tried, spool, job_id, house.clock.now(), actor=who.name)
        is_kept = True
        return {"id": job.job_id, "state": job.state.value, "applies": tried.job_id}, Notice()

    try:
        answer = await doors.change(house, request, who, body, work)
    except BaseException:
        spool.discard(job_id)
        raise
    if is_kept:
        spool.discard(import_id)
        house.imports.wake()
    return answer


@router.post("/imports/{import_id}/cancel", openapi_extra=openapi_imports.CANCEL)
async def cancel_import(import_id: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Cancel an import: what it took until now stays, and can be rolled back by its batch."""
    who_may = Scope.PRICE_WRITE
    await doors.read(house, lambda tx: _job_for(tx, who, who_may, import_id))
    body = await doors.read_nothing(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        _job_for(tx, who, who_may, import_id)
        job = import_jobs.cancel(tx, import_id, house.clock.now(), actor=who.name)
        return {"id": job.job_id, "state": job.state.value, "batch": job.batch_id}, Notice()

    answer = await doors.change(house, request, who, body, work)
    house.imports.let_go(import_id)
    return answer


def _job_for(tx: Connection, who: Principal, scope: Scope, import_id: str) -> ImportJob:
    """Load an import for someone who may.

    Raises:
        NotFound: There is none, or it is of a store that is closed to the asker.
        Forbidden: The asker lacks the scope.
    """
    job = rows.job_named(tx, import_id)
    if not _may_know(who, job):
        raise NotFound(_UNKNOWN)
    if job.store_id is not None or ALL_STORES in who.stores:
        who.require(scope, job.store_id)
    for one in sorted(job.stores or ()):
        who.require(scope, one)
    return job


def _may_know(who: Principal, job: ImportJob) -> bool:
    """Say whether all stores that an import may touch are the asker's."""
    if ALL_STORES in who.stores:
        return True
    if job.store_id is not None:
        return job.store_id in who.stores
    return bool(job.stores) and who.stores >= set(job.stores or ())
