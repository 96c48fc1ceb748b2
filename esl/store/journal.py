"""What was decided about a store's prices and promotions, in its order, a page at a time.

Events and audit entries are numbered as they come, and their moments rise with the numbers: so
the numbers of a period are found by halving, without an index of moments that each price would
have to pay for. Between processes moments may be off by a little; `_SLACK` covers it, and each
row's own moment decides.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from esl.domain.ids import LabelId, Sku, StoreId
from esl.store.bulk import Bulk
from esl.store.columns import instant_from

_SLACK: Final = timedelta(hours=1)

_MOMENT_OF_EVENT: Final = Bulk(
    "SELECT event_id, received_at FROM price_event WHERE event_id >= :at ORDER BY event_id LIMIT 1"
)
_MOMENT_OF_ENTRY: Final = Bulk(
    "SELECT entry_id, at FROM audit_entry WHERE entry_id >= :at ORDER BY entry_id LIMIT 1"
)
_LAST_EVENT: Final = Bulk("SELECT coalesce(max(event_id), 0) FROM price_event")
_LAST_ENTRY: Final = Bulk("SELECT coalesce(max(entry_id), 0) FROM audit_entry")

_LINE: Final = """
    SELECT e.event_id, e.received_at, e.sku, p.name, e.price_minor, e.was_minor, e.badge,
        e.currency, e.decision, e.layer, e.source, e.actor, e.rev, e.batch_id, e.why,
        (SELECT CASE WHEN f.decision = 'withdrawn' THEN NULL ELSE f.price_minor END
            FROM price_event AS f
            WHERE f.store_id = :store AND f.sku = e.sku AND f.event_id < e.event_id
                AND f.rev IS NOT NULL
                AND ((e.layer = 2 AND f.layer <> 1) OR (e.layer <> 2 AND f.layer <> 2))
            ORDER BY f.event_id DESC LIMIT 1),
        (SELECT f.rev FROM price_event AS f
            WHERE f.store_id = :store AND f.sku = e.sku AND f.event_id > e.event_id
                AND f.rev IS NOT NULL AND f.layer <> 1
            ORDER BY f.event_id LIMIT 1),
        coalesce((SELECT r.reason FROM proposal AS r
            WHERE r.store_id = :store AND r.sku = e.sku AND r.rev = e.rev
            ORDER BY r.proposal_id LIMIT 1),
        (SELECT r.reason FROM proposal AS r JOIN quarantine AS q
                ON q.quarantine_id = r.quarantine_id
            WHERE r.store_id = :store AND r.sku = e.sku AND r.quarantine_id IS NOT NULL
                AND q.rev = e.rev AND e.layer <> 2
            ORDER BY r.proposal_id LIMIT 1)),
        b.title
    FROM price_event AS e
        LEFT JOIN product AS p ON p.store_id = e.store_id AND p.sku = e.sku
        LEFT JOIN batch AS b ON b.batch_id = e.batch_id
