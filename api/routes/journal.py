"""The journal of a store's prices and promotions: pages of JSON, or one CSV of any length."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors
from api.auth import Asker, TheHouse
from api.journal_views import csv_pieces, line_view
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput
from esl.services import journal
from esl.services.journal import Place, place_from

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["journal"])

PAGE_MOST = 1000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_FIX = "Send a day of the store, 2026-03-01, or an instant, 2026-03-01T06:00:00Z."


class JournalPage(BaseModel, extra="forbid"):
    """Which period; both are days of the store's own clock, or instants."""

    begins: str = Field(alias="from", max_length=40, description="2026-03-01, or an instant")
    ends: str = Field(alias="to", max_length=40, description="the first moment after it")
    format: Literal["json", "csv"] = Field(default="json", description="CSV comes whole")
    after: str = Field(default="0-0", max_length=40, description="“after” of the page before")
    limit: int = Field(default=100, ge=1, le=PAGE_MOST)


@router.get(
    "/journal",
    response_model=None,
    responses={200: {"content": {"application/json": {}, "text/csv": {}}}},
)
async def get_journal(
    store: str, house: TheHouse, who: Asker, page: Annotated[JournalPage, Query()]
) -> Response:
    """Return what prices and promotions were changed to in a period, by whom, why, and when shown.

    CSV is sent as it is read, whatever its length; of JSON, ``after`` leads to the next page.
    """
    store_id = doors.store_id(store)
    who.require(Scope.PRICE_READ, store_id)
    zone = ZoneInfo((await doors.store_for(house, store_id)).timezone)
    begins, ends = _moment(page.begins, "from", zone), _moment(page.ends, "to", zone)
    if ends <= begins:
        raise InvalidInput.at("/to", "not after “from”", fix="“to” is the first moment after it.")
    place = place_from(page.after)
    if page.format == "csv":
        name = f"journal-{store_id}-{begins:%Y%m%d}-{ends:%Y%m%d}.csv"
        return StreamingResponse(
            csv_pieces(journal.read_all(house.database, store_id, begins, ends)),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def query(tx: Connection) -> tuple[list[journal.Line], Place | None]:
        return journal.read_page(tx, store_id, begins, ends, place, most=page.limit)

    lines, after = await doors.read(house, query)
    return JSONResponse(
        {
            "lines": [line_view(line) for line in lines],
            "after": after.as_text() if after is not None else None,
        }
    )


def _moment(text: str, name: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput.at(f"/{name}", "neither a day nor an instant", fix=_FIX) from None
    if _DAY.fullmatch(text) is not None:
        moment = moment.replace(tzinfo=zone)
    elif moment.tzinfo is None:
        raise InvalidInput.at(f"/{name}", "an instant without an offset", fix=_FIX)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR or moment.utcoffset() is None:
        raise InvalidInput.at(f"/{name}", f"not within {_FIRST_YEAR} to {_LAST_YEAR}", fix=_FIX)
    return moment.astimezone(UTC)
