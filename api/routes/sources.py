"""Sources of prices, their secrets, and the mappings that read what they send."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api import doors, openapi_intake
from api.auth import Asker, TheHouse
from api.edits import Edited, Read, Removed
from api.house import House
from api.listeners.folders.sftp_place import SSH_KEY, make_ssh_key, parse_ssh_key
from api.listeners.hook_door import HookDoor
from api.listeners.source_checks import check_source_settings
from api.paging import PageOfStore, ShortPage, cut
from api.secret_box import open_box
from esl.domain.access import Principal, Scope
from esl.domain.errors import InvalidInput, UnknownMapping
from esl.domain.ids import SourceId
from esl.domain.instants import instant_text
from esl.domain.source import StandingSource
from esl.intake.fields import Fields
from esl.intake.mapping.document import parse_mapping
from esl.intake.source_json import SecretPut, parse_secret, parse_source, source_view
from esl.services import sources
from esl.store import sources as rows
from esl.store.sources import SavedMapping
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1", tags=["sources"])

MAPPING_LONGEST = 256 * 1024
_SECRET_BYTES = 32


@router.get("/sources")
async def list_sources(
    house: TheHouse, who: Asker, page: Annotated[PageOfStore, Query()]
) -> dict[str, Any]:
    """List the sources by id, with when each was heard; those that may speak for a store."""
    who.require(Scope.STORE_ADMIN)
    store_id = doors.store_id(page.store) if page.store is not None else None
    known = await doors.read(house, lambda tx: rows.list_sources(tx, store_id=store_id))
    found, after = cut(known, page, lambda one: one.source.source_id)
    return {"sources": [standing_view(standing) for standing in found], "after": after}


@router.get("/sources/{source}")
async def get_source(source: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Return a source: what it may say, and when it was heard."""
    who.require(Scope.STORE_ADMIN)
    source_id = SourceId(doors.slug(source, "source"))

    def query(tx: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        standing = rows.standing_named(tx, source_id)
        now = house.clock.now()
        view = standing_view(standing) | {
            "secrets": [
                {"number": s.number, "kind": s.kind, "created_at": s.created_at}
                for s in rows.active_secrets(tx, source_id, now)
            ]
        }
        return view, source_view(standing.source)

    return reading.part(*await doors.read(house, query))


@router.put("/sources/{source}", openapi_extra=openapi_intake.SOURCE)
async def put_source(
    source: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Register a source, or replace what is known of it."""
    who.require(Scope.STORE_ADMIN)
    source_id = SourceId(doors.slug(source, "source"))
    value, body = await doors.read_json(request)
    new = parse_source(value, source_id=source_id)
    check_source_settings(new, house.settings)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: source_view(rows.source_named(tx, source_id)))
        sources.put_source(tx, new, house.clock.now(), actor=who.name)
        return source_view(new), Notice()

    return await _change(house, request, who, body, work)


@router.delete("/sources/{source}")
async def delete_source(
    source: str, request: Request, house: TheHouse, who: Asker, edit: Removed
) -> Response:
    """Forget a source and its secrets; what it said stays known."""
    who.require(Scope.STORE_ADMIN)
    source_id = SourceId(doors.slug(source, "source"))
    body = await request.body()
    if body:
        Fields((await doors.read_json(request))[0]).finish()

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: source_view(rows.source_named(tx, source_id)))
        sources.delete_source(tx, source_id, house.clock.now(), actor=who.name)
        return {"source": source_id, "deleted": True}, Notice()

    return await _change(house, request, who, body, work)


@router.post("/sources/{source}/secrets", openapi_extra=openapi_intake.SECRET)
async def add_secret(source: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Give a source a secret, its own or one made here; the one before opens for a while.

    A secret that was made is in this answer and in no other.
    """
    who.require(Scope.STORE_ADMIN)
    source_id = SourceId(doors.slug(source, "source"))
    value, body = await doors.read_json(request)
    put = parse_secret(value)
    if request.headers.get("idempotency-key") is not None:
        raise InvalidInput.at(
            "", "an Idempotency-Key would keep the secret", fix="Leave the header out."
        )
    secret, made = _given_or_made(put, source_id)
    sealed = open_box(house.settings.data_dir).seal(secret, source=source_id, kind=put.kind)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        number = sources.add_secret(
            tx,
            source_id,
            put.kind,
            sealed,
            house.clock.now(),
            actor=who.name,
            keep_old=put.keep_old,
        )
        return {"source": source_id, "kind": put.kind, "number": number} | made, Notice()

    return await _change(house, request, who, body, work)


@router.get("/mappings")
async def list_mappings(
    house: TheHouse, who: Asker, page: Annotated[ShortPage, Query()]
) -> dict[str, Any]:
    """List the mappings by name, each in its last version."""
    who.require(Scope.STORE_ADMIN)
    found, after = cut(await doors.read(house, rows.list_mappings), page, lambda one: one.name)
    return {"mappings": [mapping_view(one) for one in found], "after": after}


@router.get("/mappings/{mapping}")
async def get_mapping(
    mapping: str, house: TheHouse, who: Asker, reading: Read, version: int | None = None
) -> dict[str, Any]:
    """Return a mapping: its document as it was saved, and its versions.

    The ETag names the last version, also where an older one is asked for.
    """
    who.require(Scope.STORE_ADMIN)
    name = doors.slug(mapping, "mapping")
    if version is not None and not 0 < version < 2**31:
        raise UnknownMapping("no mapping has this name, or no such version")

    def query(tx: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        saved = rows.mapping_named(tx, name, version)
        versions = [mapping_view(m) for m in rows.versions_of(tx, name)]
        view = mapping_view(saved) | {"document": saved.document, "versions": versions}
        return view, mapping_view(rows.mapping_named(tx, name))

    return reading.part(*await doors.read(house, query))


@router.get(
    "/mappings/{mapping}/document",
    response_class=Response,
    openapi_extra=openapi_intake.MAPPING_DOCUMENT,
)
async def export_mapping(mapping: str, house: TheHouse, who: Asker) -> Response:
    """Return the document of a mapping alone, byte for byte as it was saved."""
    who.require(Scope.STORE_ADMIN)
    name = doors.slug(mapping, "mapping")
    saved = await doors.read(house, lambda tx: rows.mapping_named(tx, name))
    return Response(saved.document.encode(), media_type="application/yaml")


@router.put("/mappings/{mapping}", openapi_extra=openapi_intake.MAPPING)
async def put_mapping(
    mapping: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Save a mapping, YAML or JSON, as a new version; it must be whole and right."""
    who.require(Scope.STORE_ADMIN)
    name = doors.slug(mapping, "mapping")
    body = await request.body()
    document = _document(body)
    if parse_mapping(document).name != name:
        raise InvalidInput.at(
            "/name", "not the name in the address", fix=f"Write name: {name} in the document."
        )

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: mapping_view(rows.mapping_named(tx, name)))
        saved = sources.save_mapping(tx, name, document, house.clock.now(), actor=who.name)
        return _as_json(mapping_view(saved)), Notice()

    return await doors.change(house, request, who, body, work)


def standing_view(standing: StandingSource) -> dict[str, Any]:
    """A source, and when it was last heard."""
    return source_view(standing.source) | {
        "heard_at": standing.heard_at,
        "changed_at": standing.changed_at,
    }


def mapping_view(saved: SavedMapping) -> dict[str, Any]:
    """A version of a mapping, without its document."""
    return {
        "mapping": saved.name,
        "version": saved.version,
        "digest": saved.digest,
        "saved_by": saved.saved_by,
        "saved_at": saved.saved_at,
    }


async def _change(
    house: House,
    request: Request,
    who: Principal,
    body: bytes,
    work: Callable[[Connection], tuple[dict[str, Any], Notice]],
) -> Response:
    """Change sources; webhooks are checked by what holds from the commit on."""
    answer = await doors.change(house, request, who, body, work)
    door: HookDoor = request.app.state.hooks
    door.forget_sources()
    return answer


def _given_or_made(put: SecretPut, source_id: SourceId) -> tuple[str, dict[str, str]]:
    """Return the secret, and what of one that was made here is told: of keys the public half."""
    if put.kind == SSH_KEY:
        if put.secret is None:
            secret, public = make_ssh_key(source_id)
            return secret, {"public_key": public}
        parse_ssh_key(put.secret, "/secret")
    if put.secret is not None:
        return put.secret, {}
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    return secret, {"secret": secret}


def _document(body: bytes) -> str:
    if len(body) > MAPPING_LONGEST:
        raise InvalidInput.at("", f"longer than {MAPPING_LONGEST} bytes")
    try:
        document = body.decode()
    except UnicodeDecodeError:
        raise InvalidInput.at("", "not UTF-8", fix="Save the document as UTF-8.") from None
    if "\x00" in document:
        raise InvalidInput.at("", "holds a NUL character")
    return document


def _as_json(view: dict[str, Any]) -> dict[str, Any]:
    return {
        name: instant_text(value) if isinstance(value, datetime) else value
        for name, value in view.items()
    }
