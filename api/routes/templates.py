"""Templates of a store: saved, looked at, taken back; the gallery beside them."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi, openapi_templates
from api.auth import Asker, TheHouse
from api.edits import Edited, Read, Removed
from api.house import House
from api.paging import ShortPage, cut
from api.pictures_out import PngResponse
from api.schemas import version_view
from api.template_checks import check_template, read_template, surroundings_of, template_text
from api.template_drafts import draft_view, look_at, panels_of
from api.turns import drawing_turn
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput, UnknownTemplate
from esl.domain.ids import StoreId, TemplateName
from esl.domain.template_rule import check_template_name
from esl.intake.draft_json import parse_draft
from esl.intake.template_json import parse_template_text
from esl.services import templates as service
from esl.store import labels, templates
from gateway.worker import Notice
from renderer.preview import png_bytes
from renderer.render import Renderer

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["templates"])

SCALE_MOST = 4
VERSION_MOST = 2**31 - 1
"""What the column holds; a greater number would be a fault of the database's."""


class Look(BaseModel, extra="forbid"):
    """What a preview shows."""

    panel: str = Field(
        default="bwry-296x128",
        max_length=64,
        description="A display model; all of them: esl panels.",
    )
    data: Literal["sample", "worst_case"] = "sample"
    version: int | None = Field(
        default=None, ge=1, le=VERSION_MOST, description="An older one of the store's own."
    )
    scale: int = Field(default=1, ge=1, le=SCALE_MOST)


class TemplatePage(ShortPage):
    """Which templates."""

    gallery: bool | None = Field(default=None, description="Only the gallery's, or the store's.")


class Edition(BaseModel, extra="forbid"):
    """Which version of a template."""

    version: int | None = Field(
        default=None, ge=1, le=VERSION_MOST, description="The one in use if left out."
    )


@router.get("/templates")
async def list_templates(
    store: str, house: TheHouse, who: Asker, page: Annotated[TemplatePage, Query()]
) -> dict[str, Any]:
    """List the templates a store can use by name: its own, and the gallery of every store.

    ``panels`` are the display models that its labels are of.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    own, panels = await doors.read(
        house,
        lambda tx: (
            templates.templates_in_use(tx, [store_id]),
            labels.panels_in_use(tx, store_id),
        ),
    )
    own_names = {name for _, name in own}
    gallery = [t.file for t in house.gallery.values() if t.file.name not in own_names]
    known = [
        {"name": t.name, "gallery": False, "pictures": t.pictures} | version_view(t)
        for t in own.values()
    ] + [{"name": f.name, "gallery": True, "title": f.title} for f in gallery]
    wanted = [one for one in known if page.gallery in (None, one["gallery"])]
    found, after = cut(wanted, page, lambda one: str(one["name"]))
    return {"templates": found, "after": after, "panels": sorted(panels)}


@router.get("/templates/{template}")
async def get_template(
    store: str,
    template: str,
    house: TheHouse,
    who: Asker,
    reading: Read,
    edition: Annotated[Edition, Query()],
) -> dict[str, Any]:
    """Return a template's text and, of a store's own, all its versions, the newest first.

    The ETag names what is in use, also where an older version is asked for.
    """
    store_id, name = doors.store_id(store), _name(template)
    who.require(Scope.LABEL_READ, store_id)
    await doors.store_for(house, store_id)

    def query(tx: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            used = _template_view(tx, house, store_id, name, None)
        except UnknownTemplate:  # deleted; its older versions stay
            if edition.version is None:
                raise
            used = {}
        if edition.version is None:
            return used, used
        return _template_view(tx, house, store_id, name, edition.version), used

    return reading.part(*await doors.read(house, query))


@router.put("/templates/{template}", openapi_extra=openapi.TEMPLATE)
async def put_template(
    store: str, template: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Save a template's next version; the labels that the rules draw with it follow at once.

    The body is ``{"text": …}``, or the YAML itself as ``application/yaml``. It is drawn with its
    sample and its worst case on every panel model of the store: what is wrong is refused with the
    path and line of each place, and warnings come back with the answer. To go back, save the text
    of an older version.
    """
    store_id, name = doors.store_id(store), _name(template)
    who.require(Scope.TEMPLATE_WRITE, store_id)
    text, body = await _read_text(request)
    await doors.store_for(house, store_id)
    around = await doors.read(house, lambda tx: surroundings_of(tx, store_id, text, house.panels))
    async with drawing_turn(request):
        new, warnings = await asyncio.to_thread(check_template, house, name, text, around)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: _template_view(tx, house, store_id, name, None))
        saved = service.save_template(
            tx, store_id, new, house.clock.now(), actor=who.name, gallery=house.gallery.keys()
        )
        answer = {"name": name, "version": saved.version, "labels": len(saved.labels)}
        return answer | {"warnings": warnings}, Notice(labels=saved.labels)

    return await doors.change(house, request, who, body, work)


