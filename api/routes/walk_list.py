"""What wants somebody's hands, in the order of a walk."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api import doors
from api.auth import Asker, TheHouse
from api.schemas import problem_view, tile_view
from esl.domain.access import Scope
from esl.domain.inspection import Item
from esl.domain.shelf_place import PLACE_LONGEST
from esl.services.mending import ToMend, labels_to_mend

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["fleet"])


class Part(BaseModel, extra="forbid"):
    """Which part of the walk."""

    aisle: str | None = Field(
        default=None,
        min_length=1,
        max_length=PLACE_LONGEST,
        description="Only what hangs there: an aisle, or a bay of it such as 3/2.",
    )
    after: str = Field(default="", max_length=64, pattern=r"^[a-z0-9-]*$")
    limit: int = Field(default=100, ge=1, le=1000)


@router.get("/walk-list")
async def list_walk(
    store: str, house: TheHouse, who: Asker, page: Annotated[Part, Query()]
) -> dict[str, Any]:
    """List the labels that want somebody's hands, as one walks past them, and why each does.

    Those that are not right and do not come right by themselves, those with an open problem, and
    those of which an inspection of the last 30 days saw something wrong that nothing has mended
    since. ``found`` is how many there are, ``passed`` how many of them hang before these.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    now, online = house.clock.now(), house.online()
    part = await doors.read(
        house,
        lambda tx: labels_to_mend(
            tx, store_id, now, online=online, area=page.aisle, after=page.after, limit=page.limit
        ),
    )

    def view(one: ToMend) -> dict[str, Any]:
        return tile_view(one.tile, online) | {
            "place": one.place,
            "problems": [problem_view(problem) for problem in one.problems],
            "seen": _seen(one.seen) if one.seen is not None else None,
        }

    stops = [view(one) for one in part.stops]
    after = stops[-1]["label"] if len(stops) == page.limit else None
    return {"labels": stops, "after": after, "found": part.found, "passed": part.passed}


def _seen(one: Item) -> Mapping[str, Any]:
    return {"seen": one.seen, "note": one.note, "seen_at": one.seen_at, "seen_by": one.seen_by}
