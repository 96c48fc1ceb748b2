"""How often labels were painted, by label and by day: each refresh costs battery."""

from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors
from api.auth import Asker, TheHouse
from esl.domain.access import Scope
from esl.domain.ids import LabelId
from esl.store import places
from esl.store.refreshes import OfStore, refreshes_of_label, refreshes_of_store
from esl.store.shelf_places import places_of_labels

router = APIRouter(prefix="/api/v1", tags=["fleet"])

_DAYS_MOST: Final = 31
_LABELS_MOST: Final = 500


class Days(BaseModel, extra="forbid"):
    """How far back."""

    days: int = Field(default=30, ge=1, le=_DAYS_MOST, description="Up to today, and with it.")


class Most(BaseModel, extra="forbid"):
    """How far back, and how many labels."""

    days: int = Field(default=7, ge=1, le=_DAYS_MOST, description="Up to today, and with it.")
    limit: int = Field(default=50, ge=1, le=_LABELS_MOST)


@router.get("/labels/{label}/refreshes")
async def get_refreshes(
    label: str, house: TheHouse, who: Asker, which: Annotated[Days, Query()]
) -> dict[str, Any]:
    """Say how often a label was painted on each of the last days, in its store's time."""
    label_id = doors.label_id(label)

    def query(tx: Connection) -> list[dict[str, Any]]:
        state = doors.label_for(tx, who, Scope.LABEL_READ, label_id)
        zone = ZoneInfo(places.store_named(tx, state.store_id).timezone)
        found = refreshes_of_label(tx, label_id, house.clock.now(), zone=zone, days=which.days)
        return [{"day": day.isoformat(), "refreshes": many} for day, many in found]

    return {"days": await doors.read(house, query)}


@router.get("/stores/{store}/refreshes")
async def get_store_refreshes(
    store: str, house: TheHouse, who: Asker, which: Annotated[Most, Query()]
) -> dict[str, Any]:
    """Say how often a store's labels were painted on each of the last days, and which the most.

    Days are those of the store's time, to the hour. Labels that were painted the most come first.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    zone = ZoneInfo((await doors.store_for(house, store_id)).timezone)

    def query(tx: Connection) -> tuple[OfStore, dict[LabelId, str | None]]:
        found = refreshes_of_store(tx, store_id, house.clock.now(), zone=zone, days=which.days)
        named = [label_id for label_id, _ in found.labels[: which.limit]]
        return found, dict(places_of_labels(tx, store_id, named))

    found, hung = await doors.read(house, query)
    return {
        "store": store_id,
        "days": [{"day": day.isoformat(), "refreshes": many} for day, many in found.days],
        "refreshes": sum(many for _, many in found.labels),
        "painted": len(found.labels),
        "labels": [
            {
                "label": label_id,
                "place": hung.get(label_id),
                "refreshes": many,
                "a_day": round(many / which.days, 2),
            }
            for label_id, many in found.labels[: which.limit]
        ],
    }
