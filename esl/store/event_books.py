"""What other systems are told of, read where it is written down anyway, from a number on.

Numbers are given out as rows are written, and rows are seen once they are committed. In SQLite
one writer does both in one order. In PostgreSQL a row of a lower number may come to be seen after
one of a higher, so nobody reads to the very end: `Settled` says how far no row is missing, because
every transaction that was under way when that end was seen has ended since.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.subscription import Places
from esl.store.bulk import Bulk
from esl.store.columns import instant_from

_ENDS: Final = """
    SELECT (SELECT coalesce(max(event_id), 0) FROM price_event),
        (SELECT coalesce(max(entry_id), 0) FROM audit_entry),
        (SELECT coalesce(max(problem_id), 0) FROM problem),
        (SELECT coalesce(max(entry_id), 0) FROM display_log),
        (SELECT coalesce(max(happening_id), 0) FROM happening)
"""
_ENDS_NOW: Final = Bulk(_ENDS)
_SNAPSHOT: Final = (
    "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint),"
    " CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)"
)

_PRICES: Final = Bulk(
    """
    SELECT e.event_id, e.store_id FROM price_event AS e
    WHERE e.event_id > :after AND e.event_id <= :last AND e.rev IS NOT NULL
        AND (:store = '' OR {no_index}e.store_id = :store)
    ORDER BY e.event_id LIMIT :most
    """
)
_PROMOTIONS: Final = Bulk(
    """
    SELECT a.entry_id, a.at, a.subject, a.action, a.reason, a.detail FROM audit_entry AS a
    WHERE a.entry_id > :after AND a.entry_id <= :last
        AND a.action IN ('promotion_schedule', 'promotion_revise', 'promotion_stage',
            'promotion_begin', 'promotion_end', 'promotion_cancel', 'promotion_roll_back')
        AND (:store = '' OR {no_index}a.store_id = :store OR EXISTS (
            SELECT 1 FROM promotion_store AS s
            WHERE s.promotion_id = a.subject AND s.store_id = :store))
    ORDER BY a.entry_id LIMIT :most
    """
)
_STORES_OF: Final = Bulk(
    """
    SELECT s.promotion_id, s.store_id FROM {rows} CROSS JOIN promotion_store AS s
    WHERE s.promotion_id = {item} ORDER BY s.promotion_id, s.store_id
    """
)
_PROBLEMS: Final = Bulk(
    """
    SELECT p.problem_id, p.store_id, p.since, p.kind, p.subject, p.reason, p.what_to_do
    FROM problem AS p
    WHERE p.problem_id > :after AND p.problem_id <= :last
        AND (:store = '' OR {no_index}p.store_id = :store)
    ORDER BY p.problem_id LIMIT :most
    """
)
_SHOWN: Final = Bulk(
    """
    SELECT d.entry_id, d.label_id, d.rev, d.recorded_at, l.store_id
    FROM display_log AS d CROSS JOIN label AS l
    WHERE d.entry_id > :after AND d.entry_id <= :last AND l.label_id = d.label_id
        AND (:store = '' OR {no_index}l.store_id = :store)
    ORDER BY d.entry_id LIMIT :most
    """
)
_PRICES_SHOWN: Final = Bulk(
    """
    SELECT CAST(j.value->>0 AS bigint), g.store_id, g.sku, e.rev, e.price_minor, e.currency,
        e.decision, e.event_id
    FROM {rows} CROSS JOIN pairing AS g CROSS JOIN price_event AS e
    WHERE g.label_id = j.value->>1
        AND e.event_id = (SELECT f.event_id FROM price_event AS f
            WHERE f.store_id = g.store_id AND f.sku = g.sku AND f.rev IS NOT NULL AND f.layer <> 1
            ORDER BY f.event_id DESC LIMIT 1)
        AND e.rev <= CAST(j.value->>2 AS bigint)
        AND NOT EXISTS (SELECT 1 FROM issued AS i WHERE i.label_id = g.label_id
            AND i.rev = CAST(j.value->>2 AS bigint) AND i.template = 'neutral')
        AND coalesce((SELECT d.rev FROM display_log AS d
            WHERE d.label_id = g.label_id AND d.entry_id < CAST(j.value->>0 AS bigint)
                AND NOT EXISTS (SELECT 1 FROM issued AS i WHERE i.label_id = d.label_id
                    AND i.rev = d.rev AND i.template = 'neutral')
            ORDER BY d.entry_id DESC LIMIT 1), -1) < e.rev
    """
)
"""Of [entry, label, rev]: the prices that its label showed for the first time.

