"""Promotions: plan, look at what they would do, let them run, stop them, watch and explain them."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, edits, openapi_promotions
from api.auth import Asker, TheHouse
from api.edits import Read
from api.house import House
from api.pictures_out import PngResponse
from api.promotion_views import (
    explained_view,
    preview_view,
    progress_view,
    promotion_head,
    promotion_whole,
)
from api.rendering import View, render_label
from api.template_checks import read_template, template_text
from api.turns import drawing_turn
from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.errors import Forbidden, InvalidInput, UnknownLabel, UnknownPromotion, UnknownStore
from esl.domain.ids import PanelId, StoreId
from esl.domain.promotion.life import Action
from esl.domain.promotion.promotion import Promotion
from esl.intake.promotion_json import parse_promotion
from esl.intake.promotion_orders import parse_preview_order, parse_reason
from esl.services.promotions import explaining, planning
from esl.services.promotions.books import promotion_of
from esl.services.promotions.picture import FutureLabel, face_of
from esl.services.promotions.preview import preview
from esl.services.promotions.progress import progress_of
from esl.store import places, promotion_rows
from esl.store.promotion_rows import StoredPromotion
from gateway.worker import Notice
from renderer.render import Renderer

router = APIRouter(prefix="/api/v1", tags=["promotions"])


class Page(BaseModel, extra="forbid"):
    """Which promotions."""

    store: str = Field(default="", max_length=64, pattern=r"^[a-z0-9-]*$")
    state: (
        Literal["draft", "scheduled", "staging", "active", "ended", "cancelled", "rolled_back"]
        | None
    ) = None
    after: str = Field(default="", max_length=64, pattern=r"^[a-z0-9-]*$")
    limit: int = Field(default=100, ge=1, le=1000)


class Panels(BaseModel, extra="forbid"):
    """Of which panel models examples are wanted."""

    panel: list[str] = Field(default=[], max_length=20)


class Moment(BaseModel, extra="forbid"):
    """Which moment."""

    at: datetime | None = Field(default=None, description="With its offset; left out: now.")


# -- plan ----------------------------------------------------------------------------------------


@router.get("/promotions")
async def list_promotions(
    house: TheHouse, who: Asker, page: Annotated[Page, Query()]
) -> dict[str, Any]:
    """List promotions by id: of a token for some stores, those that run in no others."""
    if Scope.PRICE_READ not in who.scopes:
        raise Forbidden(f"this needs the scope {Scope.PRICE_READ.value}")
    if page.store:
        who.require(Scope.PRICE_READ, StoreId(page.store))
    own = None if ALL_STORES in who.stores else {StoreId(one) for one in who.stores}

    def query(tx: Connection) -> list[StoredPromotion]:
        return promotion_rows.list_promotions(
            tx,
            stores=own,
            here=StoreId(page.store) if page.store else None,
            states=(page.state,) if page.state else (),
            after=page.after,
            limit=page.limit,
        )

    found = await doors.read(house, query)
    more = found[-1].promotion_id if len(found) == page.limit else None
    return {"promotions": [promotion_head(one) for one in found], "after": more}


@router.post("/promotions", openapi_extra=openapi_promotions.PROMOTION)
async def create_promotion(request: Request, house: TheHouse, who: Asker) -> Response:
    """Write a promotion down as a draft; nothing happens until it is scheduled."""
    value, body = await doors.read_json(request)
    promotion = await asyncio.to_thread(parse_promotion, value)
    _require_all(who, Scope.PROMOTION_WRITE, promotion)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now, gallery = house.clock.now(), house.gallery.keys()
        saved = planning.create(tx, promotion, now, actor=who.name, gallery=gallery)
        return _answer(tx, saved), Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/promotions/preview", openapi_extra=openapi_promotions.PREVIEW)
async def preview_unsaved(request: Request, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say what a promotion would do, before it is saved."""
    value, _ = await doors.read_json(request)
    order = await asyncio.to_thread(parse_preview_order, value, house.panels)
    _require_all(who, Scope.PRICE_READ, order.promotion)
    return await _preview(house, order.promotion, order.panels)


