"""Planograms as files, the way a space-planning system exports them: every row by itself."""

import asyncio
import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_shelf
from api.auth import Asker, TheHouse
from api.pairing_views import counts_of, outcome_view
from esl.domain.access import Scope
from esl.domain.entry import RowProblem
from esl.domain.errors import InvalidInput
from esl.domain.migration import RowDecision
from esl.domain.planogram import PlaceRow
from esl.intake.mapping.planogram_file import read_planogram
from esl.services import placing
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["places"])

ROWS_MOST: Final = 20_000
"""Of one file, in one transaction: more than the largest shops have labels on one floor."""


class How(BaseModel, extra="forbid"):
    """What to do with a file."""

    dry_run: bool = Field(default=False, description="Store nothing; say what would become of it.")


@router.post("/planograms", openapi_extra=openapi_shelf.PLANOGRAM)
async def take_planogram(
    store: str, request: Request, house: TheHouse, who: Asker, how: Annotated[How, Query()]
) -> Response:
    """Hang labels where a planogram says: the file itself, CSV, .xlsx or JSON, up to 4 MiB.

    Every row that can be taken is, all in one transaction; of each other one the answer says
    which field is wrong, why, and what to do. The same file again changes nothing.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    body = await request.body()
    found = await asyncio.to_thread(read_planogram, body)
    if len(found) > ROWS_MOST:
        raise InvalidInput.at(
            "", f"{len(found)} rows; at most {ROWS_MOST} are taken at once", fix="Split the file."
        )
    rows = [each for each in found if isinstance(each, PlaceRow)]
    refused = [_refusal_view(each) for each in found if isinstance(each, RowProblem)]

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        taken = placing.take_places(
            tx, store_id, rows, house.clock.now(), actor=who.name, dry_run=how.dry_run
        )
        views = sorted(
            [*refused, *(outcome_view(outcome) for outcome in taken.outcomes)],
            key=lambda view: int(view["row"]),
        )
        answer = {"dry_run": how.dry_run, **counts_of(views), "results": views}
        return answer, Notice(labels=taken.labels)

    if how.dry_run:
        answer = await doors.read(house, lambda tx: work(tx)[0])
        return Response(json.dumps(answer), media_type="application/json")
    return await doors.change(house, request, who, body, work, items=len(rows))


def _refusal_view(problem: RowProblem) -> dict[str, Any]:
    return {
        "row": problem.row,
        "label": "",
        "place": "",
        "decision": RowDecision.REJECTED.value,
        "done": [],
        "field": problem.field,
        "reason": problem.reason,
        "fix": problem.fix,
    }
