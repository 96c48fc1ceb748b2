"""Prices that wait for a second person.

::

    open ──▶ approved     another person than the sender let it hold
      ├────▶ rejected     a person said no
      └────▶ superseded   a newer price of the product was accepted, or held back in its place

One that waits too long stays open, and a problem says so. Nothing that is open is ever sent.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from esl.domain.guards import Reason
from esl.domain.ids import Sku, SourceId, StoreId


class QuarantineState(StrEnum):
    """What became of a price that was held back."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A price that was held back, with all that is known of it. ``said`` is kept text."""

    quarantine_id: int
    store_id: StoreId
    sku: Sku
    source: SourceId
    batch_id: int | None
    said: str
    price_minor: int
    currency: str
    held_minor: int | None  # what held then
    reasons: tuple[Reason, ...]
    actor: str
    received_at: datetime
    expires_at: datetime
    state: QuarantineState
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    rev: int | None
