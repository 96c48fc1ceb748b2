"""Labels: register, pair, look at."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi, openapi_shelf
from api.auth import Asker, TheHouse
from api.panel_fit import PanelFit
from api.pictures_out import PngResponse
from api.routes.fleet import verdict_view
from api.schemas import face_view, label_view, tile_view
from esl.domain.access import Scope
from esl.domain.errors import NotFound
from esl.domain.ids import Digest, LabelId, PanelId
from esl.domain.label import Phase
from esl.domain.shelf_place import PLACE_LONGEST
from esl.intake.place_json import parse_new_labels, parse_pairing
from esl.intake.price_json import parse_each
from esl.services import deliveries, fleet, pairing, verdicts
from esl.services.finding import find_labels
from esl.services.placing import standing_place
from esl.services.silence import find_silent
from esl.store import places
from esl.store.at_a_glance import waiting_in
from esl.store.deliveries import frame_sent_to, template_sent
from esl.store.labels import count_labels
from esl.store.migration import place_of
from esl.store.shelf_places import places_of_labels
from esl.store.wall import Tile, tiles_after, wall_of
from esl.store.wall_counts import count_paired, count_phases
from gateway.bases import load_pixels
from gateway.worker import Notice
from renderer.preview import png_bytes

router = APIRouter(prefix="/api/v1", tags=["labels"])

PAGE_MOST = 1000
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Page(BaseModel, extra="forbid"):
    """Which part of a long list; a parameter with another name is refused, not overlooked."""

    after: str = Field(
        default="",
        max_length=64,
        pattern=r"^[a-z0-9-]*$",
        description="The last label of the page before.",
    )
    limit: int = Field(default=100, ge=1, le=PAGE_MOST)


@router.post("/stores/{store}/labels", openapi_extra=openapi.LABELS)
async def register_labels(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Register one label or an array: id, panel model, and its gateway if known."""
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    value, body = await doors.read_json(request)
    new = parse_new_labels(value, store_id=store_id, panels=house.panels)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        added = pairing.register_labels(tx, store_id, new, house.clock.now(), panels=house.panels)
        answer = {"labels": len(new), "new": added}
        return answer, Notice(labels=tuple(n.label_id for n in new))

    return await doors.change(house, request, who, body, work, items=len(new))


class PlacedPage(Page):
    """A page of labels by where they hang."""

    aisle: str | None = Field(
        default=None,
        min_length=1,
        max_length=PLACE_LONGEST,
        description="Only what hangs there: an aisle, or a bay of it such as 3/2.",
    )
    order: Literal["id", "walk"] = Field(
        default="id", description="walk: as one walks past them, then those without a place."
    )
    phase: list[Annotated[str, Field(pattern=f"^({'|'.join(Phase)})$")]] = Field(
        default=[],
        max_length=len(Phase),
        description="Only labels that do like this; several: like any of them.",
    )
    q: str = Field(
        default="",
        max_length=100,
        description="Words that are all in the label's id, or its product's SKU, name or GTIN.",
    )

    @property
    def is_plain(self) -> bool:
        """Say whether it is all labels by id."""
        return not (self.aisle or self.phase or self.q.strip()) and self.order == "id"