@router.delete("/templates/{template}")
async def delete_template(
    store: str, template: str, request: Request, house: TheHouse, who: Asker, edit: Removed
) -> Response:
    """Delete a store's own template; refused while a rule names it."""
    store_id, name = doors.store_id(store), _name(template)
    who.require(Scope.TEMPLATE_WRITE, store_id)
    await doors.store_for(house, store_id)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: _template_view(tx, house, store_id, name, None))
        touched = service.delete_template(tx, store_id, name, house.clock.now(), actor=who.name)
        return {"name": name, "deleted": True}, Notice(labels=touched)

    return await doors.change(house, request, who, b"", work)


@router.get("/templates/{template}/preview.png", response_class=PngResponse)
async def get_preview(
    store: str,
    template: str,
    request: Request,
    house: TheHouse,
    who: Asker,
    look: Annotated[Look, Query()],
) -> Response:
    """Draw a template's sample or worst case for a panel, in ink colours."""
    store_id, name = doors.store_id(store), _name(template)
    who.require(Scope.LABEL_READ, store_id)
    await doors.store_for(house, store_id)
    async with drawing_turn(request):
        png = await asyncio.to_thread(_draw, house, store_id, name, look)
    return PngResponse(png)


@router.post("/templates/{template}/preview", openapi_extra=openapi_templates.DRAFT)
async def preview_draft(
    store: str, template: str, request: Request, house: TheHouse, who: Asker
) -> dict[str, Any]:
    """Look at a draft and save nothing: what is wrong, its pictures, and what can be moved.

    What cannot be read is answered too, with its problems and without pictures. Lengths that a
    box or a child of a row or column says of itself come with their place in the text, in
    characters, so that an editor can write others there. With ``labels`` it says how many labels
    a save would redraw.
    """
    store_id, name = doors.store_id(store), _name(template)
    who.require(Scope.LABEL_READ, store_id)
    value, _ = await doors.read_json(request)
    draft = parse_draft(value)
    await doors.store_for(house, store_id)
    around = await doors.read(
        house, lambda tx: surroundings_of(tx, store_id, draft.text, house.panels)
    )
    panels = panels_of(house, draft, around)
    async with drawing_turn(request):
        looked = await asyncio.to_thread(look_at, house, name, draft, around, panels)
    return await doors.read(house, lambda tx: draft_view(tx, store_id, name, draft, looked))


def _template_view(
    tx: Connection, house: House, store_id: StoreId, name: TemplateName, version: int | None
) -> dict[str, Any]:
    text, _ = template_text(tx, house, store_id, name, version)
    versions = templates.versions_of(tx, store_id, name)
    in_use = bool(versions) and not versions[0].is_deleted
    shown = version or (versions[0].version if in_use else None)
    return {
        "name": name,
        "gallery": shown is None,
        "version": shown,
        "text": text,
        "versions": [version_view(one) for one in versions],
    }


def _draw(house: House, store_id: StoreId, name: TemplateName, look: Look) -> bytes:
    panel = house.panels.named(look.panel)
    with house.database.read() as tx:
        text, pngs = template_text(tx, house, store_id, name, look.version)
    template = read_template(text, pngs)
    face = template.sample if look.data == "sample" else template.worst_case
    frame = Renderer(fonts=house.fonts, products_kept=1).render(face, panel, template)
    return png_bytes(frame.pixels, panel, scale=look.scale)


async def _read_text(request: Request) -> tuple[str, bytes]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if not kind.endswith("yaml"):
        if not kind.endswith("json") and not body.lstrip().startswith((b"{", b"[")):
            raise InvalidInput.at(
                "",
                "neither JSON nor marked as YAML",
                fix="Send the YAML with the header “Content-Type: application/yaml”, or as JSON: "
                '{"text": "…"}.',
            )
        value, body = await doors.read_json(request)
        return parse_template_text(value), body
    try:
        return parse_template_text({"text": body.decode("utf-8")}), body
    except UnicodeDecodeError:
        raise InvalidInput.at("", "not UTF-8", fix="Save the file as UTF-8.") from None


def _name(text: str) -> TemplateName:
    try:
        return check_template_name(text, path="/template")
    except InvalidInput:
        raise UnknownTemplate("no template can have this name: use a-z, 0-9 and '-'") from None