A neutral face (`esl.domain.neutral`) shows none, whatever its revision is."""

_COUNTED: Final = Bulk(
    """
    SELECT CAST(j.value->>0 AS bigint), j.value->>2, count(*), sum(CASE
        WHEN coalesce((SELECT d.rev FROM display_log AS d
            WHERE d.label_id = g.label_id AND d.entry_id <= CAST(j.value->>0 AS bigint)
                AND NOT EXISTS (SELECT 1 FROM issued AS i WHERE i.label_id = d.label_id
                    AND i.rev = d.rev AND i.template = 'neutral')
            ORDER BY d.entry_id DESC LIMIT 1), -1) >= CAST(j.value->>3 AS bigint) THEN 1
        WHEN l.settled_rev >= CAST(j.value->>3 AS bigint) AND NOT EXISTS (
            SELECT 1 FROM display_log AS d WHERE d.label_id = g.label_id
                AND d.entry_id > CAST(j.value->>0 AS bigint)
                AND d.rev >= CAST(j.value->>3 AS bigint))
            AND NOT EXISTS (SELECT 1 FROM issued AS i WHERE i.label_id = l.label_id
                AND i.rev = l.shown_rev AND i.template = 'neutral') THEN 1
        ELSE 0 END)
    FROM {rows} CROSS JOIN pairing AS g CROSS JOIN label AS l
    WHERE g.store_id = j.value->>1 AND g.sku = j.value->>2 AND l.label_id = g.label_id
    GROUP BY j.value->>0, j.value->>2
    """
)
"""Of [entry, store, sku, rev]: labels of the product, and how many showed the price by then.

One that showed the same before has settled without a word; it counts from the beginning."""

_STOCK: Final = Bulk(
    """
    SELECT p.store_id, p.sku, p.name, p.stock, t.level
    FROM product AS p LEFT JOIN stock_told AS t
        ON t.subscription_id = :subscription AND t.store_id = p.store_id AND t.sku = p.sku
    WHERE (:store = '' OR p.store_id = :store) AND p.stock IS NOT NULL AND (
        (p.stock <= 0 AND coalesce(t.level, '') <> 'out')
        OR (p.stock > 0 AND p.stock <= :low AND coalesce(t.level, '') <> 'low')
        OR (p.stock > :low AND p.stock <= :left_beyond AND t.level = 'out')
        OR (p.stock > :left_beyond AND t.level IS NOT NULL))
    ORDER BY p.store_id, p.sku LIMIT :most
    """
)


class PriceRow(NamedTuple):
    """A price that came to hold, by its number."""

    number: int
    store_id: StoreId


class PromotionRow(NamedTuple):
    """A promotion that was moved on."""

    number: int
    at: datetime
    promotion: str
    action: str
    reason: str | None
    detail: str | None  # JSON


class ProblemRow(NamedTuple):
    """A problem that was opened."""

    number: int
    store_id: StoreId | None
    at: datetime
    kind: str
    subject: str
    reason: str
    what_to_do: str


class ShownRow(NamedTuple):
    """A label's word that it shows a revision."""

    number: int
    label_id: LabelId
    rev: int
    at: datetime
    store_id: StoreId


class ShownPrice(NamedTuple):
    """A price that the last of its labels came to show; ``number`` is that of its word."""

    number: int
    store_id: StoreId
    sku: Sku
    rev: int
    price_minor: int
    currency: str
    labels: int
    change: int  # the number of the price that came to hold


class StockRow(NamedTuple):
    """A product whose stock is on another level than was told."""

    store_id: StoreId
    sku: Sku
    name: str | None
    stock: int
    level: str | None


Ends = TypeVar("Ends")


class SettledEnds(Generic[Ends]):
    """How far some books are whole; ask it again and again, from one thread at a time."""

    def __init__(self, ends: Callable[[Connection], Ends], nothing: Ends) -> None:
        self._ends = ends
        self._whole = nothing
        self._seen: list[tuple[int, Ends]] = []  # an end, and the first transaction after it

    def look(self, tx: Connection) -> Ends:
        """Return up to where no row is missing, or may yet appear."""
        ends = self._ends(tx)
        if tx.dialect.name == "sqlite":
            return ends
        [(oldest, following)] = tx.exec_driver_sql(_SNAPSHOT).fetchall()
        while self._seen and self._seen[0][0] <= oldest:
            self._whole = self._seen.pop(0)[1]
        if not self._seen or self._seen[-1][1] != ends:
            self._seen.append((int(following), ends))
        return self._whole


