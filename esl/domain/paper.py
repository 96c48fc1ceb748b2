"""Paper tickets: what stands on the shelf in place of a label that is dead, late or missing.

A ticket is printed from the very picture that its label should show, so it says what the law
wants of that. Paper does not change by itself: from the moment that the label should show
something else, the ticket is wrong, and somebody is told.

    printed ──▶ hangs ──▶ outdated   what its label should show has changed
                  │  └──▶ needless   its label shows the price again
                  └─────▶ loose      its label speaks for the product no more
                  (each of them) ──▶ gone, as somebody said
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from esl.domain.ids import LabelId, StoreId

TICKETS_MOST: Final = 200
"""Labels of one request: some thirty sheets."""


class Standing(StrEnum):
    """How it is with a ticket."""

    OUTDATED = "outdated"
    LOOSE = "loose"
    NEEDLESS = "needless"
    HANGS = "hangs"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNow:
    """What decides about a ticket: how its label is at this moment."""

    wanted_rev: int
    settled_rev: int
    has_trouble: bool
    skus: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTicket:
    """One ticket. Sizes are those of the label's picture, in tenths of a millimetre."""

    ticket_id: int
    sheet: str
    store_id: StoreId
    label_id: LabelId
    rev: int  # that its label wanted then
    was_settled: bool  # the label had reported this picture; somebody printed it all the same
    skus: tuple[str, ...]
    name: str
    place: str | None
    width_tenths_mm: int
    height_tenths_mm: int
    printed_at: datetime
    printed_by: str
    gone_at: datetime | None = None
    gone_by: str | None = None
    standing: Standing = Standing.HANGS


def standing_of(ticket: PaperTicket, label: LabelNow | None) -> Standing:
    """Judge a ticket by its label; None: there is no such label any more."""
    if ticket.gone_at is not None:
        return Standing.GONE
    if label is None or label.skus != ticket.skus:
        return Standing.LOOSE
    if label.wanted_rev != ticket.rev:
        return Standing.OUTDATED
    shows_it = label.settled_rev >= label.wanted_rev and not label.has_trouble
    return Standing.NEEDLESS if shows_it and not ticket.was_settled else Standing.HANGS
