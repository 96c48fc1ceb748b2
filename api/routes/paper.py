"""Paper tickets: printed in place of labels that are dead, late or missing, and taken away."""

import asyncio
import re
import secrets
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_paper, ticket_press
from api.auth import Asker, TheHouse
from api.ticket_press import Unprinted
from api.turns import drawing_turn
from esl.domain.access import Scope
from esl.domain.errors import NotFound
from esl.domain.instants import instant_or_none, instant_text
from esl.domain.paper import PaperTicket
from esl.intake.paper_json import parse_hangs, parse_labels
from esl.services import papering
from esl.store import paper_tickets
from esl.store.paper_tickets import Printed
from gateway.worker import Notice
from renderer.paper import PaperPicture, write_sheets

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["labels"])

_NUMBER_MOST = 2**53 - 1
_SHEET = re.compile(r"[0-9a-f]{16}", re.ASCII)


class PdfResponse(Response):
    """Sheets to print."""

    media_type = "application/pdf"


class TicketPage(BaseModel, extra="forbid"):
    """Which tickets."""

    hangs: bool | None = Field(
        default=None, description="true: those on the shelf; false: those taken away; else all"
    )
    before: int | None = Field(
        default=None, ge=1, le=_NUMBER_MOST, description="“before” of the page before this one"
    )
    limit: int = Field(default=100, ge=1, le=500)


@router.post("/paper-tickets", openapi_extra=openapi_paper.PRINT)
async def print_tickets(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Print what labels should show now; each label is answered by itself.

    ``pdf`` is the address of the sheets. A ticket takes the place of one that hung for its label.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    value, body = await doors.read_json(request)
    label_ids = parse_labels(value)
    asked = await doors.read(house, lambda tx: ticket_press.load(tx, house, store_id, label_ids))
    async with drawing_turn(request):
        drawn = await asyncio.to_thread(lambda: list(ticket_press.draw(house, asked, label_ids)))
    sheet = secrets.token_hex(8)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        printed = [one for one in drawn if isinstance(one, Printed)]
        made = {}
        if printed:
            now = house.clock.now()
            tickets = papering.print_tickets(tx, store_id, printed, now, sheet=sheet, by=who.name)
            made = {one.label_id: one for one in tickets}
        results = [
            _refused(one) if isinstance(one, Unprinted) else ticket_view(made[one.label_id])
            for one in drawn
        ]
        pdf = f"/api/v1/stores/{store_id}/paper-sheets/{sheet}.pdf" if printed else None
        return {"pdf": pdf, "results": results}, Notice()

    return await doors.change(house, request, who, body, work, items=len(drawn))


@router.get("/paper-tickets")
async def list_tickets(
    store: str, house: TheHouse, who: Asker, page: Annotated[TicketPage, Query()]
) -> dict[str, Any]:
    """List paper tickets, the newest first, and how each stands.

    ``outdated``: what its label should show has changed; ``loose``: the label speaks for its
    product no more; ``needless``: the label shows it again; ``hangs``; ``gone``.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    found = await doors.read(
        house,
        lambda tx: paper_tickets.tickets_of(
            tx, store_id, hang=page.hangs, before=page.before, most=page.limit
        ),
    )
    more = found[-1].ticket_id if len(found) == page.limit else None
    return {"tickets": [ticket_view(one) for one in found], "before": more}


@router.get("/paper-tickets/{ticket}")
async def get_ticket(store: str, ticket: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return a paper ticket, and how it stands."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    number = doors.number(ticket, "paper ticket")
    found = await doors.read(house, lambda tx: papering.ticket_for(tx, store_id, number))
    return ticket_view(found)


@router.put("/paper-tickets/{ticket}", openapi_extra=openapi_paper.HANGS)
async def put_ticket(
    store: str, ticket: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Say that a ticket was taken off the shelf (``hangs`` false), or that it hangs after all."""
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    number = doors.number(ticket, "paper ticket")
    value, body = await doors.read_json(request)
    hangs = parse_hangs(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        put = papering.put_hanging(tx, store_id, number, now, hangs=hangs, by=who.name)
        return ticket_view(put), Notice()

    return await doors.change(house, request, who, body, work)


@router.get("/paper-sheets/{sheet}.pdf", response_class=PdfResponse)
async def get_sheets(
    store: str, sheet: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Return what was printed at once, as PDF for A4: cut along the lines.

    It says what it said then, however often it is fetched; how each stands says the list.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    zone = ZoneInfo((await doors.store_for(house, store_id)).timezone)

    def query(tx: Connection) -> tuple[list[PaperTicket], dict[int, bytes]]:
        return (
            paper_tickets.tickets_of_sheet(tx, store_id, sheet),
            paper_tickets.pictures_of_sheet(tx, store_id, sheet),
        )

    tickets, pngs = await doors.read(house, query) if _SHEET.fullmatch(sheet) else ([], {})
    if not tickets:
        raise NotFound("this store has printed no such sheet, or it is forgotten")
    pictures = [
        PaperPicture(
            png=pngs[one.ticket_id],
            width_mm=one.width_tenths_mm / 10,
            height_mm=one.height_tenths_mm / 10,
            words=ticket_press.words_below(
                one, f"{one.printed_at.astimezone(zone):%Y-%m-%d %H:%M}"
            ),
        )
        for one in tickets
    ]
    async with drawing_turn(request):
        pdf = await asyncio.to_thread(
            write_sheets, pictures, house.fonts, title=f"Paper tickets {sheet}"
        )
    named = {"Content-Disposition": f'inline; filename="tickets-{sheet}.pdf"'}
    return PdfResponse(pdf, headers=named)


def ticket_view(one: PaperTicket) -> dict[str, Any]:
    """A ticket as JSON."""
    return {
        "ticket": one.ticket_id,
        "label": one.label_id,
        "state": one.standing.value,
        "name": one.name,
        "skus": list(one.skus),
        "place": one.place,
        "rev": one.rev,
        "printed_at": instant_text(one.printed_at),
        "printed_by": one.printed_by,
        "gone_at": instant_or_none(one.gone_at),
        "gone_by": one.gone_by,
        "pdf": f"/api/v1/stores/{one.store_id}/paper-sheets/{one.sheet}.pdf",
    }


def _refused(one: Unprinted) -> dict[str, Any]:
    return {
        "label": one.label_id,
        "state": "refused",
        "reason": one.reason,
        "fix": one.fix,
    }