def ends_of(tx: Connection) -> Places:
    """Return the last number of each book, as seen now."""
    [row] = _ENDS_NOW.run(tx)
    return Places(*map(int, row))


class Settled(SettledEnds[Places]):
    """How far each book of `Places` is whole."""

    def __init__(self) -> None:
        super().__init__(ends_of, Places())


def price_rows(
    tx: Connection, store: StoreId | None, *, after: int, last: int, most: int
) -> list[PriceRow]:
    """Load the numbers of the next prices that came to hold."""
    found = _PRICES.run(tx, store=store or "", after=after, last=last, most=most)
    return [PriceRow(int(number), StoreId(store_id)) for number, store_id in found]


def promotion_rows(
    tx: Connection, store: StoreId | None, *, after: int, last: int, most: int
) -> list[PromotionRow]:
    """Load what was done next with promotions."""
    found = _PROMOTIONS.run(tx, store=store or "", after=after, last=last, most=most)
    return [PromotionRow(int(row[0]), _instant(row[1]), *row[2:]) for row in found]


def stores_of(tx: Connection, promotions: Sequence[str]) -> dict[str, list[StoreId]]:
    """Name the stores of promotions."""
    stores: dict[str, list[StoreId]] = {}
    for promotion, store_id in _STORES_OF.run(tx, sorted(set(promotions))):
        stores.setdefault(promotion, []).append(StoreId(store_id))
    return stores


def problem_rows(
    tx: Connection, store: StoreId | None, *, after: int, last: int, most: int
) -> list[ProblemRow]:
    """Load the problems that were opened next."""
    found = _PROBLEMS.run(tx, store=store or "", after=after, last=last, most=most)
    return [ProblemRow(int(row[0]), row[1], _instant(row[2]), *row[3:]) for row in found]


def shown_rows(
    tx: Connection, store: StoreId | None, *, after: int, last: int, most: int
) -> list[ShownRow]:
    """Load what labels said next that they show."""
    found = _SHOWN.run(tx, store=store or "", after=after, last=last, most=most)
    return [
        ShownRow(int(row[0]), LabelId(row[1]), int(row[2]), _instant(row[3]), StoreId(row[4]))
        for row in found
    ]


def shown_prices(tx: Connection, shown: Sequence[ShownRow]) -> list[ShownPrice]:
    """Find the prices that the last of their labels came to show with these words."""
    words = [(row.number, row.label_id, row.rev) for row in shown]
    first = {
        (int(row[0]), row[2]): row for row in _PRICES_SHOWN.run(tx, words) if row[6] != "withdrawn"
    }
    asked = [(number, row[1], sku, int(row[3])) for (number, sku), row in sorted(first.items())]
    found: list[ShownPrice] = []
    for number, sku, labels, showing in _COUNTED.run(tx, asked):
        if int(labels) == int(showing):
            _, store, _, rev, minor, currency, _, change = first[int(number), sku]
            found.append(
                ShownPrice(
                    number=int(number),
                    store_id=StoreId(store),
                    sku=Sku(sku),
                    rev=int(rev),
                    price_minor=minor,
                    currency=currency,
                    labels=int(labels),
                    change=int(change),
                )
            )
    return sorted(found)


def stock_rows(
    tx: Connection,
    store: StoreId | None,
    subscription_id: str,
    *,
    low: int,
    left_beyond: int,
    most: int,
) -> list[StockRow]:
    """Load products whose stock is on another level than was told: out, low, or back again.

    What is low is so up to ``low`` pieces, and no more beyond ``left_beyond``.
    """
    found = _STOCK.run(
        tx,
        store=store or "",
        subscription=subscription_id,
        low=low,
        left_beyond=left_beyond,
        most=most,
    )
    return [StockRow(*row) for row in found]


def _instant(value: str | datetime) -> datetime:
    instant = instant_from(value)
    if instant is None:
        raise TypeError("a row without its moment")
    return instant
