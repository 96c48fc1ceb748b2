"""Drawing a label without a label: for whoever designs templates."""

import asyncio
import base64
import re
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors, openapi
from api.auth import Asker, TheHouse
from api.house import House
from api.rendering import RenderedLabel, View, lint_label, part_view, render_label
from api.template_checks import finding_view, read_template, template_text
from api.turns import drawing_turn
from esl.domain.access import Scope
from esl.domain.errors import (
    FieldProblem,
    InvalidInput,
    UnknownPanel,
    UnknownTemplate,
)
from esl.domain.ids import StoreId, TemplateName
from esl.intake.render_json import RenderRequest, parse_render_request
from esl.store import pictures
from renderer.lint.finding import Finding
from renderer.render import Renderer
from renderer.template.spelling import advise_on
from renderer.template.template import Template

router = APIRouter(prefix="/api/v1", tags=["templates"])

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PNG = "image/png"


@router.post("/render", openapi_extra=openapi.RENDER, response_model=None)
async def render(request: Request, house: TheHouse, who: Asker) -> dict[str, Any] | Response:
    """Draw a label with a template, and send it nowhere.

    The answer holds the picture as base64, the digest, where each element came to stand and, if
    asked, what the checks say. With ``Accept: image/png`` it is the picture alone.
    """
    value, _ = await doors.read_json(request)
    asked = parse_render_request(value)
    if asked.store_id is not None:
        who.require(Scope.LABEL_READ, asked.store_id)
        await doors.store_for(house, asked.store_id)
    async with drawing_turn(request):
        template, rendered, findings = await asyncio.to_thread(_draw, house, asked)
    if _PNG in request.headers.get("accept", ""):
        return Response(rendered.png, media_type=_PNG)
    frame = rendered.frame
    return {
        "template": template.file.name,
        "panel": frame.panel_id,
        "digest": frame.digest,
        "bytes": len(frame.pixels),
        "png": base64.b64encode(rendered.png).decode("ascii"),
        "parts": [part_view(part, template) for part in rendered.drawing.parts],
        "lint": [finding_view(finding) for finding in findings] if asked.lint else None,
    }


def _draw(
    house: House, asked: RenderRequest
) -> tuple[Template, RenderedLabel, tuple[Finding, ...]]:
    """Draw with a renderer of its own: what strangers ask for must not fill the house's caches."""
    try:
        panel = house.panels.named(asked.panel)
    except UnknownPanel as exc:
        raise InvalidInput.at("/panel", str(exc)) from None
    template = _find_template(house, asked)
    own = template.worst_case if asked.worst_case else template.sample
    renderer = Renderer(fonts=house.fonts, products_kept=1)
    view = View(scale=asked.scale, boxes=asked.boxes, grid=asked.grid)
    rendered = render_label(renderer, template, panel, asked.face or own, view)
    findings = lint_label(renderer, template, panel, asked.face) if asked.lint else ()
    return template, rendered, findings


def _find_template(house: House, asked: RenderRequest) -> Template:
    """Find a template by its name, or read the text that was sent, with the store's pictures."""
    store_id, text = asked.store_id, asked.template
    if store_id is None and text in house.gallery:
        return house.gallery[text]
    pngs: dict[str, bytes] = {}
    if _NAME.fullmatch(text):
        if store_id is None:
            advice = advise_on(text, house.gallery)
            raise InvalidInput.at("/template", "not in the gallery", fix=advice)
        text, pngs = _named_of_store(house, store_id, TemplateName(text))
    elif store_id is not None:
        with house.database.read() as tx:
            pngs = _pictures_named_in(tx, store_id, text)
    try:
        return read_template(text, pngs)
    except InvalidInput as exc:
        raise InvalidInput(
            FieldProblem(path=f"/template{p.path}", detail=p.detail, fix=p.fix)
            for p in exc.problems
        ) from None


def _named_of_store(
    house: House, store_id: StoreId, name: TemplateName
) -> tuple[str, dict[str, bytes]]:
    try:
        with house.database.read() as tx:
            text, pngs = template_text(tx, house, store_id, name, None)
    except UnknownTemplate:
        raise InvalidInput.at(
            "/template", "neither in the gallery nor a template of this store"
        ) from None
    return text, dict(pngs)


def _pictures_named_in(tx: Connection, store_id: StoreId, text: str) -> dict[str, bytes]:
    names = [p.name for p in pictures.list_pictures(tx, store_id) if p.name in text]
    return dict(pictures.pictures_named(tx, store_id, names))
