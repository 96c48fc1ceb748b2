"""The display models that labels may be of: the built-in ones and this installation's own."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from api.auth import Asker, TheHouse
from api.edits import Read
from api.paging import ShortPage, cut
from api.panel_views import facts_of

router = APIRouter(prefix="/api/v1/panels", tags=["panels"])


class PanelPage(ShortPage):
    """Which models."""

    inks: Literal["bw", "bwr", "bwy", "bwry"] | None = Field(
        default=None, description="Only models with these inks."
    )


@router.get("")
async def list_panels(
    house: TheHouse, who: Asker, page: Annotated[PanelPage, Query()]
) -> dict[str, Any]:
    """List the display models by id: size, inks, and how their memory is filled."""
    del who  # any token: what models there are is no secret
    known = [one for one in house.panels.values() if page.inks in (None, one.ink_set)]
    found, after = cut(known, page, lambda one: one.panel_id)
    return {"panels": [facts_of(one) for one in found], "after": after}


@router.get("/{panel}")
async def get_panel(panel: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Return everything known of a display model; ``nominal`` names what nobody has measured."""
    del who
    return reading.of(facts_of(house.panels.named(panel)))
