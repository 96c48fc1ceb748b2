"""Paper tickets printed and taken away: audited, and a problem once one of them is wrong."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from esl.domain.errors import Conflict, NotFound
from esl.domain.ids import StoreId
from esl.domain.paper import PaperTicket, Standing
from esl.domain.problem import ProblemKind
from esl.store import audit, paper_tickets
from esl.store.paper_tickets import Printed

_WHY: Final = {
    Standing.OUTDATED: "what its label should show has changed since",
    Standing.LOOSE: "its label speaks for the product no more",
}


def print_tickets(
    tx: Connection,
    store_id: StoreId,
    printed: Sequence[Printed],
    now: datetime,
    *,
    sheet: str,
    by: str,
) -> list[PaperTicket]:
    """Store tickets as they were drawn; older ones of the same labels are gone by this."""
    made = paper_tickets.add_tickets(tx, store_id, printed, now, sheet=sheet, by=by)
    detail = {"tickets": [[one.ticket_id, one.label_id, one.rev] for one in made]}
    audit.note(
        tx,
        now,
        actor=by,
        action="paper_printed",
        subject=f"paper-sheet/{sheet}",
        store_id=store_id,
        detail=detail,
    )
    return made


def put_hanging(
    tx: Connection, store_id: StoreId, ticket_id: int, now: datetime, *, hangs: bool, by: str
) -> PaperTicket:
    """Note that a ticket was taken off the shelf, or hangs after all; twice is once.

    Raises:
        NotFound: The store has no such ticket.
        Conflict: It shall hang again, and another hangs for its label.
    """
    ticket = ticket_for(tx, store_id, ticket_id)
    if (ticket.gone_at is None) == hangs:
        return ticket
    if hangs and paper_tickets.has_hanging(tx, ticket.label_id):
        raise Conflict(f"another ticket hangs for {ticket.label_id!r}; take that away first")
    paper_tickets.put_gone(tx, ticket_id, at=None if hangs else now, by=by)
    audit.note(
        tx,
        now,
        actor=by,
        action="paper_hung" if hangs else "paper_gone",
        subject=f"paper-ticket/{ticket_id}",
        store_id=store_id,
        detail={"label": ticket.label_id},
    )
    return ticket_for(tx, store_id, ticket_id)


def ticket_for(tx: Connection, store_id: StoreId, ticket_id: int) -> PaperTicket:
    """Load a ticket.

    Raises:
        NotFound: The store has no such ticket.
    """
    found = paper_tickets.ticket_named(tx, store_id, ticket_id)
    if found is None:
        raise NotFound(f"no paper ticket {ticket_id} in this store")
    return found


def find_paper_problems(
    tx: Connection, store_id: StoreId
) -> Iterator[tuple[ProblemKind, str, str]]:
    """Find tickets that hang and say what may be wrong by now."""
    for one in paper_tickets.hanging_tickets(tx, store_id):
        why = _WHY.get(one.standing)
        if why is not None:
            where = f" at {one.place}" if one.place else ""
            reason = f"The paper ticket of {one.name[:80]}{where} still hangs: {why}."
            yield ProblemKind.PAPER_OUTDATED, f"paper/{one.ticket_id}", reason
