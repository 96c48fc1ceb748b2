"""The journal: what a store's prices and promotions were changed to, when, by whom, and why.

For accounting and for whoever must answer a customer or an inspector. Lines come in the order of
their moments, a page at a time, so a year of a big store needs no more memory than a day.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection

from esl.domain.errors import InvalidInput
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.promotion.offer import PLAIN_WORDS
from esl.store import journal
from esl.store.database import Database
from esl.store.journal import PriceLine, PromotionLine, ShownAt
from esl.store.offers import Layer

PAGE: Final = 500
SHOWN_WITHIN: Final = timedelta(days=7)
"""A label that comes to show a price later than this is not counted: it was dead or away, and
the display log would be read to its end for every line."""


class Kind(StrEnum):
    """What a line is about."""

    PRICE = "price"  #: the till's price, and labels show it
    TILL = "till"  #: the till's price beneath a promotion: labels show the promotion's
    SHELF = "shelf"  #: what labels show since a promotion began, changed or ended
    PROMOTION = "promotion"  #: a person or the clock moved a promotion on


KINDS: Final = {Layer.BOTH: Kind.PRICE, Layer.TILL: Kind.TILL, Layer.OFFER: Kind.SHELF}


class Place(NamedTuple):
    """How far a reader has come."""

    event_id: int = 0
    entry_id: int = 0

    def as_text(self) -> str:
        """Write it as a reader sends it back."""
        return f"{self.event_id}-{self.entry_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the journal; money in minor units, None is no price."""

    at: datetime
    kind: Kind
    event_id: int | None  # of the price history
    sku: Sku | None = None
    name: str | None = None
    old_minor: int | None = None
    new_minor: int | None = None
    currency: str | None = None
    action: str  # "accepted", "withdrawn", or what was done with a promotion
    reason: str | None = None
    source: str | None = None
    actor: str
    promotions: tuple[str, ...] = ()
    labels: int | None = None  # that speak for the product now
    shown: int | None = None  # of these, that came to show it
    first_shown: datetime | None = None
    last_shown: datetime | None = None
    batch_id: int | None = None  # with which it came


def place_from(text: str) -> Place:
    """Read how far a reader has come.

    Raises:
        InvalidInput: It is none of ours.
    """
    event, _, entry = text.partition("-")
    if not (event.isascii() and event.isdigit() and entry.isascii() and entry.isdigit()):
        raise InvalidInput.at("/after", "no place of the journal", fix="Send “after” as it came.")
    numbers = int(event[:18]), int(entry[:18])
    return Place(*numbers)


def read_page(
    tx: Connection,
    store_id: StoreId,
    begins: datetime,
    ends: datetime,
    after: Place,
    *,
    most: int = PAGE,
) -> tuple[list[Line], Place | None]:
    """Load the next lines of a period, and from where to read on; None: there is no more."""
    span = journal.span_of(tx, begins, ends)
    prices = journal.price_lines(tx, store_id, span, after=after.event_id, most=most)
    done = journal.promotion_lines(tx, store_id, span, after=after.entry_id, most=most)
    # Each list keeps its own order, of which the place is made.
    both: tuple[Sequence[PriceLine | PromotionLine], ...] = (done, prices)
    merged = list(heapq.merge(*both, key=_moment))
    page = merged[:most]
    is_whole = len(merged) <= most and len(prices) < most and len(done) < most
    events = [one.event_id for one in page if isinstance(one, PriceLine)]
    entries = [one.entry_id for one in page if isinstance(one, PromotionLine)]
    shown = _shown(tx, store_id, [one for one in page if isinstance(one, PriceLine)])
    lines = [
        _price(one, shown[one.event_id]) if isinstance(one, PriceLine) else _promotion(one)
        for one in page
    ]
    if is_whole:
        return lines, None
    return lines, Place(max(events, default=after.event_id), max(entries, default=after.entry_id))