@router.get("/promotions/{promotion}")
async def get_promotion(
    promotion: str, house: TheHouse, who: Asker, reading: Read
) -> dict[str, Any]:
    """Return a promotion, its state, and what can be done with it now.

    The ETag names its version; send it as If-Match to change it.
    """
    name = _name(promotion)

    def query(tx: Connection) -> dict[str, Any]:
        return _answer(tx, stored_for(tx, who, Scope.PRICE_READ, name))

    found = await doors.read(house, query)
    return reading.named(found, found["etag"])


@router.put("/promotions/{promotion}", openapi_extra=openapi_promotions.PROMOTION_PUT)
async def put_promotion(promotion: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Replace a promotion that has not begun; it is a draft again until it is scheduled.

    If-Match must name the version that was read; ``*`` replaces whatever is there.
    """
    name = _name(promotion)
    value, body = await doors.read_json(request)
    new = await asyncio.to_thread(parse_promotion, value, promotion_id=name)
    seen = _seen(request)
    _require_all(who, Scope.PROMOTION_WRITE, new)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        stored_for(tx, who, Scope.PROMOTION_WRITE, name)
        saved, touched = planning.revise(
            tx,
            new,
            house.clock.now(),
            actor=who.name,
            gallery=house.gallery.keys(),
            version=seen,
        )
        return _answer(tx, saved), Notice(labels=touched)

    return await doors.change(house, request, who, body, work)


@router.get("/promotions/{promotion}/preview")
async def preview_saved(
    promotion: str, house: TheHouse, who: Asker, panels: Annotated[Panels, Query()]
) -> dict[str, Any]:
    """Say what a saved promotion would do if it were scheduled now."""
    name = _name(promotion)
    chosen = [house.panels.named(PanelId(one)).panel_id for one in panels.panel]
    stored = await doors.read(house, lambda tx: stored_for(tx, who, Scope.PRICE_READ, name))
    return await _preview(house, promotion_of(stored), chosen)


@router.get("/promotions/{promotion}/pictures/{label}.png", response_class=PngResponse)
async def get_picture(
    promotion: str, label: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Draw a label as it will look when the promotion first runs."""
    name, label_id = _name(promotion), doors.label_id(label)

    def query(tx: Connection) -> tuple[FutureLabel, str, Mapping[str, bytes]]:
        stored = stored_for(tx, who, Scope.PRICE_READ, name)
        found = face_of(tx, promotion_of(stored), label_id, house.clock.now())
        if found is None:
            raise UnknownLabel(f"the promotion has no label {label_id!r}")
        return found, *template_text(tx, house, found.store_id, found.template, None)

    found, text, pngs = await doors.read(house, query)

    def draw() -> bytes:
        template = read_template(text, dict(pngs))
        panel = house.panels.named(found.panel_id)
        renderer = Renderer(fonts=house.fonts, products_kept=1)
        return render_label(renderer, template, panel, found.face, View()).png

    async with drawing_turn(request):
        return PngResponse(await asyncio.to_thread(draw))


# -- let it run, and stop it ---------------------------------------------------------------------


@router.post("/promotions/{promotion}/schedule", openapi_extra=openapi_promotions.STEP)
async def schedule(promotion: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Let a draft begin and end by itself; where its time has come it begins within a second."""
    name = _name(promotion)
    body = await doors.read_nothing(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        stored_for(tx, who, Scope.PROMOTION_WRITE, name)
        saved = planning.schedule(tx, name, house.clock.now(), actor=who.name)
        return _answer(tx, saved), Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/promotions/{promotion}/advance", openapi_extra=openapi_promotions.STEP)
async def advance(promotion: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Let the next step of a roll-out be reached; past the last one every label is."""
    name = _name(promotion)
    body = await doors.read_nothing(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        stored_for(tx, who, Scope.PROMOTION_WRITE, name)
        saved = planning.advance(tx, name, house.clock.now(), actor=who.name)
        return _answer(tx, saved), Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/promotions/{promotion}/cancel", openapi_extra=openapi_promotions.STOP)
async def cancel(promotion: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Stop a promotion: one that has not begun never does, one that has is taken back."""
    return await _stop(promotion, Action.CANCEL, request, house, who)


@router.post("/promotions/{promotion}/end", openapi_extra=openapi_promotions.STOP)
async def end(promotion: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """End a promotion before its time."""
    return await _stop(promotion, Action.END, request, house, who)


@router.post("/promotions/{promotion}/roll-back", openapi_extra=openapi_promotions.STOP)
async def roll_back(promotion: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Take a promotion back that has begun: the prices without it hold again."""
    return await _stop(promotion, Action.ROLL_BACK, request, house, who)


async def _stop(
    promotion: str, action: Action, request: Request, house: House, who: Principal
) -> Response:
    name = _name(promotion)
    body = await request.body()
    reason = parse_reason(body)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        stored_for(tx, who, Scope.PROMOTION_WRITE, name)
        saved, touched = planning.stop(
            tx, name, action, house.clock.now(), actor=who.name, reason=reason
        )
        return _answer(tx, saved), Notice(labels=touched)

    return await doors.change(house, request, who, body, work)


# -- watch and explain ---------------------------------------------------------------------------


@router.get("/promotions/{promotion}/progress")
async def get_progress(promotion: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say how far a promotion has come: labels by gateway and state, stragglers and why."""
    name = _name(promotion)

    def query(tx: Connection) -> dict[str, Any]:
        stored_for(tx, who, Scope.PRICE_READ, name)
        return progress_view(progress_of(tx, name, house.clock.now()))

    return await doors.read(house, query)


@router.get("/labels/{label}/explain")
async def explain_label(
    label: str, house: TheHouse, who: Asker, moment: Annotated[Moment, Query()]
) -> dict[str, Any]:
    """Say why a label shows what it shows: which price, which promotions, which lost and why."""
    label_id = doors.label_id(label)
    now = house.clock.now()
    at = moment.at or now
    if at.tzinfo is None:
        raise InvalidInput.at(
            "/at", "an instant without an offset", fix='Send "2026-03-01T06:00:00Z".'
        )

    def query(tx: Connection) -> dict[str, Any]:
        state = doors.label_for(tx, who, Scope.LABEL_READ, label_id)
        store = places.store_named(tx, state.store_id)
        found = explaining.explain_label(tx, store, label_id, at, now)
        return explained_view(label_id, at, store.currency, found)

    return await doors.read(house, query)


# -- parts ---------------------------------------------------------------------------------------


async def _preview(house: House, promotion: Promotion, panels: list[PanelId]) -> dict[str, Any]:
    def query(tx: Connection) -> dict[str, Any]:
        stores = planning.check(tx, promotion, house.gallery.keys())
        found = preview(
            tx, promotion, stores, house.clock.now(), panels=house.panels, chosen=panels
        )
        return preview_view(found)

    return await doors.read(house, query)


def _answer(tx: Connection, stored: StoredPromotion) -> dict[str, Any]:
    name = stored.promotion_id
    whole = promotion_whole(
        stored, promotion_rows.stores_of(tx, name), promotion_rows.next_moment(tx, name)
    )
    return whole | {"etag": f'"{stored.version}"'}


def stored_for(tx: Connection, who: Principal, scope: Scope, promotion_id: str) -> StoredPromotion:
    """Load a promotion for someone who may.

    Raises:
        UnknownPromotion: There is none, or it runs in a store that is closed to the asker.
        Forbidden: The asker lacks the scope; or it is for all stores, or for groups.
    """
    stored = promotion_rows.promotion_named(tx, promotion_id)
    is_near = ALL_STORES in who.stores or not who.stores.isdisjoint(
        promotion_rows.stores_of(tx, promotion_id)
    )
    if not is_near:
        raise UnknownPromotion(f"no promotion {promotion_id!r}")
    try:
        _require_all(who, scope, promotion_of(stored))
    except UnknownStore:
        raise UnknownPromotion(f"no promotion {promotion_id!r}") from None
    return stored


def _require_all(who: Principal, scope: Scope, promotion: Promotion) -> None:
    """Let someone pass who may in every store of a promotion; without any it is for all.

    Which stores a group stands for may change: it asks for the right in all of them, too.
    """
    if promotion.where.groups or not promotion.where.stores:
        who.require(scope)
    for store_id in sorted(promotion.where.stores):
        who.require(scope, store_id)


def _name(text: str) -> str:
    return doors.slug(text, "promotion")


def _seen(request: Request) -> int | None:
    """Read If-Match: the version that the sender has seen, None for any."""
    number = edits.demanded(request, "the promotion")
    if number is None:
        return None
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else -1  # noqa: PLR2004