@router.get("/stores/{store}/labels")
async def list_labels(
    store: str, house: TheHouse, who: Asker, page: Annotated[PlacedPage, Query()]
) -> dict[str, Any]:
    """List a store's labels by id or by place, with the product each speaks for.

    ``found`` is how many there are on all pages.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    online = house.online()

    def query(tx: Connection) -> tuple[list[Tile], Mapping[LabelId, str | None], int]:
        if page.is_plain:
            tiles = wall_of(tx, store_id, after=page.after, limit=page.limit)
            found = count_labels(tx, store_id)
        else:
            order = find_labels(
                tx,
                store_id,
                online=online,
                phases=[Phase(one) for one in page.phase],
                search=page.q,
                area=page.aisle,
                by_walk=page.order == "walk",
            )
            tiles = tiles_after(tx, order, after=page.after, limit=page.limit)
            found = len(order)
        hung = places_of_labels(tx, store_id, [tile.label.label_id for tile in tiles])
        return tiles, hung, found

    tiles, hung, found = await doors.read(house, query)
    more = tiles[-1].label.label_id if len(tiles) == page.limit else None
    views = [tile_view(tile, online) | {"place": hung.get(tile.label.label_id)} for tile in tiles]
    return {"labels": views, "after": more, "found": found}


@router.get("/stores/{store}/summary")
async def summary(store: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say how a store does in a few numbers: labels by phase, and what waits for whom.

    ``silent_sources`` says how many sources are overdue: what settled labels show may be old then.
    ``planned`` are the moments at which prices are planned to change, ``next_at`` the first.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    now, online = house.clock.now(), house.online()

    def query(tx: Connection) -> dict[str, Any]:
        paired, unsettled = count_paired(tx, store_id)
        gateways = {one.gateway_id for one in places.list_gateways(tx, store_id)}
        waiting = waiting_in(tx, store_id)
        return {
            "paired": paired,
            "unsettled": unsettled,
            "silent_sources": len(find_silent(tx, store_id, now)),
            "labels": count_labels(tx, store_id),
            "phases": dict.fromkeys(Phase, 0) | count_phases(tx, store_id, gateways & online),
            "gateways": len(gateways),
            "gateways_away": len(gateways - online),
            "problems": waiting.problems,
            "remove_tasks": waiting.remove_tasks,
            "quarantined": waiting.held_back,
            "proposals": waiting.proposals,
            "planned": waiting.planned,
            "next_at": waiting.next_at,
        }

    return await doors.read(house, query)


@router.post("/stores/{store}/pairings", openapi_extra=openapi_shelf.PAIRINGS)
async def pair_labels(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Pair one label or an array with products: ``{"label": …, "sku": …}``.

    A label with several products names ``skus`` instead, in their order on it; ``place`` says
    where it hangs, else that is where the asker stands: ``PUT …/current-place``. One label on
    whose panel its template has no room is refused, with the panels that would do.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    value, body = await doors.read_json(request)
    single = isinstance(value, dict)
    pairs = [parse_pairing(value, "")] if single else parse_each(value, parse_pairing)

    fit = PanelFit(house)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        standing = standing_place(tx, store_id, who.name, now)
        touched = pairing.pair_labels(
            tx, store_id, pairs, now, single=single, actor=who.name, standing=standing
        )
        if single:
            fit.check(tx, touched)
        return {"paired": len(touched)}, Notice(labels=touched)

    async with fit.explained():
        return await doors.change(house, request, who, body, work, items=len(pairs))


@router.delete("/stores/{store}/pairings/{label}")
async def unpair_label(
    store: str,
    label: str,
    request: Request,
    house: TheHouse,
    who: Asker,
    sku: Annotated[str | None, Query(description="This product alone; the others stay.")] = None,
) -> Response:
    """Let a label speak for nothing: it shows no price any more. Or for all but one product."""
    store_id, label_id = doors.store_id(store), doors.label_id(label)
    product = doors.sku(sku) if sku is not None else None
    who.require(Scope.LABEL_PAIR, store_id)
    await doors.store_for(house, store_id)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        touched = (
            pairing.unpair_product(tx, store_id, label_id, product, now, actor=who.name)
            if product is not None
            else pairing.unpair_labels(tx, store_id, [label_id], now, actor=who.name)
        )
        return {"unpaired": len(touched)}, Notice(labels=touched)

    return await doors.change(house, request, who, (product or "").encode(), work)


@router.delete("/stores/{store}/labels/{label}")
async def retire_label(
    store: str, label: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Let a label leave the shop: it shows no price any more, then its gateway forgets it."""
    store_id, label_id = doors.store_id(store), doors.label_id(label)
    who.require(Scope.LABEL_PAIR, store_id)
    await doors.store_for(house, store_id)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        touched = pairing.retire_labels(tx, store_id, [label_id], now, actor=who.name)
        return {"retired": len(touched)}, Notice(labels=touched)

    return await doors.change(house, request, who, b"", work)


@router.get("/labels/{label}")
async def get_label(label: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return a label: what it wants and what it shows, and the face it should show.

    ``template`` is what the picture that it was last sent was drawn with; ``state`` is how it
    does as a device, and ``verdict`` what became of the last thing it was to show.
    """
    label_id = doors.label_id(label)
    now = house.clock.now()

    def query(tx: Connection) -> dict[str, Any]:
        state = doors.label_for(tx, who, Scope.LABEL_READ, label_id)
        [due] = deliveries.load(tx, [label_id])
        view = label_view(state, house.online())
        member = fleet.member_named(
            tx,
            state.store_id,
            label_id,
            now,
            online=house.online(),
            silent_after=house.settings.silent_after,
        )
        verdict = verdicts.verdict_of_label(tx, state.store_id, label_id, now)
        return view | {
            "template": template_sent(tx, label_id, state.sent_rev),
            "face": face_view(due.face) if due.face is not None else None,
            "state": member.state,
            "place": place_of(tx, label_id),
            "battery_days_left": member.battery.days_left if member.battery else None,
            "verdict": verdict_view(verdict) if verdict is not None else None,
        }

    return await doors.read(house, query)


@router.get("/labels/{label}/frames/{digest}.png", response_class=PngResponse)
async def get_frame(label: str, digest: str, house: TheHouse, who: Asker) -> Response:
    """Return a picture that this label was sent, in ink colours. It never changes."""
    label_id = doors.label_id(label)

    def query(tx: Connection) -> tuple[PanelId, bytes] | None:
        doors.label_for(tx, who, Scope.LABEL_READ, label_id)
        if not _DIGEST.fullmatch(digest):
            return None
        sent = frame_sent_to(tx, label_id, Digest(digest))
        pixels = load_pixels(tx, Digest(digest), house.panels) if sent is not None else None
        return (sent[0], pixels) if sent is not None and pixels is not None else None

    found = await doors.read(house, query)
    if found is None:
        raise NotFound("this label was never sent such a picture")
    panel = house.panels.named(found[0])
    png = png_bytes(found[1], panel)
    kept = "private, max-age=31536000, immutable"
    return PngResponse(png, headers={"Cache-Control": kept})
