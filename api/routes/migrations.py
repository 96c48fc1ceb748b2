"""Labels of another system: taken over, and given out again in the same form."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api import doors, openapi_migrations
from api.auth import Asker, TheHouse
from api.migration_views import moved_view
from api.routes.labels import Page
from esl.domain.access import Scope
from esl.intake.migration_json import parse_pairings, row_json
from esl.services.migration import Wishes, take_pairings
from esl.store.migration import pairing_rows
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["migration"])


@router.post("/migrations/pairings", openapi_extra=openapi_migrations.PAIRINGS)
async def take_over_pairings(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Take labels over as another system knew them: expected, paired, placed; row by row.

    A row that cannot be taken is refused by itself. The same rows again change nothing.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    value, body = await doors.read_json(request)
    asked = parse_pairings(value)
    wishes = Wishes(moves=asked.moves, panel_id=asked.panel_id)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        moved = take_pairings(
            tx,
            store_id,
            asked.rows,
            house.clock.now(),
            panels=house.panels,
            wishes=wishes,
            actor=who.name,
            dry_run=asked.dry_run,
        )
        return moved_view(moved, dry_run=asked.dry_run), Notice(labels=moved.labels)

    if asked.dry_run:
        answer = await doors.read(house, lambda tx: work(tx)[0])
        return Response(json.dumps(answer), media_type="application/json")
    return await doors.change(house, request, who, body, work, items=len(asked.rows))


@router.get("/pairings")
async def list_pairings(
    store: str, house: TheHouse, who: Asker, page: Annotated[Page, Query()]
) -> dict[str, Any]:
    """List a store's labels as the rows that ``POST …/migrations/pairings`` takes."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    rows = await doors.read(
        house, lambda tx: pairing_rows(tx, store_id, after=page.after, most=page.limit)
    )
    more = rows[-1].label_id if len(rows) == page.limit else None
    return {"rows": [row_json(row) for row in rows], "after": more}
