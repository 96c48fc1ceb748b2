"""Pictures that templates of a store may show: uploaded, listed, looked at, deleted."""

import asyncio
import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api import doors, openapi
from api.auth import Asker, TheHouse
from api.edits import Edited, Read, Removed
from api.house import House
from api.paging import ShortPage, cut
from api.pictures_out import PngResponse
from api.schemas import picture_view
from api.template_checks import read_template, template_text
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput, UnknownTemplate
from esl.domain.ids import StoreId, TemplateName
from esl.domain.template import SavedPicture
from esl.domain.template_rule import check_template_name
from esl.services import templates as service
from esl.store import pictures
from gateway.worker import Notice
from renderer.pictures.images import accept_picture

router = APIRouter(prefix="/api/v1/stores/{store}/pictures", tags=["templates"])


@router.get("")
async def list_pictures(
    store: str, house: TheHouse, who: Asker, page: Annotated[ShortPage, Query()]
) -> dict[str, Any]:
    """List a store's pictures by name."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    known = await doors.read(house, lambda tx: pictures.list_pictures(tx, store_id))
    found, after = cut(known, page, lambda one: one.name)
    return {"pictures": [picture_view(picture) for picture in found], "after": after}


@router.put("/{picture}", openapi_extra=openapi.PICTURE)
async def put_picture(
    store: str, picture: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Upload a picture: PNG, JPEG, WebP, GIF or BMP, up to 2 MiB; labels that show it follow.

    It is decoded in a process of its own, scaled down to what labels need, and kept without
    anything else that the file held.
    """
    store_id, name = doors.store_id(store), _name(picture)
    who.require(Scope.TEMPLATE_WRITE, store_id)
    body = await request.body()
    await doors.store_for(house, store_id)
    accepted = await asyncio.to_thread(accept_picture, body, name)
    digests = await asyncio.to_thread(_digests_with, house, store_id, name, accepted.png)
    now = house.clock.now()
    saved = SavedPicture(
        name=name,
        digest=accepted.digest,
        width_px=accepted.width_px,
        height_px=accepted.height_px,
        saved_by=who.name,
        saved_at=now,
    )

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: _version(_picture(tx, store_id, name)))
        touched = service.put_picture(tx, store_id, saved, accepted.png, digests, now)
        answer = {"name": name, "width_px": saved.width_px, "height_px": saved.height_px}
        return answer | {"labels": len(touched)}, Notice(labels=touched)

    return await doors.change(house, request, who, body, work)


@router.get("/{picture}", response_class=PngResponse)
async def get_picture(
    store: str, picture: str, house: TheHouse, who: Asker, reading: Read
) -> Response:
    """Return a picture as it is kept, a PNG."""
    store_id, name = doors.store_id(store), _name(picture)
    who.require(Scope.LABEL_READ, store_id)
    await doors.store_for(house, store_id)
    png = await doors.read(house, lambda tx: _picture(tx, store_id, name))
    return PngResponse(png, headers={"ETag": reading.etag(_version(png))})


@router.delete("/{picture}")
async def delete_picture(
    store: str, picture: str, request: Request, house: TheHouse, who: Asker, edit: Removed
) -> Response:
    """Delete a picture; refused while a template names it."""
    store_id, name = doors.store_id(store), _name(picture)
    who.require(Scope.TEMPLATE_WRITE, store_id)
    await doors.store_for(house, store_id)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: _version(_picture(tx, store_id, name)))
        service.delete_picture(tx, store_id, name)
        return {"name": name, "deleted": True}, Notice()

    return await doors.change(house, request, who, b"", work)


def _digests_with(
    house: House, store_id: StoreId, name: TemplateName, png: bytes
) -> dict[TemplateName, tuple[int, str]]:
    """Say what each template that names a picture means once it is this one."""
    with house.database.read() as tx:
        naming = service.templates_with_picture(tx, store_id, name)
        sources = {t: template_text(tx, house, store_id, t.name, t.version) for t in naming}
    return {
        t.name: (t.version, read_template(text, {**pngs, name: png}).digest)
        for t, (text, pngs) in sources.items()
    }


def _picture(tx: Connection, store_id: StoreId, name: TemplateName) -> bytes:
    found = pictures.pictures_named(tx, store_id, [name])
    if name not in found:
        raise UnknownTemplate("the store has no picture of this name")
    return found[name]


def _version(png: bytes) -> str:
    return hashlib.sha256(png).hexdigest()


def _name(text: str) -> TemplateName:
    try:
        return check_template_name(text, path="/picture")
    except InvalidInput:
        raise UnknownTemplate("no picture can have this name: use a-z, 0-9 and '-'") from None
