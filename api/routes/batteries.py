"""Batteries that will be empty soon: what to replace, in the order of a walk."""

import time
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors
from api.auth import Asker, TheHouse
from api.spreadsheet import spreadsheet
from esl.domain.access import Scope
from esl.domain.ids import LabelId, StoreId
from esl.services import batteries
from esl.services.batteries import Fading, Forecast
from esl.store.shelf_places import places_of_labels

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["fleet"])

COLUMNS: Final = ("label", "place", "battery_mv", "mv_per_day", "days_left", "empty_on", "replaced")
"""Of the CSV; the last is for whoever walks."""

_KEPT_S: Final = 3600.0
_DAYS_MOST: Final = 3650
_LABELS_MOST: Final = 1000


@dataclass(slots=True)
class Forecasts:
    """What was computed within the hour: samples come once a day, and lines cost a second."""

    _kept: dict[StoreId, tuple[float, Forecast]] = field(default_factory=dict)

    def of(self, tx: Connection, store_id: StoreId, house: TheHouse) -> Forecast:
        """Return a store's forecast, at most an hour old."""
        kept = self._kept.get(store_id)
        if kept is not None and time.monotonic() - kept[0] < _KEPT_S:
            return kept[1]
        found = batteries.forecast(tx, store_id, house.clock.now())
        self._kept[store_id] = (time.monotonic(), found)
        return found


class Asked(BaseModel, extra="forbid"):
    """Which batteries, and as what."""

    within_days: int = Field(default=90, ge=0, le=_DAYS_MOST, description="Empty within so many.")
    limit: int = Field(default=_LABELS_MOST, ge=1, le=_LABELS_MOST)
    format: Literal["json", "csv"] = Field(default="json", description="CSV holds all of them")


@router.get(
    "/battery-forecast",
    response_model=None,
    responses={200: {"content": {"application/json": {}, "text/csv": {}}}},
)
async def get_battery_forecast(
    store: str, request: Request, house: TheHouse, who: Asker, asked: Annotated[Asked, Query()]
) -> Response:
    """Say which labels' batteries will be empty within some days, in the order of a walk.

    From voltages of 90 days, one a day; at most an hour old. ``unknown`` labels were heard too
    seldom for a line, ``steady`` ones do not fall.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    forecasts: Forecasts = request.app.state.forecasts

    def query(tx: Connection) -> tuple[Forecast, list[Fading], dict[LabelId, str | None]]:
        whole = forecasts.of(tx, store_id, house)
        found = [one for one in whole.fading if one.days_left <= asked.within_days]
        hung = places_of_labels(tx, store_id, [one.label_id for one in found])
        return whole, found, dict(hung)

    whole, found, hung = await doors.read(house, query)
    views = [_view(one, hung.get(one.label_id)) for one in found]
    if asked.format == "csv":
        name = f"batteries-{store_id}-{house.clock.now():%Y%m%d}.csv"
        return Response(
            spreadsheet(COLUMNS, views, numbers=("mv_per_day",)),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    return JSONResponse(
        {
            "store": store_id,
            "within_days": asked.within_days,
            "found": len(found),
            "fading": len(whole.fading),
            "steady": whole.steady,
            "unknown": whole.unknown,
            "labels": views[: asked.limit],
        }
    )


def _view(one: Fading, place: str | None) -> dict[str, Any]:
    return {
        "label": one.label_id,
        "place": place,
        "battery_mv": one.millivolts,
        "mv_per_day": round(one.per_day_mv, 2),
        "days_left": one.days_left,
        "empty_on": one.empty_on.isoformat(),
    }