"""
_EVENTS: Final = Bulk(
    _LINE
    + """
    WHERE e.event_id > :after AND e.event_id <= :last AND {no_index}e.store_id = :store
        AND e.rev IS NOT NULL AND e.received_at >= :begins AND e.received_at < :ends
    ORDER BY e.event_id LIMIT :most
    """
)
_OF_PRODUCT: Final = Bulk(
    _LINE
    + """
    WHERE e.store_id = :store AND e.sku = :sku AND e.event_id < :before AND e.rev IS NOT NULL
    ORDER BY e.event_id DESC LIMIT :most
    """
)
_ENTRIES: Final = Bulk(
    """
    SELECT a.entry_id, a.at, a.subject, a.action, a.actor, a.reason FROM audit_entry AS a
    WHERE a.entry_id > :after AND a.entry_id <= :last AND a.at >= :begins AND a.at < :ends
        AND substr(a.action, 1, 10) = 'promotion_'
        AND ({no_index}a.store_id = :store OR EXISTS (SELECT 1 FROM promotion_store AS s
            WHERE s.promotion_id = a.subject AND s.store_id = :store))
    ORDER BY a.entry_id LIMIT :most
    """
)
_LABELS: Final = Bulk(
    """
    SELECT g.sku, g.label_id FROM {rows} CROSS JOIN pairing AS g
    WHERE g.store_id = :store AND g.sku = {item}
    """
)
_SHOWN: Final = Bulk(
    """
    SELECT d.label_id, d.rev, d.recorded_at FROM {rows} CROSS JOIN display_log AS d
    WHERE d.label_id = {item} AND d.recorded_at >= :begins AND d.recorded_at < :ends
        AND d.rev >= :least
    ORDER BY d.entry_id
    """
)


class PriceLine(NamedTuple):
    """A price as it came to hold, and the one before it."""

    event_id: int
    at: datetime
    sku: Sku
    name: str | None
    price_minor: int
    was_minor: int | None
    badge: str | None
    currency: str
    decision: str
    layer: int  # `esl.store.offers.Layer`
    source: str
    actor: str
    rev: int
    batch_id: int | None
    why: str | None  # JSON, of an offer
    old_minor: int | None
    next_rev: int | None  # by which labels said something else of it
    reason: str | None  # of an engine
    batch: str | None


class PromotionLine(NamedTuple):
    """Something that was done with a promotion."""

    entry_id: int
    at: datetime
    promotion: str
    action: str
    actor: str
    reason: str | None


class Span(NamedTuple):
    """A period, and the numbers it lies between: after the first, to the last."""

    begins: datetime
    ends: datetime
    events: tuple[int, int]
    entries: tuple[int, int]


class ShownAt(NamedTuple):
    """A label came to show a revision."""

    label_id: LabelId
    rev: int
    at: datetime


def span_of(tx: Connection, begins: datetime, ends: datetime) -> Span:
    """Find the numbers of a period."""
    return Span(
        begins,
        ends,
        (
            _before(tx, _MOMENT_OF_EVENT, _LAST_EVENT, begins - _SLACK),
            _before(tx, _MOMENT_OF_EVENT, _LAST_EVENT, ends + _SLACK),
        ),
        (
            _before(tx, _MOMENT_OF_ENTRY, _LAST_ENTRY, begins - _SLACK),
            _before(tx, _MOMENT_OF_ENTRY, _LAST_ENTRY, ends + _SLACK),
        ),
    )


def price_lines(
    tx: Connection, store_id: StoreId, span: Span, *, after: int, most: int
) -> list[PriceLine]:
    """Load the next prices of a period."""
    first, last = span.events
    found = _EVENTS.run(
        tx,
        store=store_id,
        after=max(after, first),
        last=last,
        begins=span.begins,
        ends=span.ends,
        most=most,
    )
    return _price_lines(found)


def lines_of_product(
    tx: Connection, store_id: StoreId, sku: Sku, *, before: int, most: int
) -> list[PriceLine]:
    """Load the prices of one product that came to hold before an event, the latest first."""
    return _price_lines(_OF_PRODUCT.run(tx, store=store_id, sku=sku, before=before, most=most))


def _price_lines(found: Iterable[Sequence[Any]]) -> list[PriceLine]:
    lines: list[PriceLine] = []
    for event_id, at, *rest in found:
        instant = instant_from(at)
        if instant is not None:
            lines.append(PriceLine(event_id, instant, *rest))
    return lines


def promotion_lines(
    tx: Connection, store_id: StoreId, span: Span, *, after: int, most: int
) -> list[PromotionLine]:
    """Load what was done next with promotions of a store in a period."""
    first, last = span.entries
    found = _ENTRIES.run(
        tx,
        store=store_id,
        after=max(after, first),
        last=last,
        begins=span.begins,
        ends=span.ends,
        most=most,
    )
    lines: list[PromotionLine] = []
    for entry_id, at, subject, action, actor, reason in found:
        instant = instant_from(at)
        if instant is not None:
            done = str(action).removeprefix("promotion_")
            lines.append(PromotionLine(entry_id, instant, subject, done, actor, reason))
    return lines


def labels_of(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, list[LabelId]]:
    """Say which labels speak for products now."""
    found: dict[Sku, list[LabelId]] = {}
    for sku, label_id in _LABELS.run(tx, skus, store=store_id):
        found.setdefault(Sku(sku), []).append(LabelId(label_id))
    return found


def shown_between(
    tx: Connection, label_ids: Sequence[LabelId], begins: datetime, ends: datetime, *, least: int
) -> list[ShownAt]:
    """Load what labels came to show in a time, from a revision on; of each in its order."""
    found: list[ShownAt] = []
    for label_id, rev, at in _SHOWN.run(tx, label_ids, begins=begins, ends=ends, least=least):
        instant = instant_from(at)
        if instant is not None:
            found.append(ShownAt(LabelId(label_id), int(rev), instant))
    return found


def _before(tx: Connection, moment: Bulk, last: Bulk, at: datetime) -> int:
    """Return the number of the last row before a moment, 0 for none, by halving."""
    low, high = 0, int(last.run(tx)[0][0])  # the answer is within [low, high]
    while low < high:
        middle = (low + high + 1) // 2
        found = moment.run(tx, at=middle)
        number, when = found[0] if found else (None, None)
        instant = instant_from(when)
        if number is None or instant is None or instant >= at:
            high = middle - 1
        else:
            low = int(number)
    return low