def read_product(
    tx: Connection, store_id: StoreId, sku: Sku, *, before: int, most: int
) -> list[Line]:
    """Load what one product's price was changed to before an event, the latest first."""
    lines = journal.lines_of_product(tx, store_id, sku, before=before, most=most)
    shown = _shown(tx, store_id, lines)
    return [_price(one, shown[one.event_id]) for one in lines]


def read_all(
    database: Database, store_id: StoreId, begins: datetime, ends: datetime
) -> Iterator[list[Line]]:
    """Read a period from its begin to its end, each page in a transaction of its own."""
    place: Place | None = Place()
    while place is not None:
        with database.read() as tx:
            lines, place = read_page(tx, store_id, begins, ends, place)
        yield lines


def _moment(one: PriceLine | PromotionLine) -> datetime:
    return one.at


class _Shown(NamedTuple):
    labels: int = 0
    shown: int = 0
    first: datetime | None = None
    last: datetime | None = None


def _shown(tx: Connection, store_id: StoreId, lines: Sequence[PriceLine]) -> Mapping[int, _Shown]:
    """Say of each price how many labels came to show it, and when the first and the last did."""
    if not lines:
        return {}
    labels = journal.labels_of(tx, store_id, sorted({one.sku for one in lines}))
    heard: dict[LabelId, list[ShownAt]] = {}
    all_labels = sorted({label for some in labels.values() for label in some})
    begins = min(one.at for one in lines)
    ends = max(one.at for one in lines) + SHOWN_WITHIN
    least = min(one.rev for one in lines)
    if all_labels:
        for entry in journal.shown_between(tx, all_labels, begins, ends, least=least):
            heard.setdefault(entry.label_id, []).append(entry)
    return {one.event_id: _shown_of(one, labels.get(one.sku, []), heard) for one in lines}


def _shown_of(
    line: PriceLine, labels: Sequence[LabelId], heard: Mapping[LabelId, Sequence[ShownAt]]
) -> _Shown:
    if line.layer == Layer.TILL:
        return _Shown(len(labels))
    firsts: list[datetime] = []
    for label in labels:
        for entry in heard.get(label, ()):
            if entry.rev >= line.rev and (line.next_rev is None or entry.rev < line.next_rev):
                firsts.append(entry.at)
                break
    return _Shown(len(labels), len(firsts), min(firsts, default=None), max(firsts, default=None))


def _price(line: PriceLine, shown: _Shown) -> Line:
    why: Mapping[str, Any] = msgspec.json.decode(line.why) if line.why is not None else {}
    applied = why.get("applied", ())
    return Line(
        at=line.at,
        kind=KINDS[Layer(line.layer)],
        event_id=line.event_id,
        sku=line.sku,
        name=line.name,
        old_minor=line.old_minor,
        new_minor=line.price_minor if line.decision != "withdrawn" else None,
        currency=line.currency,
        action=line.decision,
        reason=_reason(line, why),
        source=line.source,
        actor=line.actor,
        promotions=tuple(str(one["promotion"]) for one in applied),
        labels=shown.labels,
        shown=shown.shown,
        first_shown=shown.first,
        last_shown=shown.last,
        batch_id=line.batch_id,
    )


def _reason(line: PriceLine, why: Mapping[str, Any]) -> str | None:
    """Say why a price came to hold; where the law judged a till's former price, what it said."""
    trouble, law = why.get("trouble"), why.get("law")
    if trouble is not None:
        return f"shown plainly under {law}: {PLAIN_WORDS.get(trouble, trouble)}"
    if line.layer == Layer.OFFER and law is not None and not why.get("applied"):
        return f"the till's reduction, as {law} lets it be announced"
    if ended := why.get("ended"):
        return f"ended: {', '.join(ended)}"
    return line.reason or line.batch or line.badge


def _promotion(line: PromotionLine) -> Line:
    return Line(
        at=line.at,
        kind=Kind.PROMOTION,
        event_id=None,
        action=line.action,
        reason=line.reason,
        actor=line.actor,
        promotions=(line.promotion,),
    )
