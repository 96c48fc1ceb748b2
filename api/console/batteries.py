"""Batteries that will be empty soon: a list to walk with, before labels fall silent."""

import asyncio
from datetime import date
from typing import Annotated, Final

from babel.dates import format_date
from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.console.frame import Framed, show
from api.console.languages import spoken
from api.console.own_api import Api, part
from api.console.sparkline import bars_of

router = APIRouter(include_in_schema=False)

CHOICES: Final = (30, 90, 180, 365)
_LABELS_SHOWN: Final = 500
_MOST_PAINTED: Final = 10


@router.get("/batteries")
async def batteries_page(
    frame: Framed, api: Api, days: Annotated[int, Query(ge=0, le=3650)] = 90
) -> Response:
    """Show which batteries will be empty within some days."""
    at = f"/api/v1/stores/{part(frame.store_id)}/battery-forecast"
    found, refreshes = await asyncio.gather(
        api.get(at, within_days=days, limit=_LABELS_SHOWN),
        api.get(f"/api/v1/stores/{part(frame.store_id)}/refreshes", days=7, limit=_MOST_PAINTED),
    )
    page = {
        "found": found,
        "refreshes": refreshes,
        "bars": bars_of([one["refreshes"] for one in refreshes["days"]]),
        "days": days,
        "choices": CHOICES,
        "csv": f"{at}?within_days={days}&format=csv",
        "day": _day,
    }
    return show("batteries", frame, page=page)


def _day(text: str) -> str:
    return format_date(date.fromisoformat(text), "d MMM y", locale=spoken().locale)
