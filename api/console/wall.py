"""The wall: the picture on every label, as the label itself reported it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from api import doors
from api.auth import Asker, TheHouse
from api.console import board
from api.console.frame import Framed, show
from api.console.look import Look, Looking
from api.console.shop import shop_panel
from api.console.templates import draw
from api.house import House
from esl.domain.access import Scope
from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.panel import Panels
from esl.domain.place import Store
from esl.services.wall_groups import Group
from esl.store import places
from esl.store import wall as rows

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """A store's labels, as one moment found them."""

    store: Store
    look: Look
    base_url: str
    head: board.Head
    found: Sequence[rows.Tile]
    is_cut: bool  # there are more
    begins: Mapping[LabelId, Group]  # where groups begin
    online: frozenset[GatewayId]
    panels: Panels

    @property
    def tiles(self) -> list[board.Tile]:
        """The tiles to draw."""
        is_old = self.head.is_old
        return [
            board.tile_of(found, self.store, self.online, self.panels, is_old=is_old)
            for found in self.found
        ]

    @property
    def events(self) -> str:
        """The address of the stream that keeps this wall up to date."""
        seen = board.fingerprint(self.found, self.online, is_old=self.head.is_old)
        return self.look.at("/wall/events", seen=seen)

    @property
    def again(self) -> str:
        """The address of the same tiles as they are then."""
        return self.look.at("/wall/tiles")

    @property
    def more(self) -> str:
        """The address of these tiles and some more."""
        return self.look.further().at("/wall/tiles")

    @property
    def more_page(self) -> str:
        """The same as a whole page, for browsers without scripts."""
        return self.look.further().at("/wall")


async def store_looked_at(look: Looking, house: TheHouse, who: Asker) -> Store:
    """Load the store a look names.

    Raises:
        UnknownStore: There is none, or the asker may not know of it.
        Forbidden: The asker may not look at labels.
    """
    store_id = doors.store_id(look.store)
    who.require(Scope.LABEL_READ, store_id)
    return await doors.store_for(house, store_id)


LookedAt = Annotated[Store, Depends(store_looked_at)]


@router.get("/wall")
async def wall_page(
    request: Request, look: Looking, house: TheHouse, who: Asker, frame: Framed
) -> Response:
    """Show the wall of a store: the one the address names, else the one seen last, or the first."""
    if frame.store is None:
        return show("no_stores", frame, base_url=request.base_url)
    store_id = doors.store_id(frame.store_id)
    who.require(Scope.LABEL_READ, store_id)
    wall = await _stand_before(request, house, store_id, look)
    is_search = request.headers.get("hx-request") is not None  # it takes the board alone
    shop = None if is_search else await shop_panel(house)
    return await asyncio.to_thread(show, "wall", frame, wall=wall, shop=shop)


@router.get("/wall/tiles")
async def wall_tiles(request: Request, look: Looking, house: TheHouse, store: LookedAt) -> Response:
    """Draw the tiles alone: more of them, or the same ones as they are now."""
    wall = await _stand_before(request, house, store.store_id, look)
    return HTMLResponse(await asyncio.to_thread(draw, "tiles", wall=wall))


async def _stand_before(request: Request, house: House, store_id: StoreId, look: Look) -> Wall:
    base_url = str(request.base_url)
    online = house.online()

    def query(tx: Connection) -> Wall:
        store = places.store_named(tx, store_id)
        named = replace(look, store=store_id)
        head, here = board.stand(tx, store, named, online, house.clock.now())
        found = board.find(tx, store, named, here)
        return Wall(
            store=store,
            look=named,
            base_url=base_url,
            head=head,
            found=found.tiles,
            is_cut=found.is_cut,
            begins=found.begins,
            online=here,
            panels=house.panels,
        )

    return await doors.read(house, query)
